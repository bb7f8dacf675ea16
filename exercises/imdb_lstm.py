"""The judges of the exercises of notebook 05."""

from typing import Any

from exercises.judging import judged_by_table, near, random_arrays

import numpy as np


@judged_by_table(tolerance=0)
def exercise_1() -> Any:
    """The number of parameters of an LSTM with 64 inputs and 128 units."""
    one = 64 * 128 + 128 * 128 + 128
    return {
        "right": 4 * one,
        "That is one set of weights. How many sums does the cell compute from word and state?": one,
        "Three gates, yes. The candidate has weights of its own, too.": 3 * one,
        "Those are the weights. Each of the four sums has a bias for each unit, too.": 4 * (one - 128),
        "The gates look at the word and at the last hidden state.": 4 * (64 * 128 + 128),
        "The gates look at the last hidden state and at the word.": 4 * (128 * 128 + 128),
        "There is one bias for each unit and sum, not one for word and one for state.": 4 * (one + 128),
        "The same weights serve for every word. The number of words does not count.": (100 * one, 1000 * one),
        "Each of the four sums has weights for 64 numbers and for 128, and 128 biases.": ...,
    }


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


@judged_by_table(tolerance=5e-4)
def exercise_2() -> Any:
    """The bias of a forget gate that leaves 90 % of a cell state after 100 words."""
    gate = 0.9**0.01
    right = _logit(gate)
    return {
        "right": right,
        "That is the gate itself. Which bias does the logistic function turn into it?": near(gate, 1e-4),
        "With this bias 90 % are left after one word. And after a hundred?": near(_logit(0.9), 1e-2),
        "The sign. This gate is nearly shut, and nothing is left after one word.": near(-right, 1e-2),
        "A thousandth each time is nearly right, but it is multiplied, not added.": near(_logit(0.999), 5e-3),
        "With this bias 10 % are left. 90 % are asked for.": near(_logit(0.1**0.01), 1e-2),
        "σ is undone by the natural logarithm of f / (1 − f).": (
            np.log(gate),
            near(right / np.log(10), 1e-3),
        ),
        "The gate to the power of 100 is to be 0.9. Solve for the gate, then undo σ.": ...,
    }


# Lengths that four divides and others, then reviews that just fit, and one where no first word fits.
SIZES = [(30, 8), (30, 10), (9, 8), (8, 8), (5, 8), (1, 8), (30, 3), (12, 7), (0, 4)]


