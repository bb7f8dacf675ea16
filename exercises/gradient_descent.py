"""The judges of the exercises of notebook 01."""

from typing import Any

from exercises.judging import as_array, call_answer, is_close, judged, judged_by_table, reject_if

import numpy as np


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
        "You walked uphill. The step goes against the gradient.": [9.6, 2.1],
        "You walked the whole gradient. The learning rate shortens the step.": [14, 1],
        "That is the step. Where does it take you from where you stood?": [0.4, -0.1],
        "Put the numbers into θ − α ∇J(θ), first for the one parameter, then for the other.": ...,
    }


@judged_by_table(cases=[(X,) for _, X, _ in PROBLEMS])
def exercise_2(X: Any) -> Any:
    """The limit of the learning rate for features X of shape (n, p + 1)."""
    bends = np.linalg.eigvalsh(2 / len(X) * X.T @ X)
    right = 2 / bends.max()
    return {
        "right": right,
        "At that rate the sharpest direction arrives in a single step. It may be larger still.": right / 2,
        "You took the levellest direction. Which one falls off first?": 2 / bends.min(),
        "Is the factor before the Hessian there, and right?": (2 * right, right / len(X), 2 * right / len(X)),
        "That is the best learning rate, not the largest one that arrives.": 2 / (bends.max() + bends.min()),
        "For some X the answer is off. Where do the bends of the bowl come from?": ...,
    }


@judged_by_table(cases=PROBLEMS)
def exercise_3(theta: Any, X: Any, y: Any) -> Any:
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


@judged_by_table(cases=[(18.0, 3.3, 2.0, 1.5), (5.0, -2.0, -1.0, 0.25)])
def exercise_4(intercept: Any, slope: Any, mean: Any, std: Any) -> Any:
    """Intercept and slope of a line in x, from those of a line in z = (x − mean) / std."""
    right = {"intercept": intercept - slope * mean / std, "slope": slope / std}
    swapped = {"intercept": right["slope"], "slope": right["intercept"]}
    return {
        "right": right,
        "Both are right. The intercept comes first.": swapped,
        "The slope is wrong. One kilogram is how many standard deviations?": {"slope": slope * std},
        "The slope is right. But z = 0 is not x = 0.": {"intercept": intercept, "slope": right["slope"]},
        "Put z = (x − mean) / std into intercept + slope · z, and sort by x.": ...,
    }


@judged_by_table(cases=[(np.array([6.0, -8.0, 0.0]), 5.0), (np.array([0.3, 0.4]), 5.0), (np.zeros(3), 5.0)])
def exercise_5(gradient: Any, longest: Any) -> Any:
    """A gradient, shortened to the length `longest` where it is longer."""
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
def exercise_6(descend_without_rate: Any) -> None:
    """A descent that finds its own learning rates, in bowls of very different size.

    It is a function of the loss, its gradient (both functions of θ), the start of shape (p + 1,) and the
    number of steps, that returns the path of shape (steps + 1, p + 1).
    """
    steps, start = 200, np.array([3.0, -2.0])
    for size in (1e-3, 1.0, 1e3):
        bends = size * np.array([1.0, 10.0])

        def loss(theta: Any, bends: np.ndarray = bends) -> float:
            return float(0.5 * np.sum(bends * np.asarray(theta) ** 2))

        given = loss, lambda theta, bends=bends: bends * np.asarray(theta), start, steps
        path = as_array(call_answer(descend_without_rate, *given), (steps + 1, 2))
        losses = np.array([loss(theta) for theta in path])
        rises = np.diff(losses) > 1e-12 * losses[0]
        bowl = f"In a bowl with bends up to {bends.max():g}"
        reject_if(not is_close(path[0], start), "The path has to begin with the θ that was given.")
        reject_if(rises.any(), f"{bowl} the loss rose at step {rises.argmax() + 1}.")
        reject_if(losses[-1] > 1e-6 * losses[0], f"{bowl} the bottom is not reached in {steps} steps.")
