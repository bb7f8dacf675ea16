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


def pieces(Q, K, V, size, shrinks=True, scaled=True, last=True):
    d = Q.shape[1] if scaled else 1
    top, total, Y = np.full((len(Q), 1), -np.inf), 0, 0
    for k in range(0, len(K) if last else len(K) // size * size, size):
        scores = Q @ K[k : k + size].T / d**0.5
        higher = np.maximum(top, scores.max(axis=1, keepdims=True))
        shrink = np.exp(top - higher) if shrinks else 1
        powers = np.exp(scores - higher)
        total, Y = total * shrink + powers.sum(axis=1, keepdims=True), Y * shrink + powers @ V[k : k + size]
        top = higher
    return Y / total


def by_the_logarithm(Q, K, V, size):
    logs, sums = [], []
    for k in range(0, len(K), size):
        scores = Q @ K[k : k + size].T / Q.shape[1] ** 0.5
        logs.append(np.logaddexp.reduce(scores, axis=1)[:, np.newaxis])
        sums.append(np.exp(scores - logs[-1]) @ V[k : k + size])
    whole = np.logaddexp.reduce(logs, axis=0)
    return sum(np.exp(log - whole) * part for log, part in zip(logs, sums, strict=True))


def all_at_once(Q, K, V, size):
    return pieces(Q, K, V, len(K))


def own_softmaxes(Q, K, V, size):
    return sum(pieces(Q, K[k : k + size], V[k : k + size], size) for k in range(0, len(K), size))


RIGHT = {
    1: [16_640, 16_640.0, np.int64(16_640), [16_640], tf.constant(16_640)],
    2: [window, looped_window, lambda *case: tf.constant(window(*case))],
    3: [np.log([15, 255, 4095]) + 0.5, [3.15, 6.05, 8.8], tf.constant([3.2, 6.0, 8.8])],
    4: [[1, 0.95, 0.78], np.array([0.99, 0.94, 0.75]), (0.97, 0.9, 0.8)],
    5: [taped_norm, lambda *case: tuple(np.array(part) for part in taped_norm(*case))],
    6: [pieces, by_the_logarithm, lambda *case: tf.constant(pieces(*case))],
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
        (np.log([15, 255, 4095]), "if every other score were 0"), ([8.8, 6.04, 3.16], "In this order"),
        ([0.5, 0.5, 0.5], "look like weights"), ([4, 8, 16], "until its mean weight"), (3.2, "shape (3,)"),
    ],
    4: [
        ([100, 20, 10], "no percent"), ([0.1, 1, 1], "nothing is changed"),
        ([1, 1, 1], "did the moved rows arrive"),
        ([1, 0.1], "shape (3,)"), ([1, 0.1, 0.1], "row 0 becomes row 1"), ([1, 0.95, 0.4], "never trained"),
    ],
    5: [
        (lambda *case: [part + 1 for part in taped_norm(*case)], "gradient of γ is off"),
        (lambda *case: taped_norm(*case)[:2], "3 arrays are asked for"),
        (lambda x, g, d: [0 * x, *taped_norm(x, g, d)[1:]], "gradient of x is off"),
        (lambda x, g, d: [*taped_norm(x, g, d)[:2], d.mean(axis=0)], "do not average"),
        (lambda x, g, d: [taped_norm(x, g, d)[0], (d * x).sum(axis=0), d.sum(axis=0)], "not x itself"),
    ],
    6: [
        (own_softmaxes, "a softmax of its own"), (all_at_once, "holds a table"),
        (lambda *case: pieces(*case, scaled=False), "divided by √d"),
        (lambda *case: pieces(*case, last=False), "fewer keys"),
        (lambda *case: pieces(*case, shrinks=False), "has to shrink"),
        (lambda Q, K, V, size: np.exp(Q @ K.T / 2), "The shape"), (lambda *case: 1 / 0, "ZeroDivisionError"),
    ],
}  # fmt: skip

GIVEN = {}
