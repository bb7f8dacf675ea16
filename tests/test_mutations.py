"""Generic mistakes, drawn at random from all that can be changed in a notebook: how many does nobody notice?

A plain `pytest` tests the drawing. `pytest -m random_mistakes` plants fifty mistakes in each notebook. One
that no cell notices has to stand in `tests/unnoticed.toml`, with the reason why it does no harm; else the
notebook says something that nothing checks. Any stop counts as noticed: the reader notices it, too.
"""

import functools
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from planting import Runner

from tools import collection, mistakes, mutations
from tools.collection import Mistake

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COUNT, SEED = 50, 0
UNNOTICED = Path(__file__).parent / "unnoticed.toml"
# A loop that does not end any more is stopped by then, which counts as noticed.
SECONDS = 300


def reasons() -> dict[tuple[str, str, str], str]:
    """Return the mistakes that nobody has to notice: cell, line before, line after → why."""
    entries = tomllib.loads(UNNOTICED.read_text(encoding="utf-8"))["mistake"]
    return {(entry["cell"], entry["before"], entry["after"]): entry["why"] for entry in entries}


@functools.cache
def drawn(path: Path) -> list[mutations.Mutation]:
    """Return the drawn mistakes of a notebook; they are drawn when the first of them is planted."""
    return mutations.drawn(path, COUNT, SEED)


@pytest.fixture(scope="module")
def runner(request, tmp_path_factory) -> Runner:
    """Run notebooks in a folder of their own, with a limit on the time of a cell."""
    request.config.option.nbval_cell_timeout = SECONDS
    return Runner(request.session, tmp_path_factory.mktemp("mutations"))


@pytest.mark.random_mistakes
@pytest.mark.data  # what is judged on the full data only is noticed on them only
@pytest.mark.parametrize("number", range(1, COUNT + 1))
@pytest.mark.parametrize("path", collection.notebooks(), ids=lambda path: path.stem)
def test_somebody_notices(path, number, runner):
    mutation = drawn(path)[number - 1]
    cell = next(cell for cell in collection.read(path).cells if cell.id == mutation.cell)
    planted = mistakes.Planted(path, Mistake(mutation.kind, cell.source, mutation.source))
    if runner.first_failure(planted.copy_of(planted.cut(planted.affected), planted=True)) is None:
        why = reasons().get((mutation.cell, mutation.before, mutation.after))
        if why is None:
            pytest.fail(f"line {mutation.line} of {mutation.cell}\n- {mutation.before}\n+ {mutation.after}")
        pytest.skip(why)


# ------------------------------------------------------------------------------------------ the drawing

SOURCE = """import numpy as np
σ = 1 / (1 + np.exp(-z))  # a letter of two bytes
total = (a - b).mean(axis=0) + (c @ d.T)[:-1]
model = keras.Sequential([Dense(3, "relu", use_bias=True)])
loss += -(y == 1) ** 2
ax.plot(a + b)
print(f"{a + b}")"""

EXPECTED = {
    ("operator", "σ = 1 * (1 + np.exp(-z))  # a letter of two bytes"),
    ("operator", "σ = 1 / (1 - np.exp(-z))  # a letter of two bytes"),
    ("function", "σ = 1 / (1 + np.log(-z))  # a letter of two bytes"),
    ("sign", "σ = 1 / (1 + np.exp(z))  # a letter of two bytes"),
    ("operator", "total = (a - b).mean(axis=0) - (c @ d.T)[:-1]"),
    ("operator", "total = (a + b).mean(axis=0) + (c @ d.T)[:-1]"),
    ("function", "total = (a - b).sum(axis=0) + (c @ d.T)[:-1]"),
    ("axis", "total = (a - b).mean(axis=1) + (c @ d.T)[:-1]"),
    ("operands", "total = (a - b).mean(axis=0) + ((d.T) @ (c))[:-1]"),
    ("transpose", "total = (a - b).mean(axis=0) + (c @ d)[:-1]"),
    ("slice", "total = (a - b).mean(axis=0) + (c @ d.T)[1:]"),
    ("activation", 'model = keras.Sequential([Dense(3, "tanh", use_bias=True)])'),
    ("flag", 'model = keras.Sequential([Dense(3, "relu", use_bias=False)])'),
    ("operator", "loss -= -(y == 1) ** 2"),
    ("sign", "loss += (y == 1) ** 2"),
    ("comparison", "loss += -(y != 1) ** 2"),
    ("operator", "loss += -(y == 1) * 2"),
}


def write_notebook(path: Path) -> Path:
    """Write a notebook: the cell above, a blank and a folded cell, which are left alone, and a solution."""
    cells = [new_code_cell(SOURCE, id="all"), new_code_cell("answer = ... + 1", id="blank")]
    cells.append(new_code_cell("b = a + 1", id="drawing", metadata={"jupyter": {"source_hidden": True}}))
    cells.append(new_code_cell("answer = a + 1", id="worked", metadata={"tags": ["solution"]}))
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_every_kind_of_mistake_is_found_and_nothing_else_is_changed(tmp_path):
    found = mutations.mutations(write_notebook(tmp_path / "01_small.ipynb"))
    assert {(mutation.kind, mutation.after) for mutation in found if mutation.cell == "all"} == EXPECTED
    assert [mutation.after for mutation in found if mutation.cell != "all"] == ["answer = a - 1"]
    for mutation in found[: len(EXPECTED)]:
        lines = SOURCE.splitlines()
        assert lines[mutation.line - 1] == mutation.before
        lines[mutation.line - 1] = mutation.after
        assert mutation.source == "\n".join(lines)


def test_a_seed_draws_the_same_again_and_another_seed_something_else(tmp_path):
    path = write_notebook(tmp_path / "01_small.ipynb")
    assert mutations.drawn(path, 5, 0) == mutations.drawn(path, 5, 0) != mutations.drawn(path, 5, 1)
    assert len(set(mutations.drawn(path, 1000, 0))) == len(EXPECTED) + 1


def test_what_is_drawn_can_be_run():
    for path in collection.notebooks():
        found = mutations.mutations(path)
        assert len(found) >= COUNT
        for mutation in found:
            compile(mutation.source, mutation.cell, "exec")


def test_each_reason_is_one_word_and_a_sentence():
    for why in reasons().values():
        word, _, sentence = why.partition(": ")
        assert word in ("cosmetic", "equivalent")
        assert sentence.endswith(".")


@pytest.mark.parametrize(("words", "count"), [("data", 0), ("data or random_mistakes", COUNT)])
def test_they_are_planted_where_somebody_names_them(words, count):
    options = ["-n0", "--collect-only", "-q", "-m", words, "-k", "01_", __file__]
    said = subprocess.run(
        [sys.executable, "-m", "pytest", *options], capture_output=True, text=True, cwd=collection.ROOT
    ).stdout
    assert said.count("::test_somebody_notices") == count
