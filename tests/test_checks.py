"""Tests of the verdict lines."""

from utils import TutorialError
from utils.checks import CheckFailed, check, weigh

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("test accuracy", 0.98714, {"at_least": 0.983, "percent": True}),
         "✓ test accuracy: 98.71 % (at least 98.3 %)"),
        (("gain", -0.0052, {"at_least": -0.01, "points": True}),
         "✓ gain: -0.52 percentage points (at least -1)"),
        (("the loss", np.float32(0.03), {"at_most": 0.05}), "✓ the loss: 0.03 (at most 0.05)"),
        (("the ratio", 0.51239, {"at_least": 0.1, "at_most": 0.9}),
         "✓ the ratio: 0.512 (between 0.1 and 0.9)"),
        (("the plateau", 57, {"at_least": 40, "unit": "steps"}),
         "✓ the plateau: 57 steps (at least 40 steps)"),
        (("parameters", 101_770, {"equals": 101_770}), "✓ parameters: 101,770"),
        (("parameters", 101_770.0, {"at_most": 2e5}), "✓ parameters: 101,770 (at most 200,000)"),
        (("shape", (2, 3), {"equals": (2, 3)}), "✓ shape: (2, 3)"),
        (("ours and theirs", [1.0, 2.0], {"close_to": [1, 2 + 1.2e-7], "tolerance": 1e-6}),
         "✓ ours and theirs: largest difference 1e-7 (at most 1e-6)"),
        (("ours and theirs", [1.0], {"close_to": [1.0], "tolerance": 0.25}),
         "✓ ours and theirs: largest difference 0 (at most 0.25)"),
        (("it falls", np.bool_(True), {}), "✓ it falls"),
        (("it falls", True, {}), "✓ it falls"),
    ],
)  # fmt: skip
def test_a_statement_that_holds_shows_what_was_found_beside_what_is_claimed(arguments, line, capsys):
    statement, value, how = arguments
    check(statement, value, **how)
    assert capsys.readouterr().out == line + "\n"


@pytest.mark.parametrize(
    ("value", "how", "found"),
    [
        (0.98714, {"at_least": 0.98, "percent": True, "spread": 0.0008}, "98.714 ± 0.080 %"),
        (12.345, {"at_least": 1, "spread": 3.2}, "12.3 ± 3.2"),
        (12345.6, {"at_least": 1, "spread": 320}, "12,346 ± 320"),
        # As many digits as show that the statement holds.
        (0.98304, {"at_least": 0.983, "percent": True}, "98.30 %"),
        (0.98299996, {"at_most": 0.983, "percent": True}, "98.30 %"),
        (0.98300004, {"at_most": 0.99, "at_least": 0.98300002, "percent": True}, "98.300004 %"),
        (0.33331, {"at_most": 0.3334}, "0.333"),
        (0.33339, {"at_most": 0.3334}, "0.333"),
        (1.2349, {"at_least": 1.2341}, "1.235"),
        (0.8796, {"at_most": 0.88}, "0.88"),
        (1234.56, {"at_least": 1000}, "1,230"),
        (2.4e-7, {"at_most": 1e-6}, "2.4e-7"),
    ],
)
def test_a_value_is_rounded_as_it_deserves(value, how, found):
    assert weigh("it", value, **how).found == found


