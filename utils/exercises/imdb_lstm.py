"""The checks of the exercises of notebook 05."""

from typing import Any

from utils.checks import Wrong, array, call, is_close, judge, number

import numpy as np


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def exercise_1(parameters: Any) -> None:
    """Judge the number of parameters of an LSTM with 64 inputs and 128 units.

    Args:
        parameters: A whole number.
    """

    def verdict() -> None:
        answer = number(parameters)
        one_set = 64 * 128 + 128 * 128 + 128
        if answer == one_set:
            raise Wrong(
                "That is one set of weights. How many sums does the cell compute from word and state?"
            )
        if answer == 3 * one_set:
            raise Wrong("Three gates, yes. The candidate has weights of its own, too.")
        if answer == 4 * (64 * 128 + 128 * 128):
            raise Wrong("Those are the weights. Each of the four sums has a bias for each unit, too.")
        if answer == 4 * (64 * 128 + 128):
            raise Wrong("The gates look at the word and at the last hidden state.")
        if answer == 4 * (128 * 128 + 128):
            raise Wrong("The gates look at the last hidden state and at the word.")
        if answer == 4 * (64 * 128 + 128 * 128 + 2 * 128):
            raise Wrong(
                "There is one bias for each unit and sum, not one for the word and one for the state."
            )
        if answer in (25 * 4 * one_set, 250 * 4 * one_set):
            raise Wrong("The same weights serve for every word. The number of words does not count.")
        if answer != 4 * one_set:
            raise Wrong("Each of the four sums has weights for 64 numbers and for 128, and 128 biases.")

    judge("Exercise 1", verdict)


def exercise_2(forget_bias: Any) -> None:
    """Judge the bias of a forget gate that leaves 90 % of a cell state after 100 words.

    Args:
        forget_bias: A number.
    """

    def verdict() -> None:
        answer = number(forget_bias)
        gate = 0.9**0.01
        expected = np.log(gate / (1 - gate))
        if is_close(answer, gate, 1e-4):
            raise Wrong("That is the gate itself. Which bias does the logistic function turn into it?")
        if is_close(answer, np.log(9), 1e-2):
            raise Wrong("With this bias 90 % are left after one word. After a hundred, next to nothing.")
        if is_close(answer, -expected, 1e-2):
            raise Wrong("The sign. This gate is nearly shut, and nothing is left after one word.")
        if is_close(answer, np.log(0.999 / 0.001), 5e-3):
            raise Wrong(
                "A tenth of a hundredth each time is nearly right, but the loss is multiplied, not added."
            )
        if is_close(answer, np.log(0.1**0.01 / (1 - 0.1**0.01)), 1e-2):
            raise Wrong("With this bias 10 % are left. 90 % are asked for.")
        if is_close(answer, np.log(gate), 1e-6) or is_close(answer, expected / np.log(10), 1e-3):
            raise Wrong("σ is undone by the natural logarithm of f / (1 − f).")
        if not is_close(answer, expected, 5e-4):
            raise Wrong("The gate to the power of 100 is to be 0.9. Solve for the gate, then undo σ.")

    judge("Exercise 2", verdict)


def exercise_3(keep_both_ends: Any) -> None:
    """Judge a function that truncates a review in the middle and pads it before the text.

    Args:
        keep_both_ends: Function of a list of ids and a length that returns that many ids.
    """

    def right(review: list[int], length: int) -> list[int]:
        if len(review) <= length:
            return [0] * (length - len(review)) + review
        first = length // 4
        return review[:first] + review[len(review) - (length - first) :]

    def verdict() -> None:
        # Lengths that four divides and others, then reviews that just fit, and one where no first word fits.
        for words, length in [(30, 8), (30, 10), (9, 8), (8, 8), (5, 8), (1, 8), (30, 3), (12, 7), (0, 4)]:
            review = list(range(101, 101 + words))
            given = list(review)
            answer = array(call(keep_both_ends, given, length))
            if given != review:
                raise Wrong("Your function changes the list that it was given. Make a new one.")
            if answer.ndim != 1 or len(answer) != length:
                raise Wrong(
                    f"A review of {words} words gives shape {answer.shape}; a row of {length} is asked for."
                )
            expected = right(review, length)
            if np.array_equal(answer, expected):
                continue
            if words < length and np.array_equal(answer, review + [0] * (length - words)):
                raise Wrong("The padding stands after the text. It belongs before it.")
            if words <= length:
                raise Wrong(
                    f"A review of {words} words fits into {length}, so all of its words stay, in order."
                )
            if np.array_equal(answer, review[-length:]) or np.array_equal(answer, review[:length]):
                raise Wrong("You keep one end only. A quarter of the row is for the first words.")
            last = length // 4
            if last and np.array_equal(answer, review[: length - last] + review[-last:]):
                raise Wrong("The quarter is for the first words, and the rest for the last ones.")
            half = length // 2
            if half and np.array_equal(answer, review[:half] + review[-(length - half) :]):
                raise Wrong("You keep as many first words as last ones. The first ones get a quarter.")
            if sorted(answer) == sorted(expected):
                raise Wrong("The right words, in another order. First words first.")
            raise Wrong(
                f"With {words} words and length {length} the row is off. Keep length // 4 first words."
            )

    judge("Exercise 3", verdict)


