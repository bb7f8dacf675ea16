"""Tests of what the collection knows of its notebooks."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import collection

FIRST = """# 01 · A title

A promise.

| | |
| :-- | :-- |
| **You need** | nothing |
| **Run time** | {time} |
"""
MANIFEST = """subject = "a subject"
result = "a result"
seconds = 7
teaching = "5 min"
exercising = "5 min"
cut = "nothing"
mistaken = "Nothing."
"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a function that writes a notebook into the only folder that the collection then knows."""
    monkeypatch.setattr(collection, "NOTEBOOKS", tmp_path)

    def make(name="01_first", time="a minute", manifest=MANIFEST):
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[new_markdown_cell(FIRST.format(time=time))]), path)
        collection.manifest_path(path).write_text(manifest, encoding="utf-8")
        return path

    return make


def test_notebooks_are_those_with_a_number_in_its_order(make):
    second, first, _ = make("02_second"), make("01_first"), make("draft")
    assert collection.notebooks() == [first, second]


def test_notebooks_are_chosen_by_how_their_names_begin(make):
    first, _, third = (make(name) for name in ("01_first", "02_second", "03_third"))
    assert collection.select([]) == collection.notebooks()
    assert collection.select(["03", "01_f"]) == [first, third]
    with pytest.raises(collection.CollectionError, match=r"'04'.*01_first, 02_second, 03_third"):
        collection.select(["04"])


def test_title_and_card_stand_in_the_first_cell(make):
    path = make()
    assert collection.title(path) == "01 · A title"
    assert collection.card(path) == {"You need": "nothing", "Run time": "a minute"}


@pytest.mark.parametrize(
    ("time", "minutes"),
    [
        ("under a minute on two cores", 1),
        ("eight minutes at most", 8),
        ("twelve minutes", 12),
        ("about 75 minutes, and an hour for the exercises", 75),
        ("an hour, and ten minutes for what is optional", 60),
        ("two hours", 120),
        ("one hour", 60),
    ],
)
def test_the_first_time_in_a_row_of_the_card_counts(time, minutes, make):
    assert collection.minutes(make(time=time), "Run time") == minutes


@pytest.mark.parametrize("entry", ["Run time", "Reading time"])
def test_a_card_without_a_time_is_refused(entry, make):
    with pytest.raises(collection.CollectionError, match=rf"01_first\.ipynb has no {entry.lower()}\."):
        collection.minutes(make(time="a while"), entry)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("seconds = 7\n", ""), "seconds"),
        (lambda text: text + "sceonds = 7\n", "sceonds"),
        (lambda text: text + "[[mistake]]\nname = 'no code'\n", "old"),
        (lambda text: text + "seconds\n", "no TOML"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(change, complaint, make):
    path = make(manifest=change(MANIFEST))
    with pytest.raises(collection.CollectionError, match=rf"01_first\.toml .*{complaint}"):
        collection.manifest(path)


def test_cells_are_told_apart():
    plain = new_code_cell("1")
    drawing = new_code_cell("2", metadata={"jupyter": {"source_hidden": True}})
    solution = new_code_cell("3", metadata={"tags": [collection.SOLUTION]})
    notebook = new_notebook(cells=[new_markdown_cell("text"), plain, drawing, solution])
    assert collection.code_cells(notebook) == [plain, drawing, solution]
    assert [collection.is_solution(cell) for cell in notebook.cells] == [False, False, False, True]
    assert [collection.is_folded(cell) for cell in notebook.cells] == [False, False, True, False]


def test_text_of_an_output_is_what_was_printed_or_shown_as_text():
    assert collection.text_of(new_output("stream", text="printed\n")) == "printed\n"
    shown = new_output("display_data", data={"text/plain": "a figure", "image/png": "aGk="})
    assert collection.text_of(shown).strip() == "a figure"
