"""Tests of the tool that runs a notebook with other seeds."""

import dataclasses

from utils.checks import Verdict

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks import seeds

NOTEBOOK = """
import numpy as np
import keras
from utils.checks import check
keras.utils.set_random_seed(1)
number = np.random.default_rng(2).uniform()
check("a fixed number", 3, equals=3)
check("drawn by NumPy", number, at_least=0)
check("drawn by Keras", float(keras.random.uniform(())), at_most=2)
check("an order", np.array([number, 0]), close_to=[0, 0], tolerance=1)
check("a word", f"{number:.1f}", equals="0.3")
check("run 0 alone", bool(abs(number - 0.26161213) < 1e-6))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    path = tmp_path_factory.mktemp("seeds") / "00_draws.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(NOTEBOOK), new_code_cell(NOTEBOOK)]), path)
    (tier, first), (other_tier, others) = (seeds.run(path, by) for by in (0, 1000))
    # The second time round, a run has to find what it found the first time.
    assert first[6:] == first[:6]
    return [(tier, first[:6]), (other_tier, others[:6]), (other_tier, others[6:])]


def test_a_run_notes_every_statement_and_goes_on_where_one_does_not_hold(runs):
    for tier, entries in runs:
        assert tier == ""
        assert len(entries) == 6
    assert [entry["holds"] for entry in runs[0][1]] == [True] * 6
    assert [entry["holds"] for entry in runs[1][1]] == [True] * 4 + [False] * 2


def test_a_shift_changes_what_is_drawn_and_the_same_shift_gives_the_same(runs):
    first, second, third = (entries for _, entries in runs)
    assert second == third
    for k in (1, 2, 3):
        assert first[k]["found"] != second[k]["found"]


def test_the_table_has_what_depends_on_chance_and_says_where_it_holds(runs):
    lines = seeds.table([entries for _, entries in runs]).splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == [
        "| drawn by NumPy",
        "| drawn by Keras",
        "| an order",
        "| a word",
        "| run 0 alone",
    ]
    assert [line.split(" | ")[1] for line in lines] == [
        "at least 0",
        "at most 2",
        "at most 1",
        "exactly 0.3",
        "is true",
    ]
    assert [line.split(" | ")[-1] for line in lines] == ["all |", "all |", "all |", "runs 0 |", "runs 0 |"]


def test_what_is_not_judged_on_the_sample_is_called_so():
    def entry(found, **judgement):
        """Return what a run found, as `utils.checks` gives it."""
        return dataclasses.asdict(Verdict("it reads", found, "at least 98 %", **judgement))

    pairs = [
        (entry("91 %", holds=True, judged=False), entry("92 %", holds=True, judged=False)),
        (entry("97 %", holds=False), entry("96 %", holds=False)),
    ]
    table = seeds.table([list(run) for run in zip(*pairs, strict=True)])
    assert [line.split(" | ")[-1] for line in table.splitlines()[2:]] == ["not judged |", "none |"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["99"], "There is no notebook whose name begins with '99'. There are: 01_gradient_descent, "),
        (["0"], "More than one notebook's name begins with '0'"),
        (["01", "--runs", "1"], "a spread needs at least two runs"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_sentence(asked, sentence, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks.seeds", *asked])
    with pytest.raises(SystemExit) as refusal:
        seeds.main()
    assert sentence in f"{refusal.value}{capsys.readouterr().err}"


def test_a_table_takes_the_place_of_the_one_for_the_same_data_and_of_nothing_else(tmp_path):
    path = tmp_path / "table.md"
    seeds.write(path, "00", "Full data", "old\n")
    path.write_text(path.read_text().replace("seeds.py`.\n", "seeds.py`.\n\nA note by hand.\n"))
    seeds.write(path, "00", "Sample data", "sample\n")
    seeds.write(path, "00", "Full data", "new\n")
    text = path.read_text()
    assert "A note by hand." in text
    assert "old" not in text
    assert text.index("\n## Full data\n\nnew\n") < text.index("\n## Sample data\n\nsample\n")
