"""Answers to the exercises of notebook 03: right ones in several forms, and wrong ones with their hints."""

from types import SimpleNamespace

import numpy as np
import tensorflow as tf


def digits(tier):
    labels = np.random.RandomState(0).randint(1, 10, 1000)
    return SimpleNamespace(x_val=np.zeros((1000, 28, 28), np.uint8), y_val=labels, tier=tier)


def marked_digits():
    """Return digits that are told by the place of their one white pixel in the upper row."""
    data = digits("full")
    data.x_val[np.arange(1000), 0, data.y_val] = 255
    return data


ORDER = np.random.RandomState(7).permutation(784)


def shuffled(pictures):
    return pictures.reshape(-1, 784)[:, ORDER].reshape(-1, 28, 28)


def looped_shuffled(pictures):
    return [
        [[picture.ravel()[ORDER[28 * i + j]] for j in range(28)] for i in range(28)] for picture in pictures
    ]


def shuffled_anew(pictures):
    return pictures.reshape(-1, 784)[:, np.random.permutation(784)].reshape(-1, 28, 28)


def shuffled_each_by_itself(pictures):
    return np.stack([p.ravel()[np.roll(ORDER, i)].reshape(28, 28) for i, p in enumerate(pictures)])


class Marks:
    """A stand-in for a network that finds the one white pixel of pictures in some order of their pixels."""

    def __init__(self, order, accuracy=1.0):
        self.places, self.accuracy = np.argsort(order), accuracy

    def predict(self, pictures, **options):  # noqa: D102
        white = np.reshape(pictures, (len(pictures), 784)).argmax(axis=1)
        found = (white[:, np.newaxis] == self.places[:10]).astype(float)
        found[int(self.accuracy * len(found)) :] = 0
        return found


def drop(values, rate, random):
    return values * (random.random(values.shape) >= rate) / (1 - rate)


def drop_where(values, rate, random):
    return np.where(random.uniform(size=values.shape) < rate, 0, values / (1 - rate)).astype(np.float32)


def drop_binomial(values, rate, random):
    return values * random.binomial(1, 1 - rate, values.shape) / (1 - rate)


def looped_drop(values, rate, random):
    return [[0.0 if random.random() < rate else value / (1 - rate) for value in row] for row in values]


def in_place_drop(values, rate, random):
    values *= random.random(values.shape) >= rate
    values /= 1 - rate
    return values


