"""The judges of the exercises of notebook 04."""

from typing import Any

from exercises.judging import judged, judged_by_table, predict, random_arrays, reject_if

import numpy as np


@judged_by_table(tolerance=0)
def exercise_1() -> Any:
    """The number of parameters of a network with two convolutions of 5 by 5, pooling, and ten logits."""
    convolutions = (5 * 5 * 1 + 1) * 32 + (5 * 5 * 32 + 1) * 64

    def network(flattened: int) -> int:
        return convolutions + (flattened + 1) * 10

    return {
        "right": network(4 * 4 * 64),
        "Those are the weights. Each kernel has a bias, and so has each logit.": 25 * 32
        + 25 * 32 * 64
        + 1024 * 10,
        "The ten logits come from a layer with parameters of its own.": convolutions,
        "7 by 7 would be right with padding. Without, a convolution takes four pixels.": network(7 * 7 * 64),
        "The flattened size is off. A 5 fits 24 times into 28.": (network(5 * 5 * 64), network(6 * 6 * 64)),
        "Each of the 64 maps still has several places, and Flatten keeps all of them.": network(64),
        "A kernel of the second convolution has 25 weights for each of the 32 maps.": 26 * 32
        + 26 * 64
        + 1025 * 10,
        "Each convolution has (k² · channels + 1) · kernels. Then: how many numbers are left?": ...,
    }


def _width(*layers: tuple[int, int]) -> int:
    """Return the width of the receptive field behind layers of some kernel size and stride."""
    strides = np.cumprod([1, *(stride for _, stride in layers[:-1])])
    return 1 + sum((kernel - 1) * distance for (kernel, _), distance in zip(layers, strides, strict=True))


@judged_by_table(tolerance=0)
def exercise_2() -> Any:
    """The width of a receptive field, in pixels."""
    conv, strided, pool = (3, 1), (3, 2), (2, 2)
    right = _width(conv, conv, pool, conv, strided, conv)
    too_early, no_stride = (
        _width(conv, conv, pool, conv, strided),
        _width(conv, conv, (2, 1), conv, strided, conv),
    )
    own_stride, own_strides = (
        5 + 1 + 2 * 2 + 4 * 2 + 4 * 2,
        5 + 2 * 1 + 2 * 2 + 4 * 2 + 4 * 2,
    )  # of pooling, too
    behind = "Pooling has a window of 2 and a stride of 2."
    return {
        "right": right,
        "Neighbours are one pixel apart only before pooling and stride.": _width(
            *[conv] * 2, (2, 1), *[conv] * 3
        ),
        "The stride of 2 counts, too: it doubles the distance.": _width(conv, conv, pool, conv, conv, conv),
        f"You left the pooling out. {behind}": _width(conv, conv, conv, strided, conv),
        f"You left out the last convolution, or the stride of the pooling. {behind}": (too_early, no_stride),
        f"You left out the window of the pooling. {behind}": _width(conv, conv, (1, 2), conv, strided, conv),
        "A layer's own stride moves what is behind it, and not its own window.": (own_stride, own_strides),
        "That is the number of pixels in it. How wide is it?": right**2,
        "Each layer adds (k - 1) times the distance of the neighbours that it looks at.": ...,
    }


def _convolve(x: np.ndarray, W: np.ndarray, s: int, p: int, mode: str = "constant") -> np.ndarray:
    """Return feature maps without biases, by the definition."""
    k = W.shape[0]
    x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), mode=mode)
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::s, ::s]
    return np.einsum("nijcuv,uvcm->nijm", windows, W)


SIZES = [(1, 0, 3), (1, 1, 3), (2, 0, 3), (2, 1, 3), (3, 2, 5), (2, 0, 2)]


@judged_by_table(cases=[(*random_arrays(3, (2, 8, 9, 3), (k, k, 3, 4), (4,)), s, p) for s, p, k in SIZES])
def exercise_3(x: Any, W: Any, b: Any, s: Any, p: Any) -> Any:
    """The maps of pictures (n, h, w, C) by kernels (k, k, C, M), biases (M,), a stride and zeros around."""
    right = _convolve(x, W, s, p) + b
    where = f"With k = {len(W)}, s = {s} and p = {p}"
    return {
        "right": right,
        f"{where} the maps are too small. Where is the padding?": _convolve(x, W, s, 0) + b,
        f"{where} the maps are too large. Where is the stride?": _convolve(x, W, 1, p) + b,
        "The biases are missing.": right - b,
        "You flip the kernels, as mathematicians do. Keras does not.": _convolve(x, W[::-1, ::-1], s, p) + b,
        "Rows and columns of the kernels are swapped.": _convolve(x, W.transpose(1, 0, 2, 3), s, p) + b,
        "The stride starts one place late, not at 0, 0.": _convolve(x, W, 1, p)[:, 1::s, 1::s] + b,
        "You pad with the pixels at the edge. Zeros are asked for.": _convolve(x, W, s, p, mode="edge") + b,
        f"{where} the shape should be {right.shape}, or the values are off.": ...,
    }


