"""The judges of the exercises of notebook 06."""

from typing import Any

from exercises.judging import judged_by_table, random_arrays

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


@judged_by_table(cases=[random_arrays(seed, (5, 8), (8,), (5, 8)) for seed in range(2)])
def exercise_3(x: Any, gamma: Any, gradient: Any) -> Any:
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
