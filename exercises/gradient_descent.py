"""The judges of the exercises of notebook 01."""

from typing import Any

from exercises.judging import as_array, call_answer, is_close, judged, judged_by_table, reject_if

import numpy as np


def _least_squares(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the θ with the least mean squared error."""
    return np.linalg.lstsq(X, y, rcond=None)[0]


def _least_absolute(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the θ with the least mean absolute error: a line through two of the points, so try all pairs."""
    pairs = np.array([(i, j) for i in range(len(y)) for j in range(i) if X[i, 1] != X[j, 1]])
    thetas = np.linalg.solve(X[pairs], y[pairs][..., np.newaxis])[..., 0]
    return thetas[np.argmin(np.mean(np.abs(thetas @ X.T - y), axis=1))]


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return θ of shape (4,), X of shape (20, 4) with its column of ones, and y of shape (20,)."""
    random = np.random.RandomState(seed)
    X = np.column_stack([np.ones(20), random.normal(size=(20, 3)) * [1, 3, 0.5] + [0, 1, 2]])
    return random.normal(size=4), X, random.normal(size=20)


PROBLEMS = [_problem(seed) for seed in range(3)]


@judged_by_table()
def exercise_1() -> Any:
    """The θ after one step from (10, 2) with the gradient (-4, 1) and the learning rate 0.1."""
    return {
        "right": [10.4, 1.9],
        "That is uphill. The step goes against the gradient.": [9.6, 2.1],
        "That is a step of the whole gradient. Multiply it by the learning rate.": [14, 1],
        "That is the step. Add it to the iterate.": [0.4, -0.1],
        "Put the numbers into θ − α ∇J(θ), first for the one parameter, then for the other.": ...,
    }


@judged_by_table(cases=PROBLEMS)
def exercise_2(theta: Any, X: Any, y: Any) -> Any:
    """The gradient of the mean absolute error, of the shape of θ, for X of shape (n, p + 1)."""
    right = X.T @ np.sign(X @ theta - y) / len(y)
    return {
        "right": right,
        "The sign is the wrong way round: this points downhill.": -right,
        "That is the gradient of the sum. The loss is a mean.": len(y) * right,
        "There is a factor of 2 too many. It belongs to the square.": 2 * right,
        "That is the gradient of the mean squared error.": 2 / len(y) * X.T @ (X @ theta - y),
        "Compare it with finite differences. What is the derivative of |u|?": ...,
    }


@judged_by_table(cases=[(np.array([6.0, -8.0, 0.0]), 5.0), (np.array([0.3, 0.4]), 5.0), (np.zeros(3), 5.0)])
def exercise_3(gradient: Any, longest: Any) -> Any:
    """A gradient, scaled down to the norm `longest` where its norm is larger."""
    length = np.linalg.norm(gradient)
    if length == 0:
        return {"right": gradient, "A gradient of zeros has to come back as zeros.": ...}
    if length <= longest:
        return {"right": gradient, "A gradient that is short enough has to be left alone.": ...}
    return {
        "right": gradient * longest / length,
        "You clipped number by number, and that turns the gradient.": np.clip(gradient, -longest, longest),
        "A gradient of length 10 came back unchanged, and the longest allowed was 5.": gradient,
        "The direction is right. The length is 1 and not the length that was asked for.": gradient / length,
        "A gradient of length 10 has to come back half as long, in the same direction.": ...,
    }


@judged
def exercise_4(changes: Any, X: Any, y: Any, spoilt: Any) -> None:
    """Sizes of the change of the slope from y to spoilt, by mean squared and by mean absolute error."""
    parts = as_array(changes, (2,))
    squared = abs(_least_squares(X, spoilt)[1] - _least_squares(X, y)[1])
    absolute = abs(_least_absolute(X, spoilt)[1] - _least_absolute(X, y)[1])
    close = lambda value, right: abs(value - right) <= max(0.02, 0.05 * right)  # noqa: E731
    reject_if(np.any(parts < 0), "Two sizes are asked for, so two numbers that are not negative.")
    reject_if(
        close(parts[0], absolute) and close(parts[1], squared),
        "Both are right. The squared error comes first.",
    )
    reject_if(
        close(parts[0], abs(_least_squares(X, spoilt)[0] - _least_squares(X, y)[0])),
        "That is the change of the intercept. The slope is asked for.",
    )
    reject_if(
        not close(parts[0], squared),
        "With the squared error: compare the slopes that the normal equations give.",
    )
    reject_if(
        not close(parts[1], absolute),
        "The squared error is right. Have the iterates come to rest with the absolute error? "
        "Let the rate fall, and train longer.",
    )


@judged
def exercise_5(limits: Any, X: Any) -> None:
    """Largest learning rates at which descent with momentum 0, 0.5 and 0.9 converges."""
    found = as_array(limits, (3,))
    momenta = np.array([0.0, 0.5, 0.9])
    plain = 2 / np.linalg.eigvalsh(2 / len(X) * X.T @ X).max()
    for hint, wrong in {
        "That is the limit of plain descent for all three. Did μ reach your optimizer?": plain * np.ones(3),
        "They grow as (1 + μ) / (1 − μ). Is there a factor 1 − μ before the gradient? Here is none.": plain
        * (1 + momenta)
        / (1 - momenta),
        "They shrink as 1 − μ. Measure: does descent really diverge just above these rates?": plain
        * (1 - momenta),
    }.items():
        reject_if(is_close(found, wrong, 0.02), hint)
    for mu, value, right in zip(momenta, found, plain * (1 + momenta), strict=True):
        reject_if(value > 1.02 * right, f"With μ = {mu:g} descent diverges at {value:.4g}.")
        reject_if(
            value < 0.98 * right, f"With μ = {mu:g} descent still converges at rates above {value:.4g}."
        )


@judged
def exercise_6(descend_without_rate: Any) -> None:
    """A descent that finds its own learning rates, on quadratic losses of very different size.

    It is a function of the loss, its gradient (both functions of θ), the start of shape (p + 1,) and the
    number of steps, that returns the path of shape (steps + 1, p + 1).
    """
    steps, start = 200, np.array([3.0, -2.0])
    for size in (1e-3, 1.0, 1e3):
        curvatures = size * np.array([1.0, 10.0])

        def loss(theta: Any, curvatures: np.ndarray = curvatures) -> float:
            return float(0.5 * np.sum(curvatures * np.asarray(theta) ** 2))

        given = loss, lambda theta, curvatures=curvatures: curvatures * np.asarray(theta), start, steps
        path = as_array(call_answer(descend_without_rate, *given), (steps + 1, 2))
        losses = np.array([loss(theta) for theta in path])
        rises = np.diff(losses) > 1e-12 * losses[0]
        where = f"On a quadratic loss with curvatures up to {curvatures.max():g}"
        reject_if(not is_close(path[0], start), "The path has to begin with the θ that was given.")
        reject_if(rises.any(), f"{where} the loss rose at step {rises.argmax() + 1}.")
        reject_if(losses[-1] > 1e-6 * losses[0], f"{where} the minimum is not reached in {steps} steps.")
