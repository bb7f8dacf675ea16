"""The reader of reviews: an LSTM as in notebook 05, trained by a short recipe and kept as the digits are.

The words and their numbers are part of the network, so that nobody else has to know them.
"""

import os
import re
from collections.abc import Callable, Sequence

from service import model
from utils import files
from utils.datasets import UNKNOWN, Dataset, load_imdb

import keras
import numpy as np
import tensorflow as tf

LENGTHS = {"full": 200, "sample": 48}  # words that are read, the last ones of a review
EPOCHS, BATCH_SIZE, RATE, SEED = {"full": 2, "sample": 6}, 128, 3e-3, 5
RESERVED = 4  # ids of the data that are no words

Read = Callable[[np.ndarray], np.ndarray]


def build(words: Sequence[str], length: int) -> keras.Sequential:
    """Return an untrained network from the numbers of words, (n, length), to logits, (n, 1).

    Args:
        words: Those that it knows; the first has the number 2, for 0 is no word and 1 an unknown one.
        length: How many it reads.
    """
    return keras.Sequential(
        [
            keras.Input((length,), dtype="int32"),
            keras.layers.Embedding(len(words) + 2, 64),
            keras.layers.LSTM(64, return_sequences=True),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1),
        ]
    )


def numbers(rows: np.ndarray) -> np.ndarray:
    """Return the network's numbers of words for the ids of the data."""
    return np.where(rows >= RESERVED, rows - RESERVED + 2, rows == UNKNOWN).astype(np.int32)


def train(data: Dataset, say: Callable[[str], None] = print) -> keras.Model:
    """Return a network from words, texts of shape (n, length), to how positive the reviews are, (n, 1).

    Args:
        data: IMDB.
        say: Is told after each pass through the training set how far it is.
    """
    keras.utils.set_random_seed(SEED)
    words, length, epochs = list(data.words[RESERVED:]), LENGTHS[data.tier], EPOCHS[data.tier]
    inner = build(words, length)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    inner.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss, metrics=[accuracy])
    inner.optimizer.build(inner.trainable_variables)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: say(
            f"  epoch {epoch + 1} of {epochs}: {logs['accuracy']:.1%} of the training reviews"
        )
    )
    rows = numbers(data.x_train[:, -length:])
    inner.fit(rows, data.y_train, BATCH_SIZE, epochs, verbose=0, callbacks=[report])
    texts = keras.Input((length,), dtype="string")
    known = keras.layers.StringLookup(vocabulary=words, mask_token="", oov_token="[UNK]")(texts)
    return keras.Model(texts, keras.layers.Activation("sigmoid")(inner(known)))


def words_of(texts: Sequence[str], length: int) -> np.ndarray:
    """Return the last words of each text, (n, length), in small letters as in the data, after empty ones."""
    rows = np.full((len(texts), length), "", dtype=object)
    for row, text in zip(rows, texts, strict=True):
        words = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower())[-length:]
        if words:
            row[-len(words) :] = words
    return rows


def obtain(train_it: bool, say: Callable[[str], None] = print) -> keras.Model | None:
    """Load the network, or train and keep it; `None` where there is none and it is not to be trained.

    Args:
        train_it: Whether it is trained where nobody has done so yet: some minutes on the full data.
        say: Is told what happens, a sentence at a time.
    """
    folder = files.data_folder(None) / "service"
    tiers = ["sample"] if os.environ.get("TUTORIAL_DATA") == "sample" else ["full", "sample"]
    for path in (folder / f"reviews-{tier}.keras" for tier in tiers):
        if path.is_file():
            return model.load(path)
    if not train_it:
        return None
    data = load_imdb(vocabulary=10_000, length=200)
    path = folder / f"reviews-{data.tier}.keras"
    say(f"No reader of reviews is kept yet, so it is trained now, once: {data!r}")
    network = train(data, say)
    try:
        model.keep(network, path)
    except OSError as error:
        say(f"It cannot be kept in {folder} ({error.strerror or error}), so the next start trains again.")
    return network


def reader(network: keras.Model) -> Read:
    """Return a function from texts, an array of them, to how positive each is, from 0 to 1."""
    length = network.input_shape[1]

    @tf.function(input_signature=[tf.TensorSpec((None, length), tf.string)])
    def positive(words: tf.Tensor) -> tf.Tensor:
        return network(words, training=False)[:, 0]

    def read(texts: np.ndarray) -> np.ndarray:
        return positive(tf.constant(words_of(texts, length), tf.string)).numpy()

    read(np.array([""], object))
    return read
