"""The glossary names terms that are there, and where they come first."""

import re
from pathlib import Path

import pytest

from tools import collection

ROW = re.compile(
    r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| \[(?P<number>\d\d)\]\((?P<file>[^)]+)\) \|$", re.M
)
ROWS = [match.groupdict() for match in ROW.finditer(collection.GLOSSARY.read_text(encoding="utf-8"))]
PATHS = collection.notebooks()


def terms_in_bold(path: Path) -> set[str]:
    """Return what a notebook prints in bold in its text, in small letters and without a colon at its end."""
    cells = collection.read(path).cells
    text = "\n".join(cell.source for cell in cells[1:] if cell.cell_type == "markdown")
    return {" ".join(term.lower().rstrip(":").split()) for term in re.findall(r"\*\*(.+?)\*\*", text, re.S)}


BOLD = {path.name: terms_in_bold(path) for path in PATHS}


def test_its_rows_are_in_order_and_every_notebook_has_some():
    terms = [row["term"].lower() for row in ROWS]
    assert terms == sorted(set(terms))
    assert {row["file"] for row in ROWS} == set(BOLD)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["term"])
def test_a_term_is_defined_where_it_says_and_not_before(row):
    assert row["file"].startswith(row["number"])
    first = next((name for name, terms in BOLD.items() if row["term"].lower() in terms), "nowhere")
    assert first == row["file"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_notebook_leads_to_it(path):
    assert any("](glossary.md)" in cell.source for cell in collection.read(path).cells)
