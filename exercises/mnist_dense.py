"""The judges of the exercises of notebook 03."""

from typing import Any

from exercises.judging import (
    CAUGHT,
    NotAttempted,
    WrongAnswer,
    as_array,
    call_answer,
    is_close,
    judged,
    judged_by_table,
    near,
    predict,
    reject_if,
)

import numpy as np

MOST_PARAMETERS = 10_000  # of the network of exercise 6
LEAST_ACCURACY = {"full": 0.96, "sample": 0.80}
LEAST_ACCURACY_SHUFFLED = {"full": 0.96, "sample": 0.84}  # of exercise 3


@judged_by_table(tolerance=0)
def exercise_1() -> Any:
    """The number of parameters of a dense network with 784 inputs and 300, 100 and 10 units."""
    return {
        "right": 785 * 300 + 301 * 100 + 101 * 10,
        "Those are the weights. Each unit has a bias, too.": 784 * 300 + 300 * 100 + 100 * 10,
        "The ten scores at the end come from a layer with parameters of its own.": 785 * 300 + 301 * 100,
        "Count layer by layer, inputs times units, and add them up.": (
            29 * 300 + 301 * 100 + 101 * 10,
            784 * 300 * 100 * 10,
        ),
        "Each layer has (inputs · units) weights and a bias for each unit. The picture has 28 · 28.": ...,
    }


@judged_by_table(tolerance=1e-3)
def exercise_2() -> Any:
    """The cross-entropy of a network that gives a thousand classes the same probability."""
    return {
        "right": np.log(1000),
        "The sign. A logarithm of a probability is negative. The loss is not.": near(-np.log(1000), 1e-2),
        "That is the logarithm to the base ten. The loss has the natural one.": np.log10(1000),
        "That is the loss in bits. Ours has the natural logarithm.": near(np.log2(1000), 1e-2),
        "That is a probability. What does the loss make of it?": (near(0.001, 1e-5), near(0.999, 1e-4)),
        "That is the start with ten classes. Here are a thousand.": np.log(10),
        "Every class gets the same probability. Which one, and what is minus its logarithm?": ...,
    }


@judged
def exercise_3(answer: Any, data: Any) -> None:
    """A trained network, and the function that shuffles the pixels of the pictures it was trained on.

    The function puts the pixels of pictures (n, 28, 28) into another order, the same one for all.
    """
    try:
        network, shuffled = answer
    except CAUGHT:
        raise WrongAnswer("Two things are asked for, in this order: the network, the function.") from None
    if network is ...:
        raise NotAttempted
    numbered = np.arange(784).reshape(1, 28, 28)
    order, again = (as_array(call_answer(shuffled, numbered), numbered.shape) for _ in range(2))
    hint = "Called twice, your function gives two orders. Draw one, once, before the function."
    reject_if(not np.array_equal(order, again), hint)
    hint = "Each pixel has to occur exactly once. `permutation(784)` of a NumPy generator is such an order."
    reject_if(not np.array_equal(np.sort(order, axis=None), np.arange(784)), hint)
    both = as_array(call_answer(shuffled, np.concatenate([numbered, 784 + numbered])), (2, 28, 28))
    hint = "Two pictures do not get the same order. The n pictures stay apart, and one order serves them all."
    reject_if(not np.array_equal(both, np.concatenate([order, 784 + order])), hint)
    row, column = np.divmod(order.argsort(axis=None).reshape(28, 28), 28)  # where each pixel went
    apart = np.abs(np.diff(row, axis=1)) + np.abs(np.diff(column, axis=1))
    hint = "Pixels that were neighbours are neighbours still. Draw the order at random."
    reject_if(np.mean(apart == 1) > 0.1, hint)
    wanted = LEAST_ACCURACY_SHUFFLED[data.tier]
    on_shuffled, on_plain = (
        np.mean(predict(network, pictures).argmax(axis=1) == data.y_val)
        for pictures in (as_array(call_answer(shuffled, data.x_val)), data.x_val)
    )
    hint = "It classifies pictures as they are. Train it on the shuffled ones."
    reject_if(on_plain > max(on_shuffled, 0.5), hint)
    found = f"On shuffled validation pictures its accuracy is {100 * on_shuffled:.1f} %"
    reject_if(on_shuffled < wanted, f"{found}; with five epochs it gets above {100 * wanted:.0f} %.")


