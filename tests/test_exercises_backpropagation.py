"""The checks of notebook 02: every right answer passes, every wrong one gets the hint that fits."""

from utils.exercises import backpropagation as exercises

import numpy as np
import pytest
import tensorflow as tf


class Number:
    """The notebook's engine, as far as exercise 4 needs it."""

    def __init__(self, value, operation="", parents=(), slopes=()):
        self.value, self.gradient = value, 0.0
        self.operation, self.parents, self.slopes = operation, parents, slopes

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, "+", (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, "×", (self, other), (other.value, self.value))

    def __pow__(self, exponent):
        return Number(self.value**exponent, "^", (self,), (exponent * self.value ** (exponent - 1),))


def backward(result):
    """Walk every path by itself, which is slow and right."""

    def pass_on(number, blame):
        number.gradient += blame
        for parent, slope in zip(number.parents, number.slopes, strict=True):
            pass_on(parent, slope * blame)

    pass_on(result, 1.0)


def exercise_4(sigmoid):
    """Judge as the notebook does, which hands over its engine."""
    exercises.exercise_4(sigmoid, Number, backward)


def logistic(z):
    """Return σ(z)."""
    return np.exp(-np.logaddexp(0, -z))


def sigmoid_with(slope, value=logistic):
    """Return a sigmoid for the engine whose slope is a function of its argument and its value."""
    return lambda a: Number(value(a.value), "σ", (a,), (slope(a.value, logistic(a.value)),))


def sigmoid_of_tanh(a):
    """Make it of other operations: σ(a) = (1 + tanh(a / 2)) / 2."""
    half = a * 0.5
    bent = Number(np.tanh(half.value), "tanh", (half,), (1 - np.tanh(half.value) ** 2,))
    return (bent + 1.0) * 0.5


def sigmoid_of_exp(a):
    """Make it of a power that overflows."""
    power = np.exp(np.float64(-a.value))
    value = power / (1 + power)
    return Number(1 - value, "σ", (a,), (value * (1 - value),))


def log_softmax(Z, axis=1):
    """Return the logarithm of the softmax."""
    shifted = Z - Z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def looped_log_softmax(Z):
    """Go row by row, with lists."""
    rows = []
    for row in Z:
        largest = max(row)
        total = largest + np.log(sum(np.exp(z - largest) for z in row))
        rows.append([z - total for z in row])
    return rows


def shifted_by_all(Z):
    """Shift all rows by the largest logit of all."""
    shifted = Z - Z.max()
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def log_of_softmax(Z):
    """Take the logarithm of rounded probabilities."""
    powers = np.exp(Z - Z.max(axis=1, keepdims=True))
    return np.log(powers / powers.sum(axis=1, keepdims=True))


def clipped_log_softmax(Z):
    """Cut off small probabilities, as a loss of probabilities does."""
    powers = np.exp(Z - Z.max(axis=1, keepdims=True))
    return np.log(np.maximum(powers / powers.sum(axis=1, keepdims=True), 1e-7))


def looped_layer(d_Z, X, W):
    """Do with loops what the solution does with matrices."""
    d_X, d_W, d_b = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for i, j, k in np.ndindex(len(X), *W.shape):
        d_X[i, j] += d_Z[i, k] * W[j, k]
        d_W[j, k] += d_Z[i, k] * X[i, j]
    for row in d_Z:
        d_b += row
    return [d_X, d_W, d_b]


def taped_layer(d_Z, X, W):
    """Let TensorFlow do the work, in 32 bits."""
    X, W, b = tf.Variable(X, dtype=tf.float32), tf.Variable(W, dtype=tf.float32), tf.zeros(W.shape[1])
    with tf.GradientTape() as tape:
        tape.watch(b)
        Z = X @ W + b
    return tape.gradient(Z, [X, W, b], output_gradients=tf.constant(d_Z, tf.float32))


