"""Mistakes that people make, planted in copies of the notebooks: the suite has to catch every one.

A notebook's mistakes stand in its manifest. Each is a piece of its code and what comes in its place. A plain
`pytest` looks after the lists; `pytest -m mistakes` plants them, one after the other, and notes which were
caught in `tests/mistakes.json`. With `--changed` it plants only those whose fate may have changed since.

A mistake is planted in a copy that is cut down to what it can reach. That proves something only if the same
copy without the mistake passes, so that is run, too. Where it does not pass, or where the mistake is not
caught in it, the whole notebook is taken.
"""

import contextlib
import re
import types
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from planting import Runner

from tools import collection, mistakes
from tools.collection import Mistake
from tools.mistakes import Planted

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = collection.notebooks()
FEWEST = 8
# What catches a mistake: a verdict that turns, or an output that changes. A crash would tell the reader, too,
# but not that the notebook checks what it says.
CAUGHT = re.compile(r"✗ not so: |Cell outputs differ")

ALL = [
    pytest.param(path, mistake, id=f"{path.stem}: {mistake.name}")
    for path in NOTEBOOKS
    for mistake in collection.manifest(path).mistakes
]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_has_enough_of_them_and_each_has_its_place(path):
    planted = collection.manifest(path).mistakes
    assert len({mistake.name for mistake in planted}) == len(planted) >= FEWEST
    cells = collection.code_cells(collection.read(path))
    for mistake in planted:
        places = [cell for cell in cells if mistake.old in cell.source]
        assert len(places) == 1, f"{mistake.name}: its code stands in {len(places)} cells"
        assert places[0].source.count(mistake.old) == 1, f"{mistake.name}: its code stands there twice"
        source = places[0].source.replace(mistake.old, mistake.new)
        assert source != places[0].source
        compile(source, mistake.name, "exec")  # a mistake in the thinking, not in the typing


def test_the_record_tells_of_mistakes_and_cells_that_exist():
    for notebook, known in mistakes.read_record().items():
        path = collection.NOTEBOOKS / f"{notebook}.ipynb"
        assert set(known) <= {mistake.name for mistake in collection.manifest(path).mistakes}
        ids = {cell.id for cell in collection.code_cells(collection.read(path))}
        for entry in known.values():
            assert set(entry) == {"noticed by", "fingerprint"}
            assert entry["noticed by"] in ids
            assert re.fullmatch("[0-9a-f]{16}", entry["fingerprint"])


# ------------------------------------------------------------------------------------------- planting


@pytest.fixture(scope="module")
def runner(request, tmp_path_factory) -> Runner:
    """Run notebooks in a folder of their own."""
    return Runner(request.session, tmp_path_factory.mktemp("mistakes"))


def noticed_by(planted: Planted, path: Path, places: list[int], runner: Runner) -> list[int]:
    """Plant a mistake in a copy, and return the places of the cells up to the one that notices it.

    Raises:
        AssertionError: If no cell notices it, or if a cell fails without the mistake.
    """
    failure = runner.first_failure(planted.copy_of(places, planted=True))
    assert failure is not None, "no cell noticed it"
    last, message = failure
    assert CAUGHT.search(message), f"the notebook stopped without a verdict:\n{message}"
    run = places[: last + 1]
    if (path, tuple(run)) not in runner.passed:
        failure = runner.first_failure(planted.copy_of(run, planted=False))
        assert failure is None, f"a cell fails without the mistake, too:\n{failure}"
        runner.passed.add((path, tuple(run)))
    return run


def caught_in(copies: list[list[int]], planted: Planted, path: Path, runner: Runner) -> list[int] | None:
    """Return what `noticed_by` finds in the first copy in which it finds anything."""
    for places in copies:
        with contextlib.suppress(AssertionError):
            return noticed_by(planted, path, places, runner)
    return None


@pytest.mark.mistakes
@pytest.mark.parametrize(("path", "mistake"), ALL)
def test_it_is_caught(path, mistake, runner, request, record_property):
    planted = Planted(path, mistake)
    whole = list(range(len(planted.cells)))
    known = mistakes.read_record().get(path.stem, {}).get(mistake.name, {})
    noticed = [place for place in planted.affected if planted.cells[place].id == known.get("noticed by")]
    if noticed and request.config.option.changed:
        ways = (planted.cut(noticed), whole[: noticed[0] + 1])
        if known["fingerprint"] in map(planted.fingerprint, ways):
            record_property("mistake", [path.stem, mistake.name, known])
            pytest.skip("was caught before, and nothing has changed on which that depends")
    copies = [planted.cut(planted.affected)]
    if not noticed and (failure := runner.first_failure(planted.copy_of(copies[0], planted=True))):
        noticed = [copies[0][failure[0]]]
    if noticed:
        copies.insert(0, planted.cut(noticed))
    run = caught_in(copies, planted, path, runner) or noticed_by(planted, path, whole, runner)
    entry = {"noticed by": planted.cells[run[-1]].id, "fingerprint": planted.fingerprint(run)}
    record_property("mistake", [path.stem, mistake.name, entry])


# ------------------------------------------------------------------------------------- tests of the planting

