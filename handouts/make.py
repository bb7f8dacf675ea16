"""Make the handouts: students' notebooks, PDF for students and instructors, and HTML. Nothing is executed.

    python -m handouts                       all notebooks, A4 and US letter
    python -m handouts --paper a4            on one paper only
    python -m handouts my_own_notebook.ipynb a notebook of your own

They go to build/handouts, or to the folder that `--out` names. Nothing there is touched that was not made
by an earlier run.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from handouts import folder
from handouts.cells import HandoutError, Notebook, read, student_copy
from handouts.paper import (
    Pictures,
    check_letters,
    markdown_source,
    typst_source,
    write_markdown_page,
    write_page,
    write_pdf,
)
from tools import collection

PAPERS = {"a4": "a4", "letter": "us-letter"}  # folder → Typst's name
ENDS = ("", "-student", "-instructor")  # of the name of a handout
EDITIONS = {"student": "students’ edition", "instructor": "instructor’s edition, with solutions"}
SUBTITLE = "Notebooks in which what is said is checked"


def make_pdfs(notebooks: list[Notebook], edition: str, out: Path, papers: list[str], whole: bool) -> None:
    """Write the PDFs of an edition, of each notebook and of all together.

    Args:
        notebooks: The notebooks.
        edition: `"student"` or `"instructor"`.
        out: The PDFs go to a folder in it for each paper.
        papers: `"a4"`, `"letter"` or both.
        whole: Whether to write the PDF of all together, too.
    """
    with tempfile.TemporaryDirectory() as scratch:
        pictures = Pictures(Path(scratch))
        solutions = edition == "instructor"
        bodies = [typst_source(notebook, pictures, solutions=solutions) for notebook in notebooks]
        together = "\n\n".join([*bodies, markdown_source(collection.GLOSSARY)]) if whole else ""
        name = collection.name()
        for paper in papers:
            look = {"edition": EDITIONS[edition], "paper": PAPERS[paper]}
            widths = {}
            for notebook, body in zip(notebooks, bodies, strict=True):
                file = out / paper / f"{notebook.path.stem}-{edition}.pdf"
                widths |= write_pdf(file, body, pictures, title=notebook.title, **look)
            if whole:
                before = f'#title-page("{name}", "{SUBTITLE}", "{EDITIONS[edition]}")\n#contents()\n'
                file = out / paper / f"collection-{edition}.pdf"
                write_pdf(file, together, pictures, title=name, before=before, widths=widths, **look)


def make(paths: list[Path], out: Path, papers: list[str]) -> None:
    """Make all handouts of some notebooks and say how far it is.

    Args:
        paths: The notebooks; for none, all of the collection, with a PDF of them together.
        out: The folder for the handouts.
        papers: `"a4"`, `"letter"` or both.

    Raises:
        HandoutError: If a notebook breaks a rule, or something is in the way. Then nothing is written.
    """
    whole = not paths
    notebooks = [read(path) for path in paths or collection.notebooks()]
    names = [notebook.path.name for notebook in notebooks]
    for name in names:
        if names.count(name) > 1:
            raise HandoutError(
                f"Two of the notebooks are called {name}, so their handouts would be, too. Rename one."
            )
    for notebook in notebooks:
        check_letters(notebook)
    started = time.monotonic()

    def report(what: str) -> None:
        print(f"{time.monotonic() - started:5.1f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        for name in ("students", "html", *papers):
            (fresh / name).mkdir()
        for notebook in notebooks:
            nbformat.write(student_copy(notebook.path), fresh / "students" / notebook.path.name)
        # Typst and pandoc work outside of Python, so threads keep all cores busy; the longest come first.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            editions = [
                pool.submit(make_pdfs, notebooks, edition, fresh, papers, whole) for edition in EDITIONS
            ]
            pages = [
                pool.submit(write_page, fresh / "html" / f"{notebook.path.stem}.html", notebook)
                for notebook in notebooks
            ]
            if whole:
                shutil.copy(collection.GLOSSARY, fresh / "students")
                write_markdown_page(fresh / "html" / "glossary.html", collection.GLOSSARY, "Glossary")
            for edition, made in zip(EDITIONS, editions, strict=True):
                made.result()
                report(f"{len(list(fresh.glob(f'*/*-{edition}.pdf')))} PDFs for {edition}s")
            for page in pages:
                page.result()
            report(f"{len(notebooks)} students' notebooks and {len(notebooks)} HTML pages")
        # Only now, so that a mistake in the last notebook costs no older handout.
        for name in folder.install(fresh, out, owners(fresh, notebooks, whole)):
            print(f"{out / name} is no longer made. It was changed by hand, so it was kept.")
    print(f"They are in {out}.")


def owners(fresh: Path, notebooks: list[Notebook], whole: bool) -> dict[str, str]:
    """Return whose handout each file is: that of its notebook, or, for all notebooks, of the collection.

    Args:
        fresh: The folder with everything that was made.
        notebooks: The notebooks.
        whole: Whether they are the collection.
    """
    files = sorted(path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file())
    if whole:
        return dict.fromkeys(files, folder.COLLECTION)
    stems = {f"{notebook.path.stem}{end}": notebook.path.name for notebook in notebooks for end in ENDS}
    return {file: stems[Path(file).stem] for file in files}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "notebooks", nargs="*", type=Path, help="notebooks of your own; without, the collection"
    )
    parser.add_argument("--paper", nargs="+", choices=PAPERS, default=list(PAPERS))
    parser.add_argument("--out", type=Path, default=collection.ROOT / "build" / "handouts")
    arguments = parser.parse_args()
    try:
        make(arguments.notebooks, arguments.out, arguments.paper)
    except HandoutError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Run the same command again.")


if __name__ == "__main__":
    main()