def weighted(z, y, w):
    """Return the gradient of the weighted cross-entropy."""
    return (w * y * (logistic(z) - 1) + (1 - y) * logistic(z)) / len(y)


def taped_weighted(z, y, w):
    """Let TensorFlow derive the gradient."""
    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.weighted_cross_entropy_with_logits(y, z, w))
    return tape.gradient(loss, z)


def batch_norm(d_Y, X, gamma, epsilon=1e-3, mean=1, variance=1):
    """Return the three gradients in their short form; a path can be left out."""
    root = np.sqrt(X.var(axis=0) + epsilon)
    normed = (X - X.mean(axis=0)) / root
    d_normed = d_Y * gamma
    lost = mean * d_normed.mean(axis=0) + variance * normed * (d_normed * normed).mean(axis=0)
    return (d_normed - lost) / root, (d_Y * normed).sum(axis=0), d_Y.sum(axis=0)


def taped_batch_norm(d_Y, X, gamma):
    """Let TensorFlow do the work, in 32 bits."""
    X, gamma = tf.Variable(X, dtype=tf.float32), tf.Variable(gamma, dtype=tf.float32)
    beta = tf.Variable(tf.zeros(gamma.shape))
    with tf.GradientTape() as tape:
        mean, variance = tf.nn.moments(X, 0)
        Y = gamma * (X - mean) / tf.sqrt(variance + 1e-3) + beta
    return tape.gradient(Y, [X, gamma, beta], output_gradients=tf.constant(d_Y, tf.float32))


def changed(function, **replaced):
    """Return a batch normalisation some of whose three answers are replaced by functions of d_Y, X and γ."""

    def backward(d_Y, X, gamma):
        answers = dict(zip(["d_X", "d_gamma", "d_beta"], function(d_Y, X, gamma), strict=True))
        answers |= {name: make(d_Y, X, gamma) for name, make in replaced.items()}
        return tuple(answers.values())

    return backward


RIGHT = [
    (exercises.exercise_1, (28, -16, -8)),
    (exercises.exercise_1, np.float32([28, -16, -8])),
    (exercises.exercise_1, tf.constant([28.0, -16.0, -8.0])),
    (exercises.exercise_2, log_softmax),
    (exercises.exercise_2, looped_log_softmax),
    (exercises.exercise_2, lambda Z: np.float32(log_softmax(Z))),
    (exercises.exercise_2, tf.nn.log_softmax),
    (exercises.exercise_2, lambda Z: Z - np.logaddexp.reduce(Z, axis=1, keepdims=True)),
    (exercises.exercise_3, lambda d_Z, X, W: (d_Z @ W.T, X.T @ d_Z, d_Z.sum(axis=0))),
    (exercises.exercise_3, lambda d_Z, X, W: [d_Z @ W.T, X.T @ d_Z, d_Z.sum(axis=0, keepdims=True)]),
    (exercises.exercise_3, lambda d_Z, X, W: (np.einsum("ik,jk", d_Z, W), np.dot(X.T, d_Z), sum(d_Z))),
    (exercises.exercise_3, looped_layer),
    (exercises.exercise_3, taped_layer),
    (exercise_4, sigmoid_with(lambda a, value: value * (1 - value))),
    (exercise_4, sigmoid_with(lambda a, value: np.float32(value - value**2))),
    (exercise_4, sigmoid_of_tanh),
    (exercises.exercise_5, weighted),
    (exercises.exercise_5, lambda z, y, w: np.where(y == 1, w * (logistic(z) - 1), logistic(z)) / len(z)),
    (exercises.exercise_5, lambda z, y, w: np.float32(weighted(z, y, w))),
    (exercises.exercise_5, taped_weighted),
    (exercises.exercise_6, batch_norm),
    (exercises.exercise_6, taped_batch_norm),
    (exercises.exercise_6, lambda d_Y, X, gamma: [part.tolist() for part in batch_norm(d_Y, X, gamma)]),
]

