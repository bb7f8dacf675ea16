"""A notebook is spared on the full data as long as nothing has changed on which its run depends."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import collection, full_runs


def notebook(source="from utils.checks import check\nprint(1)", printed="1\n", tags=(), text="# 01"):
    """Return a notebook of one cell of text and one of code."""
    output = new_output("stream", name="stdout", text=printed)
    cell = new_code_cell(
        source, execution_count=1, outputs=[output], metadata={"tags": list(tags)}, id="code"
    )
    return new_notebook(cells=[new_markdown_cell(text, id="text"), cell])


def fingerprint(folder, **changes):
    """Return the fingerprint of the notebook with some changes."""
    nbformat.write(notebook(**changes), folder / "01_small.ipynb")
    return full_runs.fingerprint(folder / "01_small.ipynb")


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"text": "# 01, in other words"}, True),
        ({"source": "from utils.checks import check\nprint(1 + 0)"}, False),
        ({"source": "from utils.plots import show\nprint(1)"}, False),
        ({"printed": "2\n"}, False),
        ({"tags": ["nbval-ignore-output"]}, False),
        ({"tags": ["full-data"]}, False),
    ],
)
def test_what_changes_a_fingerprint(tmp_path, changes, stays):
    assert (fingerprint(tmp_path, **changes) == fingerprint(tmp_path)) == stays


def test_the_value_of_a_verdict_may_differ_and_its_bound_may_not(tmp_path):
    line = "✓ share: {} % (at least {} %)\n"
    first, same, other = (
        fingerprint(tmp_path, printed=line.format(*numbers)) for numbers in ((91, 90), (92, 90), (91, 80))
    )
    assert first == same != other


def test_what_passed_is_noted_and_spared_until_it_changes(tmp_path):
    for name in ("pyproject.toml", "conftest.py", "constraints.txt"):
        shutil.copy(collection.ROOT / name, tmp_path)
    for name in ("tools", "utils", "exercises", "tests"):
        ignored = shutil.ignore_patterns("test_*", "__pycache__", "*.json")
        shutil.copytree(collection.ROOT / name, tmp_path / name, ignore=ignored)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_small.toml").write_text("mistake = []\n", encoding="utf-8")

    def outcome(**changes):
        """Return what pytest says of the notebook on the full data."""
        nbformat.write(notebook(**changes), tmp_path / "notebooks" / "01_small.ipynb")
        options = ["-n0", "-q", "-m", "data", "--changed", "notebooks", "tests"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=tmp_path,
            env=os.environ | {"TUTORIAL_DATA": "full", "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        ).stdout

    assert "1 failed" in outcome(printed="2\n")
    assert "1 passed" in outcome()
    assert "1 deselected" in outcome(text="# 01, in other words")
    assert "1 passed" in outcome(source="print(1)")
