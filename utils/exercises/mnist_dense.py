"""The checks of the exercises of notebook 03."""

from typing import Any

from utils.checks import NotAttempted, Wrong, array, call, is_close, judge, number

import numpy as np

MOST_PARAMETERS = 10_000  # of the network of exercise 6


def exercise_1(parameters: Any) -> None:
    """Judge the number of parameters of a dense network with 784 inputs and 300, 100 and 10 units.

    Args:
        parameters: A whole number.
    """

    def verdict() -> None:
        answer = number(parameters)
        if answer == 784 * 300 + 300 * 100 + 100 * 10:
            raise Wrong("Those are the weights. Each unit has a bias, too.")
        if answer == 784 * 300 + 300 + 300 * 100 + 100:
            raise Wrong("The ten scores at the end come from a layer with parameters of its own.")
        if answer in (28 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10, 784 * 300 * 100 * 10):
            raise Wrong(
                "Count layer by layer: a weight for each pair of an input and a unit, and add them up."
            )
        if answer != 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10:
            raise Wrong(
                "Each layer has (inputs · units) weights and a bias for each unit. The picture has 28 · 28."
            )

    judge("Exercise 1", verdict)


def exercise_2(loss: Any) -> None:
    """Judge the cross-entropy of a network that gives a thousand classes the same probability.

    Args:
        loss: A number.
    """

    def verdict() -> None:
        answer = number(loss)
        if is_close(answer, -np.log(1000), 1e-2):
            raise Wrong("The sign. The logarithm of a probability is negative, and the loss is minus that.")
        if is_close(answer, np.log10(1000), 1e-3):
            raise Wrong("That is the logarithm to the base ten. The loss has the natural one.")
        if is_close(answer, np.log2(1000), 1e-2):
            raise Wrong("That is the loss in bits. Ours has the natural logarithm.")
        if is_close(answer, 1e-3, 1e-5) or is_close(answer, 0.999, 1e-4):
            raise Wrong("That is a probability. What does the loss make of it?")
        if is_close(answer, np.log(10), 1e-3):
            raise Wrong("That is the start with ten classes. Here are a thousand.")
        if not is_close(answer, np.log(1000), 1e-3):
            raise Wrong("Every class gets the same probability. Which one, and what is minus its logarithm?")

    judge("Exercise 2", verdict)


