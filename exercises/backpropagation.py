"""The judges of the exercises of notebook 02."""

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


@judged_by_table()
def exercise_1() -> Any:
    """The gradient of L = ((ab + c) a)² with respect to a, b and c at (2, -3, 5)."""
    right = np.array([28, -16, -8])
    return {
        "right": right,
        "a acts on L in two places. You counted the product s · a and forgot the product ab.": [4, -16, -8],
        "a acts on L in two places. You counted the product ab and forgot the product s · a.": [24, -16, -8],
        "Multiply along a path, but add over the paths. a has two of them.": [4 * 24, -16, -8],
        "There is a factor of 2 too many or too few. The derivative of p² is 2p.": (right / 2, -right / 2),
        "All signs are wrong. What is p, forwards?": -right,
        "Those are the derivatives of p. The square behind it multiplies them by 2p.": right / -4,
        "b and c are right. Follow both paths of a.": lambda answer: is_close(answer[1:], right[1:]),
        "Begin on the right: p gets 2p. Then s and a get it times the other factor.": ...,
    }


@judged
def exercise_2(exponent_and_factor: Any) -> None:
    """The best step of finite differences, as a power of ten, and by what a tenth of it divides the error."""
    exponent, factor = as_array(exponent_and_factor, shape=(2,))
    reject_if(0 < exponent < 1, "The exponent is asked for: for a step of 10⁻³ that is −3.")
    reject_if(exponent >= 0, "Steps are below 1, so the exponent is negative.")
    hint = (
        "With so small a step the two losses agree in nearly all digits. Is that the smallest of all errors?"
    )
    reject_if(exponent <= -8, hint)
    reject_if(exponent > -4, "There the error still falls. Try smaller steps, too.")
    hint = "A factor of 10 belongs to the difference to one side. Compare the errors of 10⁻¹ and 10⁻²."
    reject_if(5 < factor < 20, hint)
    reject_if(0 < factor < 1, "By what is the error *divided*? You have the inverse.")
    reject_if(not 50 < factor < 200, "Compare the errors of two large steps, such as 10⁻¹ and 10⁻².")


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
        "You summed d_Z over the units. b was broadcast over the samples.": {"d_b": d_Z.sum(axis=1)},
        **{f"{part} {off}": part for part in ("d_X", "d_W", "d_b")},
    }


def _sigmoid(z: Any) -> Any:
    return np.exp(-np.logaddexp(0, -z))


@judged_by_table(cases=[(0.3,), (-2.0,), (0.0,), (700.0,), (-1000.0,)])
def value_and_derivative_of_sigmoid(a: float) -> Any:
    """Value and derivative of the logistic function at a."""
    value = _sigmoid(a)
    derivative = value * (1 - value)
    return {
        "right": {"value": value, "derivative": derivative},
        "No derivative arrives at its argument. Who are the parents of the new Number?": {"derivative": 0},
        "The derivative passes unchanged, as through an addition. That of σ is σ (1 − σ).": {"derivative": 1},
        "The derivative is the value itself, as with exp. For σ it is σ (1 − σ).": {"derivative": value},
        "That is the derivative of tanh. For σ it is σ (1 − σ).": {"derivative": 1 - value**2},
        "The derivative is a (1 − a) in yours. It is σ (1 − σ), with the value of σ.": {
            "derivative": a * (1 - a)
        },
        "The sign of the derivative is wrong. σ rises.": {"derivative": -derivative},
        f"At {a:g} its value should be {value:.4f}.": "value",
        f"At {a:g} its derivative should be {derivative:.4f}.": "derivative",
    }


@judged
def exercise_4(sigmoid: Any, number: type, backward: Callable[[Any], None]) -> None:
    """A logistic function for the scalar engine: it takes a `Number` and returns one.

    The notebook hands over its class `Number` and its backward pass.
    """

    def value_and_derivative(a: float) -> tuple[Any, Any]:
        leaf = number(a)
        result = call_answer(sigmoid, leaf)
        hint = "Your function returns no Number, so no derivative can be passed back."
        reject_if(not isinstance(result, number), hint)
        hint = f"At {a:g} its value is not a number. Does the power overflow?"
        reject_if(not np.isfinite(result.value), hint)
        try:
            # Something follows, so that the gradient that arrives is not 1 and has to be multiplied.
            backward(result * 3.0)
        except Exception as error:
            raise WrongAnswer(f"The backward pass stopped with {type(error).__name__}: {error}") from None
        return result.value, leaf.gradient / 3.0

    value_and_derivative_of_sigmoid.verdict(value_and_derivative)


def gradient_through_sigmoids(gain: float, layers: int = 20, width: int = 64, draws: int = 5) -> float:
    """Return the size of the gradient in the first layer over that in the last, on (geometric) average."""
    logarithms = []
    for seed in range(draws):
        H, d_Z, *weights = random_arrays(seed, (100, width), (100, width), *[(width, width)] * layers)
        weights = [gain / np.sqrt(width) * W for W in weights]
        values = [H := _sigmoid(H @ W) for W in weights]
        d_Z = d_Z * H * (1 - H)  # what reaches the last layer is of no matter: its size cancels
        last = np.mean(d_Z**2)
        for W, H in zip(weights[:0:-1], values[-2::-1], strict=True):
            d_Z = (d_Z @ W.T) * H * (1 - H)
        logarithms.append(np.log(np.mean(d_Z**2) / last) / 2)
    return float(np.exp(np.mean(logarithms)))


@judged
def exercise_5(gain: Any) -> None:
    """The gain with which twenty layers of sigmoids keep the size of the gradient."""
    g = as_array(gain)
    reject_if(g.size != 1, "One number is asked for.")
    g = float(g.reshape(()))
    reject_if(not 0 < g < 1000, "The gain is positive, and not in the thousands.")
    hint = (
        "That would be right if σ′ were 1/4 everywhere. It is so at z = 0 only. How widely are the z spread?"
    )
    reject_if(3.5 <= g <= 4.5, hint)
    ratio = gradient_through_sigmoids(g)
    # A factor of 3 is asked for; other draws of the weights need room.
    reject_if(ratio < 1 / 5, "With your gain the gradient vanishes on its way back to the first layer.")
    reject_if(ratio > 5, "With your gain the gradient explodes on its way back to the first layer.")


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
        "d_gamma is off. Its derivative is the normalised X, and it was used by every sample.": "d_gamma",
        f"{rest}. In d_X, the paths through the mean and the variance are missing.": {"d_X": direct},
        "d_X lacks the path through the variance.": {"d_X": direct + through_mean},
        "d_X lacks the path through the mean.": {"d_X": direct + through_variance},
        "γ is missing in d_X.": {"d_X": d_X / gamma},
        f"{rest}, and d_X is off. Compare it line by line with finite differences.": "d_X",
    }
