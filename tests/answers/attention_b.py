"""Answers to exercises 4 to 6 of notebook 06, to be merged into `attention.py`."""

import numpy as np
import tensorflow as tf


def whole(part_gradients, part_sizes):
    return np.average(part_gradients, axis=0, weights=part_sizes)


def by_sums(part_gradients, part_sizes):
    return tf.reduce_sum(part_gradients * part_sizes[:, None], axis=0) / part_sizes.sum()


N = (1e21 / 120) ** 0.5


RIGHT = {
    4: [124_439_808, 124_439_808.0, np.int64(124_439_808), [124_439_808], tf.constant(124_439_808)],
    5: [whole, by_sums, lambda g, n: (np.repeat(g, n, axis=0)).mean(axis=0)],
    6: [(N, 20 * N), [2.887e9, 5.774e10], np.array([N, 20 * N]), (tf.constant(N), 20 * N)],
}

WRONG = {
    4: [
        (124_490_065, "bias for each logit"), (163_037_184, "once, not twice"), (123_653_376, "positions"),
        (124_320_000, "13 times the width"), (124_438_272, "last normalisation"), (85_054_464, "blocks alone"),
        (46_473_216, "one block"), (124_439_809, "Twelve blocks"), ([1, 2], "One number"),
    ],
    5: [
        (lambda g, n: g.mean(axis=0), "plain mean"), (lambda g, n: n @ g, "sum over all examples"),
        (lambda g, n: g.sum(axis=0), "sum of means"), (lambda g, n: n @ g / len(n), "not by the number of parts"),
        (lambda g, n: 2 * whole(g, n), "it is off"), (lambda g, n: g, "shape"),
        (lambda g, n: g @ n, "stopped with"),
    ],
    6: [
        ((20 * N, N), "other order"), ((np.sqrt(1e21 / 6), np.sqrt(1e21 / 6)), "one token"),
        ((np.sqrt(1e21 / 20), 20 * np.sqrt(1e21 / 20)), "6 is missing"), ((1e21 / 120, 1e21 / 6), "root"),
        ((1.0, 20.0), "solve for N"), ((N, 5 * N), "20 for each"), (N, "2 numbers"),
    ],
}  # fmt: skip

GIVEN = {}