def exercise_3(top_k_accuracy: Any) -> None:
    """Judge a function that returns how often the label is among the k highest scores.

    Args:
        top_k_accuracy: Function of scores of shape (n, classes), labels of shape (n,) and k that returns a
            number from 0 to 1.
    """

    def right(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
        places = (scores > scores[np.arange(len(labels)), labels][:, np.newaxis]).sum(axis=1)
        return float(np.mean(places < k))

    def verdict() -> None:
        random = np.random.RandomState(3)
        # Twelve classes and forty examples, then as many examples as classes, where a wrong axis is silent.
        for n, classes, k in [(40, 12, 3), (40, 12, 1), (40, 12, 12), (12, 12, 2), (1, 5, 1), (200, 10, 5)]:
            scores, labels = random.normal(size=(n, classes)), random.randint(classes, size=n)
            answer = number(call(top_k_accuracy, scores.copy(), labels.copy(), k))
            expected = right(scores, labels, k)
            if is_close(answer, 100 * expected) and expected > 0.01:
                raise Wrong("Right, but in per cent. A number from 0 to 1 is asked for.")
            if is_close(answer, n * expected) and n * expected > 1:
                raise Wrong("You count the hits. What part of all examples are they?")
            if k < classes and is_close(answer, right(-scores, labels, k)):
                raise Wrong("You take the k lowest scores. NumPy sorts from small to large.")
            if k > 1 and is_close(answer, right(scores, labels, 1)) and not is_close(answer, expected):
                raise Wrong("You look at the highest score only. The k highest count.")
            if k > 1 and is_close(answer, expected / k) and expected > 0:
                raise Wrong("You divide by k. One example with its label among the k is one hit.")
            if not is_close(answer, expected):
                raise Wrong(
                    f"With {n} examples, {classes} classes and k = {k} the answer is off. "
                    "Along which axis do you sort?"
                )

    judge("Exercise 3", verdict)


def exercise_4(dropout: Any) -> None:
    """Judge a function that does to a layer's outputs what dropout does in training.

    Args:
        dropout: Function of values of shape (n, units), a rate and a NumPy generator that returns an array of
            the shape of the values.
    """

    def verdict() -> None:
        values = 1 + np.random.RandomState(4).random_sample((200, 300))
        for rate in (0.2, 0.75):
            original = values.copy()
            answer = array(call(dropout, original, rate, np.random.default_rng(4)), values.shape)
            if not np.array_equal(original, values):
                raise Wrong("Your function changes the array that it was given. Return a new one.")
            dropped = answer == 0
            if not dropped.any():
                raise Wrong("Nothing was set to zero.")
            if abs(dropped.mean() - (1 - rate)) < 0.03 and abs(dropped.mean() - rate) > 0.1:
                raise Wrong("The rate is the part that is dropped. You keep that part and drop the rest.")
            if np.ptp(dropped.mean(axis=0)) == 1 and dropped.all(axis=0).any():
                raise Wrong(
                    "Every example loses the same units. Draw a number for each value, not for each unit."
                )
            if dropped.all(axis=1).any():
                raise Wrong("Whole examples are gone. Draw a number for each value.")
            if abs(dropped.mean() - rate) > 0.02:
                raise Wrong(f"At the rate {rate} the part set to zero is {dropped.mean():.2f}.")
            factor = answer[~dropped] / values[~dropped]
            if is_close(factor, np.ones_like(factor)):
                raise Wrong("The values that stay are as they were, so the mean has shrunk. Make up for it.")
            if is_close(factor, np.full_like(factor, 1 - rate)):
                raise Wrong("You make the values that stay smaller. The mean should remain what it was.")
            if is_close(factor, np.full_like(factor, 1 / rate)):
                raise Wrong("The factor is off. What part of the sum is still there after dropping?")
            if not is_close(factor, np.full_like(factor, 1 / (1 - rate))):
                raise Wrong(
                    "All values that stay are multiplied by one number, which depends on the rate alone."
                )
        again = [array(call(dropout, values.copy(), 0.5, np.random.default_rng(seed))) for seed in (1, 2)]
        if np.array_equal(*again):
            raise Wrong("Two generators gave the same mask. Use the one that your function is given.")

    judge("Exercise 4", verdict)


def exercise_5(expected_calibration_error: Any) -> None:
    """Judge a function that returns the expected calibration error.

    Args:
        expected_calibration_error: Function of probabilities of shape (n, classes), labels of shape (n,) and
            a number of bins that returns a number.
    """

    def gaps(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
        confidence = probabilities.max(axis=1)
        hit = probabilities.argmax(axis=1) == labels
        place = np.minimum((confidence * bins).astype(int), bins - 1)
        gap = [
            (np.mean(hit[place == b]) - np.mean(confidence[place == b])) if np.any(place == b) else 0.0
            for b in range(bins)
        ]
        return np.array(gap), np.bincount(place, minlength=bins) / len(labels)

    def verdict() -> None:
        random = np.random.RandomState(5)
        for n, classes, bins, sharpness in [(600, 10, 10, 3.0), (500, 4, 15, 1.0), (50, 3, 5, 9.0)]:
            scores = sharpness * random.normal(size=(n, classes))
            probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            labels = np.where(
                random.random_sample(n) < 0.6, scores.argmax(axis=1), random.randint(classes, size=n)
            )
            gap, share = gaps(probabilities, labels, bins)
            expected = float(np.sum(share * np.abs(gap)))
            answer = number(call(expected_calibration_error, probabilities.copy(), labels.copy(), bins))
            filled = share > 0
            if is_close(answer, expected):
                continue
            if is_close(answer, np.sum(share * gap)) or is_close(answer, -np.sum(share * gap)):
                raise Wrong("Gaps above and below the diagonal cancel. Take the size of each.")
            if is_close(answer, np.mean(np.abs(gap))) or is_close(answer, np.mean(np.abs(gap[filled]))):
                raise Wrong(
                    "A bin with three pictures counts as much as one with three hundred. Weigh the bins."
                )
            if is_close(answer, np.sum(share * gap**2)) or is_close(answer, np.sqrt(np.sum(share * gap**2))):
                raise Wrong("The gaps are not squared here. Their size is what counts.")
            if is_close(answer, np.sum(share * np.abs(gap)) * n):
                raise Wrong("Divide by the number of pictures.")
            if is_close(answer, abs(np.sum(share * gap))):
                raise Wrong(
                    "That is the gap over all bins together. Take its size in each bin, then the mean."
                )
            raise Wrong(
                "For some probabilities the answer is off. "
                "In each bin: mean confidence against the share of hits."
            )

    judge("Exercise 5", verdict)


def exercise_6(model: Any, data: Any) -> None:
    """Judge a trained network: at most 10,000 parameters, and accurate on the validation part.

    Args:
        model: A Keras model, or anything with `count_params` and `predict`, from pictures of shape
            (n, 28, 28) with pixels from 0 to 255 to n rows of ten scores or probabilities.
        data: The data set, as `load_mnist` gives it.
    """

    def verdict() -> None:
        if model is ...:
            raise NotAttempted
        if not hasattr(model, "count_params") or not hasattr(model, "predict"):
            raise Wrong("A Keras model is asked for.")
        try:
            parameters = model.count_params()
            scores = np.asarray(model.predict(data.x_val, verbose=0, batch_size=1000))
        except Exception as error:
            raise Wrong(f"On pictures of shape (n, 28, 28) your network stopped with: {error}") from None
        if parameters > MOST_PARAMETERS:
            raise Wrong(f"It has {parameters:,} parameters, and {MOST_PARAMETERS:,} are allowed.")
        if scores.shape != (len(data.x_val), 10):
            raise Wrong(
                f"Its answer has the shape {scores.shape}; ten scores for each picture are asked for."
            )
        accuracy = float(np.mean(scores.argmax(axis=1) == data.y_val))
        wanted = 0.96 if data.tier == "full" else 0.80
        if accuracy < 0.2:
            raise Wrong(
                f"Its accuracy is {100 * accuracy:.1f} %, which is guessing. "
                "Is it trained, and does it scale the pixels?"
            )
        if accuracy < wanted:
            raise Wrong(
                f"Its accuracy on the validation part is {100 * accuracy:.1f} %; "
                f"{100 * wanted:.0f} % are asked for."
            )

    judge("Exercise 6", verdict)
