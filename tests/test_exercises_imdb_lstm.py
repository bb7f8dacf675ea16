"""Right answers that the checks of notebook 05 must accept, and usual wrong ones that they must reject."""

from utils.exercises import imdb_lstm as exercises

import keras
import numpy as np
import pytest
import tensorflow as tf


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


# ----------------------------------------------------------------------------------------- numbers

ONE_SET = 64 * 128 + 128 * 128 + 128
GATE = 0.9**0.01
BIAS = np.log(GATE / (1 - GATE))

RIGHT_NUMBERS = [
    (exercises.exercise_1, 98_816),
    (exercises.exercise_1, 98_816.0),
    (exercises.exercise_1, np.int64(98_816)),
    (exercises.exercise_1, [98_816]),
    (exercises.exercise_1, tf.constant(98_816)),
    (exercises.exercise_2, BIAS),
    (exercises.exercise_2, np.float32(BIAS)),
    (exercises.exercise_2, 6.855),
    (exercises.exercise_2, -np.log(1 / GATE - 1)),
    (exercises.exercise_2, tf.constant(BIAS)),
]

WRONG_NUMBERS = [
    (exercises.exercise_1, ONE_SET, "one set"),
    (exercises.exercise_1, 3 * ONE_SET, "candidate"),
    (exercises.exercise_1, 4 * (ONE_SET - 128), "bias"),
    (exercises.exercise_1, 4 * (64 * 128 + 128), "last hidden state"),
    (exercises.exercise_1, 4 * (128 * 128 + 128), "word"),
    (exercises.exercise_1, 4 * (ONE_SET + 128), "one bias"),
    (exercises.exercise_1, 100 * ONE_SET, "same weights"),
    (exercises.exercise_1, 98_817, "Each of the four"),
    (exercises.exercise_1, [64, 128], "One number"),
    (exercises.exercise_1, "many", "Numbers are asked for"),
    (exercises.exercise_2, GATE, "gate itself"),
    (exercises.exercise_2, np.log(9), "after one word"),
    (exercises.exercise_2, -BIAS, "sign"),
    (exercises.exercise_2, np.log(0.999 / 0.001), "multiplied"),
    (exercises.exercise_2, np.log(0.1**0.01 / (1 - 0.1**0.01)), "10 % are left"),
    (exercises.exercise_2, BIAS / np.log(10), "natural logarithm"),
    (exercises.exercise_2, 100.0, "Solve for the gate"),
    (exercises.exercise_2, float("inf"), "infinite"),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT_NUMBERS)
def test_right_numbers(said, exercise, answer):
    assert said(exercise, answer).endswith(": right")


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG_NUMBERS)
def test_wrong_numbers(rejected, exercise, answer, hint):
    rejected(exercise, answer, hint)


# ----------------------------------------------------------------------------------------- functions


def both_ends(review, length):
    if len(review) <= length:
        return [0] * (length - len(review)) + review
    first = length // 4
    return review[:first] + review[len(review) - (length - first) :]


