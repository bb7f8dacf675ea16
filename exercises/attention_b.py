"""The judges of exercises 4 to 6 of notebook 06, to be merged into `attention.py`."""

from typing import Any

from exercises.judging import judged_by_table, random_arrays

import numpy as np


@judged_by_table(tolerance=0)
def exercise_4() -> Any:
    """The number of parameters of the smallest GPT-2."""
    tokens, places, width, blocks = 50_257, 1024, 768, 12
    block, ends = 12 * width**2 + 13 * width, (tokens + places) * width + 2 * width
    right = blocks * block + ends
    return {
        "right": right,
        "That has a bias for each logit. This network has none.": right + tokens,
        "The table is tied: it is there once, not twice.": (
            right + tokens * width,
            right + tokens * (width + 1),
        ),
        "The positions are missing: a row for each place of the window.": right - places * width,
        "The biases and normalisations of the blocks are missing: 13 times the width for each block.": (
            12 * width**2 * blocks + ends,
            12 * width**2 * blocks + (tokens + places) * width,
        ),
        "The last normalisation is missing: a factor and a summand for each unit.": right - 2 * width,
        "Those are the blocks alone. The tables of tokens and of positions belong to it.": (
            blocks * block,
            12 * width**2 * blocks,
        ),
        "That is one block. There are twelve.": block + ends,
        "Twelve blocks of 12 d² + 13 d, two tables, and the last normalisation.": ...,
    }


# Part gradients and sizes: unequal, equal, and a part of one example.
PARTS = [
    (random_arrays(1, (3, 4))[0], np.array([10, 30, 60])),
    (random_arrays(2, (2, 5))[0], np.array([8, 8])),
    (random_arrays(3, (4, 4))[0], np.array([1, 2, 3, 50])),
]


@judged_by_table(cases=PARTS)
def exercise_5(part_gradients: Any, part_sizes: Any) -> Any:
    """The mean gradient of a batch from the mean gradients of its parts and their sizes."""
    sums = part_sizes @ part_gradients
    return {
        "right": sums / part_sizes.sum(),
        "A plain mean counts an example of a small part more than others.": part_gradients.mean(axis=0),
        "That is the sum over all examples. Divide by their number.": sums,
        "That is a sum of means. A mean over all examples is asked for.": part_gradients.sum(axis=0),
        "Divide by the number of examples, not by the number of parts.": sums / len(part_sizes),
        f"With parts of {part_sizes.tolist()} examples it is off. Go back to sums first.": ...,
    }


@judged_by_table(tolerance=2e-3)
def exercise_6() -> Any:
    """Parameters and tokens for 1e21 operations at 20 tokens for each parameter."""
    parameters = np.sqrt(1e21 / 120)
    one = np.sqrt(1e21 / 6)
    return {
        "right": {"parameters": parameters, "tokens": 20 * parameters},
        "The right numbers in the other order: parameters first.": {"parameters": 20 * parameters},
        "That is one token for each parameter. The rule says 20.": {"parameters": one},
        "The 6 is missing: each token costs six operations for each parameter.": {
            "parameters": np.sqrt(1e21 / 20)
        },
        "The operations are 120 N²: take the root.": {"parameters": 1e21 / 120},
        "Put D = 20 N into C = 6 N D, and solve for N.": "parameters",
        "The tokens are 20 for each of your parameters.": "tokens",
    }
