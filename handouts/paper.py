"""From the parts of a notebook to PDF and HTML, by pandoc and Typst, without a network or a browser."""

import functools
import json
import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cells import Figure, HandoutError, Notebook, Part

import pypandoc
import typst

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FONT = "Libertinus Serif"  # of the text; Typst finds what it lacks in its other fonts
MARKDOWN = "gfm+tex_math_dollars"
BORDER = "handout-cell-border"  # a paragraph between two cells, so that one run of pandoc reads them all
DOTS_PER_INCH = 144  # of the figures in the notebooks
LEAST_ROOM, MOST_ROOM = 4, 16  # lines to write on under an exercise

Block = dict[str, Any]


def _pandoc(arguments: list[str], text: str, where: str) -> str:
    """Run pandoc and return what it writes; a warning is an error, for it means that something is lost."""
    answer = subprocess.run(
        [pypandoc.get_pandoc_path(), *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if answer.returncode or answer.stderr.strip():
        raise HandoutError(f"{where}: pandoc says: {' '.join(answer.stderr.split())}")
    return answer.stdout


def _blocks_of(markdown: str, where: str) -> list[Block]:
    """Return a text in Markdown as blocks in pandoc's own form."""
    return json.loads(_pandoc(["-f", MARKDOWN, "-t", "json"], markdown, where))["blocks"]


def read_texts(notebook: Notebook) -> dict[int, list[Block]]:
    """Return the blocks of each text cell, by the cell's number, in pandoc's own form.

    Raises:
        HandoutError: If a cell holds what cannot be printed, such as HTML.
    """
    texts = [part for part in notebook.parts if part.kind == "text"]
    together = f"\n\n{BORDER}\n\n".join(part.source for part in texts)
    blocks = _blocks_of(together, notebook.path.name)
    border = {"t": "Para", "c": [{"t": "Str", "c": BORDER}]}
    groups: list[list[Block]] = [[]]
    for block in blocks:
        if block == border:
            groups.append([])
        else:
            groups[-1].append(block)
    if len(groups) != len(texts):
        raise HandoutError(
            f"{notebook.path.name}: a text cell has a fence of ``` or a table that is never closed."
        )
    for part, group in zip(texts, groups, strict=True):
        where = f"{notebook.path.name}, cell {part.number}"
        for node in _nodes(group):
            if node["t"] in ("RawInline", "RawBlock"):
                raise HandoutError(f"{where}: raw HTML cannot be printed: {node['c'][1].strip()[:60]}")
            if node["t"] == "Image":
                raise HandoutError(
                    f"{where}: a picture in the text cannot be printed. Draw it in a code cell."
                )
    return {part.number: group for part, group in zip(texts, groups, strict=True)}


def _nodes(tree: Any) -> Iterable[dict[str, Any]]:
    """Go through everything in a piece of a document that has a type."""
    if isinstance(tree, dict):
        if "t" in tree:
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from _nodes(branch)


def _map_inlines(tree: Any, change: Any) -> Any:
    """Return a copy of a piece of a document in which `change` has replaced each node by a list of nodes."""
    if isinstance(tree, list):
        changed = []
        for branch in tree:
            done = _map_inlines(branch, change)
            changed.extend(change(done) if isinstance(done, dict) and "t" in done else [done])
        return changed
    if isinstance(tree, dict):
        return {key: _map_inlines(value, change) for key, value in tree.items()}
    return tree


def _plain(inlines: list[dict[str, Any]]) -> str:
    """Return the letters of some inlines."""
    return "".join(node.get("c", " ") if node["t"] == "Str" else " " for node in _nodes(inlines))


def _links_for_paper(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Print where a link leads in a footnote, unless its text says so."""
    if node["t"] != "Link":
        return [node]
    text, (target, _) = node["c"][1], node["c"][2]
    if target.startswith("#") or re.search(r"\.ipynb|glossary\.md", target):
        return text
    shown = target
    if not re.match(r"[a-z]+:", target):
        shown = posixpath.normpath(f"notebooks/{target}")  # from the root of the project
    said = _plain(text)
    if said in target or said.startswith("arXiv:"):
        return text
    note = {"t": "Note", "c": [{"t": "Para", "c": [{"t": "Code", "c": [["", [], []], shown]}]}]}
    return [*text, note]


def _links_for_page(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Let links between notebooks lead from page to page; files that are not handed out are named only."""
    if node["t"] != "Link":
        return [node]
    text, (target, _) = node["c"][1], node["c"][2]
    if match := re.match(r"([\w-]+)\.(?:ipynb|md)(#.*)?$", target):
        return [{**node, "c": [node["c"][0], text, [f"{match[1]}.html{match[2] or ''}", ""]]}]
    return [node] if re.match(r"[a-z]+:|#", target) else text


def _let_columns_fit(blocks: list[Block]) -> list[Block]:
    """Let every table find the widths of its columns by what is in them."""
    for node in _nodes(blocks):
        if node["t"] == "Table":
            node["c"][2] = [[align, {"t": "ColWidthDefault"}] for align, _ in node["c"][2]]
    return blocks


def _raw(kind: str, text: str) -> Block:
    return {"t": "RawBlock", "c": [kind, text]}


def _quoted(text: str) -> str:
    """Write a text as a Typst string."""
    return json.dumps(text, ensure_ascii=False)


def _without_first_comment(source: str) -> str:
    """Return a solution without the line that JupyterLab shows of it while it is folded."""
    return re.sub(r"\A# Solution\n+", "", source)


class Pictures:
    """The figures of a handout, written into a folder; equal ones share a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[bytes, str] = {}

    def name(self, figure: Figure) -> str:
        """Return the file name of a figure, which is there from now on."""
        if figure.png not in self.names:
            self.names[figure.png] = f"figure-{len(self.names) + 1:03d}.png"
            (self.folder / self.names[figure.png]).write_bytes(figure.png)
        return self.names[figure.png]


def _for_paper(part: Part, pictures: Pictures, blank_lines: int | None) -> list[Block]:
    """Return a code cell as blocks for Typst; with `blank_lines`, it is an exercise with room to write."""
    source = _without_first_comment(part.source) if part.kind == "solution" else part.source
    calls = [f"#code-cell({_quoted(source)})"]
    for output in [] if part.kind == "blank" else part.outputs:
        if isinstance(output, Figure):
            file, width = pictures.name(output), output.width / DOTS_PER_INCH
            calls.append(f"#cell-figure({_quoted(file)}, {_quoted(output.description)}, {width:.2f}in)")
        elif output.strip():
            calls.append(f"#cell-output({_quoted(output)})")
    if blank_lines is not None:
        calls.append(f"#answer-room({blank_lines})")
    return [_raw("typst", "\n".join(calls))]


def typst_source(notebook: Notebook, pictures: Pictures, *, solutions: bool) -> str:
    """Return the body of a notebook's handout in Typst.

    Args:
        notebook: The notebook.
        pictures: Where its figures go.
        solutions: Whether it is the instructor's, with the solutions, or the student's, with room to write.
    """
    texts = read_texts(notebook)
    blocks: list[Block] = []
    for part, following in zip(notebook.parts, [*notebook.parts[1:], None], strict=True):
        if part.kind == "text":
            blocks += _let_columns_fit(_map_inlines(texts[part.number], _links_for_paper))
        elif part.kind == "solution":
            if solutions:
                blocks += [_raw("typst", "#solution["), *_for_paper(part, pictures, None), _raw("typst", "]")]
        else:
            room = None
            if part.kind == "blank" and not solutions:
                lines = round(1.2 * len(following.source.splitlines()))
                room = min(max(lines, LEAST_ROOM), MOST_ROOM)
            blocks += _for_paper(part, pictures, room)
    return _to_typst(blocks, notebook.path.name)


def _to_typst(blocks: list[Block], where: str) -> str:
    return _pandoc(["-f", "json", "-t", "typst", "--wrap=none"], _document(blocks), where)


@functools.cache
def _api_version() -> list[int]:
    """Return the version of pandoc's own form."""
    return json.loads(_pandoc(["-f", "markdown", "-t", "json"], "", "pandoc"))["pandoc-api-version"]


def _document(blocks: list[Block]) -> str:
    """Return blocks as a document in pandoc's own form."""
    return json.dumps({"pandoc-api-version": _api_version(), "meta": {}, "blocks": blocks})


def markdown_source(path: Path) -> str:
    """Return a page of Markdown in Typst, for the collection."""
    blocks = _blocks_of(path.read_text(encoding="utf-8"), path.name)
    return _to_typst(_let_columns_fit(_map_inlines(blocks, _links_for_paper)), path.name)


def write_pdf(
    file: Path, body: str, pictures: Pictures, *, title: str, edition: str, paper: str, before: str = ""
) -> None:
    """Set a handout and write it as PDF, the same bytes for the same input.

    Args:
        file: The PDF.
        body: Its text in Typst.
        pictures: The figures that it names.
        title: Title in the running header and in the file's metadata.
        edition: Whose handout it is, in the running header.
        paper: `"a4"` or `"us-letter"`.
        before: Pages before the first one, in Typst; with them each title begins a page.

    Raises:
        HandoutError: If Typst cannot set it.
    """
    for name in ("template.typ", "print.tmTheme"):
        shutil.copy(HERE / name, pictures.folder)
    settings = f"title: {_quoted(title)}, edition: {_quoted(edition)}, paper: {_quoted(paper)}"
    main = pictures.folder / "main.typ"
    main.write_text(
        '#import "template.typ": *\n'
        f"#show: handout.with({settings}, chapters: {'true' if before else 'false'})\n{before}\n{body}\n",
        encoding="utf-8",
    )
    try:
        pdf = typst.compile(main, format="pdf", ignore_system_fonts=True)
    except typst.TypstError as error:
        raise HandoutError(f"{title}: Typst says: {error}") from None
    file.write_bytes(pdf)


def check_letters(notebook: Notebook) -> None:
    """See that the fonts have a shape for every letter; Typst would print a box in its place and say nothing.

    Args:
        notebook: The notebook.

    Raises:
        HandoutError: If a letter has none; the sentence names the cell.
    """
    # PDF/A is strict about letters without a shape. It wants a date as well, which the handouts have not.
    page = "#set document(date: datetime(year: 2000, month: 1, day: 1))\n#set text(font: {})\n#{}"
    known: set[str] = set()
    for part in notebook.parts:
        texts = [part.source, *(output for output in part.outputs if isinstance(output, str))]
        letters = {letter for letter in "".join(texts) if not letter.isascii()} - known
        source = page.format(_quoted(FONT), _quoted("".join(sorted(letters))))
        try:
            typst.compile(source.encode(), format="pdf", ignore_system_fonts=True, pdf_standards=["a-2b"])
        except typst.TypstError as error:
            missing = re.search(r'text `"(.+?)"` could not be displayed', str(error))
            raise HandoutError(
                f"{notebook.path.name}, cell {part.number}: no font of the handouts has a shape for "
                f"“{missing[1] if missing else error}”. Use other letters, or draw it in a code cell."
            ) from None
        known |= letters


def write_page(file: Path, notebook: Notebook) -> None:
    """Write a notebook as one HTML page that needs no other file and no network; solutions are folded.

    Args:
        file: The page.
        notebook: The notebook.
    """
    texts = read_texts(notebook)
    blocks: list[Block] = []
    with tempfile.TemporaryDirectory() as folder:
        pictures = Pictures(Path(folder))
        for part in notebook.parts:
            if part.kind == "text":
                blocks += _let_columns_fit(_map_inlines(texts[part.number], _links_for_page))
                continue
            source = _without_first_comment(part.source) if part.kind == "solution" else part.source
            cell: list[Block] = [{"t": "CodeBlock", "c": [["", ["python"], []], source]}]
            for output in part.outputs:
                if isinstance(output, Figure):
                    width = [["width", str(output.width * 96 // DOTS_PER_INCH)]]
                    name = str(pictures.folder / pictures.name(output))
                    text = [{"t": "Str", "c": output.description}]
                    cell.append(
                        {"t": "Plain", "c": [{"t": "Image", "c": [["", [], width], text, [name, ""]]}]}
                    )
                elif output.strip():
                    cell.append({"t": "CodeBlock", "c": [["", ["output"], []], output]})
            if part.kind == "solution":
                opening = _raw("html", "<details><summary>Solution</summary>")
                cell = [opening, *cell, _raw("html", "</details>")]
            blocks += cell
        _write_html(file, blocks, notebook.title)


def write_markdown_page(file: Path, source: Path, title: str) -> None:
    """Write a page of Markdown as an HTML page like those of the notebooks."""
    blocks = _blocks_of(source.read_text(encoding="utf-8"), source.name)
    _write_html(file, _let_columns_fit(_map_inlines(blocks, _links_for_page)), title)


def _write_html(file: Path, blocks: list[Block], title: str) -> None:
    options = [
        "--standalone",
        "--embed-resources",
        "--mathml",
        "--syntax-highlighting=monochrome",
        "--wrap=none",
    ]
    options += [f"--css={HERE / 'page.css'}", f"--metadata=pagetitle:{title}", "--metadata=lang:en-GB"]
    html = _pandoc(["-f", "json", "-t", "html5", *options], _document(blocks), file.name)
    file.write_text(html, encoding="utf-8")
