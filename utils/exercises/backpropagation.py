"""The checks of the exercises of notebook 02."""

from collections.abc import Callable
from typing import Any

from utils.checks import NotAttempted, Wrong, array, call, is_close, judge

import numpy as np


def _parts(answer: Any, shapes: dict[str, tuple[int, ...]]) -> list[np.ndarray]:
    """Return the several arrays of an answer, each of the shape that is asked for.

    Args:
        answer: What a reader's function returned: as many arrays as there are names.
        shapes: Name of a part → its shape, in order.
    """
    names = ", ".join(shapes)
    if not isinstance(answer, tuple | list) or len(answer) != len(shapes):
        raise Wrong(f"{len(shapes)} arrays are asked for, in this order: {names}.")
    if any(part is ... for part in answer):
        raise NotAttempted
    parts = []
    for part, (name, shape) in zip(answer, shapes.items(), strict=True):
        values = array(part)
        # A row (1, m) for a bias is a matter of taste; a column is not.
        if values.shape not in (shape, (1, *shape)):
            raise Wrong(f"{name} has to have the shape {shape}, and yours has the shape {values.shape}.")
        parts.append(values.reshape(shape))
    return parts


def exercise_1(blame: Any) -> None:
    """Judge the gradient of L = ((ab + c) a)² by a, b and c at (2, -3, 5).

    Args:
        blame: Three numbers.
    """

    def verdict() -> None:
        answer = array(blame, shape=(3,))
        right = [28, -16, -8]
        if is_close(answer, [4, -16, -8]):
            raise Wrong("a acts on L in two places. You counted the product s · a and forgot the product ab.")
        if is_close(answer, [24, -16, -8]):
            raise Wrong("a acts on L in two places. You counted the product ab and forgot the product s · a.")
        if is_close(answer, [96, -16, -8]):
            raise Wrong("Multiply along a path, but add over the paths. a has two of them.")
        if is_close(-2 * answer, right) or is_close(2 * answer, right):
            raise Wrong("There is a factor of 2 amiss. The slope of p² is 2p.")
        if is_close(-answer, right):
            raise Wrong("All signs are the wrong way round. What is p, forwards?")
        if is_close(-4 * answer, right):
            raise Wrong("Those are the slopes of p. The square behind it multiplies them by 2p.")
        if is_close(answer[1:], right[1:]) and not is_close(answer, right):
            raise Wrong("b and c are right. Follow both paths of a.")
        if not is_close(answer, right):
            raise Wrong("Begin on the right: p gets 2p. Then s and a get it times the other factor.")

    judge("Exercise 1", verdict)


def exercise_2(log_softmax: Any) -> None:
    """Judge a logarithm of the softmax that survives large logits.

    Args:
        log_softmax: Function of logits of shape (n, K) that returns an array of that shape.
    """

    def verdict() -> None:
        tame = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
        sums = np.log(np.exp(tame).sum(axis=1, keepdims=True))
        answer = array(call(log_softmax, tame.copy()))
        if answer.shape != tame.shape:
            raise Wrong(f"The shape {tame.shape} is asked for, and this has the shape {answer.shape}.")
        if is_close(answer, np.exp(tame - sums)):
            raise Wrong("That is the softmax. Its logarithm is asked for.")
        if is_close(answer, sums - tame):
            raise Wrong("The sign is the wrong way round. A logarithm of a probability is never positive.")
        if is_close(answer, tame - np.log(np.exp(tame).sum(axis=0))):
            raise Wrong("You summed over the samples. A row is one sample, and its softmax has the sum 1.")
        if is_close(answer, tame - np.log(np.exp(tame).sum())):
            raise Wrong("You summed over everything. Each row has a sum of its own.")
        if not is_close(answer, tame - sums):
            raise Wrong("Even for small logits it is off. log ŷ is the logit minus log Σ exp.")

        wild = np.array([[1e4, 1e4 + 1, 1e4 - 2], [-1e4, -1e4 - 1, -1e4], [0.0, 200.0, -1000.0]])
        shifted = wild - wild.max(axis=1, keepdims=True)
        expected = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        with np.errstate(all="ignore"):
            answer = np.asarray(call(log_softmax, wild.copy()), dtype=np.float64)
        if not np.all(np.isfinite(answer[0])):
            raise Wrong("For logits of 10,000 it overflows. Take the largest out of each row first.")
        if not np.all(np.isfinite(answer[1])):
            raise Wrong(
                "Next to a row of large logits, a row of very negative ones is lost. Shift each row by "
                "its own largest logit."
            )
        if not np.all(np.isfinite(answer[2])):
            raise Wrong(
                "A probability was rounded to 0 before its logarithm was taken. Stay with the logits."
            )
        if not is_close(answer, expected):
            raise Wrong("For large logits it is off. Nothing may be added inside the logarithm, nor cut off.")

    judge("Exercise 2", verdict)


