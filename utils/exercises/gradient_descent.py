"""The checks of the exercises of notebook 01."""

from typing import Any

from utils.checks import NotAttempted, Wrong, array, call, is_close, judge, number

import numpy as np


def _random_problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return θ of shape (4,), X of shape (20, 4) with its column of ones, and y of shape (20,)."""
    random = np.random.RandomState(seed)
    X = np.column_stack([np.ones(20), random.normal(size=(20, 3)) * [1, 3, 0.5] + [0, 1, 2]])
    return random.normal(size=4), X, random.normal(size=20)


def exercise_1(next_theta: Any) -> None:
    """Judge the θ after one step from (10, 2) with the gradient (-4, 1) and the learning rate 0.1.

    Args:
        next_theta: Two numbers.
    """

    def verdict() -> None:
        answer = array(next_theta, shape=(2,))
        if is_close(answer, [9.6, 2.1]):
            raise Wrong("You walked uphill. The step goes against the gradient.")
        if is_close(answer, [14, 1]):
            raise Wrong("You walked the whole gradient. The learning rate shortens the step.")
        if is_close(answer, [0.4, -0.1]):
            raise Wrong("That is the step. Where does it take you from where you stood?")
        if not is_close(answer, [10.4, 1.9]):
            raise Wrong("Put the numbers into θ − α ∇J(θ), first for the one parameter, then for the other.")

    judge("Exercise 1", verdict)


def exercise_2(largest_learning_rate: Any) -> None:
    """Judge a function that returns the limit of the learning rate.

    Args:
        largest_learning_rate: Function of X of shape (n, p + 1) that returns a number.
    """

    def verdict() -> None:
        for seed in range(3):
            X = _random_problem(seed)[1]
            bends = np.linalg.eigvalsh(2 / len(X) * X.T @ X)
            answer = number(call(largest_learning_rate, X))
            if is_close(answer, 1 / bends.max()):
                raise Wrong(
                    "At that rate the sharpest direction arrives in a single step. It may be larger still."
                )
            if is_close(answer, 2 / bends.min()):
                raise Wrong("You took the levellest direction. Which one falls off first?")
            if any(is_close(answer * factor, 2 / bends.max()) for factor in (1 / 2, len(X) / 2, len(X))):
                raise Wrong("Is the factor in front of the Hessian there, and right?")
            if is_close(answer, 2 / (bends.max() + bends.min())):
                raise Wrong("That is the best learning rate, not the largest one that arrives.")
            if not is_close(answer, 2 / bends.max()):
                raise Wrong("For some X the answer is off. Where do the bends of the bowl come from?")

    judge("Exercise 2", verdict)


def exercise_3(absolute_error_gradient: Any) -> None:
    """Judge a function that returns the gradient of the mean absolute error.

    Args:
        absolute_error_gradient: Function of θ of shape (p + 1,), X of shape (n, p + 1) and y of shape (n,)
            that returns an array of shape (p + 1,).
    """

    def verdict() -> None:
        for seed in range(3):
            theta, X, y = _random_problem(seed)
            expected = X.T @ np.sign(X @ theta - y) / len(y)
            answer = array(call(absolute_error_gradient, theta.copy(), X.copy(), y.copy()), theta.shape)
            if is_close(answer, -expected):
                raise Wrong("The sign is the wrong way round: this points downhill.")
            if is_close(answer, len(y) * expected):
                raise Wrong("That is the gradient of the sum. The loss is a mean.")
            if is_close(answer, 2 * expected):
                raise Wrong("There is a factor of 2 too many. It belongs to the square.")
            if is_close(answer, 2 / len(y) * X.T @ (X @ theta - y)):
                raise Wrong("That is the gradient of the mean squared error.")
            if not is_close(answer, expected):
                raise Wrong("Compare it with finite differences. What is the derivative of |u|?")

    judge("Exercise 3", verdict)


def exercise_4(in_kilograms: Any) -> None:
    """Judge a function that takes a line for a standardised feature back to the feature itself.

    Args:
        in_kilograms: Function of intercept, slope, mean and standard deviation that returns the intercept
            and the slope for the raw feature.
    """

    def verdict() -> None:
        for intercept, slope, mean, std in [(18.0, 3.3, 2.0, 1.5), (5.0, -2.0, -1.0, 0.25)]:
            answer = array(call(in_kilograms, intercept, slope, mean, std), shape=(2,))
            expected = intercept - slope * mean / std, slope / std
            if is_close(answer, expected[::-1]):
                raise Wrong("Both are right. The intercept comes first.")
            if is_close(answer[1], slope * std):
                raise Wrong("The slope is wrong. One kilogram is how many standard deviations?")
            if is_close(answer[1], expected[1]) and is_close(answer[0], intercept):
                raise Wrong(
                    "The slope is right. The intercept is the length at z = 0, and that is not x = 0."
                )
            if not is_close(answer, expected):
                raise Wrong("Put z = (x − mean) / std into intercept + slope · z, and sort by x.")

    judge("Exercise 4", verdict)


def exercise_5(clip: Any) -> None:
    """Judge a function that clips a gradient by its length.

    Args:
        clip: Function of a gradient of any shape (p,) and the largest length, that returns a gradient.
    """

    def verdict() -> None:
        long, short = np.array([6.0, -8.0, 0.0]), np.array([0.3, 0.4])
        answer = array(call(clip, long.copy(), 5.0), long.shape)
        if is_close(answer, np.clip(long, -5, 5)):
            raise Wrong("You clipped each number by itself, and that turns the gradient.")
        if is_close(answer, long):
            raise Wrong("A gradient of length 10 came back unchanged, and the longest allowed was 5.")
        if is_close(answer, long / 10):
            raise Wrong("The direction is right. The length is 1 and not the length that was asked for.")
        if not is_close(answer, long / 2):
            raise Wrong("A gradient of length 10 has to come back half as long, in the same direction.")
        if not is_close(array(call(clip, short.copy(), 5.0), short.shape), short):
            raise Wrong("A gradient that is short enough has to be left alone.")
        if not is_close(array(call(clip, np.zeros(3), 5.0), (3,)), np.zeros(3)):
            raise Wrong("A gradient of zeros has to come back as zeros.")

    judge("Exercise 5", verdict)


def exercise_6(descend_without_rate: Any) -> None:
    """Judge a descent that finds its own learning rates, in bowls of very different size.

    Args:
        descend_without_rate: Function of the loss, its gradient (both functions of θ), the start of shape
            (p + 1,) and the number of steps, that returns the path of shape (steps + 1, p + 1).
    """

    def verdict() -> None:
        if descend_without_rate is ...:
            raise NotAttempted
        steps, start = 200, np.array([3.0, -2.0])
        for size in (1e-3, 1.0, 1e3):
            bends = size * np.array([1.0, 10.0])
            path = array(
                call(
                    descend_without_rate,
                    lambda theta, bends=bends: float(0.5 * np.sum(bends * np.asarray(theta) ** 2)),
                    lambda theta, bends=bends: bends * np.asarray(theta),
                    start.copy(),
                    steps,
                ),
                shape=(steps + 1, 2),
            )
            heights = 0.5 * np.sum(bends * path**2, axis=1)
            if not is_close(path[0], start):
                raise Wrong("The path has to begin with the θ that was given.")
            if np.any(np.diff(heights) > 1e-12 * heights[0]):
                step = int(np.argmax(np.diff(heights) > 1e-12 * heights[0])) + 1
                raise Wrong(f"In a bowl with bends up to {bends.max():g} the loss rose at step {step}.")
            if heights[-1] > 1e-6 * heights[0]:
                raise Wrong(
                    f"In a bowl with bends up to {bends.max():g} the bottom is not reached in {steps} steps."
                )

    judge("Exercise 6", verdict)
