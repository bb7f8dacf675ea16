"""Answers to the exercises of notebook 05: right ones in several forms, and wrong ones with their hints."""

import itertools
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from altered import changed


def logistic(z):
    return np.exp(-np.logaddexp(0, -z))


def both_ends(review, length):
    if len(review) <= length:
        return [0] * (length - len(review)) + review
    first = length // 4
    return review[:first] + review[len(review) - (length - first) :]


def keras_both_ends(review, length):
    first = length // 4
    if len(review) <= length:
        return keras.utils.pad_sequences([review], maxlen=length)[0]
    return tf.concat([review[:first], review[first - length :]], axis=0)


def in_place_both_ends(review, length):
    del review[length // 4 : max(length // 4, len(review) - (length - length // 4))]
    return [0] * (length - len(review)) + review


def gru(x, h, W, U, b):
    (Wz, Wr, Wh), (Uz, Ur, Uh), (bz, br, bh) = (np.split(values, 3, axis=-1) for values in (W, U, b))
    z, r = logistic(x @ Wz + h @ Uz + bz), logistic(x @ Wr + h @ Ur + br)
    return z * h + (1 - z) * np.tanh(x @ Wh + (r * h) @ Uh + bh)


def keras_gru(x, h, W, U, b, reset_after=False):
    cell = keras.layers.GRUCell(h.shape[1], reset_after=reset_after)
    cell.build((None, x.shape[1]))
    cell.set_weights([W, U, np.stack([b, 0 * b]) if reset_after else b])
    return cell(tf.constant(x, tf.float32), [tf.constant(h, tf.float32)])[0]


def probabilities_that_were_given():
    """Return what two models gave to 400 rows of words, where each is sure of words that the other misses."""
    random = np.random.RandomState(3)
    lstm, counted = np.exp(-np.abs(random.normal(2, 2, (2, 400, 5))))
    known = random.random_sample((400, 5)) < 0.8
    lstm[~known], counted[~known] = 0.9, 0.8  # easy, so that they would make the perplexity smaller
    return lstm, counted, known


MIXED = probabilities_that_were_given()


def mixed_perplexity(weight, part, known=MIXED[2]):
    mixed = weight * MIXED[0][part] + (1 - weight) * MIXED[1][part]
    return np.exp(-np.log(mixed[known[part]]).mean())


CHOOSING, JUDGING = slice(200), slice(200, None)
WEIGHT = min(np.arange(101) / 100, key=lambda weight: mixed_perplexity(weight, CHOOSING))
MIXTURE = mixed_perplexity(WEIGHT, JUDGING)
MEAN = WEIGHT * mixed_perplexity(1, JUDGING) + (1 - WEIGHT) * mixed_perplexity(0, JUDGING)


def taped_lstm(x, h, c, W, U, b, h_gradient, c_gradient):
    inputs = [tf.constant(values) for values in (x, h, c, W, U, b)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        x, h, c, W, U, b = inputs
        i, f, g, o = tf.split(x[None] @ W + h[None] @ U + b, 4, axis=1)
        new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        total = tf.reduce_sum(tf.sigmoid(o) * tf.tanh(new_c) * h_gradient) + tf.reduce_sum(new_c * c_gradient)
    return tape.gradient(total, inputs)


def answer_3(function, with_both=0.84, with_last=0.83):
    return function, with_both, with_last


GATE = 0.9**0.01


BIAS = np.log(GATE / (1 - GATE))


RIGHT = {
    1: [98_816, 98_816.0, np.int64(98_816), [98_816], tf.constant(98_816)],
    2: [BIAS, np.float32(BIAS), 6.855, -np.log(1 / GATE - 1), tf.constant(BIAS)],
    3: [
        (both_ends, 0.83, 0.84),
        [keras_both_ends, np.float32(0.83), tf.constant(0.84)],
        (lambda *case: np.int32(both_ends(*case)), 0.83, 0.84),
    ],
    4: [gru, keras_gru],
    5: [(WEIGHT, MIXTURE), [WEIGHT, tf.constant(MIXTURE)], np.float32([WEIGHT, MIXTURE])],
    6: [taped_lstm, lambda *case: [np.float32(part) for part in taped_lstm(*case)]],
    7: [[0.84, 0.88, 0.895], np.float32([0.842, 0.878, 0.9]), (0.85, tf.constant(0.87), 0.89)],
}


def backwards(review, length):
    return both_ends(review, length)[::-1]


WRONG = {
    "both_ends": [(backwards, "another order")],
    1: [
        (24_704, "one set"), (74_112, "candidate"), (98_304, "bias"), (33_280, "last hidden state"),
        (66_048, "at the word"), (99_328, "one bias"), (2_470_400, "same weights"),
        (98_817, "Each of the four"),
        ([64, 128], "One number"),
    ],
    2: [
        (0.999, "gate itself"), (2.2, "after one word"), (-6.86, "sign"), (6.907, "multiplied"),
        (3.75, "10 % are left"), (2.977, "natural logarithm"), (100.0, "Solve for the gate"),
    ],
    3: [
        (answer_3(lambda r, n: ([0] * n + r)[-n:]), "one end only"),
        (answer_3(lambda r, n: (r + [0] * n)[:n]), "one end only"),
        (answer_3(lambda r, n: both_ends(r, n) if len(r) > n else r + [0] * (n - len(r))), "before"),
        (answer_3(lambda r, n: both_ends(r, n) if len(r) > n else both_ends(r[::-1], n)), "fits into"),
        (answer_3(backwards), "another order"),
        (answer_3(lambda r, n: [*both_ends(r, n)[:-1], 7]), "length // 4"),
        (answer_3(in_place_both_ends), "changes the list"),
        (answer_3(lambda r, n: both_ends(r, n)[1:]), "shape"),
        (both_ends, "Three things"), ((both_ends, 0.83), "Three things"), (itertools.count(), "Three things"),
        (answer_3(both_ends, 83.0), "0.87, and not 87"),
        (answer_3(both_ends, 0.5), "With both ends you found 50.0 %"),
        (answer_3(both_ends, 0.83, 0.9), "With the last words you found 90.0 %"),
    ],
    4: [
        (lambda *case: keras_gru(*case, reset_after=True), "`reset_after=False`"),
        (lambda *case: gru(*case) + 1, "line by line"), (lambda *case: gru(*case)[0], "shape"),
        (lambda x, h, W, U, b: W @ x, "stopped with"),
    ],
    5: [
        (0.6, "Two numbers"), ((1.2, MIXTURE), "between 0 and 1"), ((0.99, MIXTURE), "can be lower"),
        ((1 - WEIGHT, MIXTURE), "weight of the n-gram model"),
        ((WEIGHT, mixed_perplexity(WEIGHT, CHOOSING)), "half that chose"),
        ((WEIGHT, mixed_perplexity(WEIGHT, JUDGING, np.ones_like(MIXED[2]))), "Known words only"),
        ((WEIGHT, MEAN), "mean of two"),
        ((WEIGHT, MIXTURE + 1), "another one"),
    ],
    6: [
        (changed(taped_lstm, _3=lambda W, *case: 2 * W), "gradient of W is off"),
        (changed(taped_lstm, _3=lambda W, *case: tf.transpose(W)), "W has to have the shape"),
        (lambda *case: taped_lstm(*case)[:5], "6 arrays are asked for, in this order: x, h, c, W, U, b."),
        (lambda *case: [-part for part in taped_lstm(*case)], "forget gate alone"),
    ],
    7: [
        ([84, 88, 90], "0.87, and not 87"), ([0.84, 0.88], "shape"),
        ([0.842, 0.842, 0.842], "With 3,000 reviews"),
        ([0.5, 0.88, 0.9], "With 1,000 reviews you found 50.0 %"),
    ],
}  # fmt: skip

FULL = SimpleNamespace(tier="full")
GIVEN = {3: (FULL,), 5: MIXED, 7: (FULL,)}
