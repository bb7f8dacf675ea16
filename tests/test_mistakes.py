"""Mistakes that people make, planted in copies of the notebooks: the suite has to catch every one.

A notebook's mistakes stand in its manifest. Each is a piece of its code and what comes in its place. A plain
`pytest` looks after the lists; `pytest -m mistakes` plants them, one after the other.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import collection

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = collection.notebooks()
FEWEST = 8
# What catches a mistake: a verdict that turns, or an output that changes. A crash would tell the reader, too,
# but not that the notebook checks what it says.
CAUGHT = re.compile(r"✗ not so: |Cell outputs differ")


def cells_with(code: str, notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells that hold a piece of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and code in cell.source]


ALL = [
    pytest.param(path, mistake, id=f"{path.stem}: {mistake.name}")
    for path in NOTEBOOKS
    for mistake in collection.manifest(path).mistakes
]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_has_enough_of_them_and_each_has_its_place(path):
    mistakes = collection.manifest(path).mistakes
    assert len({mistake.name for mistake in mistakes}) == len(mistakes) >= FEWEST
    notebook = nbformat.read(path, as_version=4)
    for mistake in mistakes:
        places = cells_with(mistake.old, notebook)
        assert len(places) == 1, f"{mistake.name}: its code stands in {len(places)} cells"
        assert places[0].source.count(mistake.old) == 1, f"{mistake.name}: its code stands there twice"
        planted = places[0].source.replace(mistake.old, mistake.new)
        assert planted != places[0].source
        compile(planted, mistake.name, "exec")  # a mistake in the thinking, not in the typing


@pytest.mark.mistakes
@pytest.mark.parametrize(("path", "mistake"), ALL)
def test_it_is_caught(path, mistake, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    (cell,) = cells_with(mistake.old, notebook)
    cell.source = cell.source.replace(mistake.old, mistake.new)
    nbformat.write(notebook, tmp_path / path.name)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, "-m", "pytest", "--exitfirst", "--numprocesses=0", "--color=no", path.name]
    answer = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "TUTORIAL_DATA": "sample", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert answer.returncode in (0, 1), answer.stdout + answer.stderr
    assert answer.returncode == 1, "no cell noticed it"
    assert CAUGHT.search(answer.stdout), f"the notebook stopped without a verdict:\n{answer.stdout}"
