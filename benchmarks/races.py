"""The races: for each task a tutorial's network, a notebook's recipe, and what was aimed at.

A notebook takes part in a race if its manifest says so (`race = "mnist"`). What stands here is all that
differs from race to race; `benchmarks/contenders.py` runs them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Settings = dict[str, int]


@dataclass(frozen=True)
class Race:
    """A race between a tutorial's network, the reference, and the recipe of a notebook.

    Attributes:
        title: The name of the task, for tables.
        tutorial: The name of the tutorial, for tables.
        reference: Returns the tutorial's compiled network and its settings, `epochs` and `batch_size`.
        load: Returns the data as `"reference"` or the recipe wants them; verified, on the full tier.
        prepare: Returns inputs of the test set, and for the reference of the training set, as a
            contender's network takes them.
        classify: Returns the classes that the outputs of a contender's network stand for.
        recipe: The function of the notebook that trains its network.
        given: Arguments for it, with their values.
        named: Arguments for it that have their value under a name in the notebook.
        beside: Functions of the notebook, for a recipe of two models whose logits are added: one trains the
            second model on whole reviews and their labels, one returns its logits; and the name of the
            number by which these are multiplied. Or `None`.
        short: Arguments of its short version, in place of those.
        shape: The shape of one example as the recipe's network sees it.
        accuracy: The least test accuracy that was aimed at.
        whole: The most time of the recipe that was aimed at, over that of the reference; or `None`.
        reach: The most time to the reference's accuracy that was aimed at, over that of the reference.
    """

    title: str
    tutorial: str
    reference: Callable[[], tuple[Any, Settings]]
    load: Callable[[str], Any]
    prepare: Callable[[Any, str], Any]
    classify: Callable[[Any, str], Any]
    recipe: str
    short: dict[str, Any]
    shape: tuple[int, ...]
    accuracy: float
    reach: float
    whole: float | None = None
    beside: tuple[str, str, str] | None = None
    given: dict[str, Any] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)


def _scaled_for_reference(x: Any, contender: str) -> Any:
    """Return pictures with values from 0 to 1 for the reference; a recipe's network scales its own."""
    import numpy as np

    return x / np.float32(255) if contender == "reference" else x


def _largest(given: Any, contender: str) -> Any:
    """Return the class with the largest output."""
    return given.argmax(axis=1)


def _load_mnist(contender: str) -> Any:
    from utils import datasets

    return datasets.load_mnist()


def _quickstart() -> tuple[Any, Settings]:
    """Build the network of the TensorFlow quickstart for beginners."""
    import keras
    from keras import layers

    network = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return network, {"epochs": 5, "batch_size": 32}


def _load_cifar10(contender: str) -> Any:
    from utils import datasets

    return datasets.load_cifar10()


def _cnn_tutorial() -> tuple[Any, Settings]:
    """Build the network of the TensorFlow tutorial “Convolutional Neural Network”."""
    import keras
    from keras import layers

    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return network, {"epochs": 10, "batch_size": 32}


def _load_imdb(contender: str) -> Any:
    from utils import datasets

    if contender == "reference":
        return datasets.load_imdb(vocabulary=20_000, length=200)
    return datasets.load_imdb(vocabulary=10_000, length=1000)


def _bidirectional_example() -> tuple[Any, Settings]:
    """Build the network of the Keras example “Bidirectional LSTM on IMDB”."""
    import keras
    from keras import layers

    network = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(20_000, 128),
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(64)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    network.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return network, {"epochs": 2, "batch_size": 32}


def _last_words(x: Any, contender: str) -> Any:
    """Return the words that a contender's network reads: the recipe the last 250 of a review."""
    return x if contender == "reference" else x[:, -250:]


def _above_the_middle(given: Any, contender: str) -> Any:
    """Return whether a review is positive: the reference gives a probability, the recipe a logit."""
    return given[:, 0] > (0.5 if contender == "reference" else 0.0)


RACES = {
    "mnist": Race(
        title="MNIST",
        tutorial="TensorFlow quickstart",
        reference=_quickstart,
        load=_load_mnist,
        prepare=_scaled_for_reference,
        classify=_largest,
        recipe="train_recipe",
        short={"epochs": 2},
        shape=(28, 28),
        accuracy=0.983,
        reach=0.25,
    ),
    "cifar10": Race(
        title="CIFAR-10",
        tutorial="TensorFlow CNN tutorial",
        reference=_cnn_tutorial,
        load=_load_cifar10,
        prepare=_scaled_for_reference,
        classify=_largest,
        recipe="train_recipe",
        named={"epochs": "RECIPE_EPOCHS"},
        short={"epochs": 2, "batch_size": 256, "peak": 0.012},
        shape=(24, 24, 3),
        accuracy=0.80,
        whole=1.0,
        reach=0.2,
    ),
    "imdb": Race(
        title="IMDB",
        tutorial="Keras bidirectional LSTM example",
        reference=_bidirectional_example,
        load=_load_imdb,
        prepare=_last_words,
        classify=_above_the_middle,
        recipe="train_sentiment",
        given={"both_ways": True},
        named={"part": "everything"},
        beside=("train_counting", "logits_by_counting", "COUNTING_SHARE"),
        short={"epochs": 1, "batch_size": 64, "both_ways": False, "dropout": False},
        shape=(250,),
        accuracy=0.885,
        whole=0.33,
        reach=0.1,
    ),
}