@judged
def exercise_4(dropout: Any) -> None:
    """What dropout does to a layer's outputs in training.

    It is a function of values of shape (n, units), a rate and a NumPy generator.
    """
    values = 1 + np.random.RandomState(4).random_sample((200, 300))

    def answer_to(rate: float, seed: int = 4) -> np.ndarray:
        return as_array(call_answer(dropout, values, rate, np.random.default_rng(seed)), values.shape)

    for rate in (0.2, 0.75):
        answer = answer_to(rate)
        dropped = answer == 0
        share, factor = dropped.mean(), answer[~dropped] / values[~dropped]
        reject_if(share == 0, "Nothing was set to zero.")
        reject_if(abs(share - (1 - rate)) < 0.03, "The rate is the part that is dropped. You keep that part.")
        reject_if(
            dropped.all(axis=0).any(), "All examples lose the same units. Draw for each value by itself."
        )
        reject_if(dropped.all(axis=1).any(), "Whole examples are gone. Draw for each value by itself.")
        reject_if(abs(share - rate) > 0.02, f"At the rate {rate} the part set to zero is {share:.2f}.")
        for wrong, hint in (
            (1, "The values that stay are as they were, so the mean has shrunk. Make up for it."),
            (1 - rate, "You make the values that stay smaller. The mean should remain what it was."),
            (1 / rate, "The factor is off. What part of the sum is still there after dropping?"),
        ):
            reject_if(is_close(factor, np.full_like(factor, wrong)), hint)
        hint = "What stays is multiplied by one number, which depends on the rate alone."
        reject_if(not is_close(factor, np.full_like(factor, 1 / (1 - rate))), hint)
    hint = "Two generators gave the same mask. Use the one that your function is given."
    reject_if(np.array_equal(answer_to(0.5, seed=1), answer_to(0.5, seed=2)), hint)


def _predictions(n: int, classes: int, bins: int, sharpness: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Return probabilities that are badly calibrated, the labels, and a number of bins."""
    random = np.random.RandomState(5)
    scores = sharpness * random.normal(size=(n, classes))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.where(random.random_sample(n) < 0.6, scores.argmax(axis=1), random.randint(classes, size=n))
    return probabilities, labels, bins


PREDICTIONS = [(600, 10, 10, 3.0), (500, 4, 15, 1.0), (50, 3, 5, 9.0)]


@judged_by_table(cases=[_predictions(*sizes) for sizes in PREDICTIONS])
def exercise_5(probabilities: Any, labels: Any, bins: Any) -> Any:
    """The expected calibration error of probabilities (n, classes), in bins of equal width."""
    n, classes = probabilities.shape
    confidence = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == labels) - confidence

    def totals(place: np.ndarray) -> np.ndarray:
        return np.bincount(place.astype(int).clip(0, bins - 1), gap, bins)

    def error(place: np.ndarray) -> float:
        return np.abs(totals(place)).sum() / n

    share, rank = np.histogram(confidence, bins, (0, 1))[0] / n, confidence.argsort().argsort()
    means = np.abs(totals(confidence * bins)) / n / np.where(share, share, 1)
    squared, unweighted, unweighted_filled = share @ means**2, means.mean(), means[share > 0].mean()
    stretched = error((confidence - confidence.min()) / np.ptp(confidence) * bins)
    from_chance = error((confidence - 1 / classes) / (1 - 1 / classes) * bins)
    return {
        "right": error(confidence * bins),
        "Gaps above and below the diagonal cancel. Take the size of each.": (gap.mean(), -gap.mean()),
        "A bin with three pictures counts as much as one with 300. Weigh the bins.": (
            unweighted,
            unweighted_filled,
        ),
        "The gaps are not squared here. Their size is what counts.": (squared, np.sqrt(squared)),
        "Divide by the number of pictures.": n * error(confidence * bins),
        "Your bins hold equally many pictures. Here they are equally wide.": error(rank * bins // n),
        "Your bins share the range of the confidences. Here they share that from 0 to 1.": (
            stretched,
            from_chance,
        ),
        "For some probabilities it is off. In each bin: mean confidence against the share of hits.": ...,
    }


@judged
def exercise_6(model: Any, data: Any) -> None:
    """A trained network of at most 10,000 parameters that is accurate on the validation part.

    It is a Keras model from pictures (n, 28, 28), with pixels from 0 to 255, to n rows of ten scores.
    """
    scores = predict(model, data.x_val)
    parameters = model.count_params()
    hint = f"It has {parameters:,} parameters, and {MOST_PARAMETERS:,} are allowed."
    reject_if(parameters > MOST_PARAMETERS, hint)
    accuracy, wanted = np.mean(scores.argmax(axis=1) == data.y_val), LEAST_ACCURACY[data.tier]
    found = f"Its accuracy on the validation part is {100 * accuracy:.1f} %"
    reject_if(accuracy < 0.2, f"{found}, which is guessing. Is it trained, and does it scale the pixels?")
    reject_if(accuracy < wanted, f"{found}; {100 * wanted:.0f} % are asked for.")
