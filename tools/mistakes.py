"""Mistakes that are planted in a notebook: cutting it down to what one can reach, and what is known of each.

A mistake is planted in a copy that holds its cell, a cell that may notice it, and the cells that those two
need. `tests/mistakes.json` records of each mistake which cell has noticed it, and the fingerprint of the copy
and of everything else on which the answer depends. As long as the fingerprint stays, so does the answer.
"""

import ast
import copy
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import nbformat
from nbval.plugin import get_sanitize_patterns

from tools import collection, dependencies
from tools.collection import ROOT, Mistake

RECORD = ROOT / "tests" / "mistakes.json"
# What else decides whether an output is right: the versions of all packages, and how outputs are compared.
SHARED = ("constraints.txt", "conftest.py")
SANITIZE = ROOT / "tests" / "sanitize.cfg"


class Planted:
    """A notebook with a mistake in it.

    Attributes:
        cells: The code cells of the notebook as it is.
        planted: The same with the mistake.
        place: Where the mistake is.
        affected: The places of the cells that may notice it, the first nearest to the mistake.
    """

    def __init__(self, path: Path, mistake: Mistake) -> None:
        """Plant a mistake.

        Args:
            path: The notebook.
            mistake: What to plant; its code stands in one cell.
        """
        self.mistake = mistake
        self.metadata = collection.read(path).metadata
        self.cells = collection.code_cells(collection.read(path))
        self.planted = collection.code_cells(collection.read(path))
        (self.place,) = (k for k, cell in enumerate(self.cells) if mistake.old in cell.source)
        cell = self.planted[self.place]
        cell.source = cell.source.replace(mistake.old, mistake.new)
        names = [dependencies.names_of(cell.source) for cell in self.cells]
        # What either version of the cell needs, both copies have.
        self._sources = dependencies.sources_of(names)
        names[self.place] = dependencies.names_of(cell.source)
        after = dependencies.sources_of(names)
        self._sources = [one | other for one, other in zip(self._sources, after, strict=True)]
        self.affected = sorted({self.place} | dependencies.reached_from(self.place, self._sources))

    def cut(self, places: Iterable[int]) -> list[int]:
        """Return the places of the cells in a copy: the mistake, some cells, and what all of them need."""
        return sorted(dependencies.with_sources({self.place, *places}, self._sources))

    def copy_of(self, places: Sequence[int], *, planted: bool) -> nbformat.NotebookNode:
        """Return a notebook of some cells.

        Args:
            places: Where they are.
            planted: Whether with the mistake.
        """
        used = [version[place].source for version in (self.cells, self.planted) for place in places]
        cells = copy.deepcopy([(self.planted if planted else self.cells)[place] for place in places])
        for cell in cells:
            cell.source = dependencies.without_unused_imports(cell.source, used)
        return nbformat.v4.new_notebook(cells=cells, metadata=self.metadata)

    def fingerprint(self, places: Sequence[int]) -> str:
        """Return a number that changes with anything on which the fate of the mistake in a copy depends.

        Args:
            places: Where the cells of the copy are.
        """
        return fingerprint_of(*(self.copy_of(places, planted=planted).cells for planted in (False, True)))


def fingerprint_of(*versions: Sequence[nbformat.NotebookNode], full: bool = False) -> str:
    """Return a number that changes with anything on which a run of some code cells depends.

    Args:
        versions: The cells, once or in several versions. The modules are those that the last one imports.
        full: Whether the run is on the full data, else on the sample.
    """
    digest = hashlib.sha256()
    for cells in versions:
        shown = [[cell.source, sorted(collection.tags(cell)), compared(cell, full=full)] for cell in cells]
        digest.update(json.dumps(shown).encode())
    modules = local_modules(cell.source for cell in versions[-1])
    for path in sorted({*modules, *(ROOT / name for name in SHARED)}):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_text(encoding="utf-8").encode())
    return digest.hexdigest()[:16]


def compared(cell: nbformat.NotebookNode, *, full: bool = False) -> list[str]:
    """Return what nbval compares of the outputs of a cell, so without what was measured.

    Args:
        cell: A code cell.
        full: Whether on the full data, else on the sample.
    """
    if collection.tags(cell) & {collection.NOT_COMPARED, *(() if full else (collection.FULL_DATA,))}:
        return []
    texts = [collection.text_of(output) for output in cell.outputs]
    for pattern, replacement in get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8")):
        texts = [re.sub(pattern, replacement, text) for text in texts]
    return texts


def local_modules(sources: Iterable[str]) -> set[Path]:
    """Return the files of this repository that some code imports, and those that these import.

    Args:
        sources: Pieces of code.
    """
    found: set[Path] = set()
    waiting = list(sources)
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                parts = name.split(".")
                packages = [ROOT.joinpath(*parts[:k], "__init__.py") for k in range(1, len(parts) + 1)]
                for path in [*packages, ROOT.joinpath(*parts).with_suffix(".py")]:
                    if path.is_file() and path not in found:
                        found.add(path)
                        waiting.append(path.read_text(encoding="utf-8"))
    return found


def read_record() -> dict[str, dict[str, dict[str, str]]]:
    """Return what is known: notebook → mistake → the id of the cell that noticed it, and the fingerprint."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def write_record(record: dict[str, dict[str, dict[str, str]]]) -> None:
    """Write what is known.

    Args:
        record: As `read_record` returns it.
    """
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    RECORD.write_text(text + "\n", encoding="utf-8", newline="\n")
