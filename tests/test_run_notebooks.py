"""Tests of the tool that executes notebooks and writes them back."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import collection, readme, run_notebooks
from tools.collection import ROOT


def write(folder: Path, name: str, *sources: str) -> Path:
    """Write a notebook with a text cell and these code cells."""
    path = folder / f"{name}.ipynb"
    cells = [new_markdown_cell("# Title"), *(new_code_cell(source) for source in sources)]
    nbformat.write(
        new_notebook(cells=cells, metadata={"language_info": {"name": "python", "version": "3.1"}}), path
    )
    return path


def test_a_notebook_gets_fresh_outputs_in_order_and_clean_metadata(tmp_path, capsys):
    path = write(tmp_path, "01_good", "x = 2", "print(x + 1)")
    run_notebooks.execute(path)
    notebook = nbformat.read(path, as_version=4)
    _, first, second = notebook.cells
    assert (first.execution_count, second.execution_count) == (1, 2)
    assert second.outputs[0].text == "3\n"
    assert "execution" not in second.metadata
    assert notebook.metadata.language_info == {"name": "python"}
    assert "01_good: 2 cells in" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_saved_widgets_are_left_out_and_other_outputs_are_kept(tmp_path):
    path = write(
        tmp_path,
        "01_widget",
        "import ipywidgets\ndisplay(ipywidgets.IntSlider())\nprint('kept')",
    )
    run_notebooks.execute(path)
    notebook = nbformat.read(path, as_version=4)
    assert [output.output_type for output in notebook.cells[1].outputs] == ["stream"]
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("1 / 0", r"01_bad: cell 2 stopped with ZeroDivisionError"),
        ("import os; os._exit(1)", r"01_bad: the kernel died in cell 2"),
    ],
)
def test_a_notebook_with_an_error_is_left_as_it_was(source, sentence, tmp_path):
    path = write(tmp_path, "01_bad", "x = 1", source)
    before = path.read_bytes()
    with pytest.raises(run_notebooks.NotebookError, match=sentence):
        run_notebooks.execute(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


MANIFEST = """subject = "a subject"
result = "a result"
seconds = 7000
teaching = "5 min"
exercising = "5 min"
cut = "nothing"
mistaken = "Nothing."

[[mistake]]
name = "a line that looks the same"
old = '''
seconds = 1'''
new = '''
seconds = 2'''
"""
DATA = "from utils.datasets import load_mnist\ndata = load_mnist(tier='sample')"
FULL = f"{DATA}\nimport dataclasses\ndata = dataclasses.replace(data, tier='full')"


@pytest.mark.parametrize(
    ("source", "tier", "kept"),
    [
        ("x = 1", "auto", True),
        ("x = 1", "sample", False),  # it would have used the sample
        (FULL, "auto", True),
        (DATA, "auto", False),
        (f"{FULL}\nother = load_mnist(tier='sample')", "auto", False),
    ],
)
def test_the_run_time_is_kept_unless_it_is_that_of_the_sample(
    source, tier, kept, tmp_path, monkeypatch, capsys
):
    path = write(tmp_path, "01_timed", source, "import time; time.sleep(0.6)")
    manifest = collection.manifest_path(path)
    manifest.write_text(MANIFEST)
    refreshed = []
    monkeypatch.setattr(readme, "write", lambda: refreshed.append(collection.manifest(path).seconds))
    monkeypatch.setattr(collection, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run_notebooks", "01"])
    monkeypatch.setenv("TUTORIAL_DATA", tier)
    run_notebooks.main()
    assert len(nbformat.read(path, as_version=4).cells) == 3, "the question for the data is not kept"
    seconds = collection.manifest(path).seconds
    assert (seconds != 7000) == kept
    assert manifest.read_text().replace(f"seconds = {seconds:.0f}\n", "seconds = 7000\n", 1) == MANIFEST
    assert refreshed == ([seconds] if kept else [])
    assert ("not kept" in capsys.readouterr().out) != kept


def test_a_notebook_without_a_manifest_is_not_run(tmp_path, monkeypatch):
    path = write(tmp_path, "01_first", "1 / 0")
    monkeypatch.setattr(collection, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run_notebooks"])
    with pytest.raises(SystemExit, match=r"01_first\.ipynb has no manifest\. Write 01_first\.toml"):
        run_notebooks.main()
    assert nbformat.read(path, as_version=4).cells[1].execution_count is None


def test_an_unknown_name_on_the_command_line_is_answered_in_a_sentence():
    command = [sys.executable, "-m", "tools.run_notebooks", "99"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("There is no notebook whose name begins with '99'")
