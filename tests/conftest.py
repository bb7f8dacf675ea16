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
