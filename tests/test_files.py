"""Tests of `utils.files`, mostly by way of the loaders: where files are found, and which ones are trusted.

No test touches the user's own data: every test has an empty data folder and an empty Keras cache.
"""

import contextlib
import errno
import gzip
import json
import os
import pickle
import re
import subprocess
import sys
import tarfile
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from utils import downloads, files
from utils.datasets import load_cifar10, load_imdb, load_mnist
from utils.downloads import DatasetError

import numpy as np
import pytest
from loopback import LOGIN_PAGE, hang, status, whole
from small_files import FILES, LOADERS, archive, npz, put, same, state

pytestmark = pytest.mark.usefixtures("isolated")

ROOT = Path(__file__).parents[1]


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
    put(folder, {"cifar-10-python.tar.gz": archive({"zeros": bytes(20_000), **batches})})
    assert load_cifar10(tier="full").tier == "full"
    monkeypatch.setattr(files, "LARGEST", 10_000)
    with pytest.raises(DatasetError):
        load_cifar10(tier="full")
    assert "cifar-10-python.tar.gz is damaged or incomplete: it cannot" in capsys.readouterr().out


def test_a_header_cannot_fill_the_memory(offline, folder, capsys):
    """`tarfile` reads a header of this kind whole; this one unpacks from 300 kB to 60 MB."""
    header = tarfile.TarInfo("header")
    header.type, header.size = tarfile.XHDTYPE, 60_000_000
    bomb = gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(header.size), compresslevel=1)
    put(folder, {"cifar-10-python.tar.gz": bomb})
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError):
            load_cifar10(tier="full")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert "cifar-10-python.tar.gz is damaged or incomplete: it cannot" in capsys.readouterr().out


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
