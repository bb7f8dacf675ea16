"""Answers to the exercises of notebook 01: right ones in several forms, and wrong ones with their hints."""

import numpy as np
import tensorflow as tf

random = np.random.RandomState(1)
X = np.column_stack([np.ones(50), random.uniform(0, 4, 50)])
Y = X @ [12, 3] + random.normal(0, 1, 50)
SPOILT = np.where(X[:, 1] == X[:, 1].max(), Y / 10, Y)
GIVEN = {4: (X, Y, SPOILT), 5: (X,)}

MOMENTA = np.array([0, 0.5, 0.9])
LIMIT = len(X) / np.linalg.norm(X, 2) ** 2


def least_absolute(y):
    """Return the slope with the least mean absolute error, by least squares with weights, again and again."""
    weights = np.ones(len(y))
    for _ in range(500):
        theta = np.linalg.solve(X.T @ (weights[:, None] * X), X.T @ (weights * y))
        weights = 1 / np.maximum(np.abs(y - X @ theta), 1e-9)
    return theta[1]


INTERCEPT_CHANGE, SLOPE_CHANGE = np.abs(np.linalg.lstsq(X, SPOILT - Y, rcond=None)[0])
CHANGES = np.array([SLOPE_CHANGE, abs(least_absolute(SPOILT) - least_absolute(Y))])


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
        lambda theta, X, y: np.mean(np.sign(X @ theta - y)[:, None] * X, axis=0),
        looped_absolute_gradient,
        taped_absolute_gradient,
    ],
    3: [
        clip_by_scale,
        lambda g, longest: tf.clip_by_norm(tf.constant(g, tf.float32), longest),
    ],
    4: [CHANGES, np.float32(CHANGES), (CHANGES[0] * 1.03, CHANGES[1] + 0.01)],
    5: [LIMIT * (1 + MOMENTA), tuple(0.99 * LIMIT * (1 + MOMENTA))],
    6: [line_search(0.5, 4, 0.5), line_search(0.7, 10, 0.1)],
}

WRONG = {
    1: [
        ((1.9, 10.4), "first for the one parameter"), (10.4, "shape"), ("10.4, 1.9", "Numbers are asked for"),
    ],
    2: [
        (lambda theta, X, y: np.mean(np.sign(X @ theta - y)), "shape"),
        (lambda theta, X, y: np.zeros(4), "finite differences"),
    ],
    3: [
        (lambda g, longest: longest * g / np.linalg.norm(g), "left alone"),
        (lambda g, longest: g / np.linalg.norm(g) * min(longest, np.linalg.norm(g)), "not a number"),
        (lambda g, longest: None, "`return` missing"),
    ],
    4: [
        (CHANGES[::-1], "squared error comes first"),
        (-CHANGES, "not negative"),
        ((CHANGES[0], 0.9), "come to rest"),
        ((CHANGES[0] / 2, CHANGES[1]), "normal equations"),
        ((INTERCEPT_CHANGE, CHANGES[1]), "intercept"),
        (CHANGES[0], "shape"),
    ],
    5: [
        (LIMIT * np.ones(3), "Did μ reach"), (LIMIT * (1 - MOMENTA), "They shrink"),
        (LIMIT * (1 + MOMENTA) / (1 - MOMENTA), "factor 1 − μ before the gradient"),
        (LIMIT * (1 + MOMENTA) * [1, 1.1, 1], "With μ = 0.5 descent diverges"),
        (LIMIT * (1 + MOMENTA) * [1, 1, 0.9], "With μ = 0.9 descent still converges"),
        (LIMIT, "shape"),
    ],
    6: [
        (fixed_rate(0.01), "not reached"), (fixed_rate(0.15), "not reached"),
        (fixed_rate(250), "the loss rose at step 1."), (line_search(0.5, 4, 0.5, forget=1), "begin with"),
        (lambda loss, gradient_at, theta, steps: theta, "shape"),
    ],
}  # fmt: skip
