"""What the tests of the exercises share, and the record of planted mistakes."""

from collections.abc import Callable
from typing import Any

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


@pytest.fixture
def said(capsys) -> Callable[..., str]:
    """Return a function that puts an answer to an exercise and returns the line that the check prints."""

    def said(exercise: Callable[..., None], *answer: Any) -> str:
        exercise(*answer)
        return capsys.readouterr().out.strip()

    return said


@pytest.fixture
def rejected(said) -> Callable[..., None]:
    """Return a function that sees a wrong answer rejected with a hint; a | parts hints that fit as well."""

    def rejected(exercise: Callable[..., None], answer: Any, hint: str) -> None:
        verdict = said(exercise, answer)
        assert verdict.startswith("✗"), verdict
        assert "not yet" in verdict
        assert any(part in verdict for part in hint.split("|")), verdict

    return rejected