def _pooled(seed: int, n: int, height: int, width: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures without two equal numbers, and the gradient that arrives at their pooled maps."""
    x = np.random.RandomState(seed).permutation(n * height * width * channels) - 20.0
    return x.reshape(n, height, width, channels), *random_arrays(seed, (n, height // 2, width // 2, channels))


def _enlarge(maps: np.ndarray) -> np.ndarray:
    return maps.repeat(2, axis=1).repeat(2, axis=2)


@judged_by_table(cases=[_pooled(0, 1, 2, 2, 1), _pooled(1, 2, 4, 6, 3), _pooled(2, 3, 8, 4, 2)])
def exercise_4(x: Any, d_a: Any) -> Any:
    """Backwards through max pooling: the gradient with respect to x, of shape (n, h, w, C)."""
    n, height, width, channels = d_a.shape
    squares = x.reshape(n, height, 2, width, 2, channels)
    largest, smallest = (_enlarge(choose(squares, axis=(2, 4))) for choose in (np.max, np.min))
    mask, spread = x == largest, _enlarge(d_a)
    return {
        "right": mask * spread,
        "You mark the right places. They take the gradient that arrives, and not a one.": mask,
        "You pass on the maximum itself. What goes back is the gradient.": (mask * x, largest),
        "You share the gradient among four. That is the gradient of a mean.": spread / 4,
        "All four get the gradient. Which one moves the maximum, if it is changed a little?": spread,
        "You give the gradient to the smallest of each square.": (x == smallest) * spread,
        "In each square one number takes all of the gradient and three take none. Which is it?": ...,
    }


def _layers(seed: int, k: int, channels: int, maps: int, epsilon: float) -> tuple[Any, ...]:
    """Return kernels, and γ, β, mean, variance and ε of the batch normalisation behind them."""
    W, gamma, beta, mean, root = random_arrays(seed, (k, k, channels, maps), *[(maps,)] * 4)
    return W, gamma, beta, mean, root**2 + 0.2, epsilon


@judged_by_table(cases=[_layers(0, 3, 4, 6, 1e-3), _layers(1, 1, 3, 3, 0.5), _layers(2, 3, 5, 5, 0.1)])
def exercise_5(W: Any, gamma: Any, beta: Any, mean: Any, variance: Any, epsilon: Any) -> Any:
    """Kernels and biases of a convolution that does the work of batch normalisation, too."""
    root = np.sqrt(variance + epsilon)
    factor = gamma / root
    biases, without_epsilon, rest = beta - mean * factor, np.sqrt(variance), "The kernels are right"
    return {
        "right": {"kernels": W * factor, "biases": biases},
        "You divide by the variance. Its square root is asked for.": {"kernels": W * factor / root},
        "Where is epsilon? It stands under the root.": {"kernels": W * gamma / without_epsilon},
        "Epsilon is added under the root.": {"kernels": W * gamma / (without_epsilon + epsilon)},
        "Where is gamma in the kernels?": {"kernels": W / root},
        "The kernels are off. Each map, so the last axis of W, has a factor of its own.": "kernels",
        f"{rest}. In the biases the mean is missing.": {"biases": beta},
        f"{rest}. The mean is subtracted, not added.": {"biases": beta + mean * factor},
        f"{rest}. The mean is multiplied by the factor, too.": {"biases": beta - mean},
        f"{rest} and the biases are off. What is left when the picture is black?": "biases",
    }


@judged
def exercise_6(model: Any, data: Any) -> None:
    """A network whose logits do not change when a picture is moved in a circle.

    It is a Keras model from pictures (n, 32, 32, 3), with pixels from 0 to 255, to n rows of ten logits.
    """
    pictures = data.x_val[:8]
    moves = [(1, 0), (0, 1), (2, 2), (4, 8), (-3, 5), (16, 17)]
    moved = [np.roll(pictures, move, axis=(1, 2)) for move in moves]
    order = np.random.RandomState(6).permutation(32 * 32)
    shuffled = pictures.reshape(8, 32 * 32, 3)[:, order].reshape(pictures.shape)
    shown = np.concatenate([pictures, *moved, shuffled])
    unmoved, *after, of_shuffled = np.split(predict(model, shown), len(moves) + 2)
    spread = np.abs(unmoved - unmoved.mean(axis=0)).max()
    reject_if(spread < 1e-6, "It gives the same logits for every picture. That is exact, but it is blind.")
    for move, found in zip(moves, after, strict=True):
        hint = f"The logits change when the picture moves by {move}. What skips places, or is at the border?"
        reject_if(np.abs(found - unmoved).max() > 1e-3 * spread, hint)
    hint = "Its logits stay when the pixels are shuffled, so it sees colours, not shapes."
    reject_if(np.abs(of_shuffled - unmoved).max() < 1e-2 * spread, hint)
