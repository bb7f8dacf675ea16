"""The checks of notebook 01: every right answer passes, every wrong one gets the hint that fits."""

from utils.exercises import gradient_descent as exercises

import numpy as np
import pytest
import tensorflow as tf


def bends_of(X):
    """Return the eigenvalues of the Hessian."""
    return np.linalg.eigvalsh(2 / len(X) * X.T @ X)


def looped_absolute_gradient(theta, X, y):
    """Do with loops and lists what the solution does with matrices."""
    total = [0.0] * len(theta)
    for row, target in zip(X, y, strict=True):
        error = sum(a * b for a, b in zip(row, theta, strict=True)) - target
        for j, value in enumerate(row):
            total[j] += (value if error > 0 else -value) / len(y)
    return total


def taped_absolute_gradient(theta, X, y):
    """Let TensorFlow do the work, in 32 bits."""
    X, y = tf.constant(X, tf.float32), tf.constant(y, tf.float32)
    theta = tf.Variable(theta, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.abs(y - tf.linalg.matvec(X, theta)))
    return tape.gradient(loss, theta)


def line_search(shrink, bold, share):
    """Return a backtracking line search."""

    def descend(loss, gradient_at, theta, steps):
        path, alpha = [theta], 1.0
        for _ in range(steps):
            slope, alpha = gradient_at(theta), alpha * bold
            while alpha > 1e-30 and loss(theta - alpha * slope) > loss(theta) - share * alpha * slope @ slope:
                alpha *= shrink
            theta = theta - alpha * slope
            path.append(theta)
        return path

    return descend


def fixed_rate(alpha):
    """Return plain descent."""

    def descend(loss, gradient_at, theta, steps):
        path = [theta]
        for _ in range(steps):
            path.append(path[-1] - alpha * gradient_at(path[-1]))
        return np.array(path)

    return descend


def without_start(loss, gradient_at, theta, steps):
    """Forget where the walk began."""
    path = line_search(0.5, 4, 0.5)(loss, gradient_at, theta, steps + 1)
    return path[1:]


def clip_by_scale(gradient, longest):
    """Clip without a condition."""
    return gradient * min(1.0, longest / max(np.linalg.norm(gradient), 1e-12))


RIGHT = [
    (exercises.exercise_1, (10.4, 1.9)),
    (exercises.exercise_1, [10.4, 1.9]),
    (exercises.exercise_1, np.array([10.4, 1.9], dtype=np.float32)),
    (exercises.exercise_1, tf.constant([10.4, 1.9])),
    (exercises.exercise_2, lambda X: 2 / bends_of(X).max()),
    (exercises.exercise_2, lambda X: np.float32(len(X) / np.linalg.svd(X)[1][0] ** 2)),
    (exercises.exercise_2, lambda X: 2 / np.linalg.norm(2 / len(X) * X.T @ X, 2)),
    (exercises.exercise_3, lambda theta, X, y: X.T @ np.sign(X @ theta - y) / len(y)),
    (exercises.exercise_3, lambda theta, X, y: np.mean(np.sign(X @ theta - y)[:, None] * X, axis=0)),
    (exercises.exercise_3, looped_absolute_gradient),
    (exercises.exercise_3, taped_absolute_gradient),
    (exercises.exercise_4, lambda b0, b1, mean, std: (b0 - b1 * mean / std, b1 / std)),
    (exercises.exercise_4, lambda b0, b1, mean, std: np.float32([b0 - b1 * mean / std, b1 / std])),
    (exercises.exercise_5, clip_by_scale),
    (exercises.exercise_5, lambda g, longest: tf.clip_by_norm(tf.constant(g, tf.float32), longest)),
    (exercises.exercise_6, line_search(0.5, 4, 0.5)),
    (exercises.exercise_6, line_search(0.7, 10, 0.1)),
]

WRONG = [
    (exercises.exercise_1, (9.6, 2.1), "uphill"),
    (exercises.exercise_1, (14, 1), "learning rate shortens"),
    (exercises.exercise_1, (0.4, -0.1), "That is the step"),
    (exercises.exercise_1, (1.9, 10.4), "first for the one parameter"),
    (exercises.exercise_1, 10.4, "shape"),
    (exercises.exercise_1, "10.4, 1.9", "Numbers are asked for"),
    (exercises.exercise_2, lambda X: 1 / bends_of(X).max(), "larger still"),
    (exercises.exercise_2, lambda X: 2 / bends_of(X).min(), "levellest"),
    (exercises.exercise_2, lambda X: 2 / np.linalg.eigvalsh(X.T @ X).max(), "factor in front"),
    (exercises.exercise_2, lambda X: 2 / np.linalg.eigvalsh(X.T @ X / len(X)).max(), "factor in front"),
    (exercises.exercise_2, lambda X: 2 / (bends_of(X).min() + bends_of(X).max()), "best learning rate"),
    (exercises.exercise_2, lambda X: bends_of(X), "One number"),
    (exercises.exercise_2, lambda X: 0.157, "For some X"),
    (exercises.exercise_2, 0.157, "function is asked for"),
    (exercises.exercise_3, lambda theta, X, y: X.T @ np.sign(y - X @ theta) / len(y), "wrong way round"),
    (exercises.exercise_3, lambda theta, X, y: X.T @ np.sign(X @ theta - y), "is a mean"),
    (exercises.exercise_3, lambda theta, X, y: 2 / len(y) * X.T @ np.sign(X @ theta - y), "too many"),
    (exercises.exercise_3, lambda theta, X, y: 2 / len(y) * X.T @ (X @ theta - y), "squared error"),
    (exercises.exercise_3, lambda theta, X, y: np.mean(np.sign(X @ theta - y)), "shape"),
    (exercises.exercise_3, lambda theta, X, y: np.zeros(4), "finite differences"),
    (exercises.exercise_4, lambda b0, b1, mean, std: (b0, b1 / std), "intercept is the length at"),
    (exercises.exercise_4, lambda b0, b1, mean, std: (b0 - b1 * mean, b1 * std), "slope is wrong"),
    (exercises.exercise_4, lambda b0, b1, mean, std: (b1 / std, b0 - b1 * mean / std), "comes first"),
    (exercises.exercise_4, lambda b0, b1, mean, std: (b0 + b1 * mean / std, b1 / std), "sort by x"),
    (exercises.exercise_5, lambda g, longest: np.clip(g, -longest, longest), "turns the gradient"),
    (exercises.exercise_5, lambda g, longest: g, "unchanged"),
    (exercises.exercise_5, lambda g, longest: g / np.linalg.norm(g), "length is 1"),
    (exercises.exercise_5, lambda g, longest: longest * g / np.linalg.norm(g), "left alone"),
    (exercises.exercise_5, lambda g, longest: None, "`return` missing"),
    (exercises.exercise_6, fixed_rate(0.01), "not reached"),
    (exercises.exercise_6, fixed_rate(0.5), "not reached"),
    (exercises.exercise_6, without_start, "begin with"),
    (exercises.exercise_6, lambda loss, gradient_at, theta, steps: theta, "shape"),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_right_answers_are_right(exercise, answer, said):
    assert said(exercise, answer).endswith(": right")


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a wrong answer may well divide by zero
def test_wrong_answers_get_the_hint_that_fits(exercise, answer, hint, rejected):
    rejected(exercise, answer, hint)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_blanks_are_not_attempted(k, said):
    blank = ... if k == 1 else lambda *arguments: ...
    assert said(getattr(exercises, f"exercise_{k}"), blank) == f"○ Exercise {k}: not attempted yet"
