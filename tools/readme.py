"""Write what the pages say of each notebook: the README's table, and the order, the minutes and the pitfalls.

    python -m tools.readme

What is written comes from the notebooks' manifests and first cells, and stands between two marks of its page.
"""

import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from tools import collection

BEGIN = "<!-- {name}: written by python -m tools.readme -->\n"
END = "<!-- end of {name} -->\n"
RACE = "{race}"
WIDTH = 118


def _clock(seconds: float) -> str:
    """Return a run time as one reads it: `93 s`, `5:26 min`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02} min"


def _result(notebook: Path) -> str:
    """Return what a notebook reaches, with what its recipe reached in the race if it takes part in one."""
    manifest = collection.manifest(notebook)
    if RACE not in manifest.result:
        return manifest.result
    if not manifest.race:
        raise collection.CollectionError(
            f"{collection.manifest_path(notebook).name}: its result has {RACE}, and it names no race."
        )
    from benchmarks import report

    reached = f"[{report.reached(manifest.race)}](benchmarks/RESULTS.md)"
    return manifest.result.replace(RACE, reached)


def notebooks_table() -> str:
    """Return the README's table of notebooks, and how long all of them take."""
    lines = [
        "| notebook | what it is about | reading | run time | what it reaches |",
        "| :-- | :-- | --: | --: | :-- |",
    ]
    reading = running = 0.0
    for path in collection.notebooks():
        manifest = collection.manifest(path)
        minutes = collection.minutes(path, "Reading time")
        reading, running = reading + minutes, running + manifest.seconds
        lines.append(
            f"| [{collection.title(path)}](notebooks/{path.name}) | {manifest.subject} | {minutes} min "
            f"| {_clock(manifest.seconds)} | {_result(path)} |"
        )
    total = (
        f"All of them take about {reading / 60:.0f} hours to read, as long again for the exercises, and "
        f"{running / 60:.0f} minutes to run."
    )
    return "\n".join([*lines, "", *textwrap.wrap(total, WIDTH)]) + "\n"


def minutes_table() -> str:
    """Return the table of the page for teachers: how long each notebook takes in class, and what to cut."""
    lines = [
        "| notebook | teaching | exercises in class | where to cut, if time is short |",
        "| :-- | --: | --: | :-- |",
    ]
    for path in collection.notebooks():
        manifest = collection.manifest(path)
        lines.append(
            f"| {collection.title(path)} | {manifest.teaching} | {manifest.exercising} | {manifest.cut} |"
        )
    return "\n".join(lines) + "\n"


def pitfalls_list() -> str:
    """Return what students get wrong in each notebook."""
    items = []
    for path in collection.notebooks():
        text = f"- **{path.name[:2]}** {collection.manifest(path).mistaken}"
        items += textwrap.wrap(
            text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(items) + "\n"


# Page → name of the marks → what stands between them.
PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    collection.README: {"notebooks": notebooks_table},
    collection.ROOT / "handouts" / "README.md": {"minutes": minutes_table, "pitfalls": pitfalls_list},
}


def fill(text: str, name: str, content: str) -> str:
    """Return the text of a page with something new between two marks.

    Args:
        text: The text.
        name: The name of the marks.
        content: What stands between them from now on.

    Raises:
        CollectionError: If one of the two is not in the text.
    """
    begin, end = BEGIN.format(name=name), END.format(name=name)
    if text.count(begin) != 1 or text.count(end) != 1:
        raise collection.CollectionError(
            f"A page has lost its marks {begin.strip()} and {end.strip()}. Put each back, once, on a line of "
            "its own."
        )
    pattern = f"{re.escape(begin)}.*{re.escape(end)}"
    return re.sub(pattern, lambda _: begin + content + end, text, flags=re.DOTALL)


def filled(page: Path) -> str:
    """Return what a page has to say, given the manifests as they are."""
    text = page.read_text(encoding="utf-8")
    for name, content in PAGES[page].items():
        text = fill(text, name, content())
    return text


def write() -> list[Path]:
    """Bring all pages up to date and return those that have changed."""
    changed = []
    for page in PAGES:
        text = filled(page)
        if text != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8", newline="\n")
            changed.append(page)
    return changed


def main() -> None:
    """Write, and say what has changed."""
    try:
        changed = write()
    except collection.CollectionError as error:
        sys.exit(str(error))
    names = ", ".join(str(page.relative_to(collection.ROOT)) for page in changed)
    print(f"Brought up to date: {names}." if changed else "All pages are up to date.")


if __name__ == "__main__":
    main()
