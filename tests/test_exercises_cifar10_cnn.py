"""Right answers that the checks of notebook 04 must accept, and usual wrong ones that they must reject."""

from types import SimpleNamespace

from utils.exercises import cifar10_cnn as exercises

import keras
import numpy as np
import pytest
import tensorflow as tf

# ----------------------------------------------------------------------------------------- numbers

CONVOLUTIONS = 26 * 32 + 801 * 64

RIGHT_NUMBERS = [
    (exercises.exercise_1, 62_346),
    (exercises.exercise_1, 62_346.0),
    (exercises.exercise_1, np.int64(62_346)),
    (exercises.exercise_1, [62_346]),
    (exercises.exercise_1, tf.constant(62_346)),
    (exercises.exercise_2, 22),
    (exercises.exercise_2, np.float32(22)),
    (exercises.exercise_2, np.array([22])),
    (exercises.exercise_2, tf.constant(22)),
]

WRONG_NUMBERS = [
    (exercises.exercise_1, 25 * 32 + 25 * 32 * 64 + 1024 * 10, "bias"),
    (exercises.exercise_1, CONVOLUTIONS, "ten logits"),
    (exercises.exercise_1, CONVOLUTIONS + (7 * 7 * 64 + 1) * 10, "padding"),
    (exercises.exercise_1, CONVOLUTIONS + (5 * 5 * 64 + 1) * 10, "flattened size"),
    (exercises.exercise_1, CONVOLUTIONS + 650, "Flatten"),
    (exercises.exercise_1, 26 * 32 + 26 * 64 + 10_250, "32 maps"),
    (exercises.exercise_1, 62_347, "how many numbers"),
    (exercises.exercise_1, "many", "Numbers are asked for"),
    (exercises.exercise_2, 12, "one pixel apart"),
    (exercises.exercise_2, 18, "stride of 2"),
    (exercises.exercise_2, 13, "Pooling"),
    (exercises.exercise_2, 14, "last convolution"),
    (exercises.exercise_2, 26, "own stride"),
    (exercises.exercise_2, 484, "How wide"),
    (exercises.exercise_2, 32, "distance"),
    (exercises.exercise_2, (22, 22), "One number"),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT_NUMBERS)
def test_right_numbers(said, exercise, answer):
    assert said(exercise, answer).endswith(": right")


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG_NUMBERS)
def test_wrong_numbers(rejected, exercise, answer, hint):
    rejected(exercise, answer, hint)


# ----------------------------------------------------------------------------------------- functions


def convolve_looped(x, W, b, s, p):
    x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    k = len(W)
    height, width = (x.shape[1] - k) // s + 1, (x.shape[2] - k) // s + 1
    z = np.zeros((len(x), height, width, W.shape[3]))
    for n in range(len(x)):
        for i in range(height):
            for j in range(width):
                for m in range(W.shape[3]):
                    z[n, i, j, m] = (x[n, i * s : i * s + k, j * s : j * s + k] * W[..., m]).sum() + b[m]
    return z


def convolve_keras(x, W, b, s, p):
    layer = keras.layers.Conv2D(W.shape[3], len(W), strides=s)
    padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    layer.build(padded.shape)
    layer.set_weights([W, b])
    return layer(padded)


def convolve_sliding(x, W, b, s, p):
    x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[:2], axis=(1, 2))[:, ::s, ::s]
    return np.einsum("nijcuv,uvcm->nijm", windows, W).astype(np.float32) + b