@judged_by_table(cases=[(list(range(101, 101 + words)), length) for words, length in SIZES])
def exercise_3(review: Any, length: Any) -> Any:
    """A row of ids, truncated in the middle after `length // 4` words, or padded before the text."""
    words, padding = len(review), [0] * (length - len(review))
    if words <= length:
        return {
            "right": padding + review,
            "The padding stands after the text. It belongs before it.": review + padding,
            f"A review of {words} words fits into {length}, so all of its words stay, in order.": ...,
        }

    def both_ends(first: int) -> list[int]:
        return review[:first] + review[words - (length - first) :]

    right = both_ends(length // 4)
    return {
        "right": right,
        "You keep one end only. A quarter is for the first words.": (both_ends(0), both_ends(length)),
        "The quarter is for the first words, the rest for the last.": both_ends(length - length // 4),
        "You keep as many first words as last ones. The first ones get a quarter.": both_ends(length // 2),
        "The right words, in another order. First words first.": lambda row: sorted(row) == sorted(right),
        f"With {words} words and length {length} the row is off. Keep length // 4 first words.": ...,
    }


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


# x, h, W, U and b. The second has as many features as units, where a swapped matrix is silent.
GRU = [
    random_arrays(n, (n, f), (n, u), (f, 3 * u), (u, 3 * u), (3 * u,))
    for n, f, u in [(6, 3, 5), (4, 4, 4), (1, 2, 3)]
]


@judged_by_table(cases=GRU)
def exercise_4(x: Any, h: Any, W: Any, U: Any, b: Any) -> Any:
    """The new h of a gated recurrent unit, of shape (n, units); W, U and b have the blocks z, r, h."""
    (W_z, W_r, W_h), (U_z, U_r, U_h) = np.split(W, 3, axis=1), np.split(U, 3, axis=1)
    b_z, b_r, b_h = np.split(b, 3)
    z, r = _sigmoid(x @ W_z + h @ U_z + b_z), _sigmoid(x @ W_r + h @ U_r + b_r)
    word, late = x @ W_h + b_h, "Multiply r with the old state before the matrix, not after."
    inner = word + (r * h) @ U_h
    new = np.tanh(inner)
    return {
        "right": z * h + (1 - z) * new,
        "z keeps the old state, 1 − z lets the new one in. You have them the other way round.": (1 - z) * h
        + z * new,
        "The blocks stand in the order z, r, h. You take r for z.": r * h
        + (1 - r) * np.tanh(word + (z * h) @ U_h),
        "The reset gate r is missing in the candidate: r times the old state.": z * h
        + (1 - z) * np.tanh(word + h @ U_h),
        f"{late} (Keras's own GRU does it after, unless it is told `reset_after=False`.)": (
            z * h + (1 - z) * np.tanh(word + r * (h @ U_h))
        ),
        "The candidate goes through tanh.": z * h + (1 - z) * inner,
        "The candidate goes through tanh, not through σ like the gates.": z * h + (1 - z) * _sigmoid(inner),
        "The old state is missing in the last line: z times it is kept.": (1 - z) * new,
        "That is the candidate. The new state mixes it with the old one.": new,
        f"For {len(x)} rows, {x.shape[1]} features and {h.shape[1]} units it is off. "
        "Compare line by line: z, r, candidate, mixture.": ...,
    }


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


LOGITS = [(20, 5, 0.5, 1), (20, 1, 2.0, 1), (7, 7, 1.5, 1), (50, 10, 0.7, 900)]


@judged_by_table(cases=[(size * random_arrays(5, (words,))[0], k, t) for words, k, t, size in LOGITS])
def exercise_5(logits: Any, k: Any, temperature: Any) -> Any:
    """The probabilities of top-k sampling for logits of shape (words,)."""
    kept, large = logits >= np.sort(logits)[-k], np.abs(logits).max() > 100
    highest, all_words = np.where(kept, logits, -np.inf), _softmax(logits / temperature)
    return {
        "right": _softmax(highest / temperature),
        "You multiply by the temperature. The logits are divided by it.": _softmax(highest * temperature),
        "The temperature does nothing.": _softmax(highest),
        "All words have a probability. Only the k highest may.": all_words,
        "The probabilities that stay do not add up to one. Divide by their sum.": kept * all_words,
        "A logit of 0 is not a probability of 0.": _softmax(kept * logits / temperature),
        "Large logits overflow. Subtract the highest one before the exponential.": lambda row: np.isnan(
            row
        ).any(),
        f"Is it k = {k} words that have a probability?": lambda row: not large and np.count_nonzero(row) != k,
        "You keep the k lowest logits. NumPy sorts from small to large.": lambda row: row[~kept].any(),
        "The probabilities do not add up to one.": lambda row: abs(row.sum() - 1) > 1e-4,
        f"With {len(logits)} words, k = {k} and temperature {temperature} they are off.": ...,
    }


# x, h, c, W, U, b and the slopes of the new h and the new c.
CELLS = [
    random_arrays(f, (f,), (u,), (u,), (f, 4 * u), (u, 4 * u), (4 * u,), (u,), (u,))
    for f, u in [(3, 5), (4, 4)]
]


@judged_by_table(cases=CELLS)
def exercise_6(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any, h_slope: Any, c_slope: Any) -> Any:
    """One step back through an LSTM cell with the blocks i, f, g, o: the slopes of x, h, c, W, U and b."""
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    squeezed = np.tanh(f * c + i * g)
    once = c_slope * f
    c_slope = c_slope + h_slope * o * (1 - squeezed**2)
    gates = [c_slope * g * i * (1 - i), c_slope * c * f * (1 - f), c_slope * i * (1 - g**2)]
    a = np.concatenate([*gates, h_slope * squeezed * o * (1 - o)])
    order = "columns to the four blocks in the order i, f, g, o."
    return {
        "right": {"x": W @ a, "h": U @ a, "c": c_slope * f, "W": np.outer(x, a), "U": np.outer(h, a), "b": a},
        # What is wrong in c and in the bias is wrong in most of the others, too.
        "c is used twice: in the next step, and in h. Add what comes back through h.": {"c": once},
        "The slope of c is off. The old c reaches the new one through the forget gate alone.": "c",
        "The slope of b is off. In the order i, f, g, o: σ′ = σ (1 − σ), but tanh′ = 1 − tanh² for g.": "b",
        f"The slope of W is off. Rows belong to the elements of x, {order}": "W",
        f"The slope of U is off. Rows belong to the elements of the old h, {order}": "U",
        "The slope of x is off. It sums over all four blocks: the whole matrix W is on the way.": "x",
        "The slope of h is off. It sums over all four blocks: the whole matrix U is on the way.": "h",
    }
