"""From the parts of a notebook to PDF and HTML, by pandoc and Typst, without a network or a browser."""

import functools
import json
import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pypandoc
import typst
from pygments.lexers.python import PythonLexer
from pygments.token import Token

from handouts.cells import Figure, HandoutError, Notebook, Part, without_promise

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FONT = "Libertinus Serif"  # of the text; Typst finds what it lacks in its other fonts
MARKDOWN = "gfm+tex_math_dollars"
BORDER = "handout-cell-border"  # a paragraph between two cells, so that one run of pandoc reads them all
DOTS_PER_INCH = 144  # of the figures in the notebooks
PRINTED = 0.9  # of that size on paper: its letters are then as large as a footnote, and more fit on a page
SMALLEST = 0.65  # of that size, to which a figure may shrink to fit into what is left of a page
GAP = 0.25  # inches, before a figure
HIGHEST = 3.5  # inches; a higher figure would too often leave half a page empty before it
LEAST_ROOM, MOST_ROOM = 4, 16  # lines to write on under an exercise
LONGEST_WORD, LONGEST_IN_TABLE = 60, 25  # letters; a longer one may go on on the next line
LONGEST_LEAD = 800  # letters before a formula that stay with it on one page
LETTERS_TOGETHER = 2000  # the text of an exercise that is no longer stays on one page
LINES_TOGETHER = 40  # as does a solution of no more lines

EXERCISES = ["blank", "solution"], ["text", "blank"]  # the cells that follow the text of one, or of the first

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


@functools.cache  # both editions of a handout have the same texts
def _json_of(markdown: str, where: str) -> str:
    return _pandoc(["-f", MARKDOWN, "-t", "json"], markdown, where)


def _blocks_of(markdown: str, where: str) -> list[Block]:
    """Return a text in Markdown as blocks in pandoc's own form."""
    return json.loads(_json_of(markdown, where))["blocks"]


def read_texts(notebook: Notebook, change: Callable[[str], str] = str) -> dict[int, list[Block]]:
    """Return the blocks of each text cell, by the cell's number, in pandoc's own form.

    Args:
        notebook: The notebook.
        change: What is done to the source of each text cell before.

    Raises:
        HandoutError: If a cell holds what cannot be printed, such as HTML.
    """
    texts = [part for part in notebook.parts if part.kind == "text"]
    together = f"\n\n{BORDER}\n\n".join(change(part.source) for part in texts)
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


def _breakable(text: str, letters: int = LONGEST_WORD) -> str:
    """Let long words, such as addresses, go on on the next line anywhere; else they would leave the page."""
    return re.sub(rf"\S{{{letters},}}", lambda word: "\u200b".join(word[0]), text)


def _break_words(tree: Any, letters: int = LONGEST_WORD) -> None:
    """Let the long words of a piece of a document break."""
    for node in _nodes(tree):
        if node["t"] == "Str":
            node["c"] = _breakable(node["c"], letters)
        elif node["t"] in ("Code", "CodeBlock"):
            node["c"][1] = _breakable(node["c"][1], letters)
        elif node["t"] == "Table" and letters > LONGEST_IN_TABLE:
            _break_words(node["c"], LONGEST_IN_TABLE)