WRONG = [
    (exercises.exercise_1, (4, -16, -8), "forgot the product ab"),
    (exercises.exercise_1, (24, -16, -8), "forgot the product s · a"),
    (exercises.exercise_1, (96, -16, -8), "add over the paths"),
    (exercises.exercise_1, (14, -8, -4), "factor of 2"),
    (exercises.exercise_1, (-28, 16, 8), "wrong way round"),
    (exercises.exercise_1, (-7, 4, 2), "slopes of p"),
    (exercises.exercise_1, (20, -16, -8), "both paths of a"),
    (exercises.exercise_1, (1, 2, 3), "Begin on the right"),
    (exercises.exercise_1, (28, -16), "shape"),
    (exercises.exercise_1, "28, -16, -8", "Numbers are asked for"),
    (exercises.exercise_2, lambda Z: Z - np.log(np.exp(Z).sum(axis=1, keepdims=True)), "overflows"),
    (exercises.exercise_2, lambda Z: np.exp(log_softmax(Z)), "That is the softmax"),
    (exercises.exercise_2, lambda Z: -log_softmax(Z), "never positive"),
    (exercises.exercise_2, lambda Z: log_softmax(Z, axis=0), "over the samples"),
    (exercises.exercise_2, lambda Z: Z - np.logaddexp.reduce(Z, axis=None), "over everything"),
    (exercises.exercise_2, lambda Z: np.logaddexp.reduce(Z, axis=1), "shape"),
    (exercises.exercise_2, shifted_by_all, "its own largest"),
    (exercises.exercise_2, log_of_softmax, "rounded to 0"),
    (exercises.exercise_2, clipped_log_softmax, "cut off"),
    (exercises.exercise_2, lambda Z: log_softmax(Z) / np.log(2), "Even for small logits"),
    (exercises.exercise_2, 3.0, "function is asked for"),
    (exercises.exercise_3, lambda d_Z, X, W: (d_Z @ W, X.T @ d_Z, d_Z.sum(axis=0)), "stopped with"),
    (
        exercises.exercise_3,
        lambda d_Z, X, W: (d_Z @ W.T, d_Z.T @ X, d_Z.sum(axis=0)),
        "d_W has to have the shape",
    ),
    (
        exercises.exercise_3,
        lambda d_Z, X, W: (d_Z @ W.T, X.T @ d_Z, d_Z.sum(axis=1)),
        "d_b has to have the shape",
    ),
    (exercises.exercise_3, lambda d_Z, X, W: (d_Z @ W.T, X.T @ d_Z / len(X), d_Z.sum(axis=0)), "divided by"),
    (exercises.exercise_3, lambda d_Z, X, W: (d_Z @ W.T, X.T @ d_Z, d_Z.mean(axis=0)), "is a mean in yours"),
    (
        exercises.exercise_3,
        lambda d_Z, X, W: (X.T @ d_Z, d_Z @ W.T, d_Z.sum(axis=0)),
        "d_X has to have the shape",
    ),
    (exercises.exercise_3, lambda d_Z, X, W: (d_Z @ W.T, X.T @ d_Z), "in this order"),
    (
        exercises.exercise_3,
        lambda d_Z, X, W: (-d_Z @ W.T, X.T @ d_Z, d_Z.sum(axis=0)),
        "d_X has the right shape",
    ),
    (
        exercises.exercise_3,
        lambda d_Z, X, W: (d_Z @ (W if len(W) == W.shape[1] else W.T), X.T @ d_Z, d_Z.sum(axis=0)),
        "Which way round is W",
    ),
    (
        exercises.exercise_3,
        lambda d_Z, X, W: (d_Z @ W.T, (d_Z.T @ X).reshape(W.shape), d_Z.sum(axis=0)),
        "d_W has the right shape",
    ),
    (exercise_4, lambda a: logistic(a.value), "returns no Number"),
    (exercise_4, lambda a: Number(logistic(a.value)), "No blame arrives"),
    (exercise_4, sigmoid_with(lambda a, value: 1.0), "as through an addition"),
    (exercise_4, sigmoid_with(lambda a, value: value), "as with exp"),
    (exercise_4, sigmoid_with(lambda a, value: 1 - value**2), "slope of tanh"),
    (exercise_4, sigmoid_with(lambda a, value: a * (1 - a)), "a (1 − a) in yours"),
    (exercise_4, sigmoid_with(lambda a, value: -value * (1 - value)), "σ rises"),
    (exercise_4, sigmoid_with(lambda a, value: 0.25), "slope should be"),
    (exercise_4, sigmoid_with(lambda a, value: value * (1 - value), value=np.tanh), "value should be"),
    (exercise_4, sigmoid_of_exp, "overflow"),
    (exercise_4, lambda a: 1.0 / (1.0 + a), "stopped with TypeError"),
    (exercise_4, lambda a: Number(logistic(a.value), "σ", (a,)), "backward pass stopped"),
    (exercises.exercise_5, lambda z, y, w: len(y) * weighted(z, y, w), "gradient of the sum"),
    (exercises.exercise_5, lambda z, y, w: -weighted(z, y, w), "the loss rises"),
    (exercises.exercise_5, lambda z, y, w: (logistic(z) - y) / len(y), "no effect"),
    (exercises.exercise_5, lambda z, y, w: w * (logistic(z) - y) / len(y), "weighted all samples"),
    (exercises.exercise_5, lambda z, y, w: (logistic(z) - w * y) / len(y), "Both ŷ and 1"),
    (
        exercises.exercise_5,
        lambda z, y, w: (-w * y / logistic(z) + (1 - y) / (1 - logistic(z))) / len(y),
        "gradient by ŷ",
    ),
    (exercises.exercise_5, lambda z, y, w: weighted(z, y, w).mean(), "shape"),
    (exercises.exercise_5, lambda z, y, w: z / len(y), "by themselves"),
    (
        exercises.exercise_6,
        lambda d_Y, X, g: batch_norm(d_Y, X, g, mean=0, variance=0),
        "mean and the variance",
    ),
    (exercises.exercise_6, lambda d_Y, X, g: batch_norm(d_Y, X, g, variance=0), "path through the variance"),
    (exercises.exercise_6, lambda d_Y, X, g: batch_norm(d_Y, X, g, mean=0), "path through the mean"),
    (exercises.exercise_6, lambda d_Y, X, g: batch_norm(d_Y, X, g, epsilon=0.5), "d_gamma is off"),
    (
        exercises.exercise_6,
        lambda d_Y, X, g: tuple(np.array(batch_norm(d_Y, X, g), object)[[0, 2, 1]]),
        "interchanged",
    ),
    (
        exercises.exercise_6,
        changed(batch_norm, d_beta=lambda d_Y, X, g: d_Y.mean(axis=0)),
        "is a mean in yours",
    ),
    (exercises.exercise_6, changed(batch_norm, d_beta=lambda d_Y, X, g: g), "d_beta is off"),
    (
        exercises.exercise_6,
        changed(batch_norm, d_gamma=lambda d_Y, X, g: (d_Y * X).sum(axis=0)),
        "multiplied by X",
    ),
    (
        exercises.exercise_6,
        changed(batch_norm, d_X=lambda d_Y, X, g: batch_norm(d_Y, X, np.ones_like(g))[0]),
        "γ is missing",
    ),
    (exercises.exercise_6, changed(batch_norm, d_X=lambda d_Y, X, g: X), "line by line"),
    (exercises.exercise_6, lambda d_Y, X, g: batch_norm(d_Y, X, g)[0], "in this order"),
    (exercises.exercise_6, lambda d_Y, X, g: None, "`return` missing"),
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
    exercise = {4: exercise_4}.get(k, getattr(exercises, f"exercise_{k}"))
    assert said(exercise, blank) == f"○ Exercise {k}: not attempted yet"
