"""The judges of the exercises of notebook 06."""

import tracemalloc
from collections.abc import Callable
from typing import Any

from exercises.judging import (
    WrongAnswer,
    as_array,
    call_answer,
    is_close,
    judged,
    judged_by_table,
    random_arrays,
    reject_if,
)

import numpy as np


@judged_by_table(tolerance=0)
def exercise_1() -> Any:
    """The parameters of self-attention, biases included, with D = 64 and four heads of 16 columns."""
    matrix = 64 * 64
    return {
        "right": 4 * (matrix + 64),
        "Those are the matrices. Each of the four has a bias of 64 numbers, too.": 4 * matrix,
        "Queries, keys and values, yes. The heads are joined by a matrix of their own.": 3 * (matrix + 64),
        "Those are the matrices of queries, keys and values alone.": 3 * matrix,
        "The heads share the columns, sixteen each. Four heads do not take four times as much.": (
            16 * (matrix + 64),
            4 * 3 * (matrix + 64) + matrix + 64,
        ),
        "That is one head. Four of them stand side by side in the matrices.": (
            3 * (64 * 16 + 16) + 16 * 64 + 64,
            4 * (64 * 16 + 16),
        ),
        "Each of the four matrices turns 64 numbers into 64, and each has a bias.": ...,
    }


@judged_by_table(cases=[(6, 3), (5, 1), (4, 9), (1, 1)], tolerance=0)
def exercise_2(length: Any, width: Any) -> Any:
    """A causal mask, (length, length), in which a word sees itself and the width − 1 words before it."""
    distance = np.arange(length)[:, np.newaxis] - np.arange(length)
    right = (distance >= 0) & (distance < width)
    return {
        "right": right,
        "That is true where a word must not look. The masks of this notebook are true where it may.": ~right,
        "Rows are queries, columns are keys: this lets the words look at later ones.": right.T,
        "This window has one word too many: the word itself counts.": (distance >= 0) & (distance <= width),
        "This window has one word too few: the word itself counts.": (distance >= 0) & (distance < width - 1),
        "It is causal, and the window is missing.": distance >= 0,
        "The window is there, and later words can be seen.": (distance < width, abs(distance) < width),
        "Write down row 4 for a window of 3: which columns are true?": ...,
    }


@judged_by_table(tolerance=0.02)
def exercise_3() -> Any:
    """The score that has a mean weight of one half beside T − 1 normal scores, for T = 16, 256 and 4096."""
    right = np.array([3.158, 6.037, 8.817])  # 400 draws, mean of four seeds
    return {
        "right": right,
        "So it would be if every other score were 0. They vary: how large is e to such a score on average?": (
            np.log([15, 255, 4095]),
            np.log([16, 256, 4096]),
        ),
        "In this order: T = 16, 256, 4096.": right[::-1],
        "These look like weights. The scores are asked for.": lambda found: bool(np.all(abs(found) <= 1)),
        "Draw T − 1 normal scores some hundred times, add the needle's score, take the softmax. Raise the "
        "needle's score until its mean weight is one half.": ...,
    }


@judged
def exercise_4(answer: Any) -> None:
    """The accuracies of the copier on twenty symbols if its positions begin at row 0, 1 and 5."""
    found = as_array(answer, (3,))
    reject_if(
        np.any(found < 0) or np.any(found > 1),
        "An accuracy is between 0 and 1: give parts of one, no percent.",
    )
    reject_if(found[0] < 0.9, "With row 0 first, nothing is changed: the copier should copy as before.")
    hint = "The copier still copies everything: did the moved rows arrive? Assign them to the embeddings."
    reject_if(np.all(found[1:] > 0.98), hint)
    hint = "With row 1 first, most of the copy should stay right. Move the whole table: row 0 becomes row 1."
    reject_if(not 0.85 <= found[1] <= 0.98, hint)
    hint = "With row 5 first, five words get a row that was never trained. How many symbols does that spoil?"
    reject_if(not 0.65 <= found[2] <= 0.88, hint)


@judged_by_table(cases=[random_arrays(seed, (5, 8), (8,), (5, 8)) for seed in range(2)])
def exercise_5(x: Any, gamma: Any, gradient: Any) -> Any:
    """The gradients of x, γ and β for a layer normalisation with ε = 0.001."""
    scale = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-3)
    normed = (x - x.mean(axis=-1, keepdims=True)) / scale
    inner = gradient * gamma
    mean = inner.mean(axis=-1, keepdims=True)
    along = np.mean(inner * normed, axis=-1, keepdims=True)
    return {
        "right": {
            "x": (inner - mean - normed * along) / scale,
            "γ": np.sum(gradient * normed, axis=0),
            "β": gradient.sum(axis=0),
        },
        "The mean and the variance depend on x, too: their paths are missing.": {"x": inner / scale},
        "The path through the mean is missing.": {"x": (inner - normed * along) / scale},
        "The path through the variance is missing.": {"x": (inner - mean) / scale},
        "γ stands between the result and the normed numbers: multiply the gradient by it first.": {
            "x": (
                gradient
                - gradient.mean(axis=-1, keepdims=True)
                - normed * np.mean(gradient * normed, axis=-1, keepdims=True)
            )
            / scale
        },
        "γ scales the normed numbers, not x itself.": {"γ": np.sum(gradient * x, axis=0)},
        "Add the gradients of γ and β over the words, and do not average.": (
            {"γ": np.mean(gradient * normed, axis=0)},
            {"β": gradient.mean(axis=0)},
        ),
        "The gradient of γ is off.": "γ",
        "The gradient of β is off.": "β",
        "The gradient of x is off. Write mean and variance as lines of their own; go back through each.": "x",
    }


@judged
def exercise_6(function: Callable) -> None:
    """Attention, (T, d_v), in pieces of so many keys at a time, without a table of T² numbers."""
    for seed, (T, size, scale) in enumerate([(6, 2, 1), (7, 3, 1), (5, 9, 1), (6, 2, 60)]):
        Q, K, V = random_arrays(seed, (T, 4), (T, 4), (T, 3))
        Q = scale * Q
        case = Q, K, V, size
        found = as_array(call_answer(function, *case), V.shape)
        if not is_close(found, _attend(Q, K, V)):
            parts = [slice(k, k + size) for k in range(0, T, size)]
            each = [_attend(Q, K[part], V[part]) for part in parts]
            hint = (
                "Each piece has a softmax of its own. Carry the sums of the powers along, divide at the end."
            )
            reject_if(is_close(found, np.sum(each, axis=0)) or is_close(found, np.mean(each, axis=0)), hint)
            reject_if(is_close(found, _attend(2 * Q, K, V)), "The scores are divided by √d.")
            hint = "The last piece may have fewer keys than the others."
            whole = T // size * size
            reject_if(0 < whole < T and is_close(found, _attend(Q, K[:whole], V[:whole])), hint)
            hint = "When the largest score so far rises, what was added up before has to shrink."
            raise WrongAnswer(hint)
    T = 1024
    Q, K, V = random_arrays(9, (T, 8), (T, 8), (T, 8))
    tracemalloc.start()
    try:
        call_answer(function, Q, K, V, 32)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    hint = "It is right, and it holds a table of T² numbers, or as much in pieces. Keep one piece at a time."
    reject_if(peak > 8 * T**2 / 2, hint)


def _attend(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Return what attention gives."""
    scores = Q @ K.T / Q.shape[1] ** 0.5
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers @ V / powers.sum(axis=1, keepdims=True)
