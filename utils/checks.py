"""Verdict lines for what a notebook says, and verdicts on what a reader answers.

A trained number differs between machines in its last digits, so a notebook does not print it as its
result. It prints a verdict line, which is the same on every machine as long as the statement is true, and
which stops the notebook when it is not.
"""

from collections.abc import Callable
from typing import Any

from utils import TutorialError, datasets

import numpy as np


class CheckFailed(TutorialError, AssertionError):
    """A statement of the notebook that does not hold."""


def check(
    statement: str,
    value: Any,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    equals: Any = None,
    close_to: Any = None,
    tolerance: float | None = None,
    sample: float | None = None,
    unit: str = "",
) -> None:
    """Print a verdict line where a statement holds, and stop with a sentence where it does not.

    The line names the bound and never the value, so that it is the same on every machine. With no bound
    the value itself is the verdict and has to be `True`.

    >>> check("the loss at the minimum", 0.03, at_most=0.05)
    ✓ the loss at the minimum is at most 0.05
    >>> check("momentum needs fewer steps", 40 < 90)
    ✓ momentum needs fewer steps

    Args:
        statement: What is claimed: a noun phrase where there is a bound, else a whole statement. A phrase
            with the word "accuracy" has its bounds printed in per cent.
        value: The measured number, or an array for `close_to`, or a truth value where there is no bound.
        at_least: Lower bound of `value`; may stand together with `at_most`.
        at_most: Upper bound of `value`.
        equals: What `value` has to be exactly: a number, a string or a tuple.
        close_to: Number or array of the shape of `value`, which it may differ from by `tolerance`.
        tolerance: Largest absolute difference allowed between any two elements of `value` and `close_to`.
        sample: The bound that stands in for `at_least` or `at_most` where the data are the sample tier.
        unit: Unit printed after a bound.

    Raises:
        CheckFailed: If the statement does not hold. A value that is not a number (NaN) never holds.
        TutorialError: If the check itself is put wrongly, for example without any bound to compare with.
    """
    if sample is not None:
        at_least, at_most, unit = _use_sample_bound(statement, at_least, at_most, sample, unit)
    if close_to is not None or tolerance is not None:
        holds, verdict, found = _compare_arrays(statement, value, close_to, tolerance)
    elif equals is not None:
        holds, verdict, found = bool(value == equals), f"{statement}: {_text(equals)}", _text(value)
    elif at_least is not None or at_most is not None:
        holds, verdict, found = _compare_bounds(statement, value, at_least, at_most, unit)
    else:
        if not isinstance(value, bool | np.bool_):
            raise TutorialError(
                f"check({statement!r}, …) has no bound, so its value has to be True or False, not {value!r}. "
                "Add at_least=, at_most=, equals= or close_to=."
            )
        holds, verdict, found = bool(value), statement, "false"
    if not holds:
        raise CheckFailed(f"✗ not so: {verdict}. Found: {found}.")
    print(f"✓ {verdict}")


def _use_sample_bound(
    statement: str, at_least: float | None, at_most: float | None, sample: float, unit: str
) -> tuple[float | None, float | None, str]:
    """Return the bounds that hold for the data loaded last: the sample's own on the sample tier."""
    if (at_least is None) == (at_most is None):
        raise TutorialError(
            f"check({statement!r}, …, sample=…) needs one of at_least= and at_most=, not both."
        )
    tier = datasets.current_tier()
    if tier is None:
        raise TutorialError(f"check({statement!r}, …, sample=…) comes before any data set was loaded.")
    if tier != "sample":
        return at_least, at_most, unit
    unit = f"{unit} (sample data)".strip()
    return (sample, None, unit) if at_most is None else (None, sample, unit)


def _compare_bounds(
    statement: str, value: Any, at_least: float | None, at_most: float | None, unit: str
) -> tuple[bool, str, str]:
    """Compare a number with its bounds; NaN compares false, as it should."""
    number = float(value)
    percent = "accuracy" in statement
    lower, upper = (None if bound is None else _bound(bound, percent) for bound in (at_least, at_most))
    holds = (at_least is None or number >= at_least) and (at_most is None or number <= at_most)
    if lower and upper:
        verdict = f"{statement} is between {lower} and {upper}"
    else:
        verdict = f"{statement} is at least {lower}" if lower else f"{statement} is at most {upper}"
    return holds, f"{verdict} {unit}".rstrip(), _bound(number, percent)


