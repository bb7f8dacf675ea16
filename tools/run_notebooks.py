"""Execute notebooks from top to bottom and write them back with fresh, clean outputs.

    python -m tools.run_notebooks         all notebooks
    python -m tools.run_notebooks 03 05   those whose names begin so

A notebook with an error in it is left as it was. The run time of one without goes into its manifest and
from there into the README, unless it ran on the sample.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from tools import collection, readme

WIDGET = "application/vnd.jupyter.widget-view+json"
# Runs in the kernel after the last cell: on which tiers are the data sets that the notebook has loaded?
ASK_FOR_TIERS = """\
import dataclasses, json
found = [value for value in list(globals().values()) if dataclasses.is_dataclass(value)]
print(json.dumps(sorted({value.tier for value in found if hasattr(value, "tier")})))
"""


class NotebookError(Exception):
    """A sentence for the person at the keyboard."""


@dataclass(frozen=True)
class Run:
    """A run without an error: how long it took, and the tiers of the data sets that were loaded."""

    seconds: float
    tiers: frozenset[str]

    @property
    def on_sample(self) -> bool:
        """Whether the notebook used the sample, or would have if it loaded any data."""
        return "sample" in self.tiers or os.environ.get("TUTORIAL_DATA") == "sample"


def clean(notebook: nbformat.NotebookNode) -> None:
    """Remove from an executed notebook what differs from machine to machine or shows nothing when saved.

    Args:
        notebook: The notebook, changed in place: versions and the state of widgets leave its metadata, what
            editors keep in a cell's metadata leaves the cell, and so do outputs that are nothing but a
            widget, for they need a running kernel.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k in ("tags", "jupyter")}
        )
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]


def execute(path: Path) -> Run:
    """Execute one notebook, show on one line how far it is, and write it back.

    Args:
        path: The notebook.

    Returns:
        How long it took, and on which data.

    Raises:
        NotebookError: If a cell stops with an error; the file is then unchanged.
    """
    notebook = collection.read(path)
    code_cells = len(collection.code_cells(notebook))
    question = nbformat.v4.new_code_cell(ASK_FOR_TIERS)
    notebook.cells.append(question)
    done = 0
    started = time.monotonic()

    def report(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal done
        if cell is question:
            return
        done += cell.cell_type == "code"
        if sys.stdout.isatty():
            seconds = time.monotonic() - started
            print(f"\r{path.stem}: cell {done} of {code_cells}, {seconds:.0f} s", end="", flush=True)

    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=report,
    )
    try:
        # A kernel's own log says nothing to the reader; what a cell writes to stderr does not come this way.
        client.execute(stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise NotebookError(f"{path.stem}: cell {done} stopped with {error.ename}: {error.evalue}") from None
    except DeadKernelError:
        raise NotebookError(
            f"{path.stem}: the kernel died in cell {done}. Was there enough memory?"
        ) from None
    seconds = time.monotonic() - started
    notebook.cells.pop()
    tiers = frozenset(json.loads(question.outputs[-1].text.splitlines()[-1]))
    clean(notebook)
    # Written beside the old file and moved into its place, so that a full disk costs no notebook.
    fresh = path.with_suffix(".part")
    nbformat.write(notebook, fresh)
    fresh.replace(path)
    start_of_line = "\r" if sys.stdout.isatty() else ""
    print(f"{start_of_line}{path.stem}: {code_cells} cells in {seconds:.0f} s", flush=True)
    return Run(seconds, tiers)


def keep_time(path: Path, run: Run) -> None:
    """Write a run time into the notebook's manifest and the README, and say so; not that of the sample.

    Args:
        path: The notebook.
        run: Its run.
    """
    if run.on_sample:
        print("  Its run time is not kept, for it ran on the sample.", flush=True)
        return
    collection.write_seconds(path, run.seconds)
    readme.write()
    print(f"  Its run time is kept in {collection.manifest_path(path).name} and the README.", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="how the notebooks' names begin, such as 03; all without")
    try:
        paths = collection.select(parser.parse_args().names)
        for path in paths:  # before an hour of running
            collection.manifest(path)
        for path in paths:
            keep_time(path, execute(path))
    except (NotebookError, collection.CollectionError) as error:
        sys.exit(f"\n{error}" if sys.stdout.isatty() else str(error))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The notebook that was running is as it was before.")


if __name__ == "__main__":
    main()
