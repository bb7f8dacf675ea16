"""Make the handouts: students' notebooks, PDF for students and instructors, and HTML. Nothing is executed.

    python -m handouts                       all notebooks, A4 and US letter
    python -m handouts --paper a4            on one paper only
    python -m handouts my_own_notebook.ipynb a notebook of your own

They go to build/handouts.
"""

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

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
from tools.collection import GLOSSARY, ROOT

PAPERS = {"a4": "a4", "letter": "us-letter"}  # folder → Typst's name
EDITIONS = {"student": "students’ edition", "instructor": "instructor’s edition, with solutions"}
SUBTITLE = "Notebooks in which what is said is checked"


def make_pdfs(notebooks: list[Notebook], edition: str, out: Path, papers: list[str], together: bool) -> None:
    """Write the PDFs of an edition, of each notebook and of all together.

    Args:
        notebooks: The notebooks.
        edition: `"student"` or `"instructor"`.
        out: The PDFs go to a folder in it for each paper.
        papers: `"a4"`, `"letter"` or both.
        together: Whether to write the PDF of all together, too.
    """
    with tempfile.TemporaryDirectory() as scratch:
        pictures = Pictures(Path(scratch))
        solutions = edition == "instructor"
        bodies = [typst_source(notebook, pictures, solutions=solutions) for notebook in notebooks]
        whole = "\n\n".join([*bodies, markdown_source(GLOSSARY)]) if together else ""
        name = collection.name()
        for paper in papers:
            look = {"edition": EDITIONS[edition], "paper": PAPERS[paper]}
            widths = {}
            for notebook, body in zip(notebooks, bodies, strict=True):
                file = out / paper / f"{notebook.path.stem}-{edition}.pdf"
                widths |= write_pdf(file, body, pictures, title=notebook.title, **look)
            if together:
                before = f'#title-page("{name}", "{SUBTITLE}", "{EDITIONS[edition]}")\n#contents()\n'
                file = out / paper / f"collection-{edition}.pdf"
                write_pdf(file, whole, pictures, title=name, before=before, widths=widths, **look)


def make(paths: list[Path], out: Path, papers: list[str]) -> None:
    """Make all handouts of some notebooks and say how far it is.

    Args:
        paths: The notebooks; for none, all of the collection, with a PDF of them together.
        out: The folder for the handouts.
        papers: `"a4"`, `"letter"` or both.

    Raises:
        HandoutError: If a notebook breaks a rule. Then nothing is written.
    """
    whole = not paths
    notebooks = [read(path) for path in paths or collection.notebooks()]
    for notebook in notebooks:
        check_letters(notebook)
    started = time.monotonic()

    def report(what: str) -> None:
        print(f"{time.monotonic() - started:5.1f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        (fresh / "students").mkdir()
        (fresh / "html").mkdir()
        for notebook in notebooks:
            nbformat.write(student_copy(notebook.path), fresh / "students" / notebook.path.name)
            write_page(fresh / "html" / f"{notebook.path.stem}.html", notebook)
        if whole:
            shutil.copy(GLOSSARY, fresh / "students")
            write_markdown_page(fresh / "html" / "glossary.html", GLOSSARY, "Glossary")
        report(f"{len(notebooks)} students' notebooks and {len(notebooks)} HTML pages")
        for paper in papers:
            (fresh / paper).mkdir()
        # Typst and pandoc work outside of Python, so the two editions keep two cores busy.
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(make_pdfs, notebooks, edition, fresh, papers, whole) for edition in EDITIONS]
            for edition, pdfs in zip(EDITIONS, made, strict=True):
                pdfs.result()
                report(f"{len(list(fresh.glob(f'*/*-{edition}.pdf')))} PDFs for {edition}s")
        # Only now, so that a mistake in the last notebook costs no older handout.
        for folder in fresh.iterdir():
            shutil.rmtree(out / folder.name, ignore_errors=True)
            shutil.copytree(folder, out / folder.name)
    print(f"They are in {out}.")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "notebooks", nargs="*", type=Path, help="notebooks of your own; without, the collection"
    )
    parser.add_argument("--paper", nargs="+", choices=PAPERS, default=list(PAPERS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "handouts")
    arguments = parser.parse_args()
    try:
        make(arguments.notebooks, arguments.out, arguments.paper)
    except HandoutError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