@pytest.mark.parametrize(
    ("value", "how"),
    [
        (0.9749, {"at_least": 0.975}),
        (0.9749, {"at_least": 0.975, "percent": True}),
        (0.0501, {"at_most": 0.05}),
        (float("nan"), {"at_least": 0.0}),
        (float("nan"), {"at_least": 0.5, "percent": True}),
        (float("nan"), {"at_most": 1.0, "spread": 0.1}),
        (float("inf"), {"at_most": 1.0}),
        (0.95, {"at_least": 0.1, "at_most": 0.9}),
        (101_771, {"equals": 101_770}),
        ([1.0, 2.0], {"close_to": [1.0, 2.1], "tolerance": 1e-2}),
        ([1.0, float("nan")], {"close_to": [1.0, 2.0], "tolerance": 1.0}),
        ([[1.0], [2.0]], {"close_to": [1.0, 2.0], "tolerance": 10.0}),  # would broadcast
        (False, {}),
        (0.89, {"at_least": 0.97, "percent": True, "tier": "sample", "sample": 0.9}),
        (0.91, {"at_least": 0.97, "percent": True, "tier": "full", "sample": 0.9}),
        (0.91, {"at_least": 0.97, "percent": True, "tier": "full"}),
        (False, {"tier": "full"}),
    ],
)
def test_a_statement_that_does_not_hold_stops_with_a_sentence(value, how, capsys):
    with pytest.raises(CheckFailed, match="not so: it"):
        check("it", value, **how)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "how", "sentence"),
    [
        (0.91, {"at_least": 0.975, "percent": True}, "it (at least 97.5 %). Found: 91.00 %."),
        (5, {"equals": 6}, "it (exactly 6). Found: 5."),
        (False, {}, "it. Found: false."),
        ([[1.0]], {"close_to": [1.0], "tolerance": 1}, "it (at most 1). Found: shapes (1, 1) and (1,)."),
    ],
)
def test_the_sentence_of_a_failure_names_statement_bound_and_value(value, how, sentence):
    with pytest.raises(CheckFailed) as failure:
        check("it", value, **how)
    assert str(failure.value) == f"✗ not so: {sentence}"


@pytest.mark.parametrize(
    ("value", "how", "reason"),
    [
        (1.0, {}, "has no bound"),
        ("yes", {}, "has no bound"),
        (1.0, {"close_to": 1.0}, "together"),
        (1.0, {"tolerance": 1.0}, "together"),
        (1.0, {"close_to": 1.0, "tolerance": float("inf")}, "no finite number"),
        (1.0, {"at_least": 0, "at_most": 2, "sample": 1, "tier": "full"}, "not for both"),
        (1.0, {"sample": 1, "at_least": 0}, "tier=data.tier"),
        (1.0, {"at_least": 0, "tier": "cloud"}, "neither 'full' nor 'sample'"),
        (0.5, {"at_least": 0.1, "percent": True, "points": True}, "more than one"),
        (98.7, {"at_least": 0.9, "percent": True}, "from 0 to 1"),
        (-0.1, {"at_most": 0.9, "percent": True}, "from 0 to 1"),
        (11, {"at_most": 5, "possible": (0, 10)}, "between 0 and 10"),
        (0.5, {"at_least": 0.0, "percent": True}, "says nothing"),
        (0.5, {"at_most": 1, "percent": True}, "says nothing"),
        (0.5, {"at_least": 0.9, "percent": True, "tier": "full", "sample": 0.0}, "says nothing"),
        (0.5, {"at_least": -1, "points": True}, "says nothing"),
        (0.5, {"at_most": 10, "possible": (0, 10)}, "says nothing"),
        (0.5, {"at_least": float("nan")}, "says nothing"),
        (0.5, {"at_least": 1.2, "percent": True}, "keeps the bound"),
    ],
)
def test_a_check_that_is_put_wrongly_says_so(value, how, reason):
    with pytest.raises(TutorialError, match=reason) as error:
        check("it", value, **how)
    assert not isinstance(error.value, CheckFailed)


@pytest.mark.parametrize(
    ("value", "how", "line"),
    [
        (0.91, {"at_least": 0.97, "percent": True, "sample": 0.9},
         "✓ it: 91.00 % (at least 90 % on the sample)"),
        (0.91, {"at_least": 0.97, "percent": True}, "○ it: 91.00 % (not judged on the sample)"),
        (3, {"equals": 4}, "○ it: 3 (not judged on the sample)"),
        (False, {}, "○ it (not judged on the sample)"),
    ],
)  # fmt: skip
def test_on_the_sample_a_statement_has_a_bound_of_its_own_or_is_not_judged(value, how, line, capsys):
    check("it", value, **how, tier="sample")
    assert capsys.readouterr().out == line + "\n"
