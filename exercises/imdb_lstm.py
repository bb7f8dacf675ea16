"""The judges of the exercises of notebook 05."""

from typing import Any

from exercises.judging import (
    CAUGHT,
    NotAttempted,
    WrongAnswer,
    as_array,
    is_close,
    judged,
    judged_by_table,
    near,
    random_arrays,
    reject_if,
)

import numpy as np

# Between what the accuracies of the experiments lie. The sample's reviews are a coin to models that count.
ACCURACY_OF_FIFTY = {"full": (0.81, 0.86), "sample": (0.3, 0.7)}  # of exercise 3
ACCURACIES_BY_COUNT = {  # of exercise 7
    "full": ((0.82, 0.86), (0.865, 0.89), (0.885, 0.905)),
    "sample": ((0.3, 0.7), (0.3, 0.7), (0.3, 0.7)),
}


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
def both_ends(review: Any, length: Any) -> Any:
    """A row of ids, truncated in the middle after `length // 4` words, or padded before the text."""
    words, padding = len(review), [0] * (length - len(review))
    if words <= length:
        return {
            "right": padding + review,
            "The padding stands after the text. It belongs before it.": review + padding,
            f"A review of {words} words fits into {length}, so all of its words stay, in order.": ...,
        }

    def with_first(first: int) -> list[int]:
        return review[:first] + review[words - (length - first) :]

    right = with_first(length // 4)
    return {
        "right": right,
        "You keep one end only. A quarter is for the first words.": (with_first(0), with_first(length)),
        "The quarter is for the first words, the rest for the last.": with_first(length - length // 4),
        "You keep as many first words as last ones. The first ones get a quarter.": with_first(length // 2),
        "The right words, in another order. First words first.": lambda row: sorted(row) == sorted(right),
        f"With {words} words and length {length} the row is off. Keep length // 4 first words.": ...,
    }


def _accuracies(values: Any, count: int) -> np.ndarray:
    """Return the accuracies of an answer, each of them from 0 to 1."""
    found = as_array(values, (count,))
    hint = "An accuracy is a part of one: 0.87, and not 87."
    reject_if(np.any((found < 0) | (found > 1)), hint)
    return found


def _expect_between(name: str, found: float, bounds: tuple[float, float], what_to_do: str) -> None:
    low, high = (100 * bound for bound in bounds)
    hint = f"{name} you found {100 * found:.1f} %, and it is between {low:g} and {high:g} %. {what_to_do}"
    reject_if(not low <= 100 * found <= high, hint)


@judged
def exercise_3(answer: Any, data: Any) -> None:
    """A truncation that keeps both ends, and the accuracies with it and with the last 50 words."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        raise WrongAnswer("Three things are asked for, in this order: the function and two accuracies.")
    function, *accuracies = answer
    both_ends.verdict(function)
    if any(accuracy is ... for accuracy in accuracies):
        raise NotAttempted
    with_both, with_last = _accuracies(accuracies, 2)
    what_to_do = "Cut both sets to 50 words, train on the one and ask about the other."
    _expect_between("With both ends", with_both, ACCURACY_OF_FIFTY[data.tier], what_to_do)
    _expect_between("With the last words", with_last, ACCURACY_OF_FIFTY[data.tier], what_to_do)


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


@judged
def exercise_5(answer: Any, lstm: Any, counted: Any, known: Any) -> None:
    """The weight of an LSTM in a mixture with an n-gram model, and the perplexity of the mixture.

    Given are the probabilities that both gave to the words that came, (windows, words), and which of these
    words count. The first half of the windows chooses the weight, the second half judges.
    """
    try:
        weight, found = answer
    except CAUGHT:
        raise WrongAnswer("Two numbers are asked for, in this order: the weight, the perplexity.") from None
    weight, found = (float(as_array(value, ())) for value in (weight, found))
    half = len(known) // 2
    choosing, judging = slice(None, half), slice(half, None)

    def perplexity(share: float, part: slice, which: Any = known) -> float:
        mixed = share * lstm[part] + (1 - share) * counted[part]
        return float(np.exp(-np.mean(np.log(mixed[which[part]]))))

    reject_if(
        not 0 <= weight <= 1, "A mixture has a weight between 0 and 1, and the other model has the rest."
    )
    tried = [perplexity(share, choosing) for share in np.arange(101) / 100]
    too_much = 1.002  # near the best weight the perplexity hardly changes
    here, mirrored = perplexity(weight, choosing), perplexity(1 - weight, choosing)
    hint = "That is the weight of the n-gram model. The weight of the LSTM is asked for."
    reject_if(here > too_much * min(tried) >= mirrored, hint)
    hint = (
        f"With the weight {weight:.2f} the half that chooses has the perplexity {here:.1f}. It can be lower."
    )
    reject_if(here > too_much * min(tried), hint)
    if is_close(found, perplexity(weight, judging), 2e-3):
        return
    hint = "That is the perplexity of the half that chose the weight. The other half judges."
    reject_if(is_close(found, here, 2e-3), hint)
    everything = perplexity(weight, judging, np.ones_like(known))
    reject_if(is_close(found, everything, 2e-3), "You count <unknown>, too. Known words only.")
    hint = "That is the mean of two perplexities. Mix the probabilities, then take the perplexity."
    between = weight * perplexity(1, judging) + (1 - weight) * perplexity(0, judging)
    reject_if(is_close(found, between, 2e-3), hint)
    hint = "The weight is right, the perplexity of the half that judges is another one, for the known words."
    raise WrongAnswer(hint)


# x, h, c, W, U, b and the gradients with respect to the new h and the new c.
CELLS = [
    random_arrays(f, (f,), (u,), (u,), (f, 4 * u), (u, 4 * u), (4 * u,), (u,), (u,))
    for f, u in [(3, 5), (4, 4)]
]


@judged_by_table(cases=CELLS)
def exercise_6(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any, h_gradient: Any, c_gradient: Any) -> Any:
    """One step back through an LSTM cell with the blocks i, f, g, o: the gradients of x, h, c, W, U and b."""
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    squeezed = np.tanh(f * c + i * g)
    once = c_gradient * f
    c_gradient = c_gradient + h_gradient * o * (1 - squeezed**2)
    gates = [c_gradient * g * i * (1 - i), c_gradient * c * f * (1 - f), c_gradient * i * (1 - g**2)]
    a = np.concatenate([*gates, h_gradient * squeezed * o * (1 - o)])
    order = "columns to the four blocks in the order i, f, g, o."
    return {
        "right": {
            "x": W @ a,
            "h": U @ a,
            "c": c_gradient * f,
            "W": np.outer(x, a),
            "U": np.outer(h, a),
            "b": a,
        },
        # What is wrong in c and in the bias is wrong in most of the others, too.
        "c is used twice: in the next step, and in h. Add what comes back through h.": {"c": once},
        "The gradient of c is off. The old c reaches the new one through the forget gate alone.": "c",
        "The gradient of b is off. Blocks i, f, g, o: σ′ = σ (1 − σ), but tanh′ = 1 − tanh² for g.": "b",
        f"The gradient of W is off. Rows belong to the elements of x, {order}": "W",
        f"The gradient of U is off. Rows belong to the elements of the old h, {order}": "U",
        "The gradient of x is off. It sums over all four blocks: the whole matrix W is on the way.": "x",
        "The gradient of h is off. It sums over all four blocks: the whole matrix U is on the way.": "h",
    }


@judged
def exercise_7(accuracies: Any, data: Any) -> None:
    """The validation accuracies of triples that learnt from 1,000, 3,000 and 10,000 reviews."""
    found = _accuracies(accuracies, 3)
    wanted = ACCURACIES_BY_COUNT[data.tier]
    for count, accuracy, bounds in zip((1000, 3000, 10_000), found, wanted, strict=True):
        what_to_do = f"Train on the first {count:,} training reviews and ask about all validation reviews."
        _expect_between(f"With {count:,} reviews", accuracy, bounds, what_to_do)
