"""Answers to the exercises of notebook 06: right ones in several forms, and wrong ones with their hints."""

import numpy as np
import tensorflow as tf


def window(length, width):
    return np.tril(np.ones((length, length), bool)) & ~np.tril(np.ones((length, length), bool), -width)


def looped_window(length, width):
    return [[int(0 <= row - column < width) for column in range(length)] for row in range(length)]


def taped_norm(x, gamma, gradient):
    x, gamma, gradient = (tf.constant(values) for values in (x, gamma, gradient))
    beta = tf.zeros_like(gamma)
    with tf.GradientTape() as tape:
        tape.watch([x, gamma, beta])
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        total = tf.reduce_sum(((x - mean) / tf.sqrt(variance + 1e-3) * gamma + beta) * gradient)
    return tape.gradient(total, [x, gamma, beta])


RIGHT = {
    1: [16_640, 16_640.0, np.int64(16_640), [16_640], tf.constant(16_640)],
    2: [window, looped_window, lambda *case: tf.constant(window(*case))],
    3: [taped_norm, lambda *case: tuple(np.array(part) for part in taped_norm(*case))],
}

WRONG = {
    1: [
        (16_384, "has a bias"), (12_480, "joined by a matrix"), (12_288, "keys and values alone"),
        (66_560, "share the columns"), (4_160, "one head"), (5_000, "turns 64 numbers"),
        ([64, 4], "One number"),
    ],
    2: [
        (lambda n, w: ~window(n, w), "must not look"), (lambda n, w: window(n, w).T, "later ones"),
        (lambda n, w: window(n, w + 1), "too many"), (lambda n, w: window(n, w - 1), "too few"),
        (lambda n, w: np.tril(np.ones((n, n))), "window is missing"),
        (lambda n, w: window(n, w) | window(n, w).T, "later words can be seen"),
        (lambda n, w: np.zeros((n, n)), "Write down row 4"), (lambda n, w: np.ones(n), "shape"),
    ],
    3: [
        (lambda *case: [part + 1 for part in taped_norm(*case)], "gradient of γ is off"),
        (lambda *case: taped_norm(*case)[:2], "3 arrays are asked for"),
        (lambda x, g, d: [0 * x, *taped_norm(x, g, d)[1:]], "gradient of x is off"),
        (lambda x, g, d: [*taped_norm(x, g, d)[:2], d.mean(axis=0)], "do not average"),
        (lambda x, g, d: [taped_norm(x, g, d)[0], (d * x).sum(axis=0), d.sum(axis=0)], "not x itself"),
    ],
}  # fmt: skip

GIVEN = {}
