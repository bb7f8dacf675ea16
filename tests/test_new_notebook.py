"""A notebook that is added as CONTRIBUTING says appears everywhere, and no other file has to be touched.

A small one is added to a copy of the repository. It is run, tested, broken on purpose and printed there.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import collection
from tools.collection import ROOT

STEM = "99_averages"
NOT_COPIED = (".git", ".venv", "build", "__pycache__", ".*_cache", ".ipynb_checkpoints", "*.egg-info")
ADDED = {
    f"notebooks/{STEM}.ipynb",
    f"notebooks/{STEM}.toml",
    "exercises/averages.py",
    "tests/answers/averages.py",
    "notebooks/glossary.md",
}
WRITTEN_BY_TOOLS = {"README.md", "handouts/README.md", "tests/mistakes.json"}

CARD = """# 99 · Averages

You will find the middle of a few numbers.

| | |
| :-- | :-- |
| **You will be able to** | average |
| **You need** | numbers |
| **Reading time** | about five minutes |
| **Run time** | under a minute |
| **Optional** | The median |
| **Data** | made in the notebook |
"""
IMPORTS = """\
from exercises import averages as exercises
from utils import plots
from utils.checks import check

import matplotlib.pyplot as plt
import numpy as np

plots.use_house_style()
values = np.array([1.0, 2.0, 6.0])"""
PICTURE = """\
# Drawing: the numbers
figure, axes = plt.subplots(figsize=(3, 1))
axes.plot(values, 0 * values, "o")
plots.show(figure, alt="Three points on a line, at one, two and six: where is their middle?")"""
AVERAGES = """\
def mean(values):
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def variance(values):
    return mean([(value - mean(values)) ** 2 for value in values])


def standardised(values):
    return (values - mean(values)) / np.sqrt(variance(values))


