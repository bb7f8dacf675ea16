"""The notebooks of the collection: which there are, what is true of each, and what its cells are.

What is true of one notebook and of no other stands in its manifest, a TOML file beside it. Everything that
differs from notebook to notebook is asked here: the README's table, the handouts, the limits of the tests,
the planted mistakes. `CONTRIBUTING.md` explains the fields of a manifest.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
GLOSSARY = NOTEBOOKS / "glossary.md"

FULL_DATA = "full-data"
NOT_COMPARED = "nbval-ignore-output"
SOLUTION = "solution"
TAGS = {FULL_DATA, NOT_COMPARED, SOLUTION}


class ManifestError(Exception):
    """A sentence for the person at the keyboard: which manifest, and what is wrong with it."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that the notebook has to notice: a piece of its code, and what is planted in its place."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Manifest:
    """What is true of one notebook.

    Attributes:
        subject: What the notebook is about, for the README's table.
        result: What it reaches, for the README's table. `{race}` stands for what its recipe reached in the
            race that `race` names.
        seconds: Measured run time on the full data on two cores; `make run` writes it.
        race: Name of the race in which the notebook's recipe takes part, or an empty string.
        teaching: Minutes that the notebook takes in class, in words.
        exercising: Minutes that its exercises take in class, in words.
        cut: What may be left out in class if time is short.
        mistaken: What students get wrong.
        not_compared: Id of each cell whose output is not compared → why.
        mistakes: The mistakes that are planted in it.
    """

    subject: str
    result: str
    seconds: float
    teaching: str
    exercising: str
    cut: str
    mistaken: str
    race: str = ""
    not_compared: dict[str, str] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()


def notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the paths of all notebooks, in the order of their numbers.

    Args:
        folder: Where they are.
    """
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def manifest_path(notebook: Path) -> Path:
    """Return the path of a notebook's manifest."""
    return notebook.with_suffix(".toml")


def manifest(notebook: Path) -> Manifest:
    """Read the manifest of a notebook.

    Args:
        notebook: Path of the notebook.

    Raises:
        ManifestError: If there is none, or if it lacks a field or has one that nobody knows.
    """
    path = manifest_path(notebook)
    try:
        fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        mistakes = tuple(Mistake(**mistake) for mistake in fields.pop("mistake", []))
        return Manifest(**fields, mistakes=mistakes)
    except FileNotFoundError:
        raise ManifestError(
            f"{notebook.name} has no manifest. Write {path.name} beside it, as CONTRIBUTING.md says."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path.name} is no TOML: {error}.") from None
    except TypeError as error:  # an unknown field, or one that is missing: the error names it
        reason = str(error).replace("__init__()", "it").split(".")[-1]
        raise ManifestError(
            f"{path.name} is not a manifest as CONTRIBUTING.md describes it: {reason}."
        ) from None


def write_seconds(notebook: Path, seconds: float) -> None:
    """Write a measured run time into the manifest of a notebook, and leave the rest as it is.

    Args:
        notebook: Path of the notebook.
        seconds: The run time on the full data.
    """
    path = manifest_path(notebook)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^seconds = .*$", f"seconds = {seconds:.0f}", text), encoding="utf-8")


def read(notebook: Path) -> nbformat.NotebookNode:
    """Read a notebook in the form of nbformat 4."""
    return nbformat.read(notebook, as_version=4)


def title(notebook: Path) -> str:
    """Return the title of a notebook, for example `01 · Gradient descent`."""
    return read(notebook).cells[0].source.splitlines()[0].removeprefix("# ")


def tags(cell: nbformat.NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def is_solution(cell: nbformat.NotebookNode) -> bool:
    """Tell whether a cell is the worked solution of an exercise."""
    return SOLUTION in tags(cell)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(output: nbformat.NotebookNode) -> str:
    """Return everything in an output that is text."""
    data = {kind: value for kind, value in output.get("data", {}).items() if kind.startswith("text/")}
    return "\n".join([output.get("text", ""), *data.values()])
