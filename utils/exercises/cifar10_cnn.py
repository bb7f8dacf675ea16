"""The checks of the exercises of notebook 04."""

from typing import Any

from utils.checks import NotAttempted, Wrong, array, call, is_close, judge, number

import numpy as np


def exercise_1(parameters: Any) -> None:
    """Judge the number of parameters of a network with two convolutions and ten scores.

    Args:
        parameters: A whole number.
    """
    convolutions = (5 * 5 * 1 + 1) * 32 + (5 * 5 * 32 + 1) * 64

    def verdict() -> None:
        answer = number(parameters)
        if answer == 5 * 5 * 32 + 5 * 5 * 32 * 64 + 4 * 4 * 64 * 10:
            raise Wrong("Those are the weights. Each kernel has a bias, and so has each logit.")
        if answer == convolutions:
            raise Wrong("The ten logits come from a layer with parameters of its own.")
        if answer == convolutions + (7 * 7 * 64 + 1) * 10:
            raise Wrong("7 by 7 would be right with padding. Without it each convolution takes four pixels.")
        if answer in (convolutions + (5 * 5 * 64 + 1) * 10, convolutions + (6 * 6 * 64 + 1) * 10):
            raise Wrong("The flattened size is off. A window of 5 fits into 28 pixels 24 times.")
        if answer == convolutions + (64 + 1) * 10:
            raise Wrong("Each of the 64 maps still has several places, and Flatten keeps all of them.")
        if answer == (5 * 5 + 1) * 32 + (5 * 5 + 1) * 64 + (4 * 4 * 64 + 1) * 10:
            raise Wrong("A kernel of the second convolution has 5 by 5 weights for each of the 32 maps.")
        if answer != convolutions + (4 * 4 * 64 + 1) * 10:
            raise Wrong(
                "Each convolution has (k² · channels + 1) · kernels. Then: how many numbers are left?"
            )

    judge("Exercise 1", verdict)


def exercise_2(width: Any) -> None:
    """Judge the width of a receptive field.

    Args:
        width: A whole number of pixels.
    """

    def verdict() -> None:
        answer = number(width)
        if answer == 12:
            raise Wrong(
                "You take neighbours to be one pixel apart everywhere. Pooling and stride change that."
            )
        if answer == 18:
            raise Wrong("The stride of 2 counts, too: behind it, neighbours are twice as far apart.")
        if answer == 13:
            raise Wrong("Pooling has a window of 2 and a stride of 2. You counted the window only.")
        if answer == 14:
            raise Wrong("That is before the last convolution.")
        if answer == 26:
            raise Wrong("A layer's own stride moves the layers behind it apart, and not its own window.")
        if answer == 22 * 22:
            raise Wrong("That is the number of pixels in it. How wide is it?")
        if answer != 22:
            raise Wrong("Each layer adds (k - 1) times the distance of the neighbours that it looks at.")

    judge("Exercise 2", verdict)


def _convolve(x: np.ndarray, W: np.ndarray, b: np.ndarray, s: int, p: int) -> np.ndarray:
    """Return feature maps, by the definition."""
    k = W.shape[0]
    x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    rows, columns = range(0, x.shape[1] - k + 1, s), range(0, x.shape[2] - k + 1, s)
    return np.stack(
        [
            np.stack([np.tensordot(x[:, i : i + k, j : j + k], W, 3) + b for j in columns], axis=1)
            for i in rows
        ],
        axis=1,
    )


