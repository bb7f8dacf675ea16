"""Answers to the exercises of notebook 05: right ones in several forms, and wrong ones with their hints."""

import keras
import numpy as np
import tensorflow as tf
from altered import changed


def logistic(z):
    return np.exp(-np.logaddexp(0, -z))


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


GATE = 0.9**0.01


BIAS = np.log(GATE / (1 - GATE))


RIGHT = {
    1: [98_816, 98_816.0, np.int64(98_816), [98_816], tf.constant(98_816)],
    2: [BIAS, np.float32(BIAS), 6.855, -np.log(1 / GATE - 1), tf.constant(BIAS)],
    3: [both_ends, keras_both_ends, lambda *case: np.int32(both_ends(*case))],
    4: [gru, keras_gru],
    5: [top_k, tensorflow_top_k, threshold_top_k, lambda *case: np.float32(top_k(*case))],
    6: [taped_lstm, lambda *case: [np.float32(part) for part in taped_lstm(*case)]],
}

WRONG = {
    1: [
        (24_704, "one set"), (74_112, "candidate"), (98_304, "bias"), (33_280, "last hidden state"),
        (66_048, "at the word"), (99_328, "one bias"), (2_470_400, "same weights"),
        (98_817, "Each of the four"),
        ([64, 128], "One number"),
    ],
    2: [
        (0.999, "gate itself"), (2.2, "after one word"), (-6.86, "sign"), (6.907, "multiplied"),
        (3.75, "10 % are left"), (2.977, "natural logarithm"), (100.0, "Solve for the gate"),
    ],
    3: [
        (lambda r, n: ([0] * n + r)[-n:], "one end only"), (lambda r, n: (r + [0] * n)[:n], "one end only"),
        (lambda r, n: both_ends(r, n) if len(r) > n else r + [0] * (n - len(r)), "before"),
        (lambda r, n: both_ends(r, n) if len(r) > n else both_ends(r[::-1], n), "fits into"),
        (lambda r, n: both_ends(r, n)[::-1], "another order"),
        (lambda r, n: [*both_ends(r, n)[:-1], 7], "length // 4"),
        (in_place_both_ends, "changes the list"), (lambda r, n: both_ends(r, n)[1:], "shape"),
    ],
    4: [
        (lambda *case: keras_gru(*case, reset_after=True), "`reset_after=False`"),
        (lambda *case: gru(*case) + 1, "line by line"), (lambda *case: gru(*case)[0], "shape"),
        (lambda x, h, W, U, b: W @ x, "stopped with"),
    ],
    5: [
        (lambda z, k, t: top_k(-z, k, t), "lowest"), (lambda z, k, t: top_k(z, k, t / 2), "are off"),
        (lambda z, k, t: top_k(z, k + 1, t), "Is it k = 5 words"),
        (naive_top_k, "overflow"), (lambda z, k, t: np.argsort(z)[-k:], "shape"),
        (lambda z, k, t: 1.1 * top_k(z, k, t), "add up to one"),
    ],
    6: [
        (changed(taped_lstm, _3=lambda W, *case: 2 * W), "slope of W is off"),
        (changed(taped_lstm, _3=lambda W, *case: tf.transpose(W)), "W has to have the shape"),
        (lambda *case: taped_lstm(*case)[:5], "6 arrays are asked for, in this order: x, h, c, W, U, b."),
        (lambda *case: [-part for part in taped_lstm(*case)], "forget gate alone"),
    ],
}  # fmt: skip