def exercise_3(layer_backward: Any) -> None:
    """Judge the backward pass of Z = XW + b.

    Args:
        layer_backward: Function of d_Z of shape (n, m), X of shape (n, d) and W of shape (d, m), that returns
            d_X, d_W and d_b.
    """

    def verdict() -> None:
        for seed, (n, d, m) in enumerate([(7, 3, 4), (1, 2, 5), (4, 4, 4)]):
            random = np.random.RandomState(seed)
            d_Z, X, W = random.normal(size=(n, m)), random.normal(size=(n, d)), random.normal(size=(d, m))
            answer = call(layer_backward, d_Z.copy(), X.copy(), W.copy())
            shapes = {"d_X": X.shape, "d_W": W.shape, "d_b": (m,)}
            d_X, d_W, d_b = _parts(answer, shapes)
            if is_close(d_W, X.T @ d_Z / n) and n > 1:
                raise Wrong("You divided by the number of samples. Where there is a mean, d_Z knows of it.")
            if is_close(d_b, d_Z.mean(axis=0)) and n > 1:
                raise Wrong("d_b is a mean in yours. b was used by every sample, and paths are added.")
            if n == d == m and is_close(d_X, d_Z @ W):
                raise Wrong("For a square W your d_X is wrong, and no shape complains. Which way round is W?")
            if n == d == m and is_close(d_W, X @ d_Z):
                raise Wrong(
                    "For square matrices your d_W is wrong, and no shape complains. X or its transpose?"
                )
            if n == d == m and is_close(d_W, d_Z.T @ X):
                raise Wrong("For a square W your d_W is transposed, and no shape complains.")
            if n == d == m and is_close(d_b, d_Z.sum(axis=1)):
                raise Wrong("You summed d_Z over the units. b was stretched over the samples.")
            for name, part, right in [
                ("d_X", d_X, d_Z @ W.T),
                ("d_W", d_W, X.T @ d_Z),
                ("d_b", d_b, d_Z.sum(axis=0)),
            ]:
                if not is_close(part, right):
                    raise Wrong(
                        f"{name} has the right shape and wrong numbers, with n, d, m = {n}, {d}, {m}."
                    )

    judge("Exercise 3", verdict)


def exercise_4(sigmoid: Any, number: type, backward: Callable[[Any], None]) -> None:
    """Judge a logistic function for the scalar engine.

    Args:
        sigmoid: Function of a `Number` that returns a `Number`.
        number: The notebook's class `Number`.
        backward: The notebook's backward pass.
    """

    def verdict() -> None:
        for value in (0.3, -2.0, 0.0, 700.0, -1000.0):
            leaf = number(value)
            with np.errstate(all="ignore"):
                result = call(sigmoid, leaf)
            if not isinstance(result, number):
                raise Wrong("Your function returns no Number, so blame cannot find its way back.")
            right = np.exp(-np.logaddexp(0, -value))
            found = np.asarray(result.value, dtype=np.float64)
            if not np.all(np.isfinite(found)):
                raise Wrong(f"At {value:g} its value is not a number. Does the power overflow?")
            if not is_close(found, right):
                raise Wrong(f"At {value:g} its value should be {right:.4f}, and it is {float(found):.4f}.")
            # Something follows, so that the blame that arrives is not 1 and the slope has to be multiplied.
            try:
                backward(result * 3.0)
            except Exception as error:
                raise Wrong(f"The backward pass stopped with {type(error).__name__}: {error}") from None
            slope = leaf.gradient / 3.0
            if value == 0.3:
                _judge_slope(slope, right)
            if not is_close(slope, right * (1 - right)):
                raise Wrong(f"At {value:g} its slope should be {right * (1 - right):.4f}, not {slope:.4f}.")

    judge("Exercise 4", verdict)


def _judge_slope(slope: float, value: float) -> None:
    """Give the hint for the usual wrong slopes of σ where σ has this value."""
    if slope == 0:
        raise Wrong("No blame arrives at its argument. Who are the parents of the new Number?")
    if is_close(slope, 1):
        raise Wrong("Blame passes unchanged, as through an addition. The slope of σ is σ (1 − σ).")
    if is_close(slope, value):
        raise Wrong("The slope is the value itself, as with exp. For σ it is σ (1 − σ).")
    if is_close(slope, 1 - value**2):
        raise Wrong("That is the slope of tanh. For σ it is σ (1 − σ).")
    if is_close(slope, 0.3 * (1 - 0.3)):
        raise Wrong("The slope is a (1 − a) in yours. It is σ (1 − σ), with the value of σ.")
    if is_close(slope, -value * (1 - value)):
        raise Wrong("The sign of the slope is the wrong way round. σ rises.")


