"""Small files in the official formats of the data sets, and what the tests do with them."""

import io
import pickle
import tarfile
from pathlib import Path

from utils import datasets
from utils.datasets import load_cifar10, load_imdb, load_mnist

import numpy as np

PARTS = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")
BATCH_SIZE = 40
BATCH_FILES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
FILES = ("mnist.npz", "imdb.npz", "imdb_word_index.json", "cifar-10-python.tar.gz")
LOADERS = (load_mnist, load_cifar10, load_imdb)
WORDS = ("the", "film", "it's", "good", "Écran", "bad", "not", "br")  # by rank, from 1


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def tiny_mnist(random: np.random.RandomState) -> bytes:
    y_train = random.choice(10, 300, p=np.arange(1, 11) / 55)
    return npz(
        x_train=random.randint(256, size=(300, 28, 28)).astype(np.uint8),
        y_train=y_train.astype(np.uint8),
        x_test=random.randint(256, size=(50, 28, 28)).astype(np.uint8),
        y_test=random.randint(10, size=50).astype(np.uint8),
    )


def tiny_batches(random: np.random.RandomState) -> dict[str, bytes]:
    contents = {}
    for name in BATCH_FILES:
        batch = {
            b"data": random.randint(256, size=(BATCH_SIZE, 3072)).astype(np.uint8),
            b"labels": random.permutation(np.arange(BATCH_SIZE) % 10).tolist(),
        }
        contents[name] = pickle.dumps(batch, protocol=2)
    contents["batches.meta"] = pickle.dumps({b"label_names": [b"class %d" % label for label in range(10)]}, 2)
    return contents


def tiny_imdb(random: np.random.RandomState) -> bytes:
    arrays = {}
    for part in ("train", "test"):
        reviews = np.empty(60, dtype=object)
        reviews[:] = [random.randint(1, len(WORDS) + 1, size=n).tolist() for n in random.randint(1, 15, 60)]
        arrays[f"x_{part}"] = reviews
        arrays[f"y_{part}"] = np.repeat([1, 0], 30)
    return npz(**arrays)


def archive(files: dict[str, bytes], mode: str = "w:gz", folder: str = "cifar-10-batches-py/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def put(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time and content of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def same(a: datasets.Dataset, b: datasets.Dataset) -> bool:
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in PARTS)
