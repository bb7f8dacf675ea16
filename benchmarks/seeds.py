"""Run a notebook with other seeds and keep what each of its statements found.

    python -m benchmarks.seeds 03            runs 0 to 5 on the data that TUTORIAL_DATA names
    python -m benchmarks.seeds 03 --runs 3   runs 0 to 2

Run 0 is the notebook as it is; in run k every seed is 1000·k larger, and with it come other weights, other
batches and other draws. A statement that does not hold is noted and the run goes on. The table goes into
`benchmarks/<notebook>.md`, in place of the one for the same data; whatever stands before the first table
is kept.
"""

import argparse
import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tools import collection
from tools.collection import ROOT

SHIFT = 1000  # larger than any seed of a notebook, so that no two runs meet
TITLE = "# Notebook {}: what other seeds find"
INTRODUCTION = """
Each statement of the notebook that depends on chance, with the values that it had. Run 0 is the notebook as
committed; in run k every seed is {} · k larger. The tables are written by `benchmarks/seeds.py`.
"""


def shift_seeds(by: int) -> None:
    """Make every seed that a notebook sets larger by a number; called in its kernel, before its first cell.

    Args:
        by: The number.
    """
    from utils import training  # noqa: F401  (starts TensorFlow silently)

    import keras
    import numpy as np

    def shifted(function: Any) -> Any:
        """Return the function with its first argument, the seed, shifted where it is a whole number."""

        def call(seed: Any = None, *arguments: Any, **options: Any) -> Any:
            return function(seed + by if isinstance(seed, int) else seed, *arguments, **options)

        return call

    keras.utils.set_random_seed = shifted(keras.utils.set_random_seed)
    np.random.default_rng = shifted(np.random.default_rng)


def record_checks() -> list[dict[str, Any]]:
    """Make `check` note what it finds instead of stopping; called in the kernel, before the first cell.

    Returns:
        A list that grows by an entry for each statement: the fields of a `utils.checks.Verdict`.
    """
    from utils import checks

    entries = []

    def check(statement: str, value: Any, **how: Any) -> None:
        entries.append(dataclasses.asdict(checks.weigh(statement, value, **how)))

    checks.check = check
    return entries


def run(path: Path, by: int) -> tuple[str, list[dict[str, Any]]]:
    """Run a notebook with its seeds shifted.

    Args:
        path: The notebook, which is not changed.
        by: How much larger every seed is.

    Returns:
        The tier of the data (empty where the notebook loads none) and the entries of its statements.
    """
    notebook = collection.read(path)
    before = (
        f"from benchmarks import seeds\nseeds.shift_seeds({by})\nentries_of_seeds = seeds.record_checks()"
    )
    after = "import json\nprint(json.dumps([getattr(globals().get('data'), 'tier', ''), entries_of_seeds]))"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    notebook.cells.append(nbformat.v4.new_code_cell(after))
    folders = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
    client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(path.parent)}})
    client.execute(env=environment, stderr=subprocess.DEVNULL)  # a kernel's own log says nothing to us
    tier, entries = json.loads(notebook.cells[-1].outputs[0].text)
    return tier, entries


def table(runs: list[list[dict[str, Any]]]) -> str:
    """Return the statements that depend on the seed as a table in Markdown.

    Args:
        runs: The entries of each run, the same statements in the same order in all of them.
    """
    lines = [
        "| statement | bound | " + " | ".join(f"run {k}" for k in range(len(runs))) + " | holds in |",
        "| :-- | :-- | " + "--: | " * len(runs) + ":-- |",
    ]
    for found in zip(*runs, strict=True):
        values = [entry["found"] or str(entry["holds"]) for entry in found]
        if len(set(values)) > 1 or not all(entry["holds"] for entry in found):
            bound = next((entry["bound"] for entry in found if entry["bound"]), "is true")
            cells = [found[0]["statement"], bound, *values, _where_it_holds(found)]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _where_it_holds(found: list[dict[str, Any]]) -> str:
    """Say in which of its runs a statement holds, if it is judged on these data at all."""
    if not all(entry["judged"] for entry in found):
        return "not judged"
    holds = [str(k) for k, entry in enumerate(found) if entry["holds"]]
    if len(holds) == len(found):
        return "all"
    return f"runs {', '.join(holds)}" if holds else "none"


def write(path: Path, number: str, heading: str, new: str) -> None:
    """Put a table under its heading, in place of the one that is there.

    Args:
        path: The file, which is made where it does not exist.
        number: The number of the notebook, for the title of a new file.
        heading: The heading of the section.
        new: The table.
    """
    text = f"{TITLE.format(number)}\n{INTRODUCTION.format(f'{SHIFT:,}')}"
    if path.exists():
        text = path.read_text(encoding="utf-8")
    before, _, after = text.partition(f"\n## {heading}\n")
    later = re.search(r"^## ", after, flags=re.MULTILINE)
    rest = "\n" + after[later.start() :] if later else ""
    path.write_text(f"{before.rstrip()}\n\n## {heading}\n\n{new}{rest}", encoding="utf-8")


def main() -> None:
    """Read the command line and run the notebook."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", help="how its name begins, for example 03")
    parser.add_argument("--runs", type=int, default=6, help="how many, the notebook's own among them")
    arguments = parser.parse_args()
    if arguments.runs < 2:
        parser.error(f"--runs {arguments.runs}: a spread needs at least two runs.")
    try:
        path, *others = collection.select([arguments.notebook])
    except collection.CollectionError as error:
        sys.exit(str(error))
    if others:
        sys.exit(f"More than one notebook's name begins with {arguments.notebook!r}. Choose one of them.")
    runs = []
    for k in range(arguments.runs):
        tier, entries = run(path, SHIFT * k)
        runs.append(entries)
        broken = [entry["statement"] for entry in entries if not entry["holds"]]
        print(
            f"run {k} of {arguments.runs - 1}: {len(entries)} statements, do not hold: {broken or 'none'}",
            flush=True,
        )
    heading = {"full": "Full data", "sample": "Sample data"}.get(tier, "Data made in the notebook")
    write(ROOT / "benchmarks" / f"{path.stem}.md", path.stem[:2], heading, table(runs))


if __name__ == "__main__":
    main()
