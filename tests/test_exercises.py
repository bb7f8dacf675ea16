"""The exercises: right answers of every form pass, usual wrong ones get their hint, and nothing raises."""

import importlib
import itertools
import re
from types import SimpleNamespace

from exercises import backpropagation, judging
from exercises.judging import Exercise, NotAttempted, WrongAnswer, as_array, call_answer, is_close, judged

import keras
import numpy as np
import pytest
import tensorflow as tf

# ------------------------------------------------------------ what the notebooks give to the exercises


class Number:
    """The engine of notebook 02, as far as its exercise needs it."""

    def __init__(self, value, operation="", parents=(), slopes=()):
        self.value, self.gradient = value, 0.0
        self.parents, self.slopes = parents, slopes

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
        for parent, slope in zip(number.parents, number.slopes, strict=True):
            pass_on(parent, slope * gradient)

    pass_on(result, 1.0)


def digits(tier):
    labels = np.random.RandomState(0).randint(1, 10, 1000)
    return SimpleNamespace(x_val=np.zeros((1000, 28, 28), np.uint8), y_val=labels, tier=tier)


PICTURES = SimpleNamespace(x_val=np.random.RandomState(0).randint(256, size=(20, 32, 32, 3)).astype(np.uint8))
GIVEN = {
    "backpropagation 4": (Number, backward),
    "mnist_dense 6": (digits("full"),),
    "cifar10_cnn 6": (PICTURES,),
}
MODULES = ["gradient_descent", "backpropagation", "mnist_dense", "cifar10_cnn", "imdb_lstm"]
NAMES = [f"{module} {k}" for module in MODULES for k in range(1, 7)]


def exercise(name):
    module, k = name.split()
    return getattr(importlib.import_module(f"exercises.{module}"), f"exercise_{k}")


@pytest.fixture
def said(capsys):
    """Return a function that puts an answer to an exercise and returns the line that is printed."""

    def said(name, answer, given=None):
        judge = name if isinstance(name, Exercise) else exercise(name)
        judge(answer, *(GIVEN.get(name, ()) if given is None else given))
        out = capsys.readouterr().out
        assert out.endswith("\n")
        return out[:-1]

    return said


# ------------------------------------------------------------ right answers


def logistic(z):
    return np.exp(-np.logaddexp(0, -z))


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


def sigmoid_with(slope, value=logistic):
    """Return a sigmoid for the engine whose slope is a function of its argument and its value."""
    return lambda a: Number(value(a.value), "σ", (a,), (slope(a.value, logistic(a.value)),))


def sigmoid_of_tanh(a):
    half = a * 0.5
    bent = Number(np.tanh(half.value), "tanh", (half,), (1 - np.tanh(half.value) ** 2,))
    return (bent + 1.0) * 0.5


def sigmoid_of_exp(a):
    power = np.exp(np.float64(-a.value))
    value = power / (1 + power)
    return Number(1 - value, "σ", (a,), (value * (1 - value),))


def log_softmax(Z, axis=1):
    shifted = Z - Z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def looped_log_softmax(Z):
    rows = []
    for row in Z:
        total = max(row) + np.log(sum(np.exp(z - max(row)) for z in row))
        rows.append([z - total for z in row])
    return rows


def shifted_by_all(Z):
    shifted = Z - Z.max()
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def clipped_log_softmax(Z, least=1e-7):
    powers = np.exp(Z - Z.max(axis=1, keepdims=True))
    return np.log(np.maximum(powers / powers.sum(axis=1, keepdims=True), least))


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


def weighted(z, y, w):
    return (w * y * (logistic(z) - 1) + (1 - y) * logistic(z)) / len(y)


def taped_weighted(z, y, w):
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
    X, gamma = tf.Variable(X, dtype=tf.float32), tf.Variable(gamma, dtype=tf.float32)
    beta = tf.Variable(tf.zeros(gamma.shape))
    with tf.GradientTape() as tape:
        mean, variance = tf.nn.moments(X, 0)
        Y = gamma * (X - mean) / tf.sqrt(variance + 1e-3) + beta
    return tape.gradient(Y, [X, gamma, beta], output_gradients=tf.constant(d_Y, tf.float32))


def top_k_accuracy(scores, labels, k):
    best = np.argsort(scores, axis=1)[:, -k:]
    return np.mean(np.any(best == labels[:, np.newaxis], axis=1))