def exercise_3(convolve_with_stride: Any) -> None:
    """Judge a convolution with padding and stride.

    Args:
        convolve_with_stride: Function of pictures (n, h, w, C), kernels (k, k, C, M), biases (M,), a stride
            and a padding that returns maps (n, h', w', M).
    """

    def verdict() -> None:
        random = np.random.RandomState(3)
        cases = [(1, 0, 3), (1, 1, 3), (2, 0, 3), (2, 1, 3), (3, 2, 5), (2, 0, 2)]
        for s, p, k in cases:
            x = random.normal(size=(2, 8, 9, 3))
            W, b = random.normal(size=(k, k, 3, 4)), random.normal(size=4)
            answer = array(call(convolve_with_stride, x.copy(), W.copy(), b.copy(), s, p))
            expected = _convolve(x, W, b, s, p)
            where = f"With k = {k}, s = {s} and p = {p}"
            if is_close(answer, expected):
                continue
            if answer.shape != expected.shape:
                if p and answer.shape == _convolve(x, W, b, s, 0).shape:
                    raise Wrong(f"{where} the maps are too small. Where is the padding?")
                if s > 1 and answer.shape == _convolve(x, W, b, 1, p).shape:
                    raise Wrong(f"{where} the maps are too large. Where is the stride?")
                raise Wrong(f"{where} the shape should be {expected.shape} and is {answer.shape}.")
            if is_close(answer, expected - b):
                raise Wrong("The biases are missing.")
            if is_close(answer, _convolve(x, W[::-1, ::-1], b, s, p)):
                raise Wrong("You flip the kernels, as mathematicians do. Keras does not.")
            if is_close(answer, _convolve(x, W.transpose(1, 0, 2, 3), b, s, p)):
                raise Wrong("Rows and columns of the kernels are swapped.")
            if s > 1 and is_close(answer, _late_stride(x, W, b, s, p)):
                raise Wrong("The stride starts one place late. The first window has its corner at 0, 0.")
            if p and is_close(answer, _edge_padding(x, W, b, s, p)):
                raise Wrong("You pad with the pixels at the edge. Zeros are asked for.")
            raise Wrong(f"{where} the shape is right and the values are off.")

    judge("Exercise 3", verdict)


def _late_stride(x: np.ndarray, W: np.ndarray, b: np.ndarray, s: int, p: int) -> np.ndarray:
    """Return maps from which the wrong places were kept."""
    return _convolve(x, W, b, 1, p)[:, 1::s, 1::s]


def _edge_padding(x: np.ndarray, W: np.ndarray, b: np.ndarray, s: int, p: int) -> np.ndarray:
    """Return maps of pictures continued by their edges."""
    return _convolve(np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), mode="edge"), W, b, s, 0)