def _gru(x: Any, h: Any, W: Any, U: Any, b: Any, order: tuple[int, int, int] = (0, 1, 2)) -> np.ndarray:
    """Return the new state; `order` says which blocks are taken for z, r and the candidate."""
    parts = [[np.split(array, 3, axis=-1)[k] for array in (W, U, b)] for k in order]
    (W_z, U_z, b_z), (W_r, U_r, b_r), (W_h, U_h, b_h) = parts
    z, r = _sigmoid(x @ W_z + h @ U_z + b_z), _sigmoid(x @ W_r + h @ U_r + b_r)
    return z * h + (1 - z) * np.tanh(x @ W_h + (r * h) @ U_h + b_h)


def _gru_mistakes(x: Any, h: Any, W: Any, U: Any, b: Any) -> dict[str, np.ndarray]:
    """Return the answers that usual mistakes lead to, by their hints."""
    (W_z, W_r, W_h), (U_z, U_r, U_h) = np.split(W, 3, axis=-1), np.split(U, 3, axis=-1)
    b_z, b_r, b_h = np.split(b, 3)
    z, r = _sigmoid(x @ W_z + h @ U_z + b_z), _sigmoid(x @ W_r + h @ U_r + b_r)
    inner = x @ W_h + (r * h) @ U_h + b_h
    after = np.tanh(x @ W_h + r * (h @ U_h) + b_h)
    return {
        "z keeps the old state, and 1 − z lets the new one in. You have them the other way round.": (
            (1 - z) * h + z * np.tanh(inner)
        ),
        "The blocks stand in the order z, r, h. You take r for z.": _gru(x, h, W, U, b, (1, 0, 2)),
        "The reset gate r is missing: it is multiplied with the old state, in the candidate.": (
            z * h + (1 - z) * np.tanh(x @ W_h + h @ U_h + b_h)
        ),
        "The reset gate is multiplied with the old state before the matrix, not after.": (
            z * h + (1 - z) * after
        ),
        "The candidate goes through tanh.": z * h + (1 - z) * inner,
        "The candidate goes through tanh, not through σ. Only the gates do that.": (
            z * h + (1 - z) * _sigmoid(inner)
        ),
        "The old state is missing in the last line: z times it is kept.": (1 - z) * np.tanh(inner),
        "That is the candidate. The new state mixes it with the old one.": np.tanh(inner),
    }


def exercise_4(gru_step: Any) -> None:
    """Judge a function that computes one step of a gated recurrent unit.

    Args:
        gru_step: Function of x of shape (n, features), h of shape (n, units), W of shape (features, 3 units),
            U of shape (units, 3 units) and b of shape (3 units,) that returns the new h.
    """

    def verdict() -> None:
        random = np.random.RandomState(4)
        # The second has as many features as units, where a swapped matrix is silent.
        for n, features, units in [(6, 3, 5), (4, 4, 4), (1, 2, 3)]:
            x, h = random.normal(size=(n, features)), random.normal(size=(n, units))
            W, U = random.normal(size=(features, 3 * units)), random.normal(size=(units, 3 * units))
            b = random.normal(size=3 * units)
            answer = array(call(gru_step, x.copy(), h.copy(), W.copy(), U.copy(), b.copy()), (n, units))
            if is_close(answer, _gru(x, h, W, U, b)):
                continue
            for hint, wrong in _gru_mistakes(x, h, W, U, b).items():
                if is_close(answer, wrong):
                    raise Wrong(hint)
            raise Wrong(
                f"For {n} rows, {features} features and {units} units it is off. Compare line by line: "
                "z, r, candidate, mixture."
            )

    judge("Exercise 4", verdict)