def pool_looped(x, blame):
    gradient = np.zeros_like(x)
    n, height, width, channels = blame.shape
    for place in np.ndindex(n, height, width, channels):
        picture, i, j, c = place
        square = x[picture, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        u, v = np.unravel_index(square.argmax(), (2, 2))
        gradient[picture, 2 * i + u, 2 * j + v, c] = blame[place]
    return gradient


def enlarge(values):
    return values.repeat(2, axis=1).repeat(2, axis=2)


def pool_of(x, by=np.max):
    n, height, width, channels = x.shape
    return by(x.reshape(n, height // 2, 2, width // 2, 2, channels), axis=(2, 4))


def largest(x):
    return x == enlarge(pool_of(x))


def pool_tape(x, blame):
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.nn.max_pool2d(x, 2, 2, "VALID") * tf.cast(blame, tf.float32))
    return tape.gradient(loss, x)


def in_place(x, blame):
    x *= largest(x)
    return x


def fold(W, gamma, beta, mean, variance, epsilon):
    factor = gamma / np.sqrt(variance + epsilon)
    return W * factor, beta - mean * factor


def fold_looped(W, gamma, beta, mean, variance, epsilon):
    kernels, biases = W.astype(np.float32), []
    for m in range(W.shape[3]):
        kernels[..., m] *= gamma[m] / (variance[m] + epsilon) ** 0.5
        biases.append(beta[m] - gamma[m] * mean[m] / (variance[m] + epsilon) ** 0.5)
    return [kernels, biases]


RIGHT_FUNCTIONS = [
    (exercises.exercise_3, convolve_looped),
    (exercises.exercise_3, convolve_keras),
    (exercises.exercise_3, convolve_sliding),
    (exercises.exercise_3, lambda *arguments: convolve_looped(*arguments).tolist()),
    (exercises.exercise_4, pool_looped),
    (exercises.exercise_4, pool_tape),
    (exercises.exercise_4, lambda x, blame: np.where(largest(x), enlarge(blame), 0)),
    (exercises.exercise_4, lambda x, blame: (largest(x) * enlarge(blame)).astype(np.float32).tolist()),
    (exercises.exercise_5, fold),
    (exercises.exercise_5, fold_looped),
    (exercises.exercise_5, lambda *arguments: tuple(tf.constant(part) for part in fold(*arguments))),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT_FUNCTIONS)
def test_right_functions(said, exercise, answer):
    assert said(exercise, answer).endswith(": right")


def root(variance, epsilon):
    return np.sqrt(variance + epsilon)


WRONG_FUNCTIONS = [
    (exercises.exercise_3, lambda x, W, b, s, p: convolve_looped(x, W, b, s, 0), "padding"),
    (exercises.exercise_3, lambda x, W, b, s, p: convolve_looped(x, W, b, 1, p), "stride"),
    (exercises.exercise_3, lambda x, W, b, s, p: convolve_looped(x, W, 0 * b, s, p), "biases"),
    (exercises.exercise_3, lambda x, W, b, s, p: convolve_looped(x, W[::-1, ::-1], b, s, p), "flip"),
    (
        exercises.exercise_3,
        lambda x, W, b, s, p: convolve_looped(x, W.transpose(1, 0, 2, 3), b, s, p),
        "swapped",
    ),
    (
        exercises.exercise_3,
        lambda x, W, b, s, p: convolve_looped(
            np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), mode="edge"), W, b, s, 0
        ),
        "Zeros",
    ),
    (
        exercises.exercise_3,
        lambda x, W, b, s, p: convolve_looped(x, W, b, 1, p)[:, s - 1 :: s, s - 1 :: s],
        "late|shape should",
    ),
    (exercises.exercise_3, lambda x, W, b, s, p: 2 * convolve_looped(x, W, b, s, p), "values are off"),
    (exercises.exercise_3, lambda x, W, b, s, p: x, "shape should"),
    (exercises.exercise_3, lambda x, W, b, s, p: None, "return"),
    (exercises.exercise_3, "im2col", "function"),
    (exercises.exercise_4, lambda x, blame: largest(x), "not a one"),
    (exercises.exercise_4, lambda x, blame: largest(x) * x, "maximum itself"),
    (exercises.exercise_4, lambda x, blame: enlarge(blame) / 4, "gradient of a mean"),
    (exercises.exercise_4, lambda x, blame: enlarge(blame), "All four"),
    (exercises.exercise_4, lambda x, blame: (x == enlarge(pool_of(x, np.min))) * enlarge(blame), "smallest"),
    (exercises.exercise_4, lambda x, blame: -pool_looped(x, blame), "Which is it"),
    (exercises.exercise_4, lambda x, blame: blame, "shape"),
    (exercises.exercise_4, in_place, "changes the array"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: W * g, "Two things"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W * g / (v + e), b), "square root"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W * g / np.sqrt(v), b), "epsilon"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W * g / (np.sqrt(v) + e), b), "under the root"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W / root(v, e), b), "gamma"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W, b), "last axis"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W * g / root(v, e), b), "mean is missing"),
    (
        exercises.exercise_5,
        lambda W, g, b, m, v, e: (W * g / root(v, e), b + m * g / root(v, e)),
        "subtracted",
    ),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W * g / root(v, e), b - m), "factor"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W * g / root(v, e), 0 * b), "black"),
    (exercises.exercise_5, lambda W, g, b, m, v, e: (W[0] * g, b), "shape"),
]


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG_FUNCTIONS)
def test_wrong_functions(rejected, exercise, answer, hint):
    rejected(exercise, answer, hint)


# ----------------------------------------------------------------------------------------- a network

DATA = SimpleNamespace(x_val=np.random.RandomState(0).randint(256, size=(20, 32, 32, 3)).astype(np.uint8))


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
    h = keras.layers.GlobalMaxPooling2D()(h) if pool == "max" else keras.layers.GlobalAveragePooling2D()(h)
    return keras.Model(inputs, keras.layers.Dense(10)(h))


def as_it_is(x):
    return x


def test_exercise_6_accepts_networks_without_borders_and_strides(said):
    assert said(exercises.exercise_6, network(), DATA).endswith(": right")
    softened = keras.Sequential([network(), keras.layers.Softmax()])
    assert said(exercises.exercise_6, softened, DATA).endswith(": right")


class Fixed:
    """Something with `predict` that gives what it is told."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, pictures, **options):
        """Return the answer for these pictures."""
        return self.answer(pictures)


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (network(pad=as_it_is, padding="same"), "border"),
        (network(pad=as_it_is), "border"),
        (network(strides=2), "skips"),
        (network(pool=keras.layers.MaxPooling2D()), "skips"),
        (network(pad=as_it_is, kernel=1), "shuffled"),
        (Fixed(lambda x: np.ones((len(x), 10))), "blind"),
        (Fixed(lambda x: np.ones((len(x), 3))), "ten logits"),
        (Fixed(lambda x: np.full((len(x), 10), np.nan)), "not a number"),
        (Fixed(lambda x: 1 / 0), "stopped with"),
        ("a network", "Keras model"),
    ],
)
def test_exercise_6_rejects_others(said, model, hint):
    assert hint in said(exercises.exercise_6, model, DATA)


def test_not_attempted(said):
    assert said(exercises.exercise_1, ...) == "○ Exercise 1: not attempted yet"
    assert said(exercises.exercise_2, ...) == "○ Exercise 2: not attempted yet"
    for number in (3, 4, 5):
        for answer in (..., lambda *arguments: ...):
            exercise = getattr(exercises, f"exercise_{number}")
            assert said(exercise, answer) == f"○ Exercise {number}: not attempted yet"
    assert said(exercises.exercise_6, ..., DATA) == "○ Exercise 6: not attempted yet"
