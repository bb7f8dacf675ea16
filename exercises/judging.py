"""How the answer to an exercise is judged: right, wrong with a hint, or not attempted; never by an exception.

Most exercises are a table of the right answer and the usual wrong ones, each with its hint:

    @judged_by_table(cases=[(np.array([0, 1, 1]), np.array([0, 1, 0]))])
    def exercise_1(y, p):
        hits = y == p
        return {
            "right": hits.mean(),
            "You count the hits. What part of all examples are they?": hits.sum(),
            "How often do label and prediction agree?": ...,
        }

The others are a function that raises `WrongAnswer`. The notebook calls `exercise_1(answer)` for the verdict.
"""

import copy
import functools
import itertools
import reprlib
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# What a reader's code may raise without stopping "Run All". An interrupt is not among these.
CAUGHT = (Exception, SystemExit)
WHOLE = ""  # name of an answer that does not have parts


class NotAttempted(Exception):
    """The reader has not replaced the `...` of an exercise yet."""


class WrongAnswer(Exception):
    """An answer is wrong; the message is the hint."""


class Exercise:
    """Judges the answers to an exercise: called with one, it prints a verdict."""

    def __init__(self, function: Callable, verdict: Callable, cases: Sequence[tuple] = ()) -> None:
        """Name the exercise after a function such as `exercise_1`.

        Args:
            function: What is decorated; where there are cases, it returns a table for each.
            verdict: Called with an answer and what the notebook adds to it. Returns where the answer is
                right, raises `WrongAnswer` or `NotAttempted` where it is not.
            cases: Arguments of the function.
        """
        self.title = function.__name__.replace("_", " ").capitalize()
        self.function, self.verdict, self.cases = function, verdict, cases
        self.__doc__ = function.__doc__

    def __call__(self, answer: Any, *given: Any) -> None:
        """Print whether an answer, which may be anything, is right, wrong and why, or not attempted."""
        try:
            if answer is ...:
                raise NotAttempted
            self.verdict(answer, *given)
        except NotAttempted:
            print(f"○ {self.title}: not attempted yet")
        except WrongAnswer as hint:
            print(f"✗ {self.title}: not yet. {hint}")
        except CAUGHT as error:
            print(f"✗ {self.title}: not yet. Judging your answer stopped with {type(error).__name__}.")
        else:
            print(f"✓ {self.title}: right")


def judged(verdict: Callable[..., None]) -> Exercise:
    """Make an exercise of a function that raises `WrongAnswer` where an answer is wrong."""
    return Exercise(verdict, verdict)


def judged_by_table(cases: Sequence[tuple] = ((),), tolerance: float = 1e-4) -> Callable:
    """Make an exercise of a function that returns a table: what to say to an answer → the answer.

    First stands "right", with numbers, or a dictionary of the parts of a tuple by their names. Then stand
    hints, of which the first that fits is given, each with a wrong answer or a tuple of several:

    - numbers, or a dictionary of those parts that the hint is about;
    - the name of a part, for whatever else is wrong with it, or `...` for any wrong answer;
    - a condition, which is a function of the answer.

    Args:
        cases: Arguments for the table and for the reader's function; the first whose answer is wrong decides.
            A case without arguments asks for a value in place of a function.
        tolerance: How far an answer may be from one of the table; see `is_close`.
    """

    def verdict(table_for: Callable, answer: Any) -> None:
        for case in cases:
            found = call_answer(answer, *case) if case else answer
            with np.errstate(all="ignore"):
                _look_up(found, table_for(*case), tolerance)

    return lambda table_for: Exercise(table_for, functools.partial(verdict, table_for), cases)


def _look_up(answer: Any, table: dict[str, Any], tolerance: float) -> None:
    """Raise the hint that a table has for an answer, unless it is right."""
    right = _by_part(table["right"])
    found = _read_parts(answer, right)
    wrong = [part for part in right if not is_close(found[part], right[part], tolerance)]
    for hint, entry in itertools.islice(table.items(), 1, None) if wrong else ():
        for mistake in entry if isinstance(entry, tuple) else (entry,):
            if isinstance(mistake, str | types.EllipsisType):
                concerned = [part for part in wrong if mistake in (part, ...)]
                for part in concerned:
                    _expect(found[part], right[part].shape, part)
                fits = bool(concerned)
            elif callable(mistake):
                fits = found[WHOLE].shape == right[WHOLE].shape and mistake(found[WHOLE])
            else:
                parts = _by_part(mistake)
                fits = not parts.keys().isdisjoint(wrong) and all(
                    is_close(found[part], values, tolerance)
                    # Where even the shape is wrong, the shape tells.
                    or found[part].shape == values.shape != right[part].shape
                    for part, values in parts.items()
                )
            if fits:
                raise WrongAnswer(hint)


def _by_part(answer: Any) -> dict[str, np.ndarray]:
    """Return an answer of a table as arrays by the names of the parts."""
    parts = answer if isinstance(answer, dict) else {WHOLE: answer}
    return {part: np.asarray(values, dtype=np.float64) for part, values in parts.items()}


