"""Answers to the exercises of notebook 01: right ones in several forms, and wrong ones with their hints."""

import numpy as np
import tensorflow as tf


def bends_of(X):
    return np.linalg.eigvalsh(2 / len(X) * X.T @ X)


def looped_absolute_gradient(theta, X, y):
    total = [0.0] * len(theta)
    for row, target in zip(X, y, strict=True):
        error = sum(a * b for a, b in zip(row, theta, strict=True)) - target
        for j, value in enumerate(row):
            total[j] += (value if error > 0 else -value) / len(y)
    return total


def taped_absolute_gradient(theta, X, y):
    X, y = tf.constant(X, tf.float32), tf.constant(y, tf.float32)
    theta = tf.Variable(theta, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.abs(y - tf.linalg.matvec(X, theta)))
    return tape.gradient(loss, theta)


def line_search(shrink, bold, share, forget=0):
    def descend(loss, gradient_at, theta, steps):
        path, alpha = [theta], 1.0
        for _ in range(steps + forget):
            slope, alpha = gradient_at(theta), alpha * bold
            while alpha > 1e-30 and loss(theta - alpha * slope) > loss(theta) - share * alpha * slope @ slope:
                alpha *= shrink
            theta = theta - alpha * slope
            path.append(theta)
        return path[forget:]

    return descend


def fixed_rate(alpha):
    def descend(loss, gradient_at, theta, steps):
        path = [theta]
        for _ in range(steps):
            path.append(path[-1] - alpha * gradient_at(path[-1]))
        return np.array(path)

    return descend


def clip_by_scale(gradient, longest):
    return gradient * min(1.0, longest / max(np.linalg.norm(gradient), 1e-12))


RIGHT = {
    1: [(10.4, 1.9), np.float32([10.4, 1.9]), tf.constant([10.4, 1.9])],
    2: [
        lambda X: 2 / bends_of(X).max(),
        lambda X: np.float32(len(X) / np.linalg.svd(X)[1][0] ** 2),
        lambda X: [2 / np.linalg.norm(2 / len(X) * X.T @ X, 2)],
    ],
    3: [
        lambda theta, X, y: np.mean(np.sign(X @ theta - y)[:, None] * X, axis=0),
        looped_absolute_gradient,
        taped_absolute_gradient,
    ],
    4: [
        lambda b0, b1, mean, std: (b0 - b1 * mean / std, b1 / std),
        lambda b0, b1, mean, std: np.float32([b0 - b1 * mean / std, b1 / std]),
        lambda b0, b1, mean, std: tf.constant([b0 - b1 * mean / std, b1 / std]),
    ],
    5: [
        clip_by_scale,
        lambda g, longest: tf.clip_by_norm(tf.constant(g, tf.float32), longest),
    ],
    6: [line_search(0.5, 4, 0.5), line_search(0.7, 10, 0.1)],
}

WRONG = {
    1: [
        ((1.9, 10.4), "first for the one parameter"), (10.4, "shape"), ("10.4, 1.9", "Numbers are asked for"),
    ],
    2: [
        (lambda X: 2 / np.linalg.eigvalsh(X.T @ X).max(), "factor before"),
        (lambda X: 2 / np.linalg.eigvalsh(X.T @ X / len(X)).max(), "factor before"),
        (bends_of, "One number"), (lambda X: 0.157, "For some X"), (0.157, "function is asked for"),
    ],
    3: [
        (lambda theta, X, y: np.mean(np.sign(X @ theta - y)), "shape"),
        (lambda theta, X, y: np.zeros(4), "finite differences"),
    ],
    4: [
        (lambda b0, b1, mean, std: (b0 - b1 * mean, b1 * std), "slope is wrong"),
        (lambda b0, b1, mean, std: (b0 + b1 * mean / std, b1 / std), "sort by x"),
        (lambda b0, b1, mean, std: b1 / std, "2 numbers are asked for, in this order: intercept, slope"),
    ],
    5: [
        (lambda g, longest: longest * g / np.linalg.norm(g), "left alone"),
        (lambda g, longest: g / np.linalg.norm(g) * min(longest, np.linalg.norm(g)), "not a number"),
        (lambda g, longest: None, "`return` missing"),
    ],
    6: [
        (fixed_rate(0.01), "not reached"), (fixed_rate(0.15), "not reached"),
        (fixed_rate(250), "the loss rose at step 1."), (line_search(0.5, 4, 0.5, forget=1), "begin with"),
        (lambda loss, gradient_at, theta, steps: theta, "shape"),
    ],
}  # fmt: skip
