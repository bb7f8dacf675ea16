"""The exercises: right answers of every form pass, usual wrong ones get their hint, and nothing raises.

The answers to the exercises of a notebook stand in `answers`, in a module that is called as theirs in
`exercises`. What a table says is tested by itself.
"""

import importlib
import itertools
import pkgutil
import re
from types import SimpleNamespace

import exercises
from exercises import judging
from exercises.judging import Exercise, NotAttempted, WrongAnswer, as_array, call_answer, is_close, judged

import keras
import numpy as np
import pytest
import tensorflow as tf

from answers import mnist_dense

MODULES = {
    module.name: importlib.import_module(f"exercises.{module.name}")
    for module in pkgutil.iter_modules(exercises.__path__)
    if module.name != "judging"
}
ANSWERS = {name: importlib.import_module(f"answers.{name}") for name in MODULES}
JUDGES = {  # with those that only help
    f"{name} {attribute.removeprefix('exercise_')}": judge
    for name, module in MODULES.items()
    for attribute, judge in vars(module).items()
    if isinstance(judge, Exercise)
}
NAMES = [name for name in JUDGES if name[-1].isdigit()]


def answers_to(name, kind):
    """Return the answers of some kind, which are `RIGHT`, `WRONG` or `GIVEN`, to an exercise."""
    module, k = name.split()
    return getattr(ANSWERS[module], kind, {}).get(int(k) if k.isdigit() else k, ())


@pytest.fixture
def said(capsys):
    """Return a function that puts an answer to an exercise and returns the line that is printed."""

    def said(name, answer, given=None):
        JUDGES[name](answer, *(answers_to(name, "GIVEN") if given is None else given))
        out = capsys.readouterr().out
        assert out.endswith("\n")
        return out[:-1]

    return said


# ------------------------------------------------------------ right answers


@pytest.mark.parametrize(
    ("name", "answer"), [(n, answer) for n in NAMES for answer in answers_to(n, "RIGHT")]
)
def test_right_answers_are_right(said, name, answer):
    assert said(name, answer) == f"✓ Exercise {name.split()[1]}: right"


def test_every_exercise_has_a_right_answer():
    assert [name for name in NAMES if not answers_to(name, "RIGHT")] == []


def test_on_the_sample_less_accuracy_is_asked_for(said):
    given = (mnist_dense.digits("sample"),)
    assert said("mnist_dense 6", mnist_dense.Digits(0.85, 6_634), given).endswith("right")
    assert "80 %" in said("mnist_dense 6", mnist_dense.Digits(0.7, 9_000), given)


# ------------------------------------------------------------ wrong answers


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for name in NAMES for row in answers_to(name, "WRONG")]
)
def test_wrong_answers_get_the_hint_that_fits(said, name, row):
    answer, hint = row
    verdict = said(name, answer)
    assert verdict.startswith(f"✗ Exercise {name.split()[1]}: not yet. ")
    assert hint in verdict


def answers_of_table(judge):
    """Return wrong answers for all hints of a table, but for those that are given by a condition."""
    rights = [judge.function(*case)["right"] for case in judge.cases]
    for place, case in enumerate(judge.cases):
        for entry in itertools.islice(judge.function(*case).values(), 1, None):
            for mistake in entry if isinstance(entry, tuple) else (entry,):
                if not callable(mistake):
                    answers = [parts_of(right) for right in rights[: place + 1]]
                    answers[place] |= wrong_parts(answers[place], mistake)
                    answers = [tuple(one.values()) if "" not in one else one[""] for one in answers]
                    yield one_after_the_other(answers) if case else answers[0]


def parts_of(answer):
    return dict(answer) if isinstance(answer, dict) else {"": answer}


def wrong_parts(right, mistake):
    """Return the parts of a mistake, or parts that are oddly wrong where it stands for whatever else is."""
    if mistake is ... or isinstance(mistake, str):
        return {part: 1.37 * np.asarray(right[part]) + 0.21 for part in right if mistake in (..., part)}
    return parts_of(mistake)


def one_after_the_other(answers):
    waiting = iter(answers)
    return lambda *case: next(waiting)


@pytest.mark.parametrize("name", JUDGES)
def test_every_hint_can_be_reached(said, monkeypatch, name):
    judge = JUDGES[name]
    there, reached = set(), set()

    def without_numbers(hint):
        return re.sub(r"-?\d+(\.\d+)?", "#", hint)

    def reject_if(condition, hint):
        there.add(without_numbers(hint))
        judging.reject_if(condition, hint)

    for table in (judge.function(*case) for case in judge.cases):
        there |= {without_numbers(hint) for hint in table} - {"right"}
        # No wrong answer is left without a hint.
        assert list(table.values())[-1] is ... or {*parts_of(table["right"])} <= {*map(str, table.values())}
    if not judge.cases:
        monkeypatch.setattr(MODULES[name.split()[0]], "reject_if", reject_if)
    others = [*answers_to(name, "RIGHT"), *(answer for answer, _ in answers_to(name, "WRONG"))]
    for answer in [*answers_of_table(judge), *others]:
        reached.add(without_numbers(said(name, answer).split("not yet. ")[-1]))
    assert there
    assert there <= reached


