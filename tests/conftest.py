"""What the tests of the exercises share."""

from collections.abc import Callable
from typing import Any

import pytest


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