def middle(values):
    return sorted(values)[len(values) // 2]


def spread(values):
    return max(values) - min(values)"""
CHECKS = """\
for factor in range(1, 11):
    check(f"the mean of the numbers times {factor}", mean(factor * values), equals=3 * factor)
check("their variance", variance(values), close_to=14 / 3, tolerance=1e-12)
check("standardised and squared", mean(standardised(values) ** 2), close_to=1, tolerance=1e-9)
check("standardised", mean(standardised(values)), close_to=0, tolerance=1e-9)
check("their median", middle(values), equals=2)
check("their spread", spread(values), equals=5)"""
MISTAKES = [
    ("the sum begins at one", "total = 0.0", "total = 1.0"),
    ("the sum has the wrong sign", "total += value", "total -= value"),
    ("the sum is not divided", "return total / len(values)", "return total"),
    ("deviations are not squared", "(value - mean(values)) ** 2", "(value - mean(values))"),
    ("the variance in place of its root", "np.sqrt(variance(values))", "variance(values)"),
    ("the mean is not taken off", "(values - mean(values)) /", "values /"),
    ("the median of what is not sorted", "sorted(values)[len(values) // 2]", "values[0]"),
    ("the spread is a sum", "max(values) - min(values)", "max(values) + min(values)"),
]
MANIFEST = """\
subject = "the middle of a few numbers"
result = "three averages"
seconds = 0
teaching = "5 min"
exercising = "6 min"
cut = "leave out the median"
mistaken = "They forget to divide."
"""
EXERCISES = '''\
"""The judges of the exercises of notebook 99."""

from typing import Any

from exercises.judging import judged_by_table

'''
EXERCISE = '''
@judged_by_table()
def exercise_{0}() -> Any:
    """The number {0}."""
    return {{"right": {0}, "Count again.": ...}}

'''
ANSWERS = '''\
"""Answers to the exercises of notebook 99."""

RIGHT = {k: [k, float(k)] for k in range(1, 6)}

WRONG = {1: [(2, "Count again.")]}
'''
TERM = "zzz-mean"
ROW = f"| {TERM} | the sum over the count | [99]({STEM}.ipynb) |\n"


def notebook() -> nbformat.NotebookNode:
    """Return a notebook of the form that all have, with no outputs yet."""
    text, code = new_markdown_cell, new_code_cell
    folded = {"jupyter": {"source_hidden": True}}
    cells = [
        text(CARD),
        code(IMPORTS),
        text("## The question\n\nWhere is the middle?"),
        code(PICTURE, metadata=folded),
        text(f"## The mathematics\n\nThe **{TERM}** is $\\sum_i x_i / n$; see the [glossary](glossary.md)."),
        text("## From scratch"),
        code(AVERAGES),
        text("## The same in Keras"),
        text("## Experiments\n\n### Break it: a wrong sign\n\n### The median (optional)"),
        code(CHECKS),
        text("## Exercises"),
    ]
    for k in range(1, 6):
        call = f"exercises.exercise_{k}(answer)"
        cells += [
            text(f"### Exercise {k} · Count to {k}"),
            code(f"answer = ...\n\n{call}"),
            code(
                f"# Solution\nanswer = {k}\n\n{call}",
                metadata={**folded, "tags": [collection.SOLUTION]},
            ),
        ]
    cells.append(text("## What to remember"))
    return new_notebook(cells=cells)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """Copy the repository, add a notebook to it by hand, and run it."""
    copy = tmp_path_factory.mktemp("copy") / "repository"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    folder = copy / "notebooks"
    nbformat.write(notebook(), folder / f"{STEM}.ipynb")
    planted = [
        f"\n[[mistake]]\nname = '{name}'\nold = '{old}'\nnew = '{new}'\n" for name, old, new in MISTAKES
    ]
    (folder / f"{STEM}.toml").write_text(MANIFEST + "".join(planted), encoding="utf-8")
    source = EXERCISES + "".join(EXERCISE.format(k) for k in range(1, 6))
    (copy / "exercises" / "averages.py").write_text(source.rstrip() + "\n", encoding="utf-8")
    (copy / "tests" / "answers" / "averages.py").write_text(ANSWERS, encoding="utf-8")
    with (folder / "glossary.md").open("a", encoding="utf-8") as glossary:
        glossary.write(ROW)
    said = run(copy, "-m", "tools.run_notebooks", "99", TUTORIAL_DATA="auto")
    assert f"kept in {STEM}.toml and the README" in said
    return copy


def run(copy: Path, *arguments: str, **environment: str) -> str:
    """Run Python in the copy and return what it printed; it has to succeed."""
    answer = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={
            **os.environ,
            "TUTORIAL_DATA": "sample",
            "PYTHONPATH": str(copy),
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def passes(copy: Path, *arguments: str) -> Counter[str]:
    """Run pytest in the copy and return how many tests have passed in each file; none may fail."""
    said = run(copy, "-m", "pytest", "-n0", "-rA", "-p", "no:cacheprovider", *arguments)
    return Counter(re.findall(r"^PASSED ([\w/.]+)::", said, flags=re.MULTILINE))


def read(path: Path) -> str:
    """Return the text of a file."""
    return path.read_text(encoding="utf-8")


def test_the_pages_name_it(copy):
    assert run(copy, "-m", "tools.readme") == "All pages are up to date.\n"
    row = re.search(
        rf"^\| \[99 · Averages\]\(notebooks/{STEM}\.ipynb\) \|.*$", read(copy / "README.md"), re.M
    )
    assert re.search(r"\| the middle of a few numbers \| 5 min \| \d+ s \| three averages \|$", row[0])
    teachers = read(copy / "handouts" / "README.md")
    assert "| 99 · Averages | 5 min | 6 min | leave out the median |\n" in teachers
    assert "- **99** They forget to divide.\n" in teachers


def test_all_that_is_tested_of_a_notebook_is_tested_of_it(copy):
    of_each = ["notebooks", "handouts", "mistakes", "students", "exercises"]
    of_all = ["glossary", "readme", "style"]
    files = [f"tests/test_{name}.py" for name in of_each + of_all]
    chosen = " or ".join([STEM, "averages", *(f"test_{name}.py" for name in of_all)])
    itself = f"notebooks/{STEM}.ipynb"
    passed = passes(copy, "-k", chosen, *files, itself)
    assert set(passed) == {*files, itself}
    assert passed[itself] == len(collection.code_cells(notebook()))
    assert passed["tests/test_notebooks.py"] >= 20


PAGES_OF_RACES = """
from benchmarks import bench, kinds, report

results = {kind: report.read(kind) for kind in kinds.measured()}
assert all(list(found) == bench.jobs() for found in results.values()), "another measurement is asked for"
assert report.RESULTS.read_text(encoding="utf-8") == report.results_page(results), "the page is another"
"""


def test_no_race_is_asked_for(copy):
    run(copy, "-c", PAGES_OF_RACES)


def test_a_mistake_that_is_planted_in_it_is_caught(copy):
    name = MISTAKES[2][0]
    assert passes(copy, "-m", "mistakes", "-k", f"{STEM} and {name.split()[-1]}", "tests/test_mistakes.py")


def test_it_can_be_printed(copy, tmp_path):
    said = run(copy, "-m", "handouts", f"notebooks/{STEM}.ipynb", "--paper", "a4", "--out", str(tmp_path))
    assert "PDFs for students" in said
    made = {file.name for file in tmp_path.rglob(f"{STEM}*")}
    assert made == {f"{STEM}{end}" for end in (".ipynb", ".html", "-student.pdf", "-instructor.pdf")}


def test_no_other_file_had_to_be_touched(copy):
    files = [file.relative_to(copy) for file in copy.rglob("*") if file.is_file()]
    touched = {
        file.as_posix()
        for file in files
        if not (ROOT / file).exists() or (ROOT / file).read_bytes() != (copy / file).read_bytes()
    }
    assert touched == ADDED | WRITTEN_BY_TOOLS
