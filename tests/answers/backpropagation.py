"""Answers to the exercises of notebook 02: right ones in several forms, and wrong ones with their hints."""

import numpy as np
import tensorflow as tf
from altered import changed, listed


class Number:
    """The engine of notebook 02, as far as its exercise needs it."""

    def __init__(self, value, operation="", parents=(), derivatives=()):
        self.value, self.gradient = value, 0.0
        self.parents, self.derivatives = parents, derivatives

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, "+", (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, "×", (self, other), (other.value, self.value))


def backward(result):
    """Walk every path by itself, which is slow and right."""

    def pass_on(number, gradient):
        number.gradient += gradient
        for parent, derivative in zip(number.parents, number.derivatives, strict=True):
            pass_on(parent, derivative * gradient)

    pass_on(result, 1.0)


def logistic(z):
    return np.exp(-np.logaddexp(0, -z))


def sigmoid_with(derivative, value=logistic):
    """Return a sigmoid for the engine whose derivative is a function of its argument and its value."""
    return lambda a: Number(value(a.value), "σ", (a,), (derivative(a.value, logistic(a.value)),))


def sigmoid_of_tanh(a):
    half = a * 0.5
    curved = Number(np.tanh(half.value), "tanh", (half,), (1 - np.tanh(half.value) ** 2,))
    return (curved + 1.0) * 0.5


def sigmoid_of_exp(a):
    power = np.exp(np.float64(-a.value))
    value = power / (1 + power)
    return Number(1 - value, "σ", (a,), (value * (1 - value),))


def looped_layer(d_Z, X, W):
    d_X, d_W, d_b = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for i, j, k in np.ndindex(len(X), *W.shape):
        d_X[i, j] += d_Z[i, k] * W[j, k]
        d_W[j, k] += d_Z[i, k] * X[i, j]
    return [d_X, d_W, d_b + sum(d_Z)]


def taped_layer(d_Z, X, W):
    X, W, b = tf.Variable(X, dtype=tf.float32), tf.Variable(W, dtype=tf.float32), tf.zeros(W.shape[1])
    with tf.GradientTape() as tape:
        tape.watch(b)
        Z = X @ W + b
    return tape.gradient(Z, [X, W, b], output_gradients=tf.constant(d_Z, tf.float32))


def batch_norm(d_Y, X, gamma, epsilon=1e-3, mean=1, variance=1):
    """Return the three gradients in their short form; a path can be left out."""
    root = np.sqrt(X.var(axis=0) + epsilon)
    normed = (X - X.mean(axis=0)) / root
    d_normed = d_Y * gamma
    lost = mean * d_normed.mean(axis=0) + variance * normed * (d_normed * normed).mean(axis=0)
    return (d_normed - lost) / root, (d_Y * normed).sum(axis=0), d_Y.sum(axis=0)


def taped_batch_norm(d_Y, X, gamma):
    X, gamma = tf.Variable(X, dtype=tf.float32), tf.Variable(gamma, dtype=tf.float32)
    beta = tf.Variable(tf.zeros(gamma.shape))
    with tf.GradientTape() as tape:
        mean, variance = tf.nn.moments(X, 0)
        Y = gamma * (X - mean) / tf.sqrt(variance + 1e-3) + beta
    return tape.gradient(Y, [X, gamma, beta], output_gradients=tf.constant(d_Y, tf.float32))


LAYER = looped_layer


RIGHT = {
    1: [(28, -16, -8), np.float32([28, -16, -8]), tf.constant([28.0, -16.0, -8.0])],
    2: [(-5, 99.4), [np.int64(-6), np.float32(101)]],
    3: [
        lambda d_Z, X, W: [d_Z @ W.T, X.T @ d_Z, d_Z.sum(axis=0, keepdims=True)],
        looped_layer,
        taped_layer,
    ],
    4: [
        sigmoid_with(lambda a, value: value * (1 - value)),
        sigmoid_with(lambda a, value: np.float32(value - value**2)),
        sigmoid_of_tanh,
    ],
    5: [10, np.float32(11.5), [10.5]],
    6: [batch_norm, taped_batch_norm, listed(batch_norm)],
}

WRONG = {
    1: [
        ((20, -16, -8), "both paths of a"), ((1, 2, 3), "Begin on the right"), ((28, -16), "shape"),
        ("28, -16, -8", "Numbers are asked for"),
    ],
    2: [
        ((1e-5, 100), "The exponent is asked for"), ((5, 100), "exponent is negative"),
        ((-12, 100), "nearly all digits"), ((-2, 100), "still falls"), ((-5, 10), "to one side"),
        ((-5, 0.01), "the inverse"), ((-5, 3), "two large steps"), (-5, "The shape (2,) is asked for"),
    ],
    3: [
        (lambda d_Z, X, W: (d_Z @ W, X.T @ d_Z, d_Z.sum(axis=0)), "stopped with ValueError"),
        (changed(LAYER, _1=lambda _, d_Z, X, W: d_Z.T @ X), "transposed"),
        (changed(LAYER, _1=lambda d_W, *case: d_W.T.reshape(d_W.shape)), "d_W has the right shape"),
        (changed(LAYER, _2=lambda _, d_Z, X, W: d_Z.sum(axis=1)), "over the units"),
        (changed(LAYER, _2=lambda d_b, *case: d_b[:, np.newaxis]), "d_b has to have the shape (4,), and"),
        (lambda *case: (LAYER(*case)[1], LAYER(*case)[0], LAYER(*case)[2]), "d_X has to have the shape"),
        (lambda *case: LAYER(*case)[:2], "3 arrays are asked for, in this order: d_X, d_W, d_b"),
        (changed(LAYER, _0=lambda d_X, *case: -d_X), "d_X has the right shape"),
    ],
    4: [
        (lambda a: logistic(a.value), "returns no Number"),
        (lambda a: Number(logistic(a.value)), "No derivative arrives"),
        (sigmoid_with(lambda a, value: 1.0), "as through an addition"),
        (sigmoid_with(lambda a, value: value), "as with exp"),
        (sigmoid_with(lambda a, value: 1 - value**2), "derivative of tanh"),
        (sigmoid_with(lambda a, value: a * (1 - a)), "a (1 − a) in yours"),
        (sigmoid_with(lambda a, value: -value * (1 - value)), "σ rises"),
        (sigmoid_with(lambda a, value: 0.25), "derivative should be 0.2445"),
        (sigmoid_with(lambda a, value: value * (1 - value), value=np.tanh), "value should be 0.5744"),
        (sigmoid_of_exp, "overflow"), (lambda a: 1.0 / (1.0 + a), "stopped with TypeError"),
        (lambda a: Number(logistic(a.value), "σ", (a,)), "backward pass stopped with ValueError"),
        (lambda a: Number("0.5"), "Your function stopped with TypeError"),
    ],
    5: [
        (4, "at z = 0 only"), (1.0, "vanishes"), (30, "explodes"), (-10, "is positive"),
        ([10, 11], "One number is asked for"),
    ],
    6: [
        (lambda *case: batch_norm(*case, epsilon=0.5), "d_gamma is off"),
        (lambda *case: batch_norm(*case, mean=0), "path through the mean"),
        (lambda *case: batch_norm(*case, mean=0, variance=0), "mean and the variance"),
        (changed(batch_norm, _2=lambda _, d_Y, X, gamma: gamma), "d_beta is off"),
        (lambda *case: batch_norm(*case)[0], "in this order"), (lambda *case: None, "`return` missing"),
    ],
}  # fmt: skip

GIVEN = {4: (Number, backward)}
