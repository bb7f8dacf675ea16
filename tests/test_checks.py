"""Tests of the verdict lines and of the checker of exercises."""

from utils import TutorialError, datasets
from utils.checks import CheckFailed, NotAttempted, Wrong, array, call, check, is_close, judge, number

import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("test accuracy", 0.9812, {"at_least": 0.975}), "✓ test accuracy is at least 97.5 %"),
        (("the loss", np.float32(0.03), {"at_most": 0.05}), "✓ the loss is at most 0.05"),
        (("the ratio", 0.5, {"at_least": 0.1, "at_most": 0.9}), "✓ the ratio is between 0.1 and 0.9"),
        (("the plateau", 57, {"at_least": 40, "unit": "steps"}), "✓ the plateau is at least 40 steps"),
        (("parameters", 101_770, {"equals": 101_770}), "✓ parameters: 101,770"),
        (("shape", (2, 3), {"equals": (2, 3)}), "✓ shape: (2, 3)"),
        (("ours and theirs", [1.0, 2.0], {"close_to": [1, 2 + 1e-7], "tolerance": 1e-6}),
         "✓ ours and theirs agree to 1e-6"),
        (("it falls", np.bool_(True), {}), "✓ it falls"),
        (("it falls", True, {}), "✓ it falls"),
    ],
)  # fmt: skip
def test_a_statement_that_holds_prints_its_line_without_the_value(arguments, line, capsys):
    statement, value, bounds = arguments
    check(statement, value, **bounds)
    assert capsys.readouterr().out == line + "\n"


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (0.9749, {"at_least": 0.975}),
        (0.0501, {"at_most": 0.05}),
        (float("nan"), {"at_least": 0.0}),
        (float("nan"), {"at_most": 1.0}),
        (0.95, {"at_least": 0.1, "at_most": 0.9}),
        (101_771, {"equals": 101_770}),
        ([1.0, 2.0], {"close_to": [1.0, 2.1], "tolerance": 1e-2}),
        ([1.0, float("nan")], {"close_to": [1.0, 2.0], "tolerance": 1.0}),
        ([[1.0], [2.0]], {"close_to": [1.0, 2.0], "tolerance": 10.0}),  # would broadcast
        (False, {}),
    ],
)
def test_a_statement_that_does_not_hold_stops_with_a_sentence(value, bounds, capsys):
    with pytest.raises(CheckFailed, match="not so: it"):
        check("it", value, **bounds)
    assert capsys.readouterr().out == ""


def test_the_sentence_of_a_failure_names_statement_bound_and_value():
    with pytest.raises(CheckFailed, match=r"test accuracy is at least 97.5 %. Found: 91 %"):
        check("test accuracy", 0.91, at_least=0.975)


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (1.0, {}),
        ("yes", {}),
        (1.0, {"close_to": 1.0}),
        (1.0, {"tolerance": 1.0}),
        (1.0, {"at_least": 0, "at_most": 2, "sample": 1}),
        (1.0, {"sample": 1}),
    ],
)
def test_a_check_that_is_put_wrongly_says_so(value, bounds):
    with pytest.raises(TutorialError) as error:
        check("it", value, **bounds)
    assert not isinstance(error.value, CheckFailed)


def test_the_bound_for_the_sample_tier_holds_on_the_sample_tier_only(monkeypatch, capsys):
    monkeypatch.setattr(datasets, "current_tier", lambda: "sample")
    check("test accuracy", 0.91, at_least=0.975, sample=0.9)
    assert capsys.readouterr().out == "✓ test accuracy is at least 90 % (sample data)\n"
    with pytest.raises(CheckFailed):
        check("test accuracy", 0.89, at_least=0.975, sample=0.9)

    monkeypatch.setattr(datasets, "current_tier", lambda: "full")
    check("test accuracy", 0.98, at_least=0.975, sample=0.9)
    assert capsys.readouterr().out == "✓ test accuracy is at least 97.5 %\n"
    with pytest.raises(CheckFailed):
        check("test accuracy", 0.91, at_least=0.975, sample=0.9)


def test_a_sample_bound_before_any_data_are_loaded_is_refused(monkeypatch):
    monkeypatch.setattr(datasets, "current_tier", lambda: None)
    with pytest.raises(TutorialError, match="before any data set was loaded"):
        check("the loss", 1.0, at_most=2.0, sample=3.0)


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (lambda: None, "✓ Exercise 1: right\n"),
        (lambda: _raise(Wrong("Look at the sign.")), "✗ Exercise 1: not yet. Look at the sign.\n"),
        (lambda: _raise(NotAttempted), "○ Exercise 1: not attempted yet\n"),
    ],
)
def test_judge_prints_a_verdict_and_never_raises(verdict, line, capsys):
    judge("Exercise 1", verdict)
    assert capsys.readouterr().out == line


@pytest.mark.parametrize("function", [..., lambda x: ...])
def test_what_is_still_a_blank_counts_as_not_attempted(function):
    with pytest.raises(NotAttempted):
        call(function, 1)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (3.0, "A function is asked for"),
        (lambda x: None, "`return` missing"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda: 1, "TypeError"),
        (lambda x: undefined_name, "NameError"),  # noqa: F821
    ],
)
def test_what_a_readers_function_may_do_wrong_becomes_a_hint(function, hint):
    with pytest.raises(Wrong, match=hint):
        call(function, 1)


@pytest.mark.parametrize(
    "answer", [2, 2.0, np.float32(2), np.array(2.0), np.array([[2.0]]), [2], tf.constant(2.0), True + 1]
)
def test_a_number_may_come_in_any_form(answer):
    assert number(answer) == 2.0


@pytest.mark.parametrize(
    "answer",
    ["two", [1, 2], None, float("nan"), float("inf"), {}, [[1], [2, 3]], np.zeros(0)],
)
def test_what_is_no_number_gets_a_hint(answer):
    with pytest.raises(Wrong):
        number(answer)


def test_an_array_of_another_shape_gets_a_hint_that_names_both():
    with pytest.raises(Wrong, match=r"\(2,\) is asked for, and this has the shape \(2, 1\)"):
        array([[1.0], [2.0]], shape=(2,))


def test_closeness_leaves_room_for_32_bits_and_for_no_broadcasting():
    third = np.float32(1) / np.float32(3)
    assert is_close(third, 1 / 3)
    assert not is_close(0.34, 1 / 3)
    assert is_close(1e6 * third, 1e6 / 3)
    assert not is_close(np.ones((2, 1)), np.ones(2))
