"""The students' copies run from top to bottom, and the worked solutions, put back into them, are right."""

import os
import subprocess

import pytest
from nbclient import NotebookClient

from handouts import cells
from tools import collection

pytestmark = pytest.mark.skipif(os.environ["TUTORIAL_DATA"] == "full", reason="is done on the sample")
NOTEBOOKS = collection.notebooks()


def printed(cell):
    """Return what a cell printed."""
    return "".join(map(collection.text_of, cell.outputs))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_blanks_say_that_they_are_not_attempted_and_solutions_that_they_are_right(path):
    solutions = [cell.source for cell in collection.read(path).cells if collection.is_solution(cell)]
    copy = cells.student_copy(path)
    rooms = [k for k, cell in enumerate(copy.cells) if cell.id.startswith("room-")]
    for k, source in zip(rooms, solutions, strict=True):
        copy.cells[k].source = source
    client = NotebookClient(
        copy, timeout=600, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    client.execute(stderr=subprocess.DEVNULL)
    for number, k in enumerate(rooms, start=1):
        assert printed(copy.cells[k - 1]) == f"○ Exercise {number}: not attempted yet\n"
        assert printed(copy.cells[k]).endswith(f"✓ Exercise {number}: right\n")
