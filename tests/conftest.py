"""The record of planted mistakes."""

import pytest

from tools import collection, mistakes

_entries: list[tuple[str, str, dict[str, str]]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let planted mistakes be spared whose fate is known."""
    parser.addoption("--changed", action="store_true", help="plant only mistakes whose fate may have changed")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which cell has noticed a planted mistake."""
    if report.when == "call" and report.passed:
        _entries.extend(value for name, value in report.user_properties if name == "mistake")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the record of planted mistakes if every one was planted and caught just now."""
    planted = [
        (path.stem, mistake.name)
        for path in collection.notebooks()
        for mistake in collection.manifest(path).mistakes
    ]
    if exitstatus == 0 and sorted(planted) == sorted((notebook, name) for notebook, name, _ in _entries):
        record: dict[str, dict[str, dict[str, str]]] = {}
        for notebook, name, entry in _entries:
            record.setdefault(notebook, {})[name] = entry
        mistakes.write_record(record)
