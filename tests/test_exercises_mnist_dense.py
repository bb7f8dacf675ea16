"""Right answers that the checks of notebook 03 must accept, and usual wrong ones that they must reject."""

from types import SimpleNamespace

from utils.exercises import mnist_dense as exercises

import numpy as np
import pytest
import tensorflow as tf

# ----------------------------------------------------------------------------------------- numbers

RIGHT_NUMBERS = [
    (exercises.exercise_1, 266_610),
    (exercises.exercise_1, 266_610.0),
    (exercises.exercise_1, np.int64(266_610)),
    (exercises.exercise_1, np.array([266_610])),
    (exercises.exercise_1, tf.constant(266_610)),
    (exercises.exercise_2, np.log(1000)),
    (exercises.exercise_2, np.float32(np.log(1000))),
    (exercises.exercise_2, -np.log(1 / 1000)),
    (exercises.exercise_2, 6.908),
    (exercises.exercise_2, [6.9078]),
    (exercises.exercise_2, tf.math.log(1000.0)),
]

WRONG_NUMBERS = [
    (exercises.exercise_1, 784 * 300 + 300 * 100 + 100 * 10, "bias"),
    (exercises.exercise_1, 784 * 300 + 300 + 300 * 100 + 100, "ten scores"),
    (exercises.exercise_1, 28 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10, "Count layer by layer"),
    (exercises.exercise_1, 784 * 300 * 100 * 10, "add them up"),
    (exercises.exercise_1, 266_611, "Each layer"),
    (exercises.exercise_1, [784, 300, 100, 10], "One number"),
    (exercises.exercise_1, "many", "Numbers are asked for"),
    (exercises.exercise_1, None, "One number|not a number|asked for"),
    (exercises.exercise_2, -np.log(1000), "sign"),
    (exercises.exercise_2, 3.0, "base ten"),
    (exercises.exercise_2, np.log2(1000), "bits"),
    (exercises.exercise_2, 0.001, "probability"),
    (exercises.exercise_2, 0.999, "probability"),
    (exercises.exercise_2, np.log(10), "thousand"),
    (exercises.exercise_2, 1.0, "minus its logarithm"),
    (exercises.exercise_2, float("inf"), "infinite"),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT_NUMBERS)
def test_right_numbers(said, exercise, answer):
    assert said(exercise, answer).endswith(": right")


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG_NUMBERS)
def test_wrong_numbers(rejected, exercise, answer, hint):
    rejected(exercise, answer, hint)


# ----------------------------------------------------------------------------------------- functions


def top_k_sorted(scores, labels, k):
    best = np.argsort(scores, axis=1)[:, -k:]
    return np.mean(np.any(best == labels[:, np.newaxis], axis=1))


def top_k_looped(scores, labels, k):
    hits = 0
    for row, label in zip(scores, labels, strict=True):
        hits += int(label in sorted(range(len(row)), key=lambda j: -row[j])[:k])
    return hits / len(labels)


def top_k_tensorflow(scores, labels, k):
    return tf.reduce_mean(tf.cast(tf.math.in_top_k(labels, tf.cast(scores, tf.float32), k), tf.float32))


def top_k_partition(scores, labels, k):
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return np.float32((best == labels[:, None]).any(1).mean())


def drop(values, rate, random):
    return values * (random.random(values.shape) >= rate) / (1 - rate)


def drop_where(values, rate, random):
    return np.where(random.uniform(size=values.shape) < rate, 0, values / (1 - rate)).astype(np.float32)


def drop_binomial(values, rate, random):
    return values * random.binomial(1, 1 - rate, values.shape) / (1 - rate)


def drop_looped(values, rate, random):
    return [[0.0 if random.random() < rate else value / (1 - rate) for value in row] for row in values]


def ece(probabilities, labels, bins, combine=None):
    confidence = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    total = 0.0
    for low in np.arange(bins) / bins:
        here = (confidence > low) & (confidence <= low + 1 / bins)
        if here.any():
            total += here.mean() * abs(hit[here].mean() - confidence[here].mean())
    return total