def _columns_apart(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Put room between the pairs of columns of aligned formulas, as TeX does, unlike Typst and browsers."""
    if node["t"] != "Math" or node["c"][1].count(r"\begin{") != 1 or r"\begin{aligned}" not in node["c"][1]:
        return [node]
    rows = []
    for row in node["c"][1].split(r"\\"):
        columns = row.split("&")
        for index in range(1, len(columns) - 1, 2):
            columns[index] += r"\qquad "
        rows.append("&".join(columns))
    return [{**node, "c": [node["c"][0], r"\\".join(rows)]}]


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


def _flag(value: bool) -> str:
    """Write a truth value in Typst."""
    return "true" if value else "false"


def _without_first_comment(source: str) -> str:
    """Return a solution without the line that JupyterLab shows of it while it is folded."""
    return re.sub(r"\A# Solution\n+", "", source)


# How a part of code looks on paper, by the kind of its token; the first kind that fits counts.
LOOKS = {
    Token.Comment: "comment",
    Token.Literal.String.Doc: "comment",
    Token.Literal.String.Affix: "keyword",
    Token.Literal.String.Interpol: "plain",
    Token.Literal.String: "string",
    Token.Keyword.Constant: "plain",
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
}


@functools.cache  # both editions have nearly the same cells
def _code_lines(source: str) -> list[list[tuple[str, str]]]:
    """Return the lines of some code, each as its parts: how a part looks, and its letters.

    Typst can find the keywords itself, which takes more time than all the rest of setting a page.
    """
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, letters in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source.expandtabs(2)):
        look = next((look for token, look in LOOKS.items() if kind in token), "plain")
        for number, piece in enumerate(letters.split("\n")):
            if number:
                lines.append([])
            if piece and lines[-1] and (lines[-1][-1][0] == look or not piece.strip()):
                lines[-1][-1] = (lines[-1][-1][0], lines[-1][-1][1] + piece)
            elif piece:
                lines[-1].append((look, piece))
    return lines


class Pictures:
    """The figures of a handout, written into a folder; equal ones share a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[bytes, str] = {}
        self.sizes: dict[str, tuple[float, float]] = {}  # width and height in the notebook, in inches

    def name(self, figure: Figure) -> str:
        """Return the file name of a figure, which is there from now on."""
        if figure.png not in self.names:
            name = f"figure-{len(self.names) + 1:03d}.png"
            self.names[figure.png] = name
            self.sizes[name] = figure.width / DOTS_PER_INCH, figure.height / DOTS_PER_INCH
            (self.folder / name).write_bytes(figure.png)
        return self.names[figure.png]


def _is_formula(node: dict[str, Any]) -> bool:
    return node["t"] == "Math" and node["c"][0]["t"] == "DisplayMath"


def _lead(block: Block) -> list[Block]:
    """Return a paragraph as one that does not end a page."""
    return [_raw("typst", "#lead["), block, _raw("typst", "]")]


def _text_for_paper(blocks: list[Block]) -> list[Block]:
    """Return the blocks of a text cell for Typst, in which the words before a formula stay with it."""
    pieces: list[Block] = []
    blocks = _map_inlines(_map_inlines(blocks, _links_for_paper), _columns_apart)
    _break_words(blocks)
    for block in _let_columns_fit(blocks):
        if block["t"] == "Para":
            pieces += [{"t": "Para", "c": [*run]} for _, run in groupby(block["c"], key=_is_formula)]
        else:
            pieces.append(block)
    done: list[Block] = []
    for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
        leads = piece["t"] == "Para" and following and following["t"] == "Para"
        if leads and _is_formula(following["c"][0]) and len(_plain(piece["c"])) <= LONGEST_LEAD:
            done += _lead(piece)
        else:
            done.append(piece)
    return done


def _for_paper(part: Part, pictures: Pictures, blank_lines: int | None) -> list[Block]:
    """Return a code cell as blocks for Typst; with `blank_lines`, it is an exercise with room to write."""
    source = _without_first_comment(part.source) if part.kind == "solution" else part.source
    outputs = [] if part.kind == "blank" else part.outputs
    tied = blank_lines is not None or bool(outputs and isinstance(outputs[0], str))
    settings = f"tied: {_flag(tied)}, whole: {_flag(part.kind == 'blank')}"
    lines = json.dumps(_code_lines(_breakable(source)), ensure_ascii=False)
    calls = [] if part.kind == "folded" else [f"#code-cell({_quoted(lines)}, {settings})"]
    for output in outputs:
        if isinstance(output, Figure):
            file = pictures.name(output)
            width, height = pictures.sizes[file]
            width *= min(PRINTED, HIGHEST / height)
            calls.append(f"#cell-figure({_quoted(file)}, {_quoted(output.description)}, {width:.2f})")
        elif output.strip():
            calls.append(f"#cell-output({_quoted(_breakable(output))})")
    if blank_lines is not None:
        calls.append(f"#answer-room({blank_lines})")
    return [_raw("typst", "\n".join(calls))]


def _is_short(part: Part) -> bool:
    """Return whether a cell with its outputs is so short that it can be kept on one page."""
    if part.kind == "text":
        return len(part.source) <= LETTERS_TOGETHER
    texts = [part.source, *(output for output in part.outputs if isinstance(output, str))]
    lines = sum(1 + len(line) // 100 for text in texts for line in text.splitlines())
    return lines <= LINES_TOGETHER and len(texts) == 1 + len(part.outputs)  # a figure makes it long


def typst_source(notebook: Notebook, pictures: Pictures, *, solutions: bool) -> str:
    """Return the body of a notebook's handout in Typst.

    Args:
        notebook: The notebook.
        pictures: Where its figures go.
        solutions: Whether it is the instructor's, with the solutions, or the student's, with room to write.
    """
    texts = read_texts(notebook, without_promise)
    blocks: list[Block] = []
    for place, part in enumerate(notebook.parts):
        following = notebook.parts[place + 1 : place + 3]
        if part.kind == "text":
            text = _text_for_paper(texts[part.number])
            if place and [other.kind for other in following] in EXERCISES:  # the title stands free
                opening = f"#exercise(whole: {_flag(_is_short(part))})["
                text = [_raw("typst", opening), *text, _raw("typst", "]")]
            blocks += text
        elif part.kind == "solution":
            if solutions:
                opening = f"#solution(whole: {_flag(_is_short(part))})["
                blocks += [_raw("typst", opening), *_for_paper(part, pictures, None), _raw("typst", "]")]
        else:
            room = None
            if part.kind == "blank" and not solutions:
                lines = round(1.2 * len(following[0].source.splitlines()))
                room = min(max(lines, LEAST_ROOM), MOST_ROOM)
            blocks += _for_paper(part, pictures, room)
    return _to_typst(_end_together(blocks), notebook.path.name)


def _end_together(blocks: list[Block]) -> list[Block]:
    """Keep the last two paragraphs of a handout on one page, so that no page holds two lines alone."""
    if len(blocks) < 2:
        return blocks
    *before, lead, end = blocks
    if lead["t"] != "Para" or end["t"] != "Para" or _is_formula(lead["c"][0]):
        return blocks
    return [*before, *_lead(lead), end]


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
    return _to_typst(_text_for_paper(blocks), path.name)


def write_pdf(
    file: Path,
    body: str,
    pictures: Pictures,
    *,
    title: str,
    edition: str,
    paper: str,
    before: str = "",
    widths: dict[str, float] | None = None,
) -> dict[str, float]:
    """Set a handout and write it as PDF, the same bytes for the same input.

    Args:
        file: The PDF.
        body: Its text in Typst.
        pictures: The figures that it names.
        title: Title in the running header and in the file's metadata.
        edition: Whose handout it is, in the running header.
        paper: `"a4"` or `"us-letter"`.
        before: Pages before the first one, in Typst; with them each title begins a page.
        widths: Widths in inches of the figures that shrink; without, they are found.

    Returns:
        These widths.

    Raises:
        HandoutError: If Typst cannot set it.
    """
    for name in ("template.typ", "print.tmTheme"):
        shutil.copy(HERE / name, pictures.folder)
    settings = f"title: {_quoted(title)}, edition: {_quoted(edition)}, paper: {_quoted(paper)}"
    main = pictures.folder / "main.typ"
    main.write_text(
        '#import "template.typ": *\n'
        f"#show: handout.with({settings}, chapters: {_flag(bool(before))})\n{before}\n{body}\n",
        encoding="utf-8",
    )
    try:
        widths = _fit_figures(main, pictures, widths)
        pdf = typst.compile(main, format="pdf", ignore_system_fonts=True)
    except typst.TypstError as error:
        raise HandoutError(f"{title}: Typst says: {error}") from None
    file.write_bytes(pdf)
    return widths


def _fit_figures(main: Path, pictures: Pictures, known: dict[str, float] | None) -> dict[str, float]:
    """Let figures shrink a little where that spares the page before them a large gap.

    Args:
        main: The document, in the folder of its figures.
        pictures: Its figures.
        known: The widths of those that shrink, if they are known already.

    Returns:
        The widths of those that shrink, in inches.
    """
    widths = dict(known or {})
    tried: set[str] = set()
    while True:
        (pictures.folder / "fits.json").write_text(json.dumps(widths))
        if known is not None:
            return widths
        spots = json.loads(typst.query(main, "<spot>", field="value", ignore_system_fonts=True))
        for before, top, bottom in zip(spots, spots[1:], spots[2:], strict=False):
            name = top["file"]
            if name is None or top["page"] == before["page"]:
                continue
            if name in widths:  # something else stands in the way, such as a footnote
                del widths[name]
                break
            if name not in tried:
                tried.add(name)
                width, height = pictures.sizes[name]
                share = (before["left"] - GAP) / height  # of the size in the notebook
                if SMALLEST <= share < (bottom["y"] - top["y"]) / height:
                    widths[name] = round(share * width, 2)
                    break
        else:
            return widths


def check_letters(notebook: Notebook) -> None:
    """See that the fonts have a shape for every letter; Typst would print a box in its place and say nothing.

    Args:
        notebook: The notebook.

    Raises:
        HandoutError: If a letter has none; the sentence names the cell.
    """
    letters = {
        part.number: set("".join([part.source, *(text for text in part.outputs if isinstance(text, str))]))
        for part in notebook.parts
    }
    if _without_shape(set().union(*letters.values())) is None:
        return
    for number, those in letters.items():
        if missing := _without_shape(those):
            raise HandoutError(
                f"{notebook.path.name}, cell {number}: no font of the handouts has a shape for "
                f"“{missing}”. Use other letters, or draw it in a code cell."
            )


def _without_shape(letters: set[str]) -> str | None:
    """Return a letter for which no font has a shape, or what Typst says of it; `None` if all have one."""
    # PDF/A is strict about letters without a shape. It wants a date as well, which the handouts have not.
    page = "#set document(date: datetime(year: 2000, month: 1, day: 1))\n#set text(font: {})\n#{}"
    text = "".join(sorted(letter for letter in letters if not letter.isascii()))
    source = page.format(_quoted(FONT), _quoted(text))
    try:
        typst.compile(source.encode(), format="pdf", ignore_system_fonts=True, pdf_standards=["a-2b"])
    except typst.TypstError as error:
        missing = re.search(r'text `"(.+?)"` could not be displayed', str(error))
        return missing[1] if missing else str(error)
    return None


def _text_for_page(blocks: list[Block]) -> list[Block]:
    """Return the blocks of a text cell for HTML."""
    return _let_columns_fit(_map_inlines(_map_inlines(blocks, _links_for_page), _columns_apart))


def write_page(file: Path, notebook: Notebook) -> None:
    """Write a notebook as one HTML page that needs no other file and no network.

    Solutions are folded, and so is code that JupyterLab folds.

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
                blocks += _text_for_page(texts[part.number])
                continue
            source = _without_first_comment(part.source) if part.kind == "solution" else part.source
            cell: list[Block] = [{"t": "CodeBlock", "c": [["", ["python"], []], source]}]
            if part.kind == "folded":
                cell = [_raw("html", "<details><summary>Code</summary>"), *cell, _raw("html", "</details>")]
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
    _write_html(file, _text_for_page(blocks), title)


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
