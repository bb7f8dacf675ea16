"""Runs copies of notebooks in which something was planted."""

from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbFile, NbCellError

from tools.collection import ROOT


class Runner:
    """Runs notebooks under the suite's own settings, in this process."""

    def __init__(self, session: pytest.Session, folder: Path) -> None:
        self._session, self._folder = session, folder
        self._rules = session.config.pluginmanager.get_plugin(str(ROOT / "conftest.py"))
        self.passed: set[tuple[Path, tuple[int, ...]]] = set()

    def first_failure(self, notebook: nbformat.NotebookNode) -> tuple[int, str] | None:
        """Run a notebook up to the first cell that fails; return its place and what it says."""
        path = self._folder / "copy.ipynb"
        nbformat.write(notebook, path)
        file = IPyNbFile.from_parent(self._session, path=path)
        cells = list(file.collect())
        self._rules.pytest_collection_modifyitems(self._session.config, cells)
        file.setup()
        try:
            for place, cell in enumerate(cells):
                try:
                    cell.runtest()
                except NbCellError as error:
                    return place, f"{error}\n{error.inner_traceback or ''}"
        finally:
            file.teardown()
        return None