def calibration_error(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    total = 0.0
    for low in np.arange(bins) / bins:
        here = (confidence > low) & (confidence <= low + 1 / bins)
        if here.any():
            total += here.mean() * abs(hit[here].mean() - confidence[here].mean())
    return total


def tensorflow_calibration_error(probabilities, labels, bins):
    confidence = tf.reduce_max(probabilities, axis=1).numpy()
    hit = np.argmax(probabilities, axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return np.float32(np.abs(np.bincount(place, hit - confidence, bins)).sum() / len(labels))


def equal_count_error(probabilities, labels, bins):
    """Take quantiles for the borders of the bins."""
    confidence, hit = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    groups = np.array_split(np.argsort(confidence), bins)
    return sum(len(g) * abs(hit[g].mean() - confidence[g].mean()) for g in groups) / len(labels)


class Digits:
    """A stand-in for a trained Keras model of digits, right on the given part of the pictures."""

    def __init__(self, accuracy, parameters, outputs=10, labels=None):
        self.accuracy, self.parameters, self.outputs = accuracy, parameters, outputs
        self.labels = digits("full").y_val if labels is None else labels

    def count_params(self):  # noqa: D102
        return self.parameters

    def predict(self, pictures, **options):  # noqa: D102
        answers = np.where(np.arange(len(self.labels)) < self.accuracy * len(self.labels), self.labels, 0)
        return tf.one_hot(answers, self.outputs)


class Fixed:
    """Something with `predict` that gives what it is told."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, pictures, **options):  # noqa: D102
        return self.answer(pictures)


RIGHT = {
    1: [266_610, 266_610.0, np.int64(266_610), np.array([266_610]), tf.constant(266_610)],
    2: [np.float32(np.log(1000)), -np.log(1 / 1000), 6.908, [6.9078], tf.math.log(1000.0)],
    3: [(Marks(ORDER), shuffled), [Marks(ORDER, 0.965), looped_shuffled]],
    4: [drop, drop_where, drop_binomial, looped_drop, lambda *case: tf.constant(drop(*case))],
    5: [calibration_error, tensorflow_calibration_error],
    6: [Digits(0.975, 9_000), Digits(0.96, 10_000)],
}

WRONG = {
    1: [
        (235_200 + 30_000 + 1_000, "bias"), (265_600, "ten scores"), (39_810, "layer by layer"),
        (266_611, "Each layer"), ([784, 300, 100, 10], "One number"),
    ],
    2: [
        (-6.9, "sign"), (3.0, "base ten"), (9.97, "bits"), (0.001, "probability"), (0.999, "probability"),
        (2.3026, "thousand"), (1.0, "minus its logarithm"), (float("inf"), "infinite"),
    ],
    3: [
        (Marks(ORDER), "Two things"), ((Marks(ORDER), 3), "A function"),
        (("a network", shuffled), "Keras model"),
        ((Marks(ORDER), shuffled_anew), "two orders"), ((Marks(ORDER), lambda p: 0 * p), "exactly once"),
        ((Marks(ORDER), shuffled_each_by_itself), "the same order"),
        ((Marks(ORDER), lambda p: p[:, ::-1]), "neighbours"),
        ((Marks(np.arange(784)), shuffled), "as they are"), ((Marks(ORDER, 0.9), shuffled), "90.0 %"),
        ((Marks(ORDER), lambda p: p[0]), "shape (1, 28, 28)"),
    ],
    4: [
        (lambda v, rate, random: v, "Nothing was set"),
        (lambda v, rate, random: drop(v, 1 - rate, random), "part that is dropped"),
        (lambda v, rate, random: v * (random.random(v.shape) >= rate), "mean has shrunk"),
        (lambda v, rate, random: drop(v, rate, random) * (1 - rate) ** 2, "smaller"),
        (lambda v, rate, random: drop(v, rate, random) * (1 - rate) / rate, "factor is off"),
        (lambda v, rate, random: drop(v, rate, random) * 3, "one number"),
        (lambda v, rate, random: v * (random.random(v.shape[1]) >= rate), "same units"),
        (lambda v, rate, random: v * (random.random((len(v), 1)) >= rate), "Whole examples"),
        (lambda v, rate, random: drop(v, rate / 2, random), "part set to zero is 0.10"),
        (lambda v, rate, random: drop(v, rate, np.random.default_rng(0)), "mask"),
        (lambda v, rate, random: drop(v, rate, random)[0], "shape"), (in_place_drop, "changes the array"),
    ],
    5: [
        (equal_count_error, "equally wide"), (lambda p, y, b: p[0], "One number"),
        (lambda p, y, b: abs(np.mean(p.argmax(axis=1) == y) - p.max(axis=1).mean()), "cancel"),
        (lambda p, y, b: 1 - np.mean(p.argmax(axis=1) == y), "share of hits"),
        (lambda p, y, b: calibration_error(p, y, b) * len(y), "number of pictures"),
    ],
    6: [
        (Digits(0.95, 9_000), "95.0 %; 96 %"), (Digits(0.99, 10_001), "10,001 parameters"),
        (Digits(0.1, 9_000), "guessing"), ("a network", "Keras model"),
        (Fixed(lambda x: x), "(1000, 28, 28)"),
        (Digits(0.99, 100, outputs=11), "ten numbers"),
        (Digits(0.99, 100, outputs=None, labels=np.arange(3)), "(n, 28, 28) your network stopped with"),
    ],
}  # fmt: skip

GIVEN = {3: (marked_digits(),), 6: (digits("full"),)}
