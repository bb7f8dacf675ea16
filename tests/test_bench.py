"""The benchmark: what races is what it says, the clock is fair, and tables say what was measured."""

import dataclasses
import json
import math
import os
import time
from pathlib import Path

import keras
import pytest

from benchmarks import bench, contenders, kinds, measurements, report
from benchmarks.races import RACES
from tools import collection


@pytest.mark.parametrize(
    ("task", "parameters", "source"),
    [
        ("mnist", 101_770, "784 · 128 + 128 + 128 · 10 + 10"),
        ("cifar10", 122_570, "printed by the tutorial's model.summary()"),
        ("imdb", 2_757_761, "printed by the example's model.summary()"),
    ],
)
def test_references_have_the_published_number_of_parameters(task, parameters, source):
    network, _ = RACES[task].reference()
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


@pytest.mark.parametrize("task", RACES)
def test_a_recipe_is_taken_from_its_notebook_without_training_anything(task):
    source = contenders.source_of(task, RACES[task].recipe)
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
    assert len(contenders.train("mnist", "short", seed=1)["curve"]) == RACES["mnist"].short["epochs"]


def test_what_was_measured_is_kept_until_its_subject_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "KEPT", tmp_path)
    job = "train mnist short 1"
    assert bench.kept(job) is None
    note = {"fingerprint": bench.fingerprint(job), "found": {"seconds": 1.0}}
    bench.place_of(job).parent.mkdir()
    bench.place_of(job).write_text(json.dumps(note))
    assert bench.kept(job) == {"seconds": 1.0}
    monkeypatch.setattr(kinds, "here", lambda: "another")
    assert bench.kept(job) is None, "it was measured on another kind of processor"
    monkeypatch.undo()
    monkeypatch.setattr(bench, "KEPT", tmp_path)
    monkeypatch.setitem(RACES, "mnist", dataclasses.replace(RACES["mnist"], short={"epochs": 3}))
    assert bench.kept(job) is None


def edited(part, monkeypatch):
    """Return the jobs that have to be measured again once `part`, a file name and a text, is added to it."""
    before = {job: bench.fingerprint(job) for job in bench.jobs()}
    name, addition = part
    read = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, **how: read(path, **how) + addition * (path.name == name)
    )
    changed = {job for job in before if bench.fingerprint(job) != before[job]}
    monkeypatch.undo()
    return changed


def test_a_measurement_stays_valid_until_something_that_runs_in_it_changes(monkeypatch):
    assert edited(("plots.py", "# new"), monkeypatch) == {"suite"}
    assert edited(("checks.py", "# new"), monkeypatch) == {"suite"}
    assert edited(("downloads.py", "# new"), monkeypatch) == {
        "suite",
        *(f"loader {task} ours" for task in RACES),
    }
    trained = {job for job in bench.jobs() if job.startswith(("train", "growth"))}
    assert edited(("training.py", "# new"), monkeypatch) == {"suite", *trained}
    assert edited(("constraints.txt", "\nkeras==99.0"), monkeypatch) == set(bench.jobs())
    assert edited(("constraints.txt", "\nmatplotlib==99.0"), monkeypatch) == set()
    before = {job: bench.fingerprint(job) for job in bench.jobs()}
    monkeypatch.setitem(RACES, "imdb", dataclasses.replace(RACES["imdb"], given={"both_ways": False}))
    changed = {job for job in before if bench.fingerprint(job) != before[job]}
    assert changed == {f"train imdb {who} {seed}" for who in ("recipe", "short") for seed in bench.SEEDS}


def test_a_notebook_that_does_not_race_asks_for_no_race(monkeypatch):
    before = {job: bench.fingerprint(job) for job in bench.jobs()}
    known = collection.notebooks()
    monkeypatch.setattr(collection, "notebooks", lambda: [*known, known[0]])
    assert list(before) == bench.jobs()
    assert {job for job in before if bench.fingerprint(job) != before[job]} == {"suite"}


def test_a_race_in_which_no_notebook_takes_part_is_refused():
    with pytest.raises(ValueError, match='race = "chess"'):
        contenders.notebook_of("chess")


