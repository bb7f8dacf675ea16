"""The notebooks of the collection: which there are, what is true of each, and what its cells are.

What is true of one notebook and of no other stands in its manifest, a TOML file beside it, and in its first
cell: title, promise and card. Everything that differs from notebook to notebook is asked here: the README's
table, the handouts, the limits of the tests, the planted mistakes. `CONTRIBUTING.md` explains the fields of
a manifest and the form of a card.
"""

import re
import sys
from collections.abc import Sequence
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
README = ROOT / "README.md"

FULL_DATA = "full-data"
NOT_COMPARED = "nbval-ignore-output"
SOLUTION = "solution"
TAGS = {FULL_DATA, NOT_COMPARED, SOLUTION}

CARD = ("You will be able to", "You need", "Reading time", "Run time", "Data")
NUMBERS = ("a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
DURATION = re.compile(rf"\b(?P<number>\d+|an|one|{'|'.join(NUMBERS)}) (?P<unit>minute|hour)s?\b")


class CollectionError(Exception):
    """A sentence for the person at the keyboard: which notebook or manifest, and what is wrong with it."""


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


def name() -> str:
    """Return the name of the collection, which is the title of the README."""
    return README.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def notebooks() -> list[Path]:
    """Return the paths of all notebooks, in the order of their numbers."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def select(beginnings: Sequence[str]) -> list[Path]:
    """Return the notebooks whose file names begin in one of some ways, or all of them.

    Args:
        beginnings: For example `["03", "05_imdb"]`; for an empty list, all notebooks are returned.

    Raises:
        CollectionError: If no notebook's name begins in one of these ways.
    """
    paths = notebooks()
    for beginning in beginnings:
        if not any(path.name.startswith(beginning) for path in paths):
            known = ", ".join(path.stem for path in paths)
            raise CollectionError(
                f"There is no notebook whose name begins with {beginning!r}. There are: {known}."
            )
    return [path for path in paths if not beginnings or path.name.startswith(tuple(beginnings))]


def manifest_path(notebook: Path) -> Path:
    """Return the path of a notebook's manifest."""
    return notebook.with_suffix(".toml")


def manifest(notebook: Path) -> Manifest:
    """Read the manifest of a notebook.

    Args:
        notebook: Path of the notebook.

    Raises:
        CollectionError: If there is none, or if it lacks a field or has one that nobody knows.
    """
    path = manifest_path(notebook)
    try:
        fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        mistakes = tuple(Mistake(**mistake) for mistake in fields.pop("mistake", []))
        return Manifest(**fields, mistakes=mistakes)
    except FileNotFoundError:
        raise CollectionError(
            f"{notebook.name} has no manifest. Write {path.name} beside it, as CONTRIBUTING.md says."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise CollectionError(f"{path.name} is no TOML: {error}.") from None
    except TypeError as error:  # an unknown field, or one that is missing: the error names it
        reason = str(error).replace("__init__()", "it").split(".")[-1]
        raise CollectionError(
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
    # Only the first: a planted mistake may hold a line of code that looks the same.
    text = re.sub(r"(?m)^seconds = .*$", f"seconds = {seconds:.0f}", text, count=1)
    path.write_text(text, encoding="utf-8", newline="\n")


def read(notebook: Path) -> nbformat.NotebookNode:
    """Read a notebook in the form of nbformat 4."""
    return nbformat.read(notebook, as_version=4)


def title(notebook: Path) -> str:
    """Return the title of a notebook, for example `01 · Gradient descent`."""
    return read(notebook).cells[0].source.splitlines()[0].removeprefix("# ")


def card(notebook: Path) -> dict[str, str]:
    """Return the card in the first cell of a notebook: what stands in bold in its table → what follows it."""
    return dict(re.findall(r"(?m)^\| \*\*(.+?)\*\* \| (.+) \|$", read(notebook).cells[0].source))


def minutes(notebook: Path, entry: str) -> int:
    """Return the first length of time in an entry of a notebook's card, in minutes.

    Args:
        notebook: Path of the notebook.
        entry: `"Reading time"` or `"Run time"`. The time is written in figures or, up to twelve, in words:
            `about 75 minutes`, `under a minute`, `eight minutes at most`, `an hour`.

    Raises:
        CollectionError: If there is no such entry, or no time in it.
    """
    found = DURATION.search(card(notebook).get(entry, ""))
    if found is None:
        raise CollectionError(
            f"The card of {notebook.name} has no {entry.lower()}. Write it as in “about 75 minutes”."
        )
    number = found["number"]
    if not number.isdigit():
        number = 1 if number in ("an", "one") else 1 + NUMBERS.index(number)
    return int(number) * (60 if found["unit"] == "hour" else 1)


def tags(cell: nbformat.NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def is_solution(cell: nbformat.NotebookNode) -> bool:
    """Tell whether a cell is the worked solution of an exercise."""
    return SOLUTION in tags(cell)


def is_folded(cell: nbformat.NotebookNode) -> bool:
    """Tell whether JupyterLab hides the source of a cell until one clicks on it."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(output: nbformat.NotebookNode) -> str:
    """Return everything in an output that is text: what was printed, and values as text."""
    data = {kind: value for kind, value in output.get("data", {}).items() if kind.startswith("text/")}
    return "\n".join([output.get("text", ""), *data.values()])