def _compare_arrays(
    statement: str, value: Any, close_to: Any, tolerance: float | None
) -> tuple[bool, str, str]:
    """Compare two arrays of one shape; broadcasting would hide the very mistakes that are looked for."""
    if close_to is None or tolerance is None:
        raise TutorialError(f"check({statement!r}, …) needs close_to= and tolerance= together.")
    left, right = np.asarray(value, dtype=np.float64), np.asarray(close_to, dtype=np.float64)
    verdict = f"{statement} agree to {_text(tolerance)}"
    if left.shape != right.shape:
        return False, verdict, f"shapes {left.shape} and {right.shape}"
    largest = float(np.max(np.abs(left - right), initial=0.0))
    return largest <= tolerance, verdict, f"a largest difference of {largest:.3g}"


def _bound(number: float, percent: bool) -> str:
    """Write a number as a reader would: 0.975 as 97.5 % where it is an accuracy, 101770 as 101,770."""
    return f"{100 * number:.6g} %" if percent else _text(number)


def _text(value: Any) -> str:
    """Write a value for a sentence, with thousands separated."""
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):  # 1e-06 would be the computer's way to write 1e-6
        return f"{value:,.6g}".replace("e-0", "e-")
    return str(value)


class NotAttempted(Exception):
    """The reader has not replaced the `...` of an exercise yet."""


class Wrong(Exception):
    """An answer that is wrong; the message is the hint."""


def judge(title: str, verdict: Callable[[], None]) -> None:
    """Print whether the answer to an exercise is right, wrong and why, or not attempted; never raise.

    A wrong answer must not stop "Run All", so everything that the reader's own code may do is caught.

    Args:
        title: Name of the exercise, as its heading has it.
        verdict: Called without arguments. Returns where the answer is right, raises `Wrong` with a hint or
            `NotAttempted` where it is not.
    """
    try:
        verdict()
    except NotAttempted:
        print(f"○ {title}: not attempted yet")
    except Wrong as hint:
        print(f"✗ {title}: not yet. {hint}")
    else:
        print(f"✓ {title}: right")


def call(function: Any, *arguments: Any, **keywords: Any) -> Any:
    """Call a reader's function and return its answer.

    Args:
        function: What the reader defined; anything at all.
        *arguments: Passed on.
        **keywords: Passed on.

    Raises:
        NotAttempted: If the function, or what it returns, is still `...`.
        Wrong: If it is no function, raises an error or returns nothing, with a sentence that says so.
    """
    if function is ...:
        raise NotAttempted
    if not callable(function):
        raise Wrong(f"A function is asked for, and this is {_kind(function)}.")
    try:
        answer = function(*arguments, **keywords)
    except Exception as error:
        raise Wrong(f"Your function stopped with {type(error).__name__}: {error}") from None
    if answer is ...:
        raise NotAttempted
    if answer is None:
        raise Wrong("Your function returns nothing. Is there a `return` missing?")
    return answer


def number(answer: Any) -> float:
    """Return a reader's answer as one number, whatever kind of number it is.

    Args:
        answer: A Python number, a NumPy number, or an array or tensor with one element.

    Raises:
        NotAttempted: If it is still `...`.
        Wrong: If it is not one finite number.
    """
    values = array(answer)
    if values.size != 1:
        raise Wrong(f"One number is asked for, and this has the shape {values.shape}.")
    return float(values.reshape(()))


def array(answer: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return a reader's answer as an array of numbers.

    Args:
        answer: Number, list, NumPy array or tensor, of any numeric dtype.
        shape: The shape that is asked for, or `None` for any.

    Returns:
        Array of float64.

    Raises:
        NotAttempted: If it is still `...`.
        Wrong: If it does not consist of finite numbers, or has another shape.
    """
    if answer is ...:
        raise NotAttempted
    try:
        values = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise Wrong(f"Numbers are asked for, and this is {_kind(answer)}.") from None
    if shape is not None and values.shape != shape:
        raise Wrong(f"The shape {shape} is asked for, and this has the shape {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise Wrong("There are values in it that are infinite or not a number.")
    return values


def is_close(answer: Any, expected: Any, tolerance: float = 1e-4) -> bool:
    """Tell whether two arrays of one shape agree, up to `tolerance` relative to the expected values.

    Args:
        answer: Numbers of the shape of `expected`.
        expected: The right numbers.
        tolerance: Relative, and below a size of one absolute; the default leaves room for float32.
    """
    left, right = np.asarray(answer, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return left.shape == right.shape and bool(
        np.all(np.abs(left - right) <= tolerance * np.maximum(1, np.abs(right)))
    )


def _kind(value: Any) -> str:
    """Name the kind of a value for a sentence."""
    return f"{value!r} of type {type(value).__name__}"