def test_a_switch_makes_a_kind_of_processor_of_its_own(monkeypatch):
    monkeypatch.delenv(kinds.SWITCH, raising=False)
    assert kinds.here() in kinds.KINDS
    assert not kinds.is_switched()
    monkeypatch.setenv(kinds.SWITCH, "avx2")
    assert kinds.here() in ("avx2", "arm")
    assert kinds.is_switched()


def test_the_option_for_narrow_vectors_reaches_the_processes_that_measure(monkeypatch, capsys):
    monkeypatch.setenv(kinds.SWITCH, "")
    seen = []
    monkeypatch.setattr(bench, "run", lambda job: seen.append(os.environ[kinds.SWITCH]) or {"wall": 1.0})
    monkeypatch.setattr(report, "race_table", lambda task, results: "a table")
    monkeypatch.setattr("sys.argv", ["benchmarks", "--quick", "--fresh", "--isa", "avx2"])
    bench.main()
    assert seen == ["AVX2"] * 3
    assert "a table" in capsys.readouterr().out


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


@pytest.mark.parametrize("kind", kinds.measured())
def test_results_are_those_of_a_complete_run_and_carry_their_machine(kind):
    results = report.read(kind)
    assert list(results) == bench.jobs()
    assert results["machine"]["kind"] == kind
    assert kinds.KINDS[kind] in results["machine"]["words"]


def test_the_page_agrees_with_the_results():
    results = {kind: report.read(kind) for kind in kinds.measured()}
    assert report.RESULTS.read_text(encoding="utf-8") == report.results_page(results), (
        "write it anew by `python -m benchmarks --report`, which measures nothing"
    )
    assert report.PICTURE.exists()


def test_two_kinds_of_processor_stand_side_by_side():
    wide = report.read("avx512")
    slow = {
        job: {**found, "seconds": 2 * found["seconds"]} for job, found in wide.items() if job != "machine"
    }
    narrow = slow | {"machine": {**wide["machine"], "operations": 1e11}}
    page = report.results_page({"avx512": wide, "avx2": narrow})
    targets = report.targets_table({"avx512": wide, "avx2": narrow}).splitlines()
    assert targets[0] == (
        "| | aimed at | AVX-512: median (range) | in every seed | AVX2 only: median (range) | in every seed |"
    )
    assert all(line.count("|") == targets[0].count("|") for line in targets)
    assert page.count("#### AVX-512") == page.count("#### AVX2 only") == len(RACES)
    costs = report.costs_table({"avx512": wide, "avx2": narrow}).splitlines()
    seconds = wide["suite"]["seconds"]
    assert f"{seconds:.1f} |" in costs[-1]
    assert f"{2 * seconds:.1f} |" in costs[-1]


def test_what_a_recipe_reached_covers_all_kinds(monkeypatch):
    curves = {"avx512": 0.98, "avx2": 0.975}
    found = {
        kind: {"train mnist recipe 1": {"curve": [[1.0, last]], "seconds": 1.0}}
        for kind, last in curves.items()
    }
    monkeypatch.setattr(kinds, "measured", lambda: list(found))
    monkeypatch.setattr(report, "read", found.get)
    assert report.reached("mnist") == "97.5 to 98.0 %"


def test_results_of_one_kind_leave_those_of_another_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(kinds, "RESULTS", tmp_path / "results")
    report.keep("avx512", {"suite": {"seconds": 1.0}})
    report.keep("avx2", {"suite": {"seconds": 2.0}})
    assert kinds.measured() == ["avx512", "avx2"]
    assert report.read("avx512") == {"suite": {"seconds": 1.0}}


def test_a_short_version_is_described_by_its_arguments():
    assert report.in_words({"epochs": 1}) == "1 epoch"
    assert report.in_words({"epochs": 2, "batch_size": 64, "both_ways": False, "dropout": False}) == (
        "2 epochs, one direction, batches of 64, no dropout"
    )
    assert report.in_words({"epochs": 2, "peak": 0.01}) == "2 epochs, peak learning rate 0.01"
