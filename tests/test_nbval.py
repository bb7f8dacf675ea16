"""Tests of the tests: that a notebook run by this suite fails where it should, and fast."""

import os
import re
import shutil
import subprocess
import sys
import time

import nbformat
import nbval.kernel
import nbval.plugin
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import collection
from tools.collection import ROOT

WRONG_OUTPUT = "what the kernel does not print\n"
VERDICT = "from utils.checks import check\ncheck('share: all', {value}, at_least={bound}, percent=True)"
VERDICT_PRINTED = "✓ share: all: 98.70 % (at least 90 %)\n"

# Name of a notebook → source of its cell, tags, and whether it passes on the sample and on the full data.
CASES = {
    "untagged_and_right": ("print('right')", [], True, True),
    "untagged_and_changed": ("print('changed')", [], False, False),
    "full_data_and_changed": ("print('changed')", [collection.FULL_DATA], True, False),
    "full_data_and_broken": ("1 / 0", [collection.FULL_DATA], False, False),
    "solution_and_changed": ("print('changed')", [collection.SOLUTION], False, False),
    "ignored_and_changed": ("print('changed')", [collection.NOT_COMPARED], True, True),
    "ignored_and_broken": ("1 / 0", [collection.NOT_COMPARED], False, False),
    "failed_check": (
        "from utils.checks import check\ncheck('one', 1, at_least=2)",
        [collection.NOT_COMPARED],
        False,
        False,
    ),
    "verdict_with_another_value": (VERDICT.format(value=0.991, bound=0.9), [], True, True),
    "verdict_with_another_bound": (VERDICT.format(value=0.987, bound=0.8), [], False, False),
}
# Each ends a kernel, whatever the data, so it needs a notebook of its own, and is run on one of them.
ENDS = {"hangs": "import time; time.sleep(600)", "dies": "import os; os._exit(1)"}
CELL_TIMEOUT = 5


def claiming(source: str, tags: list[str], text: str) -> NotebookNode:
    """Return a cell that claims to have printed something."""
    output = new_output("stream", name="stdout", text=text)
    return new_code_cell(source, execution_count=1, outputs=[output], metadata={"tags": tags})


@pytest.fixture(scope="module", params=["sample", "full"])
def verdicts(request, tmp_path_factory) -> tuple[str, dict[str, str], float]:
    """Run all cases under the suite's own settings; return the tier, pytest's line on each, and the time."""
    project = tmp_path_factory.mktemp(request.param)
    (project / "notebooks").mkdir()
    for settings in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / settings, project)
    cells = []
    for name, (source, tags, *_) in CASES.items():
        text = "right\n" if name.endswith("right") else WRONG_OUTPUT
        cells.append(claiming(source, tags, VERDICT_PRINTED if name.startswith("verdict") else text))
    notebooks = {"cases": cells}
    if request.param == "sample":
        tags = [collection.NOT_COMPARED]
        notebooks |= {name: [claiming(source, tags, WRONG_OUTPUT)] for name, source in ENDS.items()}
    for name, its in notebooks.items():
        nbformat.write(new_notebook(cells=its), project / "notebooks" / f"{name}.ipynb")
    started = time.monotonic()
    # The later of two equal options counts, so these are the suite's settings but for the time-out.
    command = [sys.executable, "-m", "pytest", "-rA", "-n0", f"--nbval-cell-timeout={CELL_TIMEOUT}"]
    environment = {**os.environ, "TUTORIAL_DATA": request.param, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    found = re.findall(
        r"^((?:PASSED|FAILED|ERROR) notebooks/(\w+)\.ipynb::Cell (\d+).*)", answer.stdout, flags=re.MULTILINE
    )
    names = list(CASES)
    lines = {names[int(cell)] if notebook == "cases" else notebook: line for line, notebook, cell in found}
    return request.param, lines, time.monotonic() - started


@pytest.mark.parametrize("name", CASES)
def test_a_cell_passes_and_fails_as_its_tags_say(name, verdicts):
    tier, lines, _ = verdicts
    *_, passes_on_sample, passes_on_full = CASES[name]
    passes = passes_on_full if tier == "full" else passes_on_sample
    assert lines[name].startswith("PASSED " if passes else "FAILED "), lines[name]


def test_a_dead_kernel_and_a_cell_that_hangs_fail_and_cost_seconds(verdicts):
    tier, lines, seconds = verdicts
    for name in ENDS if tier == "sample" else ():
        assert lines[name].startswith("FAILED "), lines[name]
    assert seconds < 120


def test_a_kernel_that_cannot_start_gets_a_second_chance_and_no_third(monkeypatch):
    starts = []

    def start(self, name):
        starts.append(name)
        if name == "never" or len(starts) == 1:
            raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(nbval.kernel.RunningKernel, "__init__", start)
    nbval.plugin.RunningKernel("at the second start")
    assert len(starts) == 2
    with pytest.raises(RuntimeError, match="died"):
        nbval.plugin.RunningKernel("never")
    assert len(starts) == 4