CELLS = {
    "imports": (
        "import keras\nimport numpy as np\n\nfrom utils.checks import check\n\nkeras.ops.exp(0.0)",
        "",
    ),
    "start": ("a = np.array(1)\nb = 2", ""),
    "apart": ("print(b)", "2\n"),
    "sum": ("c = a + 1", ""),
    "verdict": ("check('c', int(c), at_most=2)", "✓ c: 2 (at most 2)\n"),
    "later": ("print(c + b)", "4\n"),
}


def write_notebook(path: Path, changes: dict[str, tuple[str, str]] | None = None) -> Path:
    """Write a notebook of the cells above, some of them changed; id → source and what it prints."""
    cells = []
    for count, (name, (source, text)) in enumerate({**CELLS, **(changes or {})}.items(), start=1):
        outputs = [new_output("stream", name="stdout", text=text)] if text else []
        cells.append(new_code_cell(source, id=name, execution_count=count, outputs=outputs))
    nbformat.write(new_notebook(cells=cells), path)
    return path


MISTAKE = Mistake("one too many", "a + 1", "a + 2")


def test_a_copy_holds_what_a_mistake_can_reach_and_what_that_needs(tmp_path):
    planted = Planted(write_notebook(tmp_path / "01_small.ipynb"), MISTAKE)
    assert planted.affected == [3, 4, 5]
    assert planted.cut([4]) == [0, 1, 3, 4]
    with_it, without = (planted.copy_of([0, 1, 3, 4], planted=which).cells for which in (True, False))
    assert [cell.source for cell in with_it] == [
        "import numpy as np\nfrom utils.checks import check",
        CELLS["start"][0],
        "c = a + 2",
        CELLS["verdict"][0],
    ]
    assert without[2].source == "c = a + 1"
    assert without[3].outputs[0].text == CELLS["verdict"][1]


def test_a_fingerprint_changes_with_what_the_answer_depends_on_and_with_nothing_else(tmp_path, monkeypatch):
    def fingerprint(mistake: Mistake = MISTAKE, **changes: tuple[str, str]) -> str:
        return Planted(write_notebook(tmp_path / "01_small.ipynb", changes), mistake).fingerprint(
            [0, 1, 3, 4]
        )

    before = fingerprint()
    assert fingerprint() == before
    assert fingerprint(apart=("print(b + 1)", "3\n"), later=("1", "")) == before
    assert fingerprint(verdict=(CELLS["verdict"][0], "✓ c: 1.99 (at most 2)\n")) == before
    assert fingerprint(verdict=(CELLS["verdict"][0], "✓ c: 2 (at most 3)\n")) != before
    assert fingerprint(start=("a = np.array(1.0)", "")) != before
    assert fingerprint(Mistake("another", "a + 1", "a - 1")) != before
    plots = mistakes.ROOT / "utils" / "plots.py"
    checks = mistakes.ROOT / "utils" / "checks.py"
    assert checks in mistakes.local_modules(["from utils.checks import check"])
    assert plots not in mistakes.local_modules(["from utils.checks import check"])
    monkeypatch.setattr(mistakes, "SHARED", (*mistakes.SHARED, "README.md"))
    assert fingerprint() != before


def test_a_run_records_what_it_caught_and_keeps_the_rest(request, tmp_path, monkeypatch):
    hooks = request.config.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    monkeypatch.setattr(mistakes, "RECORD", tmp_path / "record.json")
    old, new = ({"noticed by": name, "fingerprint": 16 * "0"} for name in ("old", "new"))
    (first, one), (_, other) = ((case.values[0].stem, case.values[1].name) for case in ALL[:2])
    session = types.SimpleNamespace(config=None)  # not one of a worker
    monkeypatch.setattr(hooks, "_entries", [])
    hooks.pytest_sessionfinish(session)
    assert mistakes.read_record() == {}
    mistakes.write_record({first: {one: old, other: old, "no longer there": old}})
    monkeypatch.setattr(hooks, "_entries", [(first, one, new)])
    hooks.pytest_sessionfinish(session)
    assert mistakes.read_record() == {first: {one: new, other: old}}


@pytest.mark.parametrize(
    ("mistake", "changes", "places", "complaint"),
    [
        (MISTAKE, {}, [0, 1, 3, 4], None),
        (Mistake("harmless", "a + 1", "1 + a"), {}, [0, 1, 3, 4], "no cell noticed it"),
        (Mistake("crash", "a + 1", "a / nothing"), {}, [0, 1, 3, 4], "stopped without a verdict"),
        (MISTAKE, {}, [0, 3, 4], "stopped without a verdict"),
        (MISTAKE, {"verdict": ("print(c)", "1\n")}, [0, 1, 3, 4], "fails without the mistake, too"),
    ],
    ids=["caught", "harmless", "crash", "cut too far", "wrong anyway"],
)
def test_only_a_verdict_that_turns_by_the_mistake_counts(
    mistake, changes, places, complaint, runner, tmp_path
):
    path = write_notebook(tmp_path / "01_small.ipynb", changes)
    planted = Planted(path, mistake)
    if complaint is None:
        assert noticed_by(planted, path, places, runner) == places
    else:
        with pytest.raises(AssertionError, match=complaint):
            noticed_by(planted, path, places, runner)
