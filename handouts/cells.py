"""What a handout is made of: a notebook's cells, judged, sorted, and without solutions where they must go."""

import ast
import base64
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import nbformat

from tools import collection

WIDGETS = {"ipywidgets", "widgets"}  # the names by which notebooks know the package
# What the notebooks say of their solutions, which is true neither of a copy without them nor of paper.
PROMISE = re.compile(r"\s+A\s+worked\s+solution\s+is\s+folded\s+away\s+below\s+each\s+exercise\.")


class HandoutError(Exception):
    """A sentence for the teacher, which names the notebook and the cell."""


@dataclass(frozen=True)
class Figure:
    """A picture that a cell made: PNG data, its description, and its width and height in pixels."""

    png: bytes
    description: str
    width: int
    height: int


@dataclass
class Part:
    """A cell as a handout sees it.

    Attributes:
        number: The cell's place in the notebook, from 1.
        kind: `"text"`, `"code"`, `"blank"` for the cell in which an exercise is answered, `"solution"`, or
            `"folded"` for other code that JupyterLab hides until one clicks on it: it draws, and on paper
            only what it drew is shown.
        source: The cell's source.
        outputs: What it printed (`str`) and drew (`Figure`), in order.
    """

    number: int
    kind: str
    source: str
    outputs: list[str | Figure] = field(default_factory=list)


@dataclass(frozen=True)
class Notebook:
    """A notebook that can be printed: its path, its title and its parts."""

    path: Path
    title: str
    parts: list[Part]


def read(path: Path) -> Notebook:
    """Read a notebook and judge whether a handout can be made of it.

    Args:
        path: The notebook.

    Returns:
        Its parts in order. Cells that show nothing but sliders are left out: they are blank on paper.

    Raises:
        HandoutError: If it is no notebook or breaks a rule; the sentence names the cell.
    """
    try:
        notebook = collection.read(path)
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise HandoutError(f"There is no file {path}.") from None
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise HandoutError(f"{path.name} is no valid notebook: {reason}") from None

    cells = notebook.cells
    title = re.match(r"# (.+)", cells[0].source) if cells and cells[0].cell_type == "markdown" else None
    if title is None:
        raise HandoutError(
            f"{path.name}, cell 1: a notebook begins with a text cell that begins with “# ” and a title."
        )
    parts = []
    for number, cell in enumerate(cells, start=1):
        where = f"{path.name}, cell {number}"
        is_solution = collection.is_solution(cell)
        if cell.cell_type == "raw":
            raise HandoutError(f"{where}: a raw cell cannot be printed. Make it a text cell.")
        if cell.cell_type == "markdown":
            if is_solution:
                raise HandoutError(
                    f"{where}: the tag “{collection.SOLUTION}” is on a text cell. Put the solution into a "
                    "code cell, with what there is to say in comments, or remove the tag."
                )
            if cell.get("attachments"):
                raise HandoutError(f"{where}: a picture is attached to the text. Draw it in a code cell.")
            parts.append(Part(number, "text", cell.source))
        elif not _shows_only_widgets(cell):
            kind = "solution" if is_solution else "folded" if collection.is_folded(cell) else "code"
            parts.append(Part(number, kind, cell.source, _outputs(cell, where)))
    for before, part in pairwise(parts):
        if part.kind == "solution" and before.kind == "code":
            before.kind = "blank"
    return Notebook(path, title.group(1).strip(), parts)


def _shows_only_widgets(cell: nbformat.NotebookNode) -> bool:
    """Return whether a cell makes widgets and shows nothing else that could be printed.

    That is so where its outputs, widgets apart, are none, or where its tag says that they are not compared:
    what a slider draws is an output, too.
    """
    try:
        nodes = list(ast.walk(ast.parse(cell.source)))
    except SyntaxError:  # such as a line for the shell
        return False
    imported = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "ipywidgets"
        for alias in node.names
    }
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    makes = any(
        (isinstance(what, ast.Name) and what.id in imported)
        or (isinstance(what, ast.Attribute) and isinstance(what.value, ast.Name) and what.value.id in WIDGETS)
        for what in called
    )
    shows = [output for output in cell.outputs if not _is_widget(output)]
    return makes and (not shows or collection.NOT_COMPARED in collection.tags(cell))


def _is_widget(output: nbformat.NotebookNode) -> bool:
    return any("widget" in kind for kind in output.get("data", {}))


def _outputs(cell: nbformat.NotebookNode, where: str) -> list[str | Figure]:
    """Return what a code cell printed and drew; widgets leave nothing."""
    found: list[str | Figure] = []
    for output in cell.outputs:
        if output.output_type == "error":
            raise HandoutError(
                f"{where}: its output is an error, {output.ename}. Mend the cell and run it again."
            )
        if output.output_type == "stream":
            found.append(output.text.rstrip("\n"))
        elif "image/png" in output.data:
            png = base64.b64decode(output.data["image/png"])
            description = output.metadata.get("image/png", {}).get("alt", "")
            width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
            found.append(Figure(png, description or "A figure.", width, height))
        elif "text/plain" in output.data and not _is_widget(output):
            found.append(output.data["text/plain"])
    return found


def without_promise(source: str) -> str:
    """Return the source of a text cell without the sentence that promises folded solutions."""
    return PROMISE.sub("", source)


def student_copy(path: Path) -> nbformat.NotebookNode:
    """Return a notebook without its solutions, with an empty cell to work in under each exercise.

    Args:
        path: A notebook that `read` accepts.
    """
    notebook = collection.read(path)
    kept = []
    rooms = 0
    for cell in notebook.cells:
        if not collection.is_solution(cell):
            if cell.cell_type == "markdown":
                cell.source = without_promise(cell.source)
            kept.append(cell)
        else:
            rooms += 1
            kept.append(nbformat.v4.new_code_cell("", id=f"room-{rooms}"))
    notebook.cells = kept
    return notebook