def exercise_4(max_pool_backwards: Any) -> None:
    """Judge the backward pass of max pooling.

    Args:
        max_pool_backwards: Function of pictures (n, h, w, C) and blame (n, h/2, w/2, C) that returns the
            gradient by the pictures.
    """

    def enlarge(values: np.ndarray) -> np.ndarray:
        return values.repeat(2, axis=1).repeat(2, axis=2)

    def verdict() -> None:
        random = np.random.RandomState(4)
        for n, height, width, channels in [(1, 2, 2, 1), (2, 4, 6, 3), (3, 8, 4, 2)]:
            x = random.permutation(n * height * width * channels).astype(float) - 20.0
            x = x.reshape(n, height, width, channels)
            blame = random.normal(size=(n, height // 2, width // 2, channels))
            original = x.copy()
            answer = array(call(max_pool_backwards, original, blame.copy()), x.shape)
            if not np.array_equal(original, x):
                raise Wrong("Your function changes the array that it was given. Return a new one.")
            squares = x.reshape(n, height // 2, 2, width // 2, 2, channels)
            largest, smallest = squares.max(axis=(2, 4)), squares.min(axis=(2, 4))
            mask = x == enlarge(largest)
            if is_close(answer, mask * enlarge(blame)):
                continue
            if is_close(answer, mask):
                raise Wrong("You mark the right places. They take the blame, and not a one.")
            if is_close(answer, mask * x) or is_close(answer, mask * enlarge(largest)):
                raise Wrong("You pass on the maximum itself. What goes back is the blame.")
            if is_close(answer, enlarge(blame) / 4):
                raise Wrong("You share the blame among four. That is the gradient of a mean.")
            if is_close(answer, enlarge(blame)):
                raise Wrong(
                    "All four of a square get the blame. A small change of which one moves the maximum?"
                )
            if is_close(answer, (x == enlarge(smallest)) * enlarge(blame)):
                raise Wrong("You blame the smallest of each square.")
            raise Wrong("In each square one number takes all of the blame and three take none. Which is it?")

    judge("Exercise 4", verdict)


def exercise_5(fold: Any) -> None:
    """Judge a function that folds batch normalisation into the convolution before it.

    Args:
        fold: Function of W, gamma, beta, mean, variance and epsilon that returns kernels and biases.
    """

    def verdict() -> None:
        random = np.random.RandomState(5)
        for k, channels, maps, epsilon in [(3, 4, 6, 1e-3), (1, 3, 3, 0.5), (3, 5, 5, 0.1)]:
            W = random.normal(size=(k, k, channels, maps))
            gamma, beta, mean = random.normal(size=(3, maps))
            variance = random.uniform(0.2, 4, size=maps)
            answer = call(fold, W.copy(), gamma.copy(), beta.copy(), mean.copy(), variance.copy(), epsilon)
            if not isinstance(answer, tuple | list) or len(answer) != 2:
                raise Wrong("Two things are asked for: kernels and biases.")
            kernels, biases = array(answer[0], W.shape), array(answer[1], (maps,))
            factor = gamma / np.sqrt(variance + epsilon)
            if is_close(kernels, W * factor) and is_close(biases, beta - mean * factor):
                continue
            if is_close(kernels, W * gamma / (variance + epsilon)):
                raise Wrong("You divide by the variance. Its square root is asked for.")
            if is_close(kernels, W * gamma / np.sqrt(variance)):
                raise Wrong("Where is epsilon? It stands under the root.")
            if is_close(kernels, W * gamma / (np.sqrt(variance) + epsilon)):
                raise Wrong("Epsilon is added to the variance, under the root.")
            if is_close(kernels, W / np.sqrt(variance + epsilon)):
                raise Wrong("Where is gamma in the kernels?")
            if not is_close(kernels, W * factor):
                raise Wrong("The kernels are off. Each map, so the last axis of W, has a factor of its own.")
            if is_close(biases, beta):
                raise Wrong("The kernels are right. In the biases the mean is missing.")
            if is_close(biases, beta + mean * factor):
                raise Wrong("The kernels are right. The mean is subtracted, not added.")
            if is_close(biases, beta - mean):
                raise Wrong("The kernels are right. The mean is multiplied by the factor, too.")
            raise Wrong(
                "The kernels are right and the biases are off. What is left when the picture is black?"
            )

    judge("Exercise 5", verdict)


def exercise_6(model: Any, data: Any) -> None:
    """Judge a network whose logits do not change when a picture is moved in a circle.

    Args:
        model: A Keras model, or anything with `predict`, from pictures (n, 32, 32, 3) with pixels from 0 to
            255 to n rows of ten logits.
        data: The data set, as `load_cifar10` gives it.
    """

    def verdict() -> None:
        if model is ...:
            raise NotAttempted
        if not hasattr(model, "predict"):
            raise Wrong("A Keras model is asked for.")
        random = np.random.RandomState(6)
        pictures = data.x_val[:8]
        moves = [(1, 0), (0, 1), (2, 2), (4, 8), (-3, 5), (16, 17)]
        moved = [np.roll(pictures, move, axis=(1, 2)) for move in moves]
        order = random.permutation(32 * 32)
        shuffled = pictures.reshape(8, 32 * 32, 3)[:, order].reshape(pictures.shape)
        try:
            shown = np.concatenate([pictures, *moved, shuffled])
            logits = np.asarray(model.predict(shown, batch_size=len(shown), verbose=0), float)
        except Exception as error:
            raise Wrong(f"On pictures of shape (n, 32, 32, 3) your network stopped with: {error}") from None
        if logits.shape != (8 * (len(moves) + 2), 10):
            raise Wrong(
                f"Its answer has the shape {logits.shape}; ten logits for each picture are asked for."
            )
        if not np.all(np.isfinite(logits)):
            raise Wrong("There are logits that are infinite or not a number.")
        unmoved, *after, of_shuffled = np.split(logits, len(moves) + 2)
        spread = np.abs(unmoved - unmoved.mean(axis=0)).max()
        if spread < 1e-6:
            raise Wrong("It gives the same logits for every picture. That is exact, but it is blind.")
        for move, found in zip(moves, after, strict=True):
            if np.abs(found - unmoved).max() > 1e-3 * spread:
                raise Wrong(
                    f"The logits change when the picture moves by {move}. "
                    "What skips places on the way, and what happens at the border?"
                )
        if np.abs(of_shuffled - unmoved).max() < 1e-2 * spread:
            raise Wrong(
                "It gives the same logits when the pixels are shuffled, so it sees colours, not shapes."
            )

    judge("Exercise 6", verdict)