def _top_k(logits: np.ndarray, k: int, temperature: float) -> np.ndarray:
    """Return the softmax of the k highest logits over the temperature, with 0 for the others."""
    scores = np.full(len(logits), -np.inf)
    highest = np.argsort(logits)[-k:]
    scores[highest] = logits[highest] / temperature
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def exercise_5(top_k_probabilities: Any) -> None:
    """Judge a function that returns the probabilities of top-k sampling.

    Args:
        top_k_probabilities: Function of logits of shape (words,), k and a temperature that returns as many
            probabilities.
    """

    def verdict() -> None:
        random = np.random.RandomState(5)
        for words, k, temperature, size in [
            (20, 5, 0.5, 1),
            (20, 1, 2.0, 1),
            (7, 7, 1.5, 1),
            (50, 10, 0.7, 900),
        ]:
            logits = size * random.normal(size=words)
            given = logits.copy()
            with np.errstate(all="ignore"):
                raw = call(top_k_probabilities, given, k, temperature)
            if not np.array_equal(given, logits):
                raise Wrong("Your function changes the logits that it was given. Work on a copy.")
            if size > 1 and np.shape(raw) == (words,) and not np.all(np.isfinite(np.asarray(raw, float))):
                raise Wrong("Large logits overflow. Subtract the highest one before the exponential.")
            answer = array(raw, (words,))
            expected = _top_k(logits, k, temperature)
            if is_close(answer, expected):
                continue
            if is_close(answer, _top_k(logits, k, 1 / temperature)):
                raise Wrong("You multiply by the temperature. The logits are divided by it.")
            if is_close(answer, _top_k(logits, k, 1.0)):
                raise Wrong("The temperature does nothing.")
            if is_close(answer, _top_k(logits, words, temperature)):
                raise Wrong("All words have a probability. Only the k highest may.")
            if is_close(answer, np.where(expected > 0, _top_k(logits, words, temperature), 0)):
                raise Wrong("The probabilities that stay do not add up to one. Divide by their sum.")
            if np.count_nonzero(answer) != k and size == 1:
                raise Wrong(f"With k = {k}, {np.count_nonzero(answer)} words have a probability.")
            if k < words and answer[np.argmin(logits)] > 0:
                raise Wrong("You keep the k lowest logits. NumPy sorts from small to large.")
            zeroed = np.where(expected > 0, logits, 0)
            if is_close(answer, _top_k(zeroed, words, temperature)):
                raise Wrong("A logit of 0 is not a probability of 0. What has to stand there instead?")
            if not is_close(answer.sum(), 1):
                raise Wrong(f"The probabilities add up to {answer.sum():.3f}.")
            raise Wrong(f"With {words} words, k = {k} and temperature {temperature} they are off.")

    judge("Exercise 5", verdict)


NAMES = ("x", "h", "c", "W", "U", "b")
HINTS = {
    "x": "The slope of x sums over all four blocks: the whole matrix W is on the way.",
    "h": "The slope of the old h sums over all four blocks: the whole matrix U is on the way.",
    "c": "The old c reaches the new one through the forget gate alone.",
    "W": "Rows of W belong to the elements of x, columns to the four blocks in the order i, f, g, o.",
    "U": "Rows of U belong to the elements of the old h, columns to the four blocks in the order i, f, g, o.",
    "b": "In the order i, f, g, o: σ′ = σ (1 − σ) for the gates, tanh′ = 1 − tanh² for the candidate.",
}


def _lstm_back(
    x: Any, h: Any, c: Any, W: Any, U: Any, b: Any, h_slope: Any, c_slope: Any, *, twice: bool = True
) -> tuple[np.ndarray, ...]:
    """Return the six slopes; with `twice` false, the path from h to the new c is forgotten."""
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    squeezed = np.tanh(f * c + i * g)
    if twice:
        c_slope = c_slope + h_slope * o * (1 - squeezed**2)
    a = np.concatenate(
        [
            c_slope * g * i * (1 - i),
            c_slope * c * f * (1 - f),
            c_slope * i * (1 - g**2),
            h_slope * squeezed * o * (1 - o),
        ]
    )
    return W @ a, U @ a, c_slope * f, np.outer(x, a), np.outer(h, a), a


def exercise_6(lstm_step_backward: Any) -> None:
    """Judge a function that goes one step back through an LSTM cell.

    Args:
        lstm_step_backward: Function of x, h, c, W, U, b and the slopes of the new h and the new c that
            returns the slopes of x, h, c, W, U and b.
    """

    def verdict() -> None:
        random = np.random.RandomState(6)
        for features, units in [(3, 5), (4, 4)]:
            shapes = [
                (features,),
                (units,),
                (units,),
                (features, 4 * units),
                (units, 4 * units),
                (4 * units,),
            ]
            inputs = [random.normal(size=shape) for shape in [*shapes, (units,), (units,)]]
            answer = call(lstm_step_backward, *(array.copy() for array in inputs))
            if not isinstance(answer, tuple | list) or len(answer) != 6:
                raise Wrong("Six slopes are asked for, as a tuple: of x, h, c, W, U and b.")
            expected, once = _lstm_back(*inputs), _lstm_back(*inputs, twice=False)
            slopes = []
            for name, slope, shape in zip(NAMES, answer, shapes, strict=True):
                try:
                    slopes.append(array(slope, shape))
                except Wrong as hint:
                    raise Wrong(f"The slope of {name}: {hint}") from None
            if not is_close(slopes[2], expected[2]) and is_close(slopes[2], once[2]):
                raise Wrong("c is used twice: in the next step, and in h. Add what comes back through h.")
            # The bias first: what is wrong there is wrong in most of the others, too.
            for name in ("c", "b", "W", "U", "x", "h"):
                place = NAMES.index(name)
                if not is_close(slopes[place], expected[place]):
                    raise Wrong(f"The slope of {name} is off. {HINTS[name]}")

    judge("Exercise 6", verdict)
