"""Tests of the tool that executes notebooks and writes them back."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import run_notebooks

ROOT = Path(__file__).resolve().parent.parent


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


def test_notebooks_are_chosen_by_how_their_names_begin(tmp_path, monkeypatch):
    for name in ("01_first", "02_second", "03_third"):
        write(tmp_path, name)
    monkeypatch.setattr(run_notebooks, "NOTEBOOKS", tmp_path)
    assert [path.stem for path in run_notebooks.select([])] == ["01_first", "02_second", "03_third"]
    assert [path.stem for path in run_notebooks.select(["03", "01_f"])] == ["01_first", "03_third"]
    with pytest.raises(run_notebooks.NotebookError, match=r"'04'.*01_first, 02_second, 03_third"):
        run_notebooks.select(["04"])


def test_an_unknown_name_on_the_command_line_is_answered_in_a_sentence():
    command = [sys.executable, "-m", "tools.run_notebooks", "99"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("There is no notebook whose name begins with '99'")
