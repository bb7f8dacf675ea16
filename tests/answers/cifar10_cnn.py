"""Answers to the exercises of notebook 04: right ones in several forms, and wrong ones with their hints."""

from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from altered import changed, listed

PICTURES = SimpleNamespace(x_val=np.random.RandomState(0).randint(256, size=(20, 32, 32, 3)).astype(np.uint8))


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


def looped_pool(x, d_a):
    gradient = np.zeros_like(x)
    for n, i, j, c in np.ndindex(d_a.shape):
        square = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        u, v = np.unravel_index(square.argmax(), (2, 2))
        gradient[n, 2 * i + u, 2 * j + v, c] = d_a[n, i, j, c]
    return gradient


def taped_pool(x, d_a):
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.nn.max_pool2d(x, 2, 2, "VALID") * tf.cast(d_a, tf.float32))
    return tape.gradient(loss, x)


def in_place_pool(x, d_a):
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


RIGHT = {
    1: [62_346, 62_346.0, np.int64(62_346), [62_346], tf.constant(62_346)],
    2: [22, np.float32(22), np.array([22]), tf.constant(22)],
    3: [convolve, keras_convolve, listed(convolve)],
    4: [looped_pool, taped_pool, listed(looped_pool)],
    5: [fold, looped_fold, lambda *case: tuple(tf.constant(part) for part in fold(*case))],
    6: [network(), keras.Sequential([network(), keras.layers.Softmax()])],
}

WRONG = {
    1: [
        (800 + 51_200 + 10_240, "bias"), (52_096, "ten logits"), (52_096 + 31_370, "padding"),
        (52_096 + 16_010, "flattened size"), (52_096 + 650, "Flatten"), (832 + 1_664 + 10_250, "32 maps"),
        (62_347, "how many numbers"),
    ],
    2: [
        (12, "one pixel apart"), (18, "stride of 2 counts"), (13, "left the pooling out"),
        (14, "last convolution, or the stride of the pooling"), (21, "window of the pooling"),
        (26, "own stride"), (27, "own stride"), (484, "How wide"), (32, "distance"), ((22, 22), "One number"),
    ],
    3: [
        (lambda x, W, b, s, p: convolve(x, W, b, s, 0), "Where is the padding"),
        (lambda x, W, b, s, p: convolve(x, W, b if s == 1 else 0 * b, 1, p), "Where is the stride"),
        (lambda x, W, b, s, p: convolve(x, W, b, 1, p)[:, s - 1 :: s, s - 1 :: s], "late"),
        (lambda *case: 2 * convolve(*case), "values are off"), (lambda x, W, b, s, p: x, "shape"),
        ("im2col", "function"),
    ],
    4: [
        (lambda *case: -looped_pool(*case), "Which is it"), (lambda x, d_a: d_a, "shape"),
        (lambda x, d_a: enlarge(d_a), "All four"), (in_place_pool, "changes the array"),
    ],
    5: [
        (lambda W, *rest: W * rest[0], "2 arrays are asked for"),
        (lambda W, *rest: (W, rest[0]), "last axis"),
        (changed(fold, _1=lambda biases, *case: 0 * biases), "black"),
        (changed(fold, _0=lambda kernels, *case: kernels[0]), "kernels has to have the shape"),
    ],
    6: [
        (network(pad=as_it_is, padding="same"), "border"), (network(pad=as_it_is), "border"),
        (network(strides=2), "skips"), (network(pool=keras.layers.MaxPooling2D()), "skips"),
        (network(pad=as_it_is, kernel=1), "shuffled"), (Fixed(lambda x: np.ones((len(x), 10))), "blind"),
        (Fixed(lambda x: np.ones((len(x), 3))), "ten numbers"), (Fixed(lambda x: 1 / 0), "stopped with"),
        (Fixed(lambda x: np.full((len(x), 10), np.nan)), "not a number"), ("a network", "Keras model"),
    ],
}  # fmt: skip

GIVEN = {6: (PICTURES,)}