def looped_top_k_accuracy(scores, labels, k):
    hits = 0
    for row, label in zip(scores, labels, strict=True):
        hits += int(label in sorted(range(len(row)), key=lambda j: -row[j])[:k])
    return hits / len(labels)


def tensorflow_top_k_accuracy(scores, labels, k):
    return tf.reduce_mean(tf.cast(tf.math.in_top_k(labels, tf.cast(scores, tf.float32), k), tf.float32))


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


def convolve(x, W, b, s, p):
    x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    k = len(W)
    height, width = (x.shape[1] - k) // s + 1, (x.shape[2] - k) // s + 1
    z = np.zeros((len(x), height, width, W.shape[3]))
    for n, i, j, m in np.ndindex(z.shape):
        z[n, i, j, m] = (x[n, i * s : i * s + k, j * s : j * s + k] * W[..., m]).sum() + b[m]
    return z


def keras_convolve(x, W, b, s, p):
    layer = keras.layers.Conv2D(W.shape[3], len(W), strides=s)
    padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    layer.build(padded.shape)
    layer.set_weights([W, b])
    return layer(padded)


def enlarge(values):
    return values.repeat(2, axis=1).repeat(2, axis=2)


def largest(x):
    n, height, width, channels = x.shape
    return x == enlarge(x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4)))


def looped_pool(x, blame):
    gradient = np.zeros_like(x)
    for n, i, j, c in np.ndindex(blame.shape):
        square = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        u, v = np.unravel_index(square.argmax(), (2, 2))
        gradient[n, 2 * i + u, 2 * j + v, c] = blame[n, i, j, c]
    return gradient


def taped_pool(x, blame):
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.nn.max_pool2d(x, 2, 2, "VALID") * tf.cast(blame, tf.float32))
    return tape.gradient(loss, x)


def in_place_pool(x, blame):
    x *= largest(x)
    return x


def fold(W, gamma, beta, mean, variance, epsilon):
    factor = gamma / np.sqrt(variance + epsilon)
    return W * factor, beta - mean * factor


def looped_fold(W, gamma, beta, mean, variance, epsilon):
    kernels, biases = W.astype(np.float32), []
    for m in range(W.shape[3]):
        kernels[..., m] *= gamma[m] / (variance[m] + epsilon) ** 0.5
        biases.append(beta[m] - gamma[m] * mean[m] / (variance[m] + epsilon) ** 0.5)
    return [kernels, biases]


def wrap(x):
    x = keras.ops.concatenate([x[:, -1:], x, x[:, :1]], axis=1)
    return keras.ops.concatenate([x[:, :, -1:], x, x[:, :, :1]], axis=2)


def network(pad=wrap, padding="valid", strides=1, pool=None, kernel=3):
    """Return an untrained network with two convolutions and a mean at the end."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 3))
    h = inputs / 255.0
    for maps in (8, 8):
        h = keras.layers.Conv2D(maps, kernel, strides=strides, padding=padding, activation="relu")(pad(h))
        h = pool(h) if pool else h
    return keras.Model(inputs, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(h)))


def as_it_is(x):
    return x


class Fixed:
    """Something with `predict` that gives what it is told."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, pictures, **options):  # noqa: D102
        return self.answer(pictures)


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


def top_k(logits, k, temperature):
    scores = np.full(len(logits), -np.inf)
    best = np.argsort(logits)[::-1][:k]
    scores[best] = np.asarray(logits)[best] / temperature
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def tensorflow_top_k(logits, k, temperature):
    values, places = tf.math.top_k(tf.constant(logits, tf.float32), k)
    return tf.scatter_nd(places[:, None], tf.nn.softmax(values / temperature), [len(logits)])


def threshold_top_k(logits, k, temperature):
    threshold = sorted(logits)[-k]
    values = [np.exp((z - max(logits)) / temperature) if z >= threshold else 0.0 for z in logits]
    return [value / sum(values) for value in values]


def naive_top_k(logits, k, temperature):
    exponentials = np.exp(logits / temperature)
    exponentials[np.argsort(logits)[:-k]] = 0
    return exponentials / exponentials.sum()


