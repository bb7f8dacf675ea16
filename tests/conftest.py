"""What several test modules share.

For the tests of the data sets and of their files: folders, small files, and a server that has them. For the
planted mistakes, and for the notebooks on the full data: the record of them.
"""

import hashlib
import json
import os
import sys
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from utils import files

import numpy as np
import pytest
from loopback import Server, hurry, whole
from nbval.plugin import IPyNbCell
from small_files import BATCH_SIZE, WORDS, archive, tiny_batches, tiny_imdb, tiny_mnist

from tools import collection, full_runs, mistakes

ON_FULL_DATA = os.environ.get("TUTORIAL_DATA") == "full"  # as it was asked for; single tests see others

_entries: list[tuple[str, str, dict[str, str]]] = []
_passed: Counter[str] = Counter()  # cells by notebook


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let planted mistakes, and notebooks on the full data, be spared whose fate is known."""
    parser.addoption(
        "--changed",
        action="store_true",
        help="plant only mistakes, and run only notebooks on the full data, whose fate may have changed",
    )


class _Listener:
    """Hears of every test. It is a plugin because this file alone hears nothing of notebooks."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which cell has noticed a planted mistake, now or when planted last, and which cells pass."""
        if report.when == "call" and not report.failed:
            _entries.extend(value for name, value in report.user_properties if name == "mistake")
        if report.when == "call" and report.passed:
            _passed[Path(report.nodeid.partition("::")[0]).name] += 1


def pytest_configure(config: pytest.Config) -> None:
    """Hear of every test."""
    config.pluginmanager.register(_Listener())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--changed`, leave out the notebooks that have passed on the full data as they are."""
    if not (ON_FULL_DATA and config.option.changed):
        return
    spared = {path for path in collection.notebooks() if full_runs.has_passed(path)}
    left_out = [item for item in items if isinstance(item, IPyNbCell) and item.path in spared]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write which planted mistakes were caught, and which notebooks have passed on the full data.

    What is on record of those that were not run is kept.
    """
    if hasattr(session.config, "workerinput"):  # a worker of xdist: the master hears of all
        return
    ran = {
        path.stem: full_runs.fingerprint(path)
        for path in collection.notebooks()
        if ON_FULL_DATA
        and _passed[path.name] == sum(cell.cell_type == "code" for cell in collection.read(path).cells)
    }
    if ran:
        full_runs.write_record(full_runs.read_record() | ran)
    known, record = mistakes.read_record(), {}
    caught = {(notebook, name): entry for notebook, name, entry in _entries}
    for path in collection.notebooks() if caught else []:
        for mistake in collection.manifest(path).mistakes:
            entry = known.get(path.stem, {}).get(mistake.name)
            if entry := caught.get((path.stem, mistake.name), entry):
                record.setdefault(path.stem, {})[mistake.name] = entry
    if caught:
        mistakes.write_record(record)


@pytest.fixture
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
def quick_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sample tier be quick to make."""
    random, labels = np.random.RandomState(3), np.arange(6000) % 10
    fake = types.ModuleType("utils.sample_data")
    fake.SHAPE_NAMES = tuple(f"shape {number}" for number in range(10))
    fake.mnist_digits = lambda: (random.randint(256, size=(5000, 28, 28)).astype(np.uint8), labels[:5000])
    fake.shape_pictures = lambda count, seed: (np.zeros((count, 32, 32, 3), np.uint8), labels[:count])
    fake.grammar_reviews = lambda count, seed: ([["not", "bad"]] * count, labels[:count] % 2)
    monkeypatch.setitem(sys.modules, "utils.sample_data", fake)