def both_ends_array(review, length):
    row = np.zeros(length, np.int32)
    if len(review) > length:
        row[: length // 4] = review[: length // 4]
        row[length // 4 :] = review[-(length - length // 4) :]
    elif review:
        row[-len(review) :] = review
    return row


def both_ends_keras(review, length):
    first = length // 4
    if len(review) <= length:
        return keras.utils.pad_sequences([review], maxlen=length)[0]
    return tf.concat([review[:first], review[first - length :]], axis=0)


def both_ends_looped(review, length):
    row = []
    for place in range(length):
        if len(review) > length:
            row.append(review[place] if place < length // 4 else review[len(review) - length + place])
        else:
            row.append(0 if place < length - len(review) else review[place - length + len(review)])
    return row


def in_place(review, length):
    del review[length // 4 : max(length // 4, len(review) - (length - length // 4))]
    return [0] * (length - len(review)) + review


def gru(x, h, W, U, b, order=(0, 1, 2)):
    (Wz, Wr, Wh), (Uz, Ur, Uh), (bz, br, bh) = (
        [np.split(array, 3, axis=-1)[k] for k in order] for array in (W, U, b)
    )
    z, r = sigmoid(x @ Wz + h @ Uz + bz), sigmoid(x @ Wr + h @ Ur + br)
    return z * h + (1 - z) * np.tanh(x @ Wh + (r * h) @ Uh + bh)


def gru_keras(x, h, W, U, b):
    cell = keras.layers.GRUCell(h.shape[1], reset_after=False)
    cell.build((None, x.shape[1]))
    cell.set_weights([W, U, b])
    return cell(tf.constant(x, tf.float32), [tf.constant(h, tf.float32)])[0]


def gru_looped(x, h, W, U, b):
    return np.float32(
        [gru(row[np.newaxis], state[np.newaxis], W, U, b)[0] for row, state in zip(x, h, strict=True)]
    )


def gru_with(kept=lambda z: z, candidate=np.tanh, reset=lambda r, h, Uh: (r * h) @ Uh):
    """Return a step with one thing changed."""

    def step(x, h, W, U, b):
        (Wz, Wr, Wh), (Uz, Ur, Uh) = np.split(W, 3, axis=1), np.split(U, 3, axis=1)
        bz, br, bh = np.split(b, 3)
        z, r = sigmoid(x @ Wz + h @ Uz + bz), sigmoid(x @ Wr + h @ Ur + br)
        return kept(z) * h + (1 - kept(z)) * candidate(x @ Wh + reset(r, h, Uh) + bh)

    return step


def top_k(logits, k, temperature):
    scores = np.full(len(logits), -np.inf)
    best = np.argsort(logits)[::-1][:k]
    scores[best] = np.asarray(logits)[best] / temperature
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def top_k_tensorflow(logits, k, temperature):
    values, places = tf.math.top_k(tf.constant(logits, tf.float32), k)
    return tf.scatter_nd(places[:, None], tf.nn.softmax(values / temperature), [len(logits)])


def top_k_threshold(logits, k, temperature):
    threshold = sorted(logits)[-k]
    highest = max(logits)
    values = [np.exp((z - highest) / temperature) if z >= threshold else 0.0 for z in logits]
    return [value / sum(values) for value in values]


def naive_top_k(logits, k, temperature):
    exponentials = np.exp(logits / temperature)
    exponentials[np.argsort(logits)[:-k]] = 0
    return exponentials / exponentials.sum()


def back(x, h, c, W, U, b, h_slope, c_slope, use_twice=True, order=(0, 1, 2, 3), cell=None):
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    squeezed = np.tanh(f * c + i * g)
    if use_twice:
        c_slope = c_slope + h_slope * o * (1 - squeezed**2)
    parts = [
        c_slope * g * i * (1 - i),
        c_slope * c * f * (1 - f),
        c_slope * i * (1 - g**2),
        h_slope * squeezed * o * (1 - o),
    ]
    a = np.concatenate([parts[k] for k in order])
    old_c = c_slope * f if cell is None else cell(c_slope, i, f)
    return W @ a, U @ a, old_c, np.outer(x, a), np.outer(h, a), a


def back_by_tape(x, h, c, W, U, b, h_slope, c_slope):
    inputs = [tf.constant(array) for array in (x, h, c, W, U, b)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        x, h, c, W, U, b = inputs
        i, f, g, o = tf.split(x[None] @ W + h[None] @ U + b, 4, axis=1)
        new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        total = tf.reduce_sum(tf.sigmoid(o) * tf.tanh(new_c) * h_slope) + tf.reduce_sum(new_c * c_slope)
    return tape.gradient(total, inputs)


RIGHT_FUNCTIONS = [
    (exercises.exercise_3, both_ends),
    (exercises.exercise_3, both_ends_array),
    (exercises.exercise_3, both_ends_keras),
    (exercises.exercise_3, both_ends_looped),
    (exercises.exercise_4, gru),
    (exercises.exercise_4, gru_keras),
    (exercises.exercise_4, gru_looped),
    (exercises.exercise_5, top_k),
    (exercises.exercise_5, top_k_tensorflow),
    (exercises.exercise_5, top_k_threshold),
    (exercises.exercise_5, lambda *a: np.float32(top_k(*a))),
    (exercises.exercise_6, back),
    (exercises.exercise_6, back_by_tape),
    (exercises.exercise_6, lambda *a: [np.float32(slope) for slope in back(*a)]),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT_FUNCTIONS)
def test_right_functions(said, exercise, answer):
    assert said(exercise, answer).endswith(": right")


WRONG_FUNCTIONS = [
    (exercises.exercise_3, lambda r, n: ([0] * n + r)[-n:], "one end only"),
    (exercises.exercise_3, lambda r, n: r[:n] + [0] * (n - len(r)), "one end only"),
    (exercises.exercise_3, lambda r, n: both_ends(r, n) if len(r) > n else r + [0] * (n - len(r)), "before"),
    (
        exercises.exercise_3,
        lambda r, n: r[: n // 2] + r[-(n - n // 2) :] if len(r) > n else both_ends(r, n),
        "quarter",
    ),
    (
        exercises.exercise_3,
        lambda r, n: r[: n - n // 4] + r[-(n // 4) :] if len(r) > n else both_ends(r, n),
        "quarter is for",
    ),
    (
        exercises.exercise_3,
        lambda r, n: both_ends(r, n)[n // 4 :] + both_ends(r, n)[: n // 4] if len(r) > n else both_ends(r, n),
        "another order",
    ),
    (exercises.exercise_3, lambda r, n: r[: n // 4] + r[-(n - n // 4) :], "a row of|fits into"),
    (exercises.exercise_3, in_place, "changes the list"),
    (exercises.exercise_3, lambda r, n: both_ends(r, n)[1:], "a row of"),
    (exercises.exercise_3, lambda r, n: None, "return"),
    (exercises.exercise_3, 3, "function"),
    (exercises.exercise_4, gru_with(kept=lambda z: 1 - z), "other way round"),
    (exercises.exercise_4, lambda *a: gru(*a, order=(1, 0, 2)), "order z, r, h"),
    (exercises.exercise_4, gru_with(reset=lambda r, h, Uh: h @ Uh), "missing"),
    (exercises.exercise_4, gru_with(reset=lambda r, h, Uh: r * (h @ Uh)), "before the matrix"),
    (exercises.exercise_4, gru_with(candidate=lambda a: a), "tanh"),
    (exercises.exercise_4, gru_with(candidate=sigmoid), "not through σ"),
    (exercises.exercise_4, lambda x, h, W, U, b: gru(x, h, W, U, b) + 1, "line by line"),
    (exercises.exercise_4, lambda x, h, W, U, b: gru(x, h, W, U, b)[0], "shape"),
    (exercises.exercise_4, lambda x, h, W, U, b: W @ x, "stopped with"),
    (exercises.exercise_5, lambda z, k, t: top_k(z, k, 1 / t), "multiply"),
    (exercises.exercise_5, lambda z, k, t: top_k(z, k, 1.0), "does nothing"),
    (exercises.exercise_5, lambda z, k, t: top_k(z, len(z), t), "Only the k highest"),
    (
        exercises.exercise_5,
        lambda z, k, t: np.where(top_k(z, k, t) > 0, top_k(z, len(z), t), 0),
        "add up to one",
    ),
    (exercises.exercise_5, lambda z, k, t: top_k(-z, k, t), "lowest"),
    (exercises.exercise_5, lambda z, k, t: top_k(z, k + 1, t), "have a probability"),
    (
        exercises.exercise_5,
        lambda z, k, t: top_k(np.where(top_k(z, k, t) > 0, z, 0), len(z), t),
        "not a prob|words have",
    ),
    (exercises.exercise_5, naive_top_k, "overflow"),
    (exercises.exercise_5, lambda z, k, t: np.argsort(z)[-k:], "shape"),
    (exercises.exercise_6, lambda *a: back(*a, use_twice=False), "used twice"),
    (exercises.exercise_6, lambda *a: back(*a, order=(1, 0, 2, 3)), "order i, f, g, o"),
    (exercises.exercise_6, lambda *a: back(*a, cell=lambda s, i, f: s * i), "forget gate alone"),
    (exercises.exercise_6, lambda *a: back(*a, cell=lambda s, i, f: s), "forget gate alone"),
    (exercises.exercise_6, lambda *a: (*back(*a)[:3], back(*a)[3] * 2, *back(*a)[4:]), "slope of W"),
    (exercises.exercise_6, lambda *a: (*back(*a)[:3], back(*a)[3].T, *back(*a)[4:]), "shape"),
    (exercises.exercise_6, lambda *a: back(*a)[:5], "Six slopes"),
    (exercises.exercise_6, lambda *a: tuple(-slope for slope in back(*a)), "off"),
]


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG_FUNCTIONS)
def test_wrong_functions(rejected, exercise, answer, hint):
    rejected(exercise, answer, hint)


def test_not_attempted(said):
    for number in (1, 2):
        exercise = getattr(exercises, f"exercise_{number}")
        assert said(exercise, ...) == f"○ Exercise {number}: not attempted yet"
    for number in (3, 4, 5, 6):
        for answer in (..., lambda *arguments: ...):
            exercise = getattr(exercises, f"exercise_{number}")
            assert said(exercise, answer) == f"○ Exercise {number}: not attempted yet"
