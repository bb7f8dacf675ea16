"""The judges of the exercises of notebook 02."""

from collections.abc import Callable
from typing import Any

from exercises.judging import (
    WrongAnswer,
    call_answer,
    is_close,
    judged,
    judged_by_table,
    random_arrays,
    reject_if,
)

import numpy as np


@judged_by_table()
def exercise_1() -> Any:
    """The gradient of L = ((ab + c) a)² with respect to a, b and c at (2, -3, 5)."""
    right = np.array([28, -16, -8])
    return {
        "right": right,
        "a acts on L in two places. You counted the product s · a and forgot the product ab.": [4, -16, -8],
        "a acts on L in two places. You counted the product ab and forgot the product s · a.": [24, -16, -8],
        "Multiply along a path, but add over the paths. a has two of them.": [4 * 24, -16, -8],
        "There is a factor of 2 amiss. The slope of p² is 2p.": (right / 2, -right / 2),
        "All signs are the wrong way round. What is p, forwards?": -right,
        "Those are the slopes of p. The square behind it multiplies them by 2p.": right / -4,
        "b and c are right. Follow both paths of a.": lambda answer: is_close(answer[1:], right[1:]),
        "Begin on the right: p gets 2p. Then s and a get it times the other factor.": ...,
    }


SMALL = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
LARGE = np.array([[1e4, 1e4 + 1, 1e4 - 2], [-1e4, -1e4 - 1, -1e4], [0.0, 200.0, -1000.0]])


def _is_lost(row: int) -> Callable[[np.ndarray], bool]:
    """Return the condition that a row of an answer is not finite."""
    return lambda answer: not np.all(np.isfinite(answer[row]))


@judged_by_table(cases=[(SMALL,), (LARGE,)])
def exercise_2(Z: Any) -> Any:
    """The logarithm of the softmax of logits of shape (n, K), which may be large."""
    right = Z - np.logaddexp.reduce(Z, axis=1, keepdims=True)
    if Z.max() > 100:
        return {
            "right": right,
            "For logits of 10,000 it overflows. Take the largest out of each row first.": _is_lost(0),
            "Beside large logits, very negative ones are lost. Shift each row by its own largest.": _is_lost(
                1
            ),
            "A probability was rounded to 0 before its logarithm was taken. Keep to logits.": _is_lost(2),
            "For large logits it is off. Nothing may be added inside the logarithm, nor cut off.": ...,
        }
    return {
        "right": right,
        "That is the softmax. Its logarithm is asked for.": np.exp(right),
        "The sign is the wrong way round. A logarithm of a probability is never positive.": -right,
        "You summed over the samples. A row is one sample, with a sum of its own.": Z
        - np.logaddexp.reduce(Z),
        "You summed over everything. Each row has a sum of its own.": Z - np.logaddexp.reduce(Z, axis=None),
        "Even for small logits it is off. log ŷ is the logit minus log Σ exp.": ...,
    }


SIZES = [
    (7, 3, 4),
    (1, 2, 5),
    (4, 4, 4),
]  # in the last one everything is square, where a wrong order is silent


@judged_by_table(cases=[random_arrays(n, (n, m), (n, d), (d, m)) for n, d, m in SIZES])
def exercise_3(d_Z: Any, X: Any, W: Any) -> Any:
    """Backwards through Z = XW + b: d_X, d_W and d_b, for d_Z of shape (n, m) and W of (d, m)."""
    n, (d, m) = len(X), W.shape
    d_W, silent = X.T @ d_Z, {}
    if n == d == m:
        silent["d_X is wrong. For a square W no shape complains. W or its transpose?"] = {"d_X": d_Z @ W}
        silent["d_W is wrong. For a square X no shape complains. X or its transpose?"] = {"d_W": X @ d_Z}
    off = f"has the right shape and wrong numbers, with n, d, m = {n}, {d}, {m}."
    return {
        "right": {"d_X": d_Z @ W.T, "d_W": d_W, "d_b": d_Z.sum(axis=0)},
        "You divided by the number of samples. Where there is a mean, d_Z knows of it.": {"d_W": d_W / n},
        "d_b is a mean in yours. b was used by every sample, and paths are added.": {"d_b": d_Z.mean(axis=0)},
        **silent,
        "d_W is transposed. For a square W no shape complains.": {"d_W": d_Z.T @ X},
        "You summed d_Z over the units. b was stretched over the samples.": {"d_b": d_Z.sum(axis=1)},
        **{f"{part} {off}": part for part in ("d_X", "d_W", "d_b")},
    }


def _sigmoid(z: Any) -> Any:
    return np.exp(-np.logaddexp(0, -z))


