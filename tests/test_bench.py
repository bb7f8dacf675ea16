"""The benchmark: what races is what it says, the clock is fair, and tables say what was measured."""

import json
import math
import time

import keras
import pytest

from benchmarks import bench, contenders, measurements, report


@pytest.mark.parametrize(
    ("task", "parameters", "source"),
    [
        ("mnist", 101_770, "784 · 128 + 128 + 128 · 10 + 10"),
        ("cifar10", 122_570, "printed by the tutorial's model.summary()"),
        ("imdb", 2_757_761, "printed by the example's model.summary()"),
    ],
)
def test_references_have_the_published_number_of_parameters(task, parameters, source):
    network, _ = contenders.reference(task)
    network.build((None, *network.input_shape[1:]))
    assert network.count_params() == parameters, source


def test_the_clock_does_not_count_while_it_is_stopped():
    clock = contenders.Clock()
    clock.stop()
    before = clock.seconds()
    time.sleep(0.2)
    clock.go()
    assert clock.seconds() - before < 0.1
    time.sleep(0.05)
    assert clock.seconds() - before >= 0.05


def test_multiplications_and_numbers_are_those_of_the_layers():
    layers = keras.layers
    cnn = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    assert contenders.multiplications(cnn, (8, 8, 3)) == 6 * 6 * (3 * 3 * 3) * 4 + 3 * 3 * 4 * 5
    maps, pooled = 6 * 6 * 4, 3 * 3 * 4
    passed = (8 * 8 * 3 + maps) + (maps + pooled) + 2 * pooled + (pooled + 5)
    assert contenders.numbers_passed(cnn, (8, 8, 3)) == passed
    reader = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Embedding(11, 6),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.LSTM(3),
            layers.Dense(1),
        ]
    )
    assert contenders.multiplications(reader, (7,)) == 2 * 7 * 8 * (6 + 2) + 7 * 12 * (4 + 3) + 3
    lstms = (7 * 6 + 7 * 4 + 2 * 7 * 8) + (7 * 4 + 3 + 7 * 12)
    assert contenders.numbers_passed(reader, (7,)) == (7 + 7 * 6) + lstms + (3 + 1)


@pytest.mark.parametrize("task", contenders.NOTEBOOKS)
def test_a_recipe_is_taken_from_its_notebook_without_training_anything(task):
    source = contenders.source_of(task, contenders.RECIPES[task])
    assert "SEED = " in source
    assert source.count(".fit(") == 1
    assert "check(" not in source


@pytest.mark.data
def test_a_recipe_learns_and_is_measured_after_each_epoch():
    found = contenders.train("mnist", "recipe", seed=1)
    seconds, accuracies = zip(*found["curve"], strict=True)
    assert len(seconds) == 6
    assert list(seconds) == sorted(seconds)
    assert found["seconds"] >= seconds[-1]
    assert accuracies[-1] > 0.9
    assert len(contenders.train("mnist", "short", seed=1)["curve"]) == contenders.SHORT["mnist"]["epochs"]


def test_what_was_measured_is_kept_until_its_subject_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "KEPT", tmp_path)
    job = "train mnist short 1"
    assert bench.kept(job) is None
    note = {"fingerprint": bench.fingerprint(job), "found": {"seconds": 1.0}}
    (tmp_path / "train-mnist-short-1.json").write_text(json.dumps(note))
    assert bench.kept(job) == {"seconds": 1.0}
    monkeypatch.setitem(contenders.SHORT, "mnist", {"epochs": 3})
    assert bench.kept(job) is None


def test_the_estimate_takes_what_was_measured():
    assert bench.expected("train imdb recipe 2", {}) == bench.EXPECTED["train imdb"]
    assert bench.expected("train imdb recipe 2", {"train imdb recipe 1": {"wall": 7.0}}) == 7.0


def test_a_measurement_that_fails_says_so_and_names_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "KEPT", tmp_path)
    monkeypatch.setitem(measurements.MEASUREMENTS, "nonsense", lambda: {})
    with pytest.raises(SystemExit, match="“nonsense” failed"):
        bench.run("nonsense")
    assert not list(tmp_path.iterdir())


def race(reference, recipe, short):
    """Return results of one seed from curves of seconds and accuracies."""
    return {
        f"train mnist {name} 1": {"curve": curve, "seconds": curve[-1][0]}
        for name, curve in zip(contenders.CONTENDERS, (reference, recipe, short), strict=True)
    }


def test_the_time_to_the_references_accuracy_is_the_first_end_of_an_epoch_that_has_it():
    results = race([(5, 0.5), (10, 0.9)], [(2, 0.7), (4, 0.95)], [(3, 0.9)])
    assert report.ratios(results, "mnist") == ([0.4], [0.3])
    never = race([(5, 0.5), (10, 0.9)], [(2, 0.7)], [(3, 0.8)])
    assert report.ratios(never, "mnist")[1] == [math.inf]


def test_medians_stand_with_their_range():
    assert report.spread([3.0, 1.0, 2.0], ".1f", " s") == "2.0 s (1.0 to 3.0)"
    assert report.spread([2.0], ".0f") == "2"


def test_the_results_are_a_complete_run():
    assert list(report.read()) == bench.jobs()


def test_the_pages_say_what_was_measured():
    results = report.read()
    assert report.RESULTS.read_text(encoding="utf-8") == report.results_page(results)
    assert report.PICTURE.exists()


def test_a_short_version_is_described_by_its_arguments():
    assert report.in_words({"epochs": 1}) == "1 epoch"
    assert report.in_words({"epochs": 2, "batch_size": 64, "both_ways": False, "dropout": False}) == (
        "2 epochs, one direction, batches of 64, no dropout"
    )
    assert report.in_words({"epochs": 2, "peak": 0.01}) == "2 epochs, peak learning rate 0.01"