# ------------------------------------------------------------ any answer at all


class Hostile:
    """An answer that raises wherever it is touched."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no words")

    def __iter__(self):
        raise SystemExit


def stop(error):
    def function(*case):
        raise error

    return function


class Unspeakable(Exception):
    """An error that cannot be put into words."""

    def __str__(self):
        raise ValueError("no words")


VALUES = [
    None, "two", b"two", "10.4", ["a", "b"], {}, {"a": 1}, {1}, [[1], [2, 3]], [], np.zeros(0),
    np.zeros((2, 0, 3)),
    float("nan"), [float("inf")] * 3, 10**400, [10**400, 1], 10**5000, 1 + 2j, np.ones(2, complex),
    np.datetime64("2020"),
    Hostile(), Hostile, Exception, iter([]), itertools.count(), (x for x in [1, 2]), np.ones((7, 7, 7)),
    np.array([None, "a"], object), keras.KerasTensor((2, 3)), [..., ...], len,
]  # fmt: skip
FUNCTIONS = [
    *(lambda *case, value=value: value for value in VALUES),
    *map(stop, [SystemExit(1), MemoryError(), RecursionError(), Unspeakable(), StopIteration()]),
    lambda: 1, lambda *case: case, lambda *case: case[0], lambda *case: [Hostile()] * 3,
    lambda *case: len(case[5]),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_whatever_the_answer_is_the_verdict_is_a_sentence(said, name):
    models = [SimpleNamespace(predict=function, count_params=lambda: 1) for function in FUNCTIONS]
    strange = [mnist_dense.Digits(0.99, parameters) for parameters in (None, "many", Hostile())]
    for answer in [*VALUES, *FUNCTIONS, *models, *strange]:
        verdict = said(name, answer)
        assert re.match(r"✗ Exercise \d+: not yet\. .+|○ Exercise \d+: not attempted yet$", verdict)


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_is_not_attempted(said, name):
    first = answers_to(name, "RIGHT")[0]
    asks_for_a_function = callable(first) and not hasattr(first, "predict")
    for blank in [..., lambda *case: ...] if asks_for_a_function else [...]:
        assert said(name, blank) == f"○ Exercise {name.split()[1]}: not attempted yet"


@pytest.mark.parametrize(
    "interrupted",
    [lambda: call_answer(stop(KeyboardInterrupt())), lambda: judged(stop(KeyboardInterrupt()))(1)],
)
def test_the_reader_can_interrupt_an_answer(interrupted):
    with pytest.raises(KeyboardInterrupt):
        interrupted()


# ------------------------------------------------------------ how answers are read


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (lambda answer: None, "✓ Exercise 1: right\n"),
        (stop(WrongAnswer("Look at the sign.")), "✗ Exercise 1: not yet. Look at the sign.\n"),
        (stop(NotAttempted()), "○ Exercise 1: not attempted yet\n"),
        (stop(TypeError("a + b")), "✗ Exercise 1: not yet. Judging your answer stopped with TypeError.\n"),
    ],
)
def test_a_verdict_is_one_line(verdict, line, capsys):
    verdict.__name__ = "exercise_1"
    judged(verdict)(3)
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (3.0, "A function is asked for, and this is 3.0 of type float"),
        (lambda x: None, "`return` missing"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (stop(SystemExit(2)), "SystemExit: 2"),
        (lambda: 1, "TypeError"),
        (lambda x: undefined_name, "NameError"),  # noqa: F821
        (lambda x: x.append(1) or x, "changes the list"),
    ],
)
def test_what_a_readers_function_may_do_wrong_becomes_a_hint(function, hint):
    with pytest.raises(WrongAnswer, match=hint):
        call_answer(function, [1])


@pytest.mark.parametrize(
    "answer", [2, 2.0, np.float32(2), np.array(2.0), np.array([[2.0]]), [2], [tf.constant(2.0)], True + 1]
)
def test_a_number_may_come_in_any_form(capsys, answer):
    judging.judged_by_table()(lambda: {"right": 2, "No.": ...})(answer)
    assert capsys.readouterr().out.endswith(": right\n")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ([[1.0], [2.0]], r"The shape \(2,\) is asked for, and this has the shape \(2, 1\)"),
        ([1.0, float("nan")], "infinite or not a number"),
        ([1.0, 10**400], "too large"),
        ([1.0, 2j], "Real numbers are asked for"),
        ("12", "Numbers are asked for, and this is '12' of type str"),
        (None, "Numbers are asked for, and this is None"),
    ],
)
def test_what_is_no_array_of_the_shape_gets_a_hint(answer, hint):
    with pytest.raises(WrongAnswer, match=hint):
        as_array(answer, shape=(2,))


def test_closeness_leaves_room_for_32_bits_and_for_no_broadcasting():
    third = np.float32(1) / np.float32(3)
    assert is_close(third, 1 / 3)
    assert not is_close(0.34, 1 / 3)
    assert is_close(1e6 * third, 1e6 / 3)
    assert not is_close(np.ones((2, 1)), np.ones(2))