@judged_by_table(cases=[(0.3,), (-2.0,), (0.0,), (700.0,), (-1000.0,)])
def value_and_slope_of_sigmoid(a: float) -> Any:
    """Value and slope of the logistic function at a."""
    value = _sigmoid(a)
    slope = value * (1 - value)
    return {
        "right": {"value": value, "slope": slope},
        "No blame arrives at its argument. Who are the parents of the new Number?": {"slope": 0},
        "Blame passes unchanged, as through an addition. The slope of σ is σ (1 − σ).": {"slope": 1},
        "The slope is the value itself, as with exp. For σ it is σ (1 − σ).": {"slope": value},
        "That is the slope of tanh. For σ it is σ (1 − σ).": {"slope": 1 - value**2},
        "The slope is a (1 − a) in yours. It is σ (1 − σ), with the value of σ.": {"slope": a * (1 - a)},
        "The sign of the slope is the wrong way round. σ rises.": {"slope": -slope},
        f"At {a:g} its value should be {value:.4f}.": "value",
        f"At {a:g} its slope should be {slope:.4f}.": "slope",
    }


@judged
def exercise_4(sigmoid: Any, number: type, backward: Callable[[Any], None]) -> None:
    """A logistic function for the scalar engine: it takes a `Number` and returns one.

    The notebook hands over its class `Number` and its backward pass.
    """

    def value_and_slope(a: float) -> tuple[Any, Any]:
        leaf = number(a)
        result = call_answer(sigmoid, leaf)
        hint = "Your function returns no Number, so blame cannot find its way back."
        reject_if(not isinstance(result, number), hint)
        hint = f"At {a:g} its value is not a number. Does the power overflow?"
        reject_if(not np.isfinite(result.value), hint)
        try:
            # Something follows, so that the blame that arrives is not 1 and the slope has to be multiplied.
            backward(result * 3.0)
        except Exception as error:
            raise WrongAnswer(f"The backward pass stopped with {type(error).__name__}: {error}") from None
        return result.value, leaf.gradient / 3.0

    value_and_slope_of_sigmoid.verdict(value_and_slope)


LABELS = np.array([1.0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0])


@judged_by_table(cases=[(*random_arrays(seed, (12,)), LABELS, w) for seed, w in enumerate([1.0, 5.0, 0.2])])
def exercise_5(z: Any, y: Any, w: Any) -> Any:
    """The gradient of a cross-entropy where y = 1 counts w times, with respect to logits z of shape (n,)."""
    n, p = len(y), _sigmoid(z)
    right = (w * y * (p - 1) + (1 - y) * p) / n
    return {
        "right": right,
        "That is the gradient of the sum. The loss is a mean.": n * right,
        "The sign is the wrong way round: following it, the loss rises.": -right,
        "The weight has no effect in yours.": (p - y) / n,
        "You weighted all samples. Only those with y = 1 count w times.": w * (p - y) / n,
        "Look at one sample with y = 1. Both ŷ and 1 have to be multiplied by w.": (p - w * y) / n,
        "That is the gradient with respect to ŷ. One more factor leads back to z.": right / (p * (1 - p)),
        "Derive it for y = 1 and for y = 0 by themselves, and then put both into one line.": ...,
    }


def _batch(seed: int, n: int, d: int) -> tuple[np.ndarray, ...]:
    """Return d_Y, X and γ, for columns of X that are differently spread."""
    d_Y, X, gamma, spread, mean = random_arrays(seed, (n, d), (n, d), (d,), (d,), (d,))
    return d_Y, X * (0.2 + np.abs(spread)) + mean, gamma


@judged_by_table(cases=[_batch(0, 8, 3), _batch(1, 5, 5), _batch(2, 40, 2)])
def exercise_6(d_Y: Any, X: Any, gamma: Any) -> Any:
    """Backwards through batch normalisation with ε = 1e-3: d_X, d_gamma and d_beta."""
    root = np.sqrt(X.var(axis=0) + 1e-3)
    normed, direct = (X - X.mean(axis=0)) / root, d_Y * gamma / root
    through_mean, through_variance = -direct.mean(axis=0), -normed * (direct * normed).mean(axis=0)
    d_X = direct + through_mean + through_variance
    d_gamma, d_beta, rest = (d_Y * normed).sum(axis=0), d_Y.sum(axis=0), "d_gamma and d_beta are right"
    return {
        "right": {"d_X": d_X, "d_gamma": d_gamma, "d_beta": d_beta},
        "d_gamma and d_beta are interchanged.": {"d_gamma": d_beta, "d_beta": d_gamma},
        "d_beta is a mean in yours. β was used by every sample, and paths are added.": {
            "d_beta": d_beta / len(X)
        },
        "d_beta is off. It was added to every sample of its column.": "d_beta",
        "In d_gamma you multiplied by X, and not by the normalised X.": {"d_gamma": (d_Y * X).sum(axis=0)},
        "d_gamma is off. Its slope is the normalised X, and it was used by every sample.": "d_gamma",
        f"{rest}. In d_X, the paths through the mean and the variance are missing.": {"d_X": direct},
        "d_X lacks the path through the variance.": {"d_X": direct + through_mean},
        "d_X lacks the path through the mean.": {"d_X": direct + through_variance},
        "γ is missing in d_X.": {"d_X": d_X / gamma},
        f"{rest}, and d_X is off. Compare it line by line with finite differences.": "d_X",
    }