def ece_bincount(probabilities, labels, bins):
    confidence = tf.reduce_max(probabilities, axis=1).numpy()
    hit = np.argmax(probabilities, axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return np.float32(np.abs(np.bincount(place, hit - confidence, bins)).sum() / len(labels))


RIGHT_FUNCTIONS = [
    (exercises.exercise_3, top_k_sorted),
    (exercises.exercise_3, top_k_looped),
    (exercises.exercise_3, top_k_tensorflow),
    (exercises.exercise_3, top_k_partition),
    (exercises.exercise_4, drop),
    (exercises.exercise_4, drop_where),
    (exercises.exercise_4, drop_binomial),
    (exercises.exercise_4, drop_looped),
    (exercises.exercise_4, lambda v, rate, random: tf.constant(drop(v, rate, random))),
    (exercises.exercise_5, ece),
    (exercises.exercise_5, ece_bincount),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT_FUNCTIONS)
def test_right_functions(said, exercise, answer):
    assert said(exercise, answer).endswith(": right")


def in_place(values, rate, random):
    values *= random.random(values.shape) >= rate
    values /= 1 - rate
    return values


def binned(probabilities, labels, bins):
    """Return the gap of each bin and the share of pictures in it."""
    confidence = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    return np.bincount(place, hit - confidence, bins) / np.maximum(count, 1), count / len(labels)


WRONG_FUNCTIONS = [
    (exercises.exercise_3, lambda s, y, k: 100 * top_k_sorted(s, y, k), "per cent"),
    (exercises.exercise_3, lambda s, y, k: len(y) * top_k_sorted(s, y, k), "What part"),
    (exercises.exercise_3, lambda s, y, k: top_k_sorted(-s, y, k), "lowest"),
    (exercises.exercise_3, lambda s, y, k: np.mean(s.argmax(axis=1) == y), "highest score only"),
    (exercises.exercise_3, lambda s, y, k: top_k_sorted(s, y, k) / k, "divide by k"),
    (exercises.exercise_3, lambda s, y, k: np.mean(np.sort(s, axis=1)[:, -k:] == y[:, None]), "axis"),
    (exercises.exercise_3, lambda s, y, k: np.mean(s.argmax(axis=0) == y), "stopped with|axis|highest"),
    (
        exercises.exercise_3,
        lambda s, y, k: np.any(np.argsort(s)[:, -k:] == y, axis=1).mean(),
        "stopped with|off",
    ),
    (exercises.exercise_3, lambda s, y, k: None, "return"),
    (exercises.exercise_3, 0.9, "function"),
    (exercises.exercise_4, lambda v, rate, random: v, "Nothing was set"),
    (exercises.exercise_4, lambda v, rate, random: drop(v, 1 - rate, random), "part that is dropped"),
    (exercises.exercise_4, lambda v, rate, random: v * (random.random(v.shape) >= rate), "mean has shrunk"),
    (exercises.exercise_4, lambda v, rate, random: drop(v, rate, random) * (1 - rate) ** 2, "smaller"),
    (
        exercises.exercise_4,
        lambda v, rate, random: drop(v, rate, random) * (1 - rate) / rate,
        "factor is off",
    ),
    (exercises.exercise_4, lambda v, rate, random: drop(v, rate, random) * 3, "one number"),
    (exercises.exercise_4, lambda v, rate, random: v * (random.random(v.shape[1]) >= rate), "same units"),
    (
        exercises.exercise_4,
        lambda v, rate, random: v * (random.random((len(v), 1)) >= rate),
        "Whole examples",
    ),
    (exercises.exercise_4, lambda v, rate, random: drop(v, rate / 2, random), "part set to zero"),
    (exercises.exercise_4, lambda v, rate, random: drop(v, rate, np.random.default_rng(0)), "mask"),
    (exercises.exercise_4, lambda v, rate, random: drop(v, rate, random)[0], "shape"),
    (exercises.exercise_4, in_place, "changes the array"),
    (exercises.exercise_5, lambda p, y, b: np.sum(np.prod(binned(p, y, b), axis=0)), "cancel"),
    (exercises.exercise_5, lambda p, y, b: -np.sum(np.prod(binned(p, y, b), axis=0)), "cancel"),
    (exercises.exercise_5, lambda p, y, b: np.mean(np.abs(binned(p, y, b)[0])), "Weigh"),
    (exercises.exercise_5, lambda p, y, b: np.sum(binned(p, y, b)[0] ** 2 * binned(p, y, b)[1]), "squared"),
    (exercises.exercise_5, lambda p, y, b: ece(p, y, b) * len(y), "number of pictures"),
    (exercises.exercise_5, lambda p, y, b: 1 - np.mean(p.argmax(axis=1) == y), "share of hits"),
    (exercises.exercise_5, lambda p, y, b: p[0], "One number"),
]


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG_FUNCTIONS)
def test_wrong_functions(rejected, exercise, answer, hint):
    rejected(exercise, answer, hint)


# ----------------------------------------------------------------------------------------- a network


class Network:
    """A stand-in for a trained Keras model, right on the given part of the pictures."""

    def __init__(self, labels, accuracy, parameters, outputs=10):
        self.labels, self.accuracy, self.parameters, self.outputs = labels, accuracy, parameters, outputs

    def count_params(self):
        """Return the number of parameters."""
        return self.parameters

    def predict(self, pictures, **options):
        """Return one row of scores for each label."""
        answers = np.where(np.arange(len(self.labels)) < self.accuracy * len(self.labels), self.labels, 0)
        return tf.one_hot(answers, self.outputs)


def data_of(tier):
    return SimpleNamespace(
        x_val=np.zeros((1000, 28, 28), np.uint8),
        y_val=np.random.RandomState(0).randint(1, 10, 1000),
        tier=tier,
    )


@pytest.mark.parametrize(
    ("tier", "accuracy", "parameters", "verdict"),
    [
        ("full", 0.975, 9_000, "right"),
        ("full", 0.96, 10_000, "right"),
        ("sample", 0.85, 6_634, "right"),
        ("full", 0.95, 9_000, "95.0 %; 96 %"),
        ("full", 0.99, 10_001, "10,001 parameters"),
        ("sample", 0.7, 9_000, "80 %"),
        ("full", 0.1, 9_000, "guessing"),
    ],
)
def test_exercise_6(said, tier, accuracy, parameters, verdict):
    data = data_of(tier)
    assert verdict in said(exercises.exercise_6, Network(data.y_val, accuracy, parameters), data)


def test_exercise_6_rejects_what_is_no_network_for_digits(said):
    data = data_of("full")
    assert "Keras model" in said(exercises.exercise_6, "a network", data)
    assert "ten scores" in said(exercises.exercise_6, Network(data.y_val, 0.99, 100, outputs=11), data)
    assert "stopped with" in said(exercises.exercise_6, Network(np.arange(3), 0.99, 100, outputs=None), data)


def test_not_attempted(said):
    data = data_of("full")
    assert said(exercises.exercise_1, ...) == "○ Exercise 1: not attempted yet"
    assert said(exercises.exercise_2, ...) == "○ Exercise 2: not attempted yet"
    for number in (3, 4, 5):
        for answer in (..., lambda *arguments: ...):
            exercise = getattr(exercises, f"exercise_{number}")
            assert said(exercise, answer) == f"○ Exercise {number}: not attempted yet"
    assert said(exercises.exercise_6, ..., data) == "○ Exercise 6: not attempted yet"
