"""Answers to the exercises of notebook 07: right ones in several forms, and wrong ones with their hints."""

import numpy as np
import tensorflow as tf


def quantise(x):
    low, high = min(0.0, float(x.min())), max(0.0, float(x.max()))
    step = (high - low) / 255
    zero = -128 - round(low / step)
    return np.clip(np.rint(x / step) + zero, -128, 127).astype(np.int8), step, zero


def quantise_range(x):
    step = (x.max() - x.min()) / 255
    zero = -128 - round(float(x.min() / step))
    return np.clip(np.rint(x / step) + zero, -128, 127), step, zero


def percentile(first, second, edges, p):
    counts = np.asarray(first) + second
    latencies = np.repeat(edges, counts)
    return np.percentile(latencies, p, method="inverted_cdf")


def bucket(times, rate, size, start=None):
    tokens, then, out = float(size if start is None else start), times[0], []
    for now in times:
        tokens, then = min(size, tokens + (now - then) * rate), now
        out.append(1 if tokens >= 1 else 0)
        tokens -= out[-1]
    return out


SIZES = np.array([1, 2, 4, 8, 16])
SECONDS = 0.01 + 0.0005 * SIZES

RIGHT = {
    1: [10, 10.0, np.float32(10), tf.constant(10.0)],
    2: [quantise, lambda x: list(quantise(x))],
    3: [percentile, lambda *case: tf.constant(percentile(*case))],
    4: [bucket, lambda *case: np.array(bucket(*case), bool)],
    5: [(0.01, 0.0005, 20.0), [np.float32(0.01), np.float32(0.0005), 20]],
    6: [(2.5, 2.78, 5.0), np.array([2.47, 2.8, 4.9])],
}

WRONG = {
    1: [(600, "one unit"), (6.67, "L = λ W"), (400 / 60, "stays for a while"), (400 / 90, "multiplies")],
    2: [
        (quantise_range, "Zero has to be in the range"),
        (lambda x: (quantise(x)[0] + 0.3, *quantise(x)[1:]), "round"),
        (lambda x: quantise(x)[:2], "3 arrays"),
    ],
    3: [(lambda first, second, edges, p: percentile(first, first, edges, p), "Add the counts")],
    4: [
        (lambda *case: bucket(*case, start=0), "full at the first"),
        (lambda *case: bucket(*case)[1:], "shape"),
    ],
    5: [
        ((0.0005, 0.01, 20.0), "other way round"),
        ((0.02, 0.0005, 20.0), "fits best"),
        ((0.01, 0.0005, 0.05), "b / a"),
        ((0.01, 0.0005, 7.0), "half of 1 / b"),
        (7, "Three numbers"),
    ],
    6: [
        ((2.0, 1.78, 4.0), "waiting times"),
        ((2.5, 2.78, 2.78), "two with own queues"),
        ((5.0, 2.78, 2.5), "one fast server"),
        ((2.5, 2.5, 5.0), "two with a common queue"),
        ((2.5, 2.78), "Three numbers"),
        (7, "Three numbers"),
    ],
}

GIVEN = {5: (SIZES, SECONDS)}
