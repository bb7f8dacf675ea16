"""Students' copies: nothing in them leans on a solution, and solutions that are put back into them are right.

A copy is the notebook, which nbval runs, without its solutions. That and the names that cells take from one
another are read from the code. The exercises are run in the copy, with the cells that they need.
"""

import subprocess

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from handouts import cells
from tools import collection, dependencies

NOTEBOOKS = collection.notebooks()


def leaning(notebook: nbformat.NotebookNode) -> list[str]:
    """Return a sentence for each name that a cell takes from a solution, or a solution from its blank.

    Without the solution, the one is missing; when a student writes something else into the blank, the other.
    """
    code = collection.code_cells(notebook)
    names = [dependencies.names_of(cell.source) for cell in code]
    modules = set().union(*(its.imported for its in names))
    blank, from_solutions = set(), set()
    found = []
    for cell, its in zip(code, names, strict=True):
        wanted = its.needed | its.later
        if collection.is_solution(cell):
            found += [
                f"the solution {cell.id} takes {name} from its blank" for name in sorted(wanted & blank)
            ]
            from_solutions |= its.given | (its.changed - modules)
        else:
            found += [
                f"cell {cell.id} takes {name} from a solution" for name in sorted(wanted & from_solutions)
            ]
            from_solutions -= its.given
        blank = its.given - its.imported
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_copy_is_the_notebook_with_an_empty_cell_for_each_solution(path):
    notebook, copy = collection.read(path), cells.student_copy(path)
    for cell, copied in zip(notebook.cells, copy.cells, strict=True):
        if collection.is_solution(cell):
            assert (copied.cell_type, copied.source, copied.outputs) == ("code", "", [])
        elif cell.cell_type == "code":
            assert copied.source == cell.source
        else:
            assert copied.source == cells.without_promise(cell.source)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_leans_on_a_solution(path):
    assert leaning(collection.read(path)) == []


def broken(*sources: str) -> nbformat.NotebookNode:
    """Return a notebook of these cells, those that begin with `# Solution` tagged as such."""
    tags = [["solution"] if source.startswith("# Solution") else [] for source in sources]
    code = [
        new_code_cell(source, id=f"cell-{k}", metadata={"tags": its})
        for k, (source, its) in enumerate(zip(sources, tags, strict=True))
    ]
    return new_notebook(cells=[new_markdown_cell("# Broken"), *code])


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        (["x = 1\ny = ...", "# Solution\ny = x"], "x"),
        (["def f():\n    ...\ny = ...", "# Solution\ndef g():\n    return f()"], "f"),
        (["x = ...", "# Solution\nx = 1\ny = 2", "print(y)"], "y"),
        (["x = ...", "# Solution\nx = 1", "print(x + 1)"], "x"),
        (["# Solution\ndef f():\n    return 1", "def g():\n    return f()"], "f"),
        (["# Solution\nx = 1", "if 0 == 1:\n    x = 2", "print(x)"], "x"),
        (["# Solution\nx = 1", "print([x for y in range(3)])"], "x"),
        (["# Solution\nfor k in range(3):\n    pass", "print(k)"], "k"),
        (["# Solution\nimport math", "print(math.pi)"], "math"),
        (["steps = []", "1 + 1", "# Solution\nsteps.append(1)", "print(steps)"], "steps"),
        (["# Solution\nx = 1", "x += 1"], "x"),
    ],
)
def test_a_cell_that_leans_on_a_solution_is_found(sources, name):
    (sentence,) = leaning(broken(*sources))
    assert f" takes {name} from " in sentence


@pytest.mark.parametrize(
    "sources",
    [
        ["x = ...", "# Solution\nx = 1", "x = 2\nprint(x)"],
        ["x = ...", "# Solution\nx = 1", "print([x for x in range(3)])"],
        ["x = ...", "# Solution\nx = 1", "def f(x):\n    return x", "print(f(1))"],
        ["x = ...", "# Solution\nx = 1", "for x in range(3):\n    print(x)"],
        ["import math", "x = ...", "# Solution\nx = math.pi\nmath.seed(x)", "math.sqrt(2)"],
    ],
)
def test_a_cell_with_a_name_of_its_own_leans_on_nothing(sources):
    assert leaning(broken(*sources)) == []


def printed(cell):
    """Return what a cell printed."""
    return "".join(map(collection.text_of, cell.outputs))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_blanks_say_that_they_are_not_attempted_and_solutions_that_they_are_right(path):
    solutions = [cell.source for cell in collection.read(path).cells if collection.is_solution(cell)]
    code = collection.code_cells(cells.student_copy(path))
    rooms = [k for k, cell in enumerate(code) if cell.id.startswith("room-")]
    for k, source in zip(rooms, solutions, strict=True):
        code[k].source = source
    sources = dependencies.sources_of([dependencies.names_of(cell.source) for cell in code])
    places = dependencies.with_sources([k for room in rooms for k in (room - 1, room)], sources)
    copy = [code[k] for k in sorted(places)]
    used = [cell.source for cell in copy]
    for cell in copy:
        cell.source = dependencies.without_unused_imports(cell.source, used)
    client = NotebookClient(
        new_notebook(cells=copy),
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
    )
    client.execute(stderr=subprocess.DEVNULL)
    for number, k in enumerate(rooms, start=1):
        assert printed(code[k - 1]) == f"○ Exercise {number}: not attempted yet\n"
        assert printed(code[k]).endswith(f"✓ Exercise {number}: right\n")