def exercise_5(weighted_gradient: Any) -> None:
    """Judge the gradient of a weighted binary cross-entropy by the logits.

    Args:
        weighted_gradient: Function of z and y, both of shape (n,), and the weight w of a yes, that returns an
            array of shape (n,).
    """

    def verdict() -> None:
        for seed, w in enumerate([1.0, 5.0, 0.2]):
            random = np.random.RandomState(seed)
            z = random.normal(size=12)
            y = np.array([1.0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0])
            n, p = len(y), 1 / (1 + np.exp(-z))
            right = (w * y * (p - 1) + (1 - y) * p) / n
            answer = array(call(weighted_gradient, z.copy(), y.copy(), w), shape=(n,))
            if is_close(answer, n * right):
                raise Wrong("That is the gradient of the sum. The loss is a mean.")
            if is_close(answer, -right):
                raise Wrong("The sign is the wrong way round: following it, the loss rises.")
            if w != 1 and is_close(answer, (p - y) / n):
                raise Wrong("The weight has no effect in yours.")
            if w != 1 and is_close(answer, w * (p - y) / n):
                raise Wrong("You weighted all samples. Only those with y = 1 count w times.")
            if w != 1 and is_close(answer, (p - w * y) / n):
                raise Wrong("Look at one sample with y = 1. Both ŷ and 1 have to be multiplied by w.")
            if is_close(answer, (-w * y / p + (1 - y) / (1 - p)) / n):
                raise Wrong("That is the gradient by ŷ. One more factor leads back to z.")
            if not is_close(answer, right):
                raise Wrong(
                    "Derive it for y = 1 and for y = 0 by themselves, and then put both into one line."
                )

    judge("Exercise 5", verdict)


def exercise_6(batch_norm_backward: Any) -> None:
    """Judge the backward pass of batch normalisation.

    Args:
        batch_norm_backward: Function of d_Y and X of shape (n, d), γ of shape (d,) and ε, that returns d_X,
            d_gamma and d_beta. It may have a value of its own for ε, and is then called without one.
    """

    def verdict() -> None:
        for seed, (n, d) in enumerate([(8, 3), (5, 5), (40, 2)]):
            random = np.random.RandomState(seed)
            X = random.normal(size=(n, d)) * random.uniform(0.2, 3, d) + random.normal(size=d)
            d_Y, gamma = random.normal(size=(n, d)), random.normal(size=d)
            answer = call(batch_norm_backward, d_Y.copy(), X.copy(), gamma.copy())
            shapes = {"d_X": (n, d), "d_gamma": (d,), "d_beta": (d,)}
            d_X, d_gamma, d_beta = _parts(answer, shapes)
            _judge_batch_norm(d_X, d_gamma, d_beta, d_Y, X, gamma)

    judge("Exercise 6", verdict)


def _judge_batch_norm(
    d_X: np.ndarray,
    d_gamma: np.ndarray,
    d_beta: np.ndarray,
    d_Y: np.ndarray,
    X: np.ndarray,
    gamma: np.ndarray,
    epsilon: float = 1e-3,
) -> None:
    """Give the hint that fits what is wrong with the three gradients, if anything is."""
    root = np.sqrt(X.var(axis=0) + epsilon)
    normed = (X - X.mean(axis=0)) / root
    direct = d_Y * gamma / root
    through_mean = -direct.mean(axis=0)
    through_variance = -normed * (direct * normed).mean(axis=0)
    if is_close(d_gamma, d_Y.sum(axis=0)) and is_close(d_beta, (d_Y * normed).sum(axis=0)):
        raise Wrong("d_gamma and d_beta are interchanged.")
    if is_close(d_beta, d_Y.mean(axis=0)):
        raise Wrong("d_beta is a mean in yours. β was used by every sample, and paths are added.")
    if not is_close(d_beta, d_Y.sum(axis=0)):
        raise Wrong("d_beta is off. It was added to every sample of its column.")
    if is_close(d_gamma, (d_Y * X).sum(axis=0)):
        raise Wrong("In d_gamma you multiplied by X. What γ multiplies is the normalised X.")
    if not is_close(d_gamma, (d_Y * normed).sum(axis=0)):
        raise Wrong("d_gamma is off. Its slope is the normalised X, and it was used by every sample.")
    if is_close(d_X, direct):
        raise Wrong(
            "d_gamma and d_beta are right. In d_X, the paths through the mean and the variance are missing."
        )
    if is_close(d_X, direct + through_mean):
        raise Wrong("d_X lacks the path through the variance.")
    if is_close(d_X, direct + through_variance):
        raise Wrong("d_X lacks the path through the mean.")
    if is_close(d_X * gamma, direct + through_mean + through_variance):
        raise Wrong("γ is missing in d_X.")
    if not is_close(d_X, direct + through_mean + through_variance):
        raise Wrong(
            "d_gamma and d_beta are right, and d_X is off. Compare it line by line with finite differences."
        )