def taped_lstm(x, h, c, W, U, b, h_slope, c_slope):
    inputs = [tf.constant(values) for values in (x, h, c, W, U, b)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        x, h, c, W, U, b = inputs
        i, f, g, o = tf.split(x[None] @ W + h[None] @ U + b, 4, axis=1)
        new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        total = tf.reduce_sum(tf.sigmoid(o) * tf.tanh(new_c) * h_slope) + tf.reduce_sum(new_c * c_slope)
    return tape.gradient(total, inputs)


def listed(function):
    """Return a function that answers with lists."""

    def answer(*arguments):
        found = function(*arguments)
        return [part.tolist() for part in found] if isinstance(found, tuple) else np.asarray(found).tolist()

    return answer


GATE = 0.9**0.01
BIAS = np.log(GATE / (1 - GATE))

RIGHT = {
    "gradient_descent 1": [(10.4, 1.9), np.float32([10.4, 1.9]), tf.constant([10.4, 1.9])],
    "gradient_descent 2": [
        lambda X: 2 / bends_of(X).max(),
        lambda X: np.float32(len(X) / np.linalg.svd(X)[1][0] ** 2),
        lambda X: [2 / np.linalg.norm(2 / len(X) * X.T @ X, 2)],
    ],
    "gradient_descent 3": [
        lambda theta, X, y: np.mean(np.sign(X @ theta - y)[:, None] * X, axis=0),
        looped_absolute_gradient,
        taped_absolute_gradient,
    ],
    "gradient_descent 4": [
        lambda b0, b1, mean, std: (b0 - b1 * mean / std, b1 / std),
        lambda b0, b1, mean, std: np.float32([b0 - b1 * mean / std, b1 / std]),
        lambda b0, b1, mean, std: tf.constant([b0 - b1 * mean / std, b1 / std]),
    ],
    "gradient_descent 5": [
        clip_by_scale,
        lambda g, longest: tf.clip_by_norm(tf.constant(g, tf.float32), longest),
    ],
    "gradient_descent 6": [line_search(0.5, 4, 0.5), line_search(0.7, 10, 0.1)],
    "backpropagation 1": [(28, -16, -8), np.float32([28, -16, -8]), tf.constant([28.0, -16.0, -8.0])],
    "backpropagation 2": [
        log_softmax,
        looped_log_softmax,
        lambda Z: np.float32(log_softmax(Z)),
        tf.nn.log_softmax,
        lambda Z: Z - np.logaddexp.reduce(Z, axis=1, keepdims=True),
    ],
    "backpropagation 3": [
        lambda d_Z, X, W: [d_Z @ W.T, X.T @ d_Z, d_Z.sum(axis=0, keepdims=True)],
        looped_layer,
        taped_layer,
    ],
    "backpropagation 4": [
        sigmoid_with(lambda a, value: value * (1 - value)),
        sigmoid_with(lambda a, value: np.float32(value - value**2)),
        sigmoid_of_tanh,
    ],
    "backpropagation 5": [
        lambda z, y, w: np.where(y == 1, w * (logistic(z) - 1), logistic(z)) / len(z),
        lambda z, y, w: np.float32(weighted(z, y, w)),
        taped_weighted,
    ],
    "backpropagation 6": [batch_norm, taped_batch_norm, listed(batch_norm)],
    "mnist_dense 1": [266_610, 266_610.0, np.int64(266_610), np.array([266_610]), tf.constant(266_610)],
    "mnist_dense 2": [np.float32(np.log(1000)), -np.log(1 / 1000), 6.908, [6.9078], tf.math.log(1000.0)],
    "mnist_dense 3": [
        top_k_accuracy,
        looped_top_k_accuracy,
        tensorflow_top_k_accuracy,
        lambda *case: np.float32(top_k_accuracy(*case)),
    ],
    "mnist_dense 4": [drop, drop_where, drop_binomial, looped_drop, lambda *case: tf.constant(drop(*case))],
    "mnist_dense 5": [calibration_error, tensorflow_calibration_error],
    "mnist_dense 6": [Digits(0.975, 9_000), Digits(0.96, 10_000)],
    "cifar10_cnn 1": [62_346, 62_346.0, np.int64(62_346), [62_346], tf.constant(62_346)],
    "cifar10_cnn 2": [22, np.float32(22), np.array([22]), tf.constant(22)],
    "cifar10_cnn 3": [convolve, keras_convolve, listed(convolve)],
    "cifar10_cnn 4": [looped_pool, taped_pool, listed(looped_pool)],
    "cifar10_cnn 5": [fold, looped_fold, lambda *case: tuple(tf.constant(part) for part in fold(*case))],
    "cifar10_cnn 6": [network(), keras.Sequential([network(), keras.layers.Softmax()])],
    "imdb_lstm 1": [98_816, 98_816.0, np.int64(98_816), [98_816], tf.constant(98_816)],
    "imdb_lstm 2": [BIAS, np.float32(BIAS), 6.855, -np.log(1 / GATE - 1), tf.constant(BIAS)],
    "imdb_lstm 3": [both_ends, keras_both_ends, lambda *case: np.int32(both_ends(*case))],
    "imdb_lstm 4": [gru, keras_gru],
    "imdb_lstm 5": [top_k, tensorflow_top_k, threshold_top_k, lambda *case: np.float32(top_k(*case))],
    "imdb_lstm 6": [taped_lstm, lambda *case: [np.float32(part) for part in taped_lstm(*case)]],
}


@pytest.mark.parametrize(("name", "answer"), [(name, one) for name, some in RIGHT.items() for one in some])
def test_right_answers_are_right(said, name, answer):
    assert said(name, answer) == f"✓ Exercise {name[-1]}: right"


def test_on_the_sample_less_accuracy_is_asked_for(said):
    given = (digits("sample"),)
    assert said("mnist_dense 6", Digits(0.85, 6_634), given).endswith("right")
    assert "80 %" in said("mnist_dense 6", Digits(0.7, 9_000), given)


# ------------------------------------------------------------ wrong answers


def changed(function, **parts):
    """Return a function some of whose answers are replaced: place → function of answer and arguments."""

    def answer(*case):
        found = list(function(*case))
        for place, make in parts.items():
            found[int(place[1:])] = make(found[int(place[1:])], *case)
        return tuple(found)

    return answer


LAYER = looped_layer
WRONG = {
    "gradient_descent 1": [
        ((1.9, 10.4), "first for the one parameter"), (10.4, "shape"), ("10.4, 1.9", "Numbers are asked for"),
    ],
    "gradient_descent 2": [
        (lambda X: 2 / np.linalg.eigvalsh(X.T @ X).max(), "factor before"),
        (lambda X: 2 / np.linalg.eigvalsh(X.T @ X / len(X)).max(), "factor before"),
        (bends_of, "One number"), (lambda X: 0.157, "For some X"), (0.157, "function is asked for"),
    ],
    "gradient_descent 3": [
        (lambda theta, X, y: np.mean(np.sign(X @ theta - y)), "shape"),
        (lambda theta, X, y: np.zeros(4), "finite differences"),
    ],
    "gradient_descent 4": [
        (lambda b0, b1, mean, std: (b0 - b1 * mean, b1 * std), "slope is wrong"),
        (lambda b0, b1, mean, std: (b0 + b1 * mean / std, b1 / std), "sort by x"),
        (lambda b0, b1, mean, std: b1 / std, "2 numbers are asked for, in this order: intercept, slope"),
    ],
    "gradient_descent 5": [
        (lambda g, longest: longest * g / np.linalg.norm(g), "left alone"),
        (lambda g, longest: g / np.linalg.norm(g) * min(longest, np.linalg.norm(g)), "not a number"),
        (lambda g, longest: None, "`return` missing"),
    ],
    "gradient_descent 6": [
        (fixed_rate(0.01), "not reached"), (fixed_rate(0.15), "not reached"),
        (fixed_rate(250), "the loss rose at step 1."), (line_search(0.5, 4, 0.5, forget=1), "begin with"),
        (lambda loss, gradient_at, theta, steps: theta, "shape"),
    ],
    "backpropagation 1": [
        ((20, -16, -8), "both paths of a"), ((1, 2, 3), "Begin on the right"), ((28, -16), "shape"),
        ("28, -16, -8", "Numbers are asked for"),
    ],
    "backpropagation 2": [
        (lambda Z: Z - np.log(np.exp(Z).sum(axis=1, keepdims=True)), "overflows"),
        (lambda Z: log_softmax(Z, axis=0), "over the samples"),
        (lambda Z: np.logaddexp.reduce(Z, axis=1), "shape"),
        (shifted_by_all, "its own largest"), (lambda Z: clipped_log_softmax(Z, 0), "rounded to 0"),
        (clipped_log_softmax, "cut off"), (lambda Z: log_softmax(Z) / np.log(2), "Even for small logits"),
        (3.0, "function is asked for"),
    ],
    "backpropagation 3": [
        (lambda d_Z, X, W: (d_Z @ W, X.T @ d_Z, d_Z.sum(axis=0)), "stopped with ValueError"),
        (changed(LAYER, _1=lambda _, d_Z, X, W: d_Z.T @ X), "transposed"),
        (changed(LAYER, _1=lambda d_W, *case: d_W.T.reshape(d_W.shape)), "d_W has the right shape"),
        (changed(LAYER, _2=lambda _, d_Z, X, W: d_Z.sum(axis=1)), "over the units"),
        (changed(LAYER, _2=lambda d_b, *case: d_b[:, np.newaxis]), "d_b has to have the shape (4,), and"),
        (lambda *case: (LAYER(*case)[1], LAYER(*case)[0], LAYER(*case)[2]), "d_X has to have the shape"),
        (lambda *case: LAYER(*case)[:2], "3 arrays are asked for, in this order: d_X, d_W, d_b"),
        (changed(LAYER, _0=lambda d_X, *case: -d_X), "d_X has the right shape"),
    ],
    "backpropagation 4": [
        (lambda a: logistic(a.value), "returns no Number"),
        (lambda a: Number(logistic(a.value)), "No blame arrives"),
        (sigmoid_with(lambda a, value: 1.0), "as through an addition"),
        (sigmoid_with(lambda a, value: value), "as with exp"),
        (sigmoid_with(lambda a, value: 1 - value**2), "slope of tanh"),
        (sigmoid_with(lambda a, value: a * (1 - a)), "a (1 − a) in yours"),
        (sigmoid_with(lambda a, value: -value * (1 - value)), "σ rises"),
        (sigmoid_with(lambda a, value: 0.25), "slope should be 0.2445"),
        (sigmoid_with(lambda a, value: value * (1 - value), value=np.tanh), "value should be 0.5744"),
        (sigmoid_of_exp, "overflow"), (lambda a: 1.0 / (1.0 + a), "stopped with TypeError"),
        (lambda a: Number(logistic(a.value), "σ", (a,)), "backward pass stopped with ValueError"),
        (lambda a: Number("0.5"), "Your function stopped with TypeError"),
    ],
    "backpropagation 5": [
        (lambda *case: weighted(*case).mean(), "shape"), (lambda z, y, w: z / len(y), "by themselves"),
        (lambda z, y, w: (-w * y / logistic(z) + (1 - y) / (1 - logistic(z))) / len(y), "with respect to ŷ"),
    ],
    "backpropagation 6": [
        (lambda *case: batch_norm(*case, epsilon=0.5), "d_gamma is off"),
        (lambda *case: batch_norm(*case, mean=0), "path through the mean"),
        (lambda *case: batch_norm(*case, mean=0, variance=0), "mean and the variance"),
        (changed(batch_norm, _2=lambda _, d_Y, X, gamma: gamma), "d_beta is off"),
        (lambda *case: batch_norm(*case)[0], "in this order"), (lambda *case: None, "`return` missing"),
    ],
    "mnist_dense 1": [
        (235_200 + 30_000 + 1_000, "bias"), (265_600, "ten scores"), (39_810, "layer by layer"),
        (266_611, "Each layer"), ([784, 300, 100, 10], "One number"),
    ],
    "mnist_dense 2": [
        (-6.9, "sign"), (3.0, "base ten"), (9.97, "bits"), (0.001, "probability"), (0.999, "probability"),
        (2.3026, "thousand"), (1.0, "minus its logarithm"), (float("inf"), "infinite"),
    ],
    "mnist_dense 3": [
        (lambda s, y, k: np.mean(np.sort(s, axis=1)[:, -k:] == y[:, None]), "axis"),
        (lambda s, y, k: np.mean(s.argmax(axis=0) == y), "stopped with"),
        (lambda s, y, k: top_k_accuracy(-s, y, k), "lowest"), (0.9, "function"),
    ],
    "mnist_dense 4": [
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
    "mnist_dense 5": [
        (equal_count_error, "equally wide"), (lambda p, y, b: p[0], "One number"),
        (lambda p, y, b: abs(np.mean(p.argmax(axis=1) == y) - p.max(axis=1).mean()), "cancel"),
        (lambda p, y, b: 1 - np.mean(p.argmax(axis=1) == y), "share of hits"),
        (lambda p, y, b: calibration_error(p, y, b) * len(y), "number of pictures"),
    ],
    "mnist_dense 6": [
        (Digits(0.95, 9_000), "95.0 %; 96 %"), (Digits(0.99, 10_001), "10,001 parameters"),
        (Digits(0.1, 9_000), "guessing"), ("a network", "Keras model"),
        (Fixed(lambda x: x), "(1000, 28, 28)"),
        (Digits(0.99, 100, outputs=11), "ten numbers"),
        (Digits(0.99, 100, outputs=None, labels=np.arange(3)), "(n, 28, 28) your network stopped with"),
    ],
    "cifar10_cnn 1": [
        (800 + 51_200 + 10_240, "bias"), (52_096, "ten logits"), (52_096 + 31_370, "padding"),
        (52_096 + 16_010, "flattened size"), (52_096 + 650, "Flatten"), (832 + 1_664 + 10_250, "32 maps"),
        (62_347, "how many numbers"),
    ],
    "cifar10_cnn 2": [
        (12, "one pixel apart"), (18, "stride of 2 counts"), (13, "left the pooling out"),
        (14, "last convolution, or the stride of the pooling"), (21, "window of the pooling"),
        (26, "own stride"), (27, "own stride"), (484, "How wide"), (32, "distance"), ((22, 22), "One number"),
    ],
    "cifar10_cnn 3": [
        (lambda x, W, b, s, p: convolve(x, W, b, s, 0), "Where is the padding"),
        (lambda x, W, b, s, p: convolve(x, W, b if s == 1 else 0 * b, 1, p), "Where is the stride"),
        (lambda x, W, b, s, p: convolve(x, W, b, 1, p)[:, s - 1 :: s, s - 1 :: s], "late"),
        (lambda *case: 2 * convolve(*case), "values are off"), (lambda x, W, b, s, p: x, "shape"),
        ("im2col", "function"),
    ],
    "cifar10_cnn 4": [
        (lambda *case: -looped_pool(*case), "Which is it"), (lambda x, blame: blame, "shape"),
        (lambda x, blame: enlarge(blame), "All four"), (in_place_pool, "changes the array"),
    ],
    "cifar10_cnn 5": [
        (lambda W, *rest: W * rest[0], "2 arrays are asked for"),
        (lambda W, *rest: (W, rest[0]), "last axis"),
        (changed(fold, _1=lambda biases, *case: 0 * biases), "black"),
        (changed(fold, _0=lambda kernels, *case: kernels[0]), "kernels has to have the shape"),
    ],
    "cifar10_cnn 6": [
        (network(pad=as_it_is, padding="same"), "border"), (network(pad=as_it_is), "border"),
        (network(strides=2), "skips"), (network(pool=keras.layers.MaxPooling2D()), "skips"),
        (network(pad=as_it_is, kernel=1), "shuffled"), (Fixed(lambda x: np.ones((len(x), 10))), "blind"),
        (Fixed(lambda x: np.ones((len(x), 3))), "ten numbers"), (Fixed(lambda x: 1 / 0), "stopped with"),
        (Fixed(lambda x: np.full((len(x), 10), np.nan)), "not a number"), ("a network", "Keras model"),
    ],
    "imdb_lstm 1": [
        (24_704, "one set"), (74_112, "candidate"), (98_304, "bias"), (33_280, "last hidden state"),
        (66_048, "at the word"), (99_328, "one bias"), (2_470_400, "same weights"),
        (98_817, "Each of the four"),
        ([64, 128], "One number"),
    ],
    "imdb_lstm 2": [
        (0.999, "gate itself"), (2.2, "after one word"), (-6.86, "sign"), (6.907, "multiplied"),
        (3.75, "10 % are left"), (2.977, "natural logarithm"), (100.0, "Solve for the gate"),
    ],
    "imdb_lstm 3": [
        (lambda r, n: ([0] * n + r)[-n:], "one end only"), (lambda r, n: (r + [0] * n)[:n], "one end only"),
        (lambda r, n: both_ends(r, n) if len(r) > n else r + [0] * (n - len(r)), "before"),
        (lambda r, n: both_ends(r, n) if len(r) > n else both_ends(r[::-1], n), "fits into"),
        (lambda r, n: both_ends(r, n)[::-1], "another order"),
        (lambda r, n: [*both_ends(r, n)[:-1], 7], "length // 4"),
        (in_place_both_ends, "changes the list"), (lambda r, n: both_ends(r, n)[1:], "shape"),
    ],
    "imdb_lstm 4": [
        (lambda *case: keras_gru(*case, reset_after=True), "`reset_after=False`"),
        (lambda *case: gru(*case) + 1, "line by line"), (lambda *case: gru(*case)[0], "shape"),
        (lambda x, h, W, U, b: W @ x, "stopped with"),
    ],
    "imdb_lstm 5": [
        (lambda z, k, t: top_k(-z, k, t), "lowest"), (lambda z, k, t: top_k(z, k, t / 2), "are off"),
        (lambda z, k, t: top_k(z, k + 1, t), "Is it k = 5 words"),
        (naive_top_k, "overflow"), (lambda z, k, t: np.argsort(z)[-k:], "shape"),
        (lambda z, k, t: 1.1 * top_k(z, k, t), "add up to one"),
    ],
    "imdb_lstm 6": [
        (changed(taped_lstm, _3=lambda W, *case: 2 * W), "slope of W is off"),
        (changed(taped_lstm, _3=lambda W, *case: tf.transpose(W)), "W has to have the shape"),
        (lambda *case: taped_lstm(*case)[:5], "6 arrays are asked for, in this order: x, h, c, W, U, b."),
        (lambda *case: [-part for part in taped_lstm(*case)], "forget gate alone"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in WRONG.items() for row in rows])
def test_wrong_answers_get_the_hint_that_fits(said, name, row):
    answer, hint = row
    verdict = said(name, answer)
    assert verdict.startswith(f"✗ Exercise {name[-1]}: not yet. ")
    assert hint in verdict


def answers_of_table(judge):
    """Return the hints of a table with the wrong answers that they are for, if those are numbers."""
    rights = [judge.function(*case)["right"] for case in judge.cases]
    for place, case in enumerate(judge.cases):
        hints = itertools.islice(judge.function(*case).items(), 1, None)
        for hint, mistake in (
            (hint, one) for hint, e in hints for one in (e if isinstance(e, tuple) else (e,))
        ):
            wrong, right = mistake, rights[place]
            if mistake is ... or isinstance(mistake, str):  # whatever else is wrong
                odd = {part: 1.37 * np.asarray(values) + 0.21 for part, values in as_parts(right).items()}
                wrong = odd if mistake is ... else {mistake: odd[mistake]}
                wrong = wrong if isinstance(right, dict) else wrong[""]
            if not callable(wrong):
                answers = [*rights[:place], {**right, **wrong} if isinstance(right, dict) else wrong]
                answers = [tuple(one.values()) if isinstance(one, dict) else one for one in answers]
                yield hint, one_after_the_other(answers) if case else answers[0]


def as_parts(answer):
    return answer if isinstance(answer, dict) else {"": answer}


def one_after_the_other(answers):
    waiting = iter(answers)
    return lambda *case: next(waiting)


def without_numbers(hint):
    return re.sub(r"-?\d+(\.\d+)?", "#", hint)


@pytest.mark.parametrize("name", [*NAMES, "engine"])
def test_every_hint_can_be_reached(said, monkeypatch, name):
    judge = backpropagation.value_and_slope_of_sigmoid if name == "engine" else exercise(name)
    there, reached = set(), set()

    def reject_if(condition, hint):
        there.add(without_numbers(hint))
        judging.reject_if(condition, hint)

    for case in judge.cases:
        there |= {without_numbers(hint) for hint in judge.function(*case)} - {"right"}
    for module in [] if judge.cases else MODULES:
        monkeypatch.setattr(
            importlib.import_module(f"exercises.{module}"), "reject_if", reject_if, raising=False
        )
    for _, answer in answers_of_table(judge):
        reached.add(without_numbers(said(judge, answer).split("not yet. ")[-1]))
    for answer in [*RIGHT.get(name, ()), *(answer for answer, _ in WRONG.get(name, ()))]:
        reached.add(without_numbers(said(name, answer).split("not yet. ")[-1]))
    assert there
    assert there <= reached
    for case in judge.cases:  # no wrong answer is left without a hint
        table = judge.function(*case)
        assert list(table.values())[-1] is ... or set(as_parts(table["right"])) <= {*map(str, table.values())}


# ------------------------------------------------------------ any answer at all


class Hostile:
    """An answer that raises wherever it is touched."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no words")

    def __iter__(self):
        raise SystemExit


def stop(error):
    def function(*case):
        raise error

    return function


class Unspeakable(Exception):
    """An error that cannot be put into words."""

    def __str__(self):
        raise ValueError("no words")


VALUES = [
    None, "two", b"two", "10.4", ["a", "b"], {}, {"a": 1}, {1}, [[1], [2, 3]], [], np.zeros(0),
    np.zeros((2, 0, 3)),
    float("nan"), [float("inf")] * 3, 10**400, [10**400, 1], 10**5000, 1 + 2j, np.ones(2, complex),
    np.datetime64("2020"),
    Hostile(), Hostile, Exception, iter([]), itertools.count(), (x for x in [1, 2]), True, np.ones((7, 7, 7)),
    np.array([None, "a"], object), keras.KerasTensor((2, 3)), [..., ...], len,
]  # fmt: skip
FUNCTIONS = [
    *(lambda *case, value=value: value for value in VALUES),
    *map(stop, [SystemExit(1), MemoryError(), RecursionError(), Unspeakable(), StopIteration()]),
    lambda: 1, lambda *case: case, lambda *case: case[0], lambda *case: [Hostile()] * 3,
    lambda *case: len(case[5]),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_whatever_the_answer_is_the_verdict_is_a_sentence(said, name):
    models = [Fixed(function) for function in FUNCTIONS]
    strange = [Digits(0.99, parameters) for parameters in (None, "many", Hostile())]
    for answer in [*VALUES, *FUNCTIONS, *models, *strange]:
        verdict = said(name, answer)
        assert re.match(
            rf"✗ Exercise {name[-1]}: not yet\. .+|○ Exercise {name[-1]}: not attempted yet$", verdict
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_is_not_attempted(said, name):
    first = RIGHT[name][0]
    asks_for_a_function = callable(first) and not hasattr(first, "predict")
    blanks = [..., lambda *case: ...] if asks_for_a_function else [...]
    for blank in blanks:
        assert said(name, blank) == f"○ Exercise {name[-1]}: not attempted yet"


@pytest.mark.parametrize(
    "interrupted",
    [lambda: call_answer(stop(KeyboardInterrupt())), lambda: judged(stop(KeyboardInterrupt()))(1)],
)
def test_the_reader_can_interrupt_an_answer(interrupted):
    with pytest.raises(KeyboardInterrupt):
        interrupted()


# ------------------------------------------------------------ how answers are read


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (lambda answer: None, "✓ Exercise 1: right\n"),
        (stop(WrongAnswer("Look at the sign.")), "✗ Exercise 1: not yet. Look at the sign.\n"),
        (stop(NotAttempted()), "○ Exercise 1: not attempted yet\n"),
        (stop(TypeError("a + b")), "✗ Exercise 1: not yet. Judging your answer stopped with TypeError.\n"),
    ],
)
def test_a_verdict_is_one_line(verdict, line, capsys):
    verdict.__name__ = "exercise_1"
    judged(verdict)(3)
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (3.0, "A function is asked for, and this is 3.0 of type float"),
        (lambda x: None, "`return` missing"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (stop(SystemExit(2)), "SystemExit: 2"),
        (lambda: 1, "TypeError"),
        (lambda x: undefined_name, "NameError"),  # noqa: F821
        (lambda x: x.append(1) or x, "changes the list"),
    ],
)
def test_what_a_readers_function_may_do_wrong_becomes_a_hint(function, hint):
    with pytest.raises(WrongAnswer, match=hint):
        call_answer(function, [1])


@pytest.mark.parametrize(
    "answer", [2, 2.0, np.float32(2), np.array(2.0), np.array([[2.0]]), [2], [tf.constant(2.0)], True + 1]
)
def test_a_number_may_come_in_any_form(said, answer):
    two = judging.judged_by_table()(lambda: {"right": 2, "No.": ...})
    assert said(two, answer).endswith(": right")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ([[1.0], [2.0]], r"The shape \(2,\) is asked for, and this has the shape \(2, 1\)"),
        ([1.0, float("nan")], "infinite or not a number"),
        ([1.0, 10**400], "too large"),
        ([1.0, 2j], "Real numbers are asked for"),
        ("12", "Numbers are asked for, and this is '12' of type str"),
        (None, "Numbers are asked for, and this is None"),
    ],
)
def test_what_is_no_array_of_the_shape_gets_a_hint(answer, hint):
    with pytest.raises(WrongAnswer, match=hint):
        as_array(answer, shape=(2,))


def test_closeness_leaves_room_for_32_bits_and_for_no_broadcasting():
    third = np.float32(1) / np.float32(3)
    assert is_close(third, 1 / 3)
    assert not is_close(0.34, 1 / 3)
    assert is_close(1e6 * third, 1e6 / 3)
    assert not is_close(np.ones((2, 1)), np.ones(2))
