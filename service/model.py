"""The network that is served: trained once by the recipe of notebook 03, kept with a checksum, and loaded.

The recipe stands here a second time, for a service cannot import a notebook. A test sees that the two agree.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from utils import (
    TutorialError,
    files,
    training,  # noqa: F401  (before Keras: starts TensorFlow silently)
)
from utils.datasets import Dataset, load_mnist

import keras
import numpy as np
import tensorflow as tf

EPOCHS, BATCH_SIZE, PEAK, SEED = 6, 256, 0.01, 3

Predict = Callable[[np.ndarray], np.ndarray]


class ModelError(TutorialError):
    """The file of a network is not what was kept."""


def build(shift: int = 0, widths: tuple[int, ...] = (256, 256)) -> keras.Sequential:
    """Return an untrained network from pictures (n, 28, 28), with pixels from 0 to 255, to ten scores.

    Args:
        shift: By how many pixels digits are moved in training. What is served has none: Keras would go on
            moving digits after an export (notebook 03, “The copy that still shifts”).
        widths: Units of the hidden layers.
    """
    layers = [keras.Input((28, 28)), keras.layers.Reshape((28, 28, 1))]
    if shift:
        layers.append(keras.layers.RandomTranslation(shift / 28, shift / 28, "constant", "nearest"))
    layers += [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    for width in widths:
        layers += [
            keras.layers.Dense(width, use_bias=False),
            keras.layers.BatchNormalization(scale=False, momentum=0.9),
            keras.layers.ReLU(),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(10)])


def train(data: Dataset, epochs: int = EPOCHS, say: Callable[[str], None] = print) -> keras.Sequential:
    """Return a network that was trained by the recipe and moves no digits any more.

    Args:
        data: MNIST.
        epochs: Passes through the training set.
        say: Is told after each of them how far it is.
    """
    keras.utils.set_random_seed(SEED)
    network = build(shift=1)
    steps = epochs * -(-len(data.x_train) // BATCH_SIZE)
    rise = round(0.2 * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK / 25, steps - rise, warmup_target=PEAK, warmup_steps=rise
    )
    network.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy"],
        steps_per_execution=32,
    )
    network.optimizer.build(network.trainable_variables)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: say(
            f"  epoch {epoch + 1} of {epochs}: {logs['accuracy']:.1%} of the training digits"
        )
    )
    labels = keras.utils.to_categorical(data.y_train, 10)
    network.fit(data.x_train, labels, BATCH_SIZE, epochs, verbose=0, callbacks=[report])
    served = build()
    served.set_weights(network.get_weights())  # the shifts have none
    return served


def keep(network: keras.Model, path: Path) -> None:
    """Write a network and, beside it, the SHA-256 of its file.

    Args:
        network: What to keep.
        path: Where, with the ending `.keras`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
    network.save(unfinished)
    checksum_of(path).write_text(_sha256(unfinished) + "\n", encoding="ascii")
    unfinished.replace(path)


def load(path: Path) -> keras.Model:
    """Read a network whose file is the one that was kept, and let nothing in it run as code.

    The checksum tells a damaged file, or one that was swapped alone. It does not stop somebody who can write
    both: for that, a signature with a key that lies elsewhere is needed.

    Args:
        path: Where it was kept.

    Raises:
        ModelError: The file is not the one to which the checksum belongs, or has none.
    """
    checksum = checksum_of(path)
    if not checksum.is_file() or checksum.read_text(encoding="ascii", errors="replace").strip() != _sha256(
        path
    ):
        raise ModelError(
            f"{path} is not the file that {checksum.name} was written for, so it is not opened. "
            "Delete it, and the network is trained again."
        )
    return keras.models.load_model(path, compile=False, safe_mode=True)


def checksum_of(path: Path) -> Path:
    """Return where the checksum of a file is."""
    return path.with_name(path.name + ".sha256")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def obtain(say: Callable[[str], None] = print) -> keras.Model:
    """Load the network, or train and keep it where nobody has done so yet.

    Args:
        say: Is told what happens, a sentence at a time.
    """
    folder = files.data_folder(None) / "service"
    path = folder / "digits-full.keras"
    if os.environ.get("TUTORIAL_DATA") == "sample" or not path.is_file():
        data = load_mnist()
        path = folder / f"digits-{data.tier}.keras"
    if path.is_file():
        return load(path)
    say(f"No network is kept yet, so it is trained now, once: {data!r}")
    network = train(data, say=say)
    scores = network.predict(data.x_val, batch_size=1000, verbose=0)
    accuracy = np.mean(scores.argmax(axis=1) == data.y_val)
    say(f"It classifies {accuracy:.1%} of the validation digits correctly.")
    try:
        keep(network, path)
        say(f"It is kept in {path}")
    except OSError as error:
        say(f"It cannot be kept in {folder} ({error.strerror or error}), so the next start trains again.")
    return network


def predictor(network: keras.Model) -> Predict:
    """Return a function from pictures, `uint8` of shape (n, 28, 28), to probabilities of shape (n, 10).

    It is traced here, for any number of pictures, so that nobody's first request waits for it.

    Args:
        network: From pictures to scores.
    """

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28), tf.uint8)])
    def probabilities(pictures: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(network(tf.cast(pictures, tf.float32), training=False))

    def predict(pictures: np.ndarray) -> np.ndarray:
        return probabilities(pictures).numpy()

    predict(np.zeros((1, 28, 28), np.uint8))
    return predict