def _read_parts(answer: Any, right: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a reader's answer as arrays by the names of the parts."""
    if WHOLE in right:
        values = _as_floats(answer)
        if right[WHOLE].ndim == 0 and values.size != 1:
            raise WrongAnswer(f"One number is asked for, and this has the shape {values.shape}.")
        return {WHOLE: values if right[WHOLE].ndim else values.reshape(())}
    try:
        parts = list(itertools.islice(answer, len(right) + 1))
    except CAUGHT:
        parts = []
    if isinstance(answer, str) or len(parts) != len(right):
        kind = "arrays" if any(values.ndim for values in right.values()) else "numbers"
        raise WrongAnswer(f"{len(right)} {kind} are asked for, in this order: {', '.join(right)}.")
    found = dict(zip(right, map(_as_floats, parts), strict=True))
    for part, values in found.items():
        if values.shape == (1, *right[part].shape):  # a row (1, m) for a bias is a matter of taste
            found[part] = values[0]
    return found


def call_answer(function: Any, *arguments: Any) -> Any:
    """Return what a reader's function, which may be anything at all, makes of the arguments.

    Raises:
        NotAttempted: If that is `...`.
        WrongAnswer: If it is no function, raises an error, returns nothing, or changes its arguments.
    """
    if not callable(function):
        raise WrongAnswer(f"A function is asked for, and this is {_described(function)}.")
    given = [copy.copy(value) if isinstance(value, list | np.ndarray) else value for value in arguments]
    try:
        with np.errstate(all="ignore"):  # the verdict says what became of an overflow
            answer = function(*given)
    except (NotAttempted, WrongAnswer):  # from a judge's own function that calls the reader's
        raise
    except CAUGHT as error:
        raise WrongAnswer(f"Your function stopped with {type(error).__name__}: {error}") from None
    if answer is ...:
        raise NotAttempted
    reject_if(answer is None, "Your function returns nothing. Is there a `return` missing?")
    for before, after in zip(arguments, given, strict=True):
        if isinstance(before, list | np.ndarray) and not np.array_equal(before, after):
            kind = "list" if isinstance(before, list) else "array"
            raise WrongAnswer(f"Your function changes the {kind} that it was given. Return a new one.")
    return answer


def predict(model: Any, pictures: np.ndarray) -> np.ndarray:
    """Return the ten numbers that a reader's Keras model, which may be anything, gives each picture."""
    reject_if(not hasattr(model, "predict"), "A Keras model is asked for.")
    try:
        answer = model.predict(pictures, batch_size=1000, verbose=0)
    except CAUGHT as error:
        shape = ", ".join(map(str, ("n", *pictures.shape[1:])))
        raise WrongAnswer(f"On pictures of shape ({shape}) your network stopped with: {error}") from None
    answer = as_array(answer)
    hint = f"Its answer has the shape {answer.shape}; ten numbers for each picture are asked for."
    reject_if(answer.shape != (len(pictures), 10), hint)
    return answer


def reject_if(condition: Any, hint: str) -> None:
    """Raise `WrongAnswer` with a hint where a condition holds."""
    if condition:
        raise WrongAnswer(hint)


def as_array(answer: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an answer as an array of float64, or raise `NotAttempted` or `WrongAnswer`.

    Args:
        answer: Finite numbers: a list, an array or a tensor, of any numeric dtype.
        shape: The shape that is asked for, or `None` for any.
    """
    return _expect(_as_floats(answer), shape)


def is_close(answer: Any, expected: Any, tolerance: float = 1e-4) -> bool:
    """Tell whether two arrays of one shape agree.

    Args:
        answer: Numbers of the shape of `expected`.
        expected: The right numbers.
        tolerance: Relative, and below a size of one absolute; the default leaves room for float32.
    """
    left, right = np.asarray(answer, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return left.shape == right.shape and bool(  # broadcasting would hide a mistake
        np.all(np.abs(left - right) <= tolerance * np.maximum(1, np.abs(right)))
    )


def near(expected: float, tolerance: float) -> Callable[[Any], bool]:
    """Return a condition for a table: to be as close to a number as a tolerance of its own says."""
    return functools.partial(is_close, expected=expected, tolerance=tolerance)


def random_arrays(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return arrays of normal numbers, for a case."""
    random = np.random.RandomState(seed)
    return tuple(random.normal(size=shape) for shape in shapes)


def _as_floats(answer: Any) -> np.ndarray:
    """Return an answer as an array of float64 that may be infinite or not a number."""
    if answer is ...:
        raise NotAttempted
    wanted = "Numbers are"
    try:
        kind = np.asarray(answer).dtype.kind
        if kind not in "cUSMm" and answer is not None:  # what is not read as it was meant, or by mistake
            return np.asarray(answer, dtype=np.float64)
        wanted = "Real numbers are" if kind == "c" else wanted
    except OverflowError:
        raise WrongAnswer("There is a number in it that is too large.") from None
    except CAUGHT:
        pass
    raise WrongAnswer(f"{wanted} asked for, and this is {_described(answer)}.")


def _described(value: Any) -> str:
    """Name a value and its type for a sentence, in short."""
    return f"{reprlib.repr(value)} of type {type(value).__name__}"


def _expect(values: np.ndarray, shape: tuple[int, ...] | None, part: str = WHOLE) -> np.ndarray:
    """Return values that have a shape and are finite."""
    if shape is not None and values.shape != shape:
        wanted = f"{part} has to have the shape {shape}" if part else f"The shape {shape} is asked for"
        raise WrongAnswer(f"{wanted}, and {'yours' if part else 'this'} has the shape {values.shape}.")
    reject_if(not np.all(np.isfinite(values)), "There are values in it that are infinite or not a number.")
    return values
