"""Execute notebooks from top to bottom and write them back with fresh, clean outputs.

    python -m tools.run_notebooks         all notebooks
    python -m tools.run_notebooks 03 05   those whose names begin so

A notebook with an error in it is left as it was.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"


class NotebookError(Exception):
    """A sentence for the person at the keyboard."""


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


def execute(path: Path) -> None:
    """Execute one notebook, show on one line how far it is, and write it back.

    Args:
        path: The notebook.

    Raises:
        NotebookError: If a cell stops with an error; the file is then unchanged.
    """
    notebook = nbformat.read(path, as_version=4)
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0
    started = time.monotonic()

    def report(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal done
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
    clean(notebook)
    # Written beside the old file and moved into its place, so that a full disk costs no notebook.
    fresh = path.with_suffix(".part")
    nbformat.write(notebook, fresh)
    fresh.replace(path)
    start_of_line = "\r" if sys.stdout.isatty() else ""
    print(f"{start_of_line}{path.stem}: {code_cells} cells in {time.monotonic() - started:.0f} s", flush=True)


def select(names: list[str]) -> list[Path]:
    """Return the notebooks whose file names begin with one of `names`, or all."""
    notebooks = sorted(NOTEBOOKS.glob("*.ipynb"))
    for name in names:
        if not any(path.name.startswith(name) for path in notebooks):
            known = ", ".join(path.stem for path in notebooks)
            raise NotebookError(f"There is no notebook whose name begins with {name!r}. There are: {known}.")
    return [path for path in notebooks if not names or path.name.startswith(tuple(names))]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="how the notebooks' names begin, such as 03; all without")
    try:
        for path in select(parser.parse_args().names):
            execute(path)
    except NotebookError as error:
        sys.exit(f"\n{error}" if sys.stdout.isatty() else str(error))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The notebook that was running is as it was before.")


if __name__ == "__main__":
    main()
