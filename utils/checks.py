"""Verdict lines: what a notebook says about a result, checked when it runs.

A trained number differs between machines in its last digits, and a sentence about it has to hold all the
same. So a notebook states a result by a verdict line, which shows what was found beside what is claimed, and
which stops the notebook where the claim does not hold. The tests compare the line without what was found
(`tests/sanitize.cfg`).
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from utils import TutorialError

import numpy as np

TIERS = ("full", "sample")
MOST_DIGITS = 15  # a float has no more


class CheckFailed(TutorialError, AssertionError):
    """A statement of the notebook that does not hold."""


@dataclass(frozen=True)
class Verdict:
    """What became of a statement.

    Attributes:
        statement: What is claimed.
        found: The value as a reader reads it; empty where the value is no more than true or false.
        bound: What the value is compared with, for example `at least 98.3 %`; empty where `found` says all.
        holds: Whether the statement holds.
        judged: Whether it means anything on the data that were used.
    """

    statement: str
    found: str
    bound: str
    holds: bool
    judged: bool = True

    def __str__(self) -> str:
        """Return the line that a notebook prints."""
        remark = self.bound if self.judged else "not judged on the sample"
        line = f"{self.statement}: {self.found}" if self.found else self.statement
        return f"{'✓' if self.judged else '○'} {line}" + (f" ({remark})" if remark else "")


def check(statement: str, value: Any, **how: Any) -> None:
    """Print a verdict line where a statement holds, and stop with a sentence where it does not.

    >>> check("loss at the minimum", 0.0312, at_most=0.05)
    ✓ loss at the minimum: 0.0312 (at most 0.05)
    >>> check("test accuracy", 0.98714, at_least=0.983, percent=True)
    ✓ test accuracy: 98.71 % (at least 98.3 %)
    >>> check("gained by moving the digits", 0.0052, at_least=0.003, points=True)
    ✓ gained by moving the digits: 0.52 percentage points (at least 0.3)
    >>> check("scores by hand and by Keras", [1.0, 2.000002], close_to=[1.0, 2.0], tolerance=1e-3)
    ✓ scores by hand and by Keras: largest difference 2e-6 (at most 1e-3)
    >>> check("parameters", 101_770, equals=784 * 128 + 128 + 128 * 10 + 10)
    ✓ parameters: 101,770
    >>> check("momentum needs fewer steps", 40 < 90)
    ✓ momentum needs fewer steps
    >>> check("test accuracy", 0.91, at_least=0.983, percent=True, tier="sample", sample=0.9)
    ✓ test accuracy: 91.00 % (at least 90 % on the sample)
    >>> check("test accuracy", 0.91, at_least=0.983, percent=True, tier="sample")
    ○ test accuracy: 91.00 % (not judged on the sample)

    Args:
        statement: What is claimed: a noun phrase where there is a bound, else a whole statement.
        value: The measured number, or an array for `close_to`, or a truth value where there is no bound.
        **how: What the value is compared with, and how it is written; the arguments of `weigh`.

    Raises:
        CheckFailed: If the statement does not hold. A value that is not a number (NaN) never holds.
        TutorialError: If the check itself is put wrongly, for example without any bound to compare with.
    """
    verdict = weigh(statement, value, **how)
    if not verdict.holds:
        claim = f"{verdict.statement} ({verdict.bound})" if verdict.bound else verdict.statement
        raise CheckFailed(f"✗ not so: {claim}. Found: {verdict.found or 'false'}.")
    print(verdict)


def weigh(
    statement: str,
    value: Any,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    equals: Any = None,
    close_to: Any = None,
    tolerance: float | None = None,
    percent: bool = False,
    points: bool = False,
    unit: str = "",
    possible: tuple[float, float] | None = None,
    spread: float | None = None,
    tier: str | None = None,
    sample: float | None = None,
) -> Verdict:
    """Return the verdict on a statement; `check` prints it or stops.

    Args:
        statement: What is claimed.
        value: The measured number, array or truth value.
        at_least: Lower bound of `value`; may stand together with `at_most`.
        at_most: Upper bound of `value`.
        equals: What `value` has to be exactly: a number, a string or a tuple.
        close_to: Number or array of the shape of `value`, which it may differ from by `tolerance`.
        tolerance: Largest absolute difference allowed between any two elements of `value` and `close_to`.
        percent: Whether the value is a part of one, such as an accuracy, that is written in per cent.
        points: Whether the value is a difference of two parts of one, written in percentage points.
        unit: Unit of the value, for example `"s"`.
        possible: Least and largest value that the quantity can take at all; known for `percent` and `points`.
        spread: Standard deviation of the value, for example over seeds, in the units of `value`.
        tier: The tier of the data, `data.tier`, where the statement is about the full data. On the sample it
            is judged by `sample`, or, where there is none, not at all.
        sample: The bound that stands in for `at_least` or `at_most` on the sample.

    Raises:
        TutorialError: If the check is put wrongly: nothing to compare with, a value that the quantity cannot
            have, or a bound that it cannot break.
    """
    where = f"check({statement!r}, …)"
    if percent + points + bool(unit) > 1:
        raise TutorialError(f"{where} has more than one of percent=, points= and unit=.")
    if tier is not None and tier not in TIERS:
        raise TutorialError(f"{where}: tier={tier!r} is neither 'full' nor 'sample'. Pass data.tier.")
    if sample is not None and tier is None:
        raise TutorialError(f"{where} has a bound for the sample. Pass tier=data.tier, too.")
    if sample is not None and (at_least is None) == (at_most is None):
        raise TutorialError(
            f"{where}: sample= stands in for one of at_least= and at_most=, and not for both."
        )
    write = _Writer(percent, points, unit)
    judged = tier != "sample" or sample is not None
    remark = ""
    if close_to is not None or tolerance is not None:
        holds, found, bound = _compare_arrays(where, value, close_to, tolerance)
    elif equals is not None:
        holds = bool(value == equals)
        found = _exact(equals if holds else value, 6)
        bound = "" if holds else f"exactly {_exact(equals, 6)}"
    elif at_least is not None or at_most is not None:
        limits = possible or ((0.0, 1.0) if percent else (-1.0, 1.0) if points else (-math.inf, math.inf))
        number = _number(where, value, limits)
        for lower, upper in {(at_least, at_most), _swapped(at_least, at_most, sample)}:
            _expect_breakable(where, lower, upper, limits)
        if tier == "sample" and sample is not None:
            at_least, at_most = _swapped(at_least, at_most, sample)
            remark = " on the sample"
        holds = (at_least is None or number >= at_least) and (at_most is None or number <= at_most)
        found = write.value(number, spread, at_least, at_most)
        bound = write.bounds(at_least, at_most) + remark
    else:
        if not isinstance(value, bool | np.bool_):
            raise TutorialError(
                f"{where} has no bound, so its value has to be True or False, not {value!r}. "
                "Add at_least=, at_most=, equals= or close_to=."
            )
        holds, found, bound = bool(value), "", ""
    return Verdict(statement, found, bound, holds or not judged, judged)


def _swapped(
    at_least: float | None, at_most: float | None, sample: float | None
) -> tuple[float | None, float | None]:
    """Return the bounds with that of the sample in place of the one that there is."""
    if sample is None:
        return at_least, at_most
    return (sample, None) if at_most is None else (None, sample)


def _number(where: str, value: Any, limits: tuple[float, float]) -> float:
    """Return the value as a number that the quantity can have; NaN passes, for it holds nowhere."""
    number = float(value)
    if number < limits[0] or number > limits[1]:
        raise TutorialError(
            f"{where} was given {number:g}, and the quantity lies between {limits[0]:g} and {limits[1]:g}. "
            "A part is counted from 0 to 1: divide by the number of all."
        )
    return number


def _expect_breakable(
    where: str, at_least: float | None, at_most: float | None, limits: tuple[float, float]
) -> None:
    """Refuse a bound that no possible value can break, or that none can keep."""
    low, high = limits
    for bound, always, never in (
        (at_least, at_least is not None and at_least <= low, at_least is not None and at_least > high),
        (at_most, at_most is not None and at_most >= high, at_most is not None and at_most < low),
    ):
        if bound is None:
            continue
        if math.isnan(bound) or always:
            raise TutorialError(f"{where}: no possible value breaks the bound {bound:g}, so it says nothing.")
        if never:
            raise TutorialError(f"{where}: no possible value keeps the bound {bound:g}.")


def _compare_arrays(where: str, value: Any, close_to: Any, tolerance: float | None) -> tuple[bool, str, str]:
    """Compare two arrays of one shape; broadcasting would hide the very mistakes that are looked for."""
    if close_to is None or tolerance is None:
        raise TutorialError(f"{where} needs close_to= and tolerance= together.")
    if not 0 <= tolerance < math.inf:
        raise TutorialError(f"{where}: tolerance={tolerance!r} is no finite number from 0 on.")
    left, right = np.asarray(value, dtype=np.float64), np.asarray(close_to, dtype=np.float64)
    bound = f"at most {_power(tolerance)}"
    if left.shape != right.shape:
        return False, f"shapes {left.shape} and {right.shape}", bound
    largest = float(np.max(np.abs(left - right), initial=0.0))
    return largest <= tolerance, f"largest difference {_shown(largest, 1, None, tolerance)}", bound


@dataclass(frozen=True)
class _Writer:
    """Writes a value and its bounds in one unit."""

    percent: bool
    points: bool
    unit: str

    @property
    def _scale(self) -> int:
        return 100 if self.percent or self.points else 1

    @property
    def _unit(self) -> str:
        return " %" if self.percent else f" {self.unit}".rstrip()

    def value(
        self, number: float, spread: float | None, at_least: float | None, at_most: float | None
    ) -> str:
        """Write a value: parts of a hundred to two decimals, other numbers to three digits.

        Where its spread is given, that has two digits, and the value is rounded as it is.
        """
        scale = self._scale
        suffix = " percentage points" if self.points else self._unit
        scaled = [None if bound is None else scale * bound for bound in (at_least, at_most)]
        if spread is not None and spread > 0 and math.isfinite(number):
            decimals = max(0, 1 - math.floor(math.log10(scale * spread)))
            return f"{scale * number:,.{decimals}f} ± {scale * spread:,.{decimals}f}{suffix}"
        if scale == 100:
            return f"{_fixed(scale * number, *scaled)}{suffix}"
        return f"{_shown(number, 3, *scaled)}{suffix}"

    def bounds(self, at_least: float | None, at_most: float | None) -> str:
        """Write one bound, or both."""
        lower, upper = (
            None if bound is None else _exact(self._scale * float(bound), 4) for bound in (at_least, at_most)
        )
        if lower and upper:
            return f"between {lower} and {upper}{self._unit}"
        return f"at least {lower}{self._unit}" if lower else f"at most {upper}{self._unit}"


def _agrees(shown: float, number: float, at_least: float | None, at_most: float | None) -> bool:
    """Tell whether a rounded number keeps and breaks the bounds that the number itself keeps and breaks."""
    keeps_lower = at_least is None or (shown >= at_least) == (number >= at_least)
    keeps_upper = at_most is None or (shown <= at_most) == (number <= at_most)
    return keeps_lower and keeps_upper


def _fixed(number: float, at_least: float | None, at_most: float | None) -> str:
    """Write a number with two decimals, or with as many as show on which side of its bounds it is."""
    for decimals in range(2, MOST_DIGITS):
        text = f"{number:,.{decimals}f}"
        if not math.isfinite(number) or _agrees(float(text.replace(",", "")), number, at_least, at_most):
            break
    return text


def _shown(number: Any, digits: int, at_least: float | None, at_most: float | None) -> str:
    """Write a number with some digits, or with as many as show on which side of its bounds it is."""
    if float(number).is_integer() and abs(number) < 1e9:
        return f"{int(number):,}"
    for more in range(digits, MOST_DIGITS):
        rounded = float(f"{number:.{more}g}")
        if not math.isfinite(number) or _agrees(rounded, number, at_least, at_most):
            break
    return _exact(rounded)


def _power(number: float) -> str:
    """Write a small tolerance as a power of ten: 1e-3, where `_exact` would write 0.001."""
    text = f"{number:.0e}".replace("e-0", "e-")
    return text if 0 < number < 0.01 and float(text) == number else _exact(number)


def _exact(value: Any, digits: int = 10) -> str:
    """Write a value for a sentence, with thousands separated and powers of ten as a reader writes them."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        if 1000 <= abs(value) < 1e9:
            return f"{value:,.0f}"
        return re.sub(r"e\+?(-?)0*", r"e\1", f"{value:.{digits}g}")
    return str(value)
