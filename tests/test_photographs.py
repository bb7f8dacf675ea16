"""What notebook 04 quotes of the tables of its page is what stands there."""

import re

from benchmarks import contenders, photographs
from benchmarks.photographs import INGREDIENTS, INGREDIENTS_SEEDS, MOVES_HEADING, MOVES_SEEDS, PAGE
from tools import collection


def cells_of(text):
    """Return the name of each row of the tables in a text → its other cells."""
    rows = re.findall(r"^\| ([^|:]*[a-z]) \| (.+) \|$", text, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in rows}


def section(heading):
    """Return the rows of the table under a heading of the page."""
    return cells_of(PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0])


def test_a_gain_is_that_on_the_mean_of_the_reference():
    found = {"reference": [0.4, 0.42], "schedule": [0.40, 0.41]}
    rows = cells_of(photographs.ingredients_table(found))
    assert rows["schedule"] == ["40.5", "0.7", "−0.5", "40.0 · 41.0"]


def test_what_is_lost_is_a_share_of_what_was_right():
    rows = cells_of(photographs.moves_table({"dense net": [[0.4, 0.38, 0.36, 0.3], [0.5, 0.5, 0.45, 0.4]]}))
    assert rows["dense net"] == ["40.0 · 50.0", "5.0 · 0.0", "10.0 · 10.0", "25.0 · 20.0"]


def test_the_page_has_a_row_for_each_network_and_a_number_for_each_seed():
    rows = section(photographs.INGREDIENTS_HEADING)
    assert {name: len(cells[-1].split(" · ")) for name, cells in rows.items() if name in INGREDIENTS} == {
        name: len(INGREDIENTS_SEEDS) for name in INGREDIENTS
    }
    moved = section(MOVES_HEADING)
    assert {len(cell.split(" · ")) for name in moved if name != "network" for cell in moved[name]} == {
        len(MOVES_SEEDS)
    }


def test_the_notebook_has_the_gains_of_the_page():
    path = contenders.notebook_of("cifar10")
    quoted = next(cell.source for cell in collection.read(path).cells if cell.id == "cifar-067")
    measured = section(photographs.INGREDIENTS_HEADING)
    rows = {name: cells for name, cells in cells_of(quoted).items() if name in INGREDIENTS}
    assert rows == {name: [measured[name][2], measured[name][1]] for name in rows}
    assert set(rows) == set(INGREDIENTS) - {"reference", "all together"}
