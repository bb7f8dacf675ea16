"""Tests of the handouts: what a student gets, what is printed, and what is refused."""

import base64
import io
import json
import re
import shutil
from pathlib import Path

import nbformat
import PIL.Image
import pytest
import typst
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from handouts import cells, folder, paper
from handouts import make as make_handouts
from tools import collection

NOTEBOOKS = collection.notebooks()
DOT = (  # a picture of one black pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def solution(source="# Solution\nanswer = 42", outputs=()):
    """Return a cell with a worked solution."""
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": [collection.SOLUTION]})


def printed(text):
    """Return an output of a cell that printed something."""
    return new_output("stream", name="stdout", text=text)


EXERCISE = [
    new_markdown_cell("# A title\n\nα < β, and $e^{i\\pi} = -1$, see [a page](https://example.org/page)."),
    new_markdown_cell("### Exercise 1 · The answer\n\nWhat is it?"),
    new_code_cell("answer = ...\n\njudge(answer)", outputs=[printed("not attempted yet\n")]),
    solution(outputs=[printed("right\n")]),
]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a notebook of some cells and returns its path."""

    def write(*written, name="own.ipynb"):
        nbformat.write(new_notebook(cells=list(written)), tmp_path / name)
        return tmp_path / name

    return write


# A cell that breaks a rule, and what the message says of it.
REFUSED = {
    "a solution in a text cell": (
        new_markdown_cell("42", metadata={"tags": [collection.SOLUTION]}),
        "text cell",
    ),
    "HTML": (new_markdown_cell("A <b>bold</b> word."), "HTML"),
    "a block of HTML": (new_markdown_cell("<div>\nA box.\n</div>"), "HTML"),
    "a picture from elsewhere": (new_markdown_cell("![a cat](https://example.org/cat.png)"), "picture"),
    "an error": (
        new_code_cell(
            "1 / 0", outputs=[new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])]
        ),
        "ZeroDivisionError",
    ),
    "a raw cell": (new_raw_cell("\\newpage"), "raw cell"),
    "Chinese": (new_markdown_cell("深度学习"), "shape"),
    "an emoji in an output": (new_code_cell("print(face)", outputs=[printed("🙂")]), "🙂"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_printed_is_refused_with_the_number_of_the_cell(name, write, tmp_path):
    cell, reason = REFUSED[name]
    path = write(*EXERCISE[:2], cell)
    with pytest.raises(cells.HandoutError, match=r"own\.ipynb, cell 3: ") as refusal:
        make_handouts.make([path], tmp_path / "out", ["a4"])
    assert reason in str(refusal.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "first", [new_markdown_cell("No title."), new_code_cell("# A comment"), new_markdown_cell("## Too low")]
)
def test_a_notebook_without_a_title_is_refused(first, write):
    with pytest.raises(cells.HandoutError, match=r"cell 1: .*title"):
        cells.read(write(first))


def test_what_is_no_notebook_is_refused(tmp_path):
    with pytest.raises(cells.HandoutError, match="There is no file"):
        cells.read(tmp_path / "missing.ipynb")
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    with pytest.raises(cells.HandoutError, match="no valid notebook"):
        cells.read(tmp_path / "torn.ipynb")


def test_greek_signs_and_mathematics_are_printed(write, tmp_path):
    path = write(
        *EXERCISE,
        new_markdown_cell("Ελληνικά: θ̂, ŷ, β₀, ✓ ✗ ○ → ≤ ∂L/∂w, and\n\n$$ \\hat y = \\sum_i x_i $$"),
    )
    make_handouts.make([path], tmp_path / "out", ["a4", "letter"])
    made = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*")}
    assert made == {
        "handouts.json",
        "students/own.ipynb",
        "html/own.html",
        "a4/own-student.pdf",
        "a4/own-instructor.pdf",
        "letter/own-student.pdf",
        "letter/own-instructor.pdf",
    }
    assert (tmp_path / "out/a4/own-student.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_input_gives_the_same_bytes(write, tmp_path):
    path = write(*EXERCISE)
    for name in ("one", "two"):
        make_handouts.make([path], tmp_path / name, ["a4"])
    for file in (tmp_path / "one").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes(), file


@pytest.fixture
def handouts(write, tmp_path):
    """Return a function that makes the handouts of a notebook in a folder, and that folder."""
    out = tmp_path / "out"

    def make(text="A page.", name="own.ipynb"):
        make_handouts.make([write(EXERCISE[0], new_markdown_cell(text), name=name)], out, ["a4"])

    return make, out


def contents(out):
    """Return the bytes of each file in a folder, by its path."""
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def test_what_else_lies_in_the_folder_stays(handouts):
    make, out = handouts
    (out / "students").mkdir(parents=True)
    (out / "students" / "marks.csv").write_text("Ada,1\n")
    (out / "plan.txt").write_text("Monday\n")
    make()
    make("Another page.")
    assert (out / "students" / "marks.csv").read_text() == "Ada,1\n"
    assert (out / "plan.txt").read_text() == "Monday\n"
    assert "Another" in (out / "students" / "own.ipynb").read_text()


def test_a_handout_of_another_notebook_takes_the_place_of_none(handouts):
    make, out = handouts
    make()
    before = contents(out)
    make(name="other.ipynb")
    after = contents(out)
    assert len(after) == 2 * len(before) - 1
    assert {name: after[name] for name in before if name != folder.LIST}.items() <= before.items()


@pytest.mark.parametrize("name", ["students/own.ipynb", "a4/own-student.pdf", "html/own.html"])
@pytest.mark.parametrize("whose", ["the teacher's own", "changed by hand since"])
def test_a_file_that_the_handouts_did_not_make_is_in_the_way(name, whose, handouts):
    make, out = handouts
    if whose == "changed by hand since":
        make()
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("mine")
    before = contents(out)
    with pytest.raises(cells.HandoutError, match=r"In the way: .*Move it") as refusal:
        make("Another page.")
    assert str(out / name) in str(refusal.value)
    assert contents(out) == before


def test_a_file_in_place_of_a_folder_is_in_the_way(handouts):
    make, out = handouts
    out.mkdir()
    (out / "a4").write_text("mine")
    with pytest.raises(cells.HandoutError, match="In the way: "):
        make()
    assert contents(out) == {"a4": b"mine"}


def test_a_list_that_cannot_be_read_is_refused(handouts):
    make, out = handouts
    make()
    for text in ("{", "[1]", '{"a4/own-student.pdf": 3}'):
        (out / folder.LIST).write_text(text)
        with pytest.raises(cells.HandoutError, match=r"handouts\.json is no list of handouts"):
            make()


def install(tmp_path, out, texts, owner):
    """Install files of some texts, by path, as the handouts of an owner; return what was kept."""
    fresh = tmp_path / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    for name, text in texts.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).write_text(text)
    return folder.install(fresh, out, dict.fromkeys(texts, owner))


def test_what_is_no_longer_made_is_removed_unless_somebody_changed_it(tmp_path):
    out = tmp_path / "out"
    install(tmp_path, out, {"html/own.html": "own"}, "own.ipynb")
    install(
        tmp_path, out, {f"html/{name}.html": name for name in "abc"} | {"letter/a.pdf": "a"}, "collection"
    )
    (out / "html" / "b.html").write_text("changed by hand")
    assert install(tmp_path, out, {"html/a.html": "new"}, "collection") == ["html/b.html"]
    assert {name: text for name, text in contents(out).items() if name != folder.LIST} == {
        "html/own.html": b"own",
        "html/a.html": b"new",
        "html/b.html": b"changed by hand",
        "letter/a.pdf": b"a",  # nothing was printed on that paper this time
    }


@pytest.mark.parametrize("moment", range(5))
def test_an_interruption_loses_nothing_and_the_next_run_goes_through(moment, tmp_path, monkeypatch):
    out, names = tmp_path / "out", ["html/a.html", "html/b.html", "html/c.html"]
    install(tmp_path, out, dict.fromkeys([*names, "html/old.html"], "old"), "collection")
    replace, calls = Path.replace, iter(range(5))  # the list, the three files, and the list again

    def interrupted(self, target):
        if next(calls) == moment:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install(tmp_path, out, dict.fromkeys(names, "new"), "collection")
    monkeypatch.undo()
    assert list(calls) == list(range(moment + 1, 5))
    fresh = max(0, moment - 1)
    assert [contents(out)[name] for name in names] == [b"new"] * fresh + [b"old"] * (3 - fresh)
    install(tmp_path, out, dict.fromkeys(names, "newer"), "collection")
    assert contents(out).keys() == {*names, folder.LIST}
    assert (out / names[0]).read_text() == "newer"


def test_two_notebooks_of_one_name_are_refused(write, tmp_path):
    path = write(*EXERCISE)
    (tmp_path / "elsewhere").mkdir()
    twin = shutil.copy(path, tmp_path / "elsewhere")
    with pytest.raises(cells.HandoutError, match=r"called own\.ipynb"):
        make_handouts.make([path, Path(twin)], tmp_path / "out", ["a4"])


def body(path, tmp_path, *, solutions):
    """Return the Typst source of a notebook's handout."""
    return paper.typst_source(cells.read(path), paper.Pictures(tmp_path), solutions=solutions)


def test_solutions_are_printed_for_instructors_only_and_students_get_room(write, tmp_path):
    path = write(*EXERCISE)
    instructor, student = (body(path, tmp_path, solutions=whose) for whose in (True, False))
    assert "answer = 42" in instructor
    assert "right" in instructor
    assert "#answer-room" not in instructor
    assert "42" not in student
    assert "right" not in student
    assert student.count("#answer-room") == 1


def test_a_link_is_printed_as_a_footnote_unless_its_text_says_where_it_leads(write, tmp_path):
    own = new_markdown_cell(
        "[notebook 01](01_first.ipynb), <https://example.org/x>, [arXiv:1](https://arxiv.org/1)"
    )
    text = body(write(*EXERCISE[:1], own), tmp_path, solutions=True)
    assert text.count("#footnote") == 1
    assert "https:\\/\\/example.org" in text or "https://example.org/page" in text
    assert "01_first" not in text


def test_a_figure_keeps_its_description(write, tmp_path):
    picture = new_output("display_data", data={"image/png": DOT}, metadata={"image/png": {"alt": 'A "dot".'}})
    text = body(write(*EXERCISE[:1], new_code_cell("draw()", outputs=[picture])), tmp_path, solutions=True)
    assert 'A \\"dot\\".' in text


DRAWN = new_output("display_data", data={"image/png": DOT})
SLIDER = new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "1"}})
NOT_COMPARED = {"tags": [collection.NOT_COMPARED]}
LEFT_OUT = {
    "a slider and what it draws": new_code_cell(
        "sliders = ipywidgets.interact(draw)", outputs=[DRAWN], metadata=NOT_COMPARED
    ),
    "a slider alone": new_code_cell("import ipywidgets\nipywidgets.IntSlider()", outputs=[SLIDER]),
    "an imported name": new_code_cell(
        "from ipywidgets import interact as play\nplay(draw)", metadata=NOT_COMPARED
    ),
}
PRINTED = {
    "a remark": new_code_cell("# ipywidgets.interact makes sliders", metadata=NOT_COMPARED),
    "a text": new_code_cell('print("use ipywidgets.interact")', outputs=[printed("use it")]),
    "a slider beside a result": new_code_cell(
        "ipywidgets.interact(draw)\nprint(3)", outputs=[SLIDER, printed("3")]
    ),
    "a bar while it trains": new_code_cell("train(network)", outputs=[SLIDER]),
    "a line for the shell": new_code_cell("!pip install ipywidgets", metadata=NOT_COMPARED),
}


@pytest.mark.parametrize("name", [*LEFT_OUT, *PRINTED])
def test_a_cell_is_left_out_if_it_shows_nothing_but_widgets(name, write):
    cell = (LEFT_OUT | PRINTED)[name]
    parts = cells.read(write(*EXERCISE[:1], cell)).parts
    assert [part.source for part in parts[1:]] == ([] if name in LEFT_OUT else [cell.source])


def test_the_collection_has_one_cell_with_sliders_a_notebook_at_least():
    for path in NOTEBOOKS:
        kept = {part.number for part in cells.read(path).parts}
        left_out = [cell for k, cell in enumerate(collection.read(path).cells, start=1) if k not in kept]
        assert all("ipywidgets." in cell.source for cell in left_out)
        assert len(left_out) == sum(
            "a slider needs" in why for why in collection.manifest(path).not_compared.values()
        )


def test_code_keeps_its_letters_and_shows_what_is_what():
    source = 'def f(x):\n    """Say.\n\n    More."""\n\n    return not f\'{x} %s\'  # why\n\tNone\n%magic'
    lines = paper._code_lines(source)
    assert "\n".join("".join(letters for _, letters in line) for line in lines) == source.expandtabs(2)
    looks = {(look, letters.strip()) for line in lines for look, letters in line}
    assert looks >= {
        ("keyword", "def"),
        ("comment", 'More."""'),
        ("keyword", "return not f"),
        ("comment", "# why"),
        ("plain", "None"),
    }


def test_folded_drawing_code_is_left_out_on_paper_and_folded_on_a_page_and_its_figure_is_kept(
    write, tmp_path
):
    picture = new_output("display_data", data={"image/png": DOT}, metadata={"image/png": {"alt": "A dot."}})
    folded = {"jupyter": {"source_hidden": True}}
    drawing = new_code_cell("# Drawing: a dot\ndraw()", outputs=[picture], metadata=folded)
    helper = new_code_cell("# Drawing: what draws\ndef draw(): ...", metadata=folded)
    path = write(EXERCISE[0], helper, drawing, *EXERCISE[1:])
    for whose in (True, False):
        text = body(path, tmp_path, solutions=whose)
        assert "draw" not in text.lower()
        assert "A dot." in text
    paper.write_page(tmp_path / "own.html", cells.read(path))
    page = (tmp_path / "own.html").read_text(encoding="utf-8")
    assert page.count("<summary>Code</summary>") == 2
    assert page.index("<summary>Code</summary>") < page.index("</details>") < page.index('alt="A dot."')
    assert cells.student_copy(path).cells[1].source == helper.source


def test_nothing_is_too_long_for_a_page(write, tmp_path):
    address = "https://example.org/" + "a" * 100
    table = f"| a | b |\n| --- | --- |\n| `{'y' * 30}` | z |"
    long = new_markdown_cell(f"See <{address}>, `{'x' * 100}`, `{'z' * 30}`.\n\n{table}")
    code = new_code_cell(f"x = '{'v' * 100}'", outputs=[printed("w" * 100)])
    text = body(write(*EXERCISE[:1], long, code), tmp_path, solutions=True)
    for letter in "axyvw":
        assert f"{letter}\u200b{letter}" in text, letter
    assert "z" * 30 in text, "a word of thirty letters has room on a line"


def test_no_handout_ends_with_a_paragraph_alone_on_a_page(write, tmp_path):
    end = new_markdown_cell("One.\n\nThe last but one.\n\nThe last.")
    text = body(write(*EXERCISE, end), tmp_path, solutions=True)
    assert re.search(r"#lead\[\s*The last but one\.\s*\]\s*The last\.\s*$", text)


def test_what_belongs_together_stays_on_a_page(write, tmp_path):
    formula = new_markdown_cell("The end:\n\n$$ e = m c^2 $$\n\nBefore $$ a = b $$ and after.")
    path = write(*EXERCISE, formula)
    student, instructor = (body(path, tmp_path, solutions=whose) for whose in (False, True))
    assert "#exercise(whole: true)[\n=== Exercise 1" in student
    assert student.count("#exercise") == 1
    assert "tied: true, whole: true" in student, "the cell of an exercise stays with the room under it"
    assert "#solution(whole: true)[" in instructor
    assert re.search(r"#lead\[\s+The end:\s+\]\s+\$ e = m c", student)
    assert re.search(r"#lead\[\s+Before\s+\]\s+\$ a = b \$\s+and after", student)


def test_a_long_solution_and_a_long_exercise_may_go_on_on_the_next_page(write, tmp_path):
    path = write(
        EXERCISE[0],
        new_markdown_cell("### Exercise 1\n\n" + "Many words. " * 300),
        EXERCISE[2],
        solution("# Solution\n" + "answer = 42\n" * 60),
    )
    text = body(path, tmp_path, solutions=True)
    assert "#exercise(whole: false)[" in text
    assert "#solution(whole: false)[" in text


def test_aligned_formulas_and_their_remarks_are_kept_apart(write, tmp_path):
    aligned = r"$$ \begin{aligned} a &= b && \text{remark} \\ c &= d \end{aligned} $$"
    path = write(*EXERCISE, new_markdown_cell(aligned))
    assert re.search(r"& = b #h\(2em\) &\s+& upright", body(path, tmp_path, solutions=True))
    paper.write_page(tmp_path / "own.html", cells.read(path))
    assert '<mspace width="2.0em">' in (tmp_path / "own.html").read_text(encoding="utf-8")


# Lines of code, the numbers of those that begin a piece, and of the pieces that stay with the next.
CUTS = {
    "at a blank line": (["a = 1", "", "b = 2"], [0, 2], []),
    "not after the first lines of a function": (["def f():", '    """Do."""', "", "    x = 1"], [0, 3], [0]),
    "in the middle": ([f"line_{i}" for i in range(13)], [0, 5, 6, 7], []),
    "not before a bracket": (["f(", *["    1,"] * 4, ")", *["x = 1"] * 7], [0, 5, 6, 7], [0]),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_page_ends_between_pieces_of_code(name, tmp_path):
    lines, begins, stay = CUTS[name]
    shutil.copy(paper.HERE / "template.typ", tmp_path)
    (tmp_path / "fits.json").write_text("{}")
    (tmp_path / "lines.json").write_text(json.dumps([{"text": line} for line in lines]))
    main = tmp_path / "main.typ"
    main.write_text(
        '#import "template.typ": pieces\n#metadata(pieces(json("lines.json"))) <pieces>', encoding="utf-8"
    )
    (pieces,) = json.loads(typst.query(main, "<pieces>", field="value"))
    firsts = [[line["text"] for line in piece["lines"]] for piece in pieces]
    place, found = 0, []
    for piece, texts in zip(pieces, firsts, strict=True):
        found.append(place)
        assert lines[place : place + len(texts)] == texts
        place += len(texts) + piece["gap"]
    assert found == begins
    assert [number for number, piece in enumerate(pieces) if piece["begun"]] == stay


def test_a_figure_shrinks_a_little_rather_than_leave_a_gap(write, tmp_path):
    drawn = io.BytesIO()
    PIL.Image.new("L", (864, 432), 255).save(drawn, format="png")
    figure = base64.b64encode(drawn.getvalue()).decode()
    shrunk = []
    for length in range(50, 64, 2):
        picture = new_output("display_data", data={"image/png": figure})
        path = write(new_markdown_cell("# A title"), new_code_cell("x = 1\n" * length, outputs=[picture]))
        notebook, pictures = cells.read(path), paper.Pictures(tmp_path)
        source = paper.typst_source(notebook, pictures, solutions=True)
        look = {"title": "A title", "edition": "", "paper": "a4"}
        widths = paper.write_pdf(tmp_path / "own.pdf", source, pictures, **look)
        assert paper.write_pdf(tmp_path / "own.pdf", source, pictures, widths=widths, **look) == widths
        shrunk += widths.values()
    assert shrunk, "none of these figures would have left a gap"
    assert all(paper.SMALLEST * 6 <= width < paper.PRINTED * 6 for width in shrunk)
    assert len(shrunk) < 7, "some have room, and some would become too small"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_needs_no_network_and_no_other_file(path, tmp_path):
    paper.write_page(tmp_path / "page.html", cells.read(path))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "<script" not in page
    assert not re.search(r'<(?:img|link|iframe)[^>]+(?:src|href)="(?!data:)', page)
    assert "url(http" not in page
    for figure in re.findall(r"<img[^>]*>", page):
        assert re.search(r'alt="[^"]{20,}"', figure), figure[-200:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_trace_of_a_solution_is_left_in_a_students_copy(path):
    copy = cells.student_copy(path)
    nbformat.validate(copy)
    whole = nbformat.writes(copy)
    assert f'"{collection.SOLUTION}"' not in whole
    assert "# Solution" not in whole
    notebook = collection.read(path)
    left = {line.strip() for cell in copy.cells for line in cell.source.splitlines()}
    solutions = [cell for cell in notebook.cells if collection.is_solution(cell)]
    assert solutions
    elsewhere = [cell for cell in notebook.cells if not collection.is_solution(cell)]
    known = {line.strip() for cell in elsewhere for line in cell.source.splitlines()}
    for cell in solutions:
        lines = {line.strip() for line in cell.source.splitlines()} - known
        assert lines, "this solution says nothing that is not said elsewhere"
        assert not lines & left
        for output in cell.outputs:
            assert output.get("text", "nothing") not in whole


def test_who_has_no_folded_solutions_is_not_promised_any(write, tmp_path):
    words = "Run the cell. A worked\nsolution is folded away below each exercise."
    path = write(EXERCISE[0], new_markdown_cell(f"## Exercises\n\n{words}"), *EXERCISE[1:])
    assert cells.student_copy(path).cells[1].source == "## Exercises\n\nRun the cell."
    for whose in (True, False):
        assert "folded" not in body(path, tmp_path, solutions=whose)
    paper.write_page(tmp_path / "own.html", cells.read(path))
    assert "folded away" in (tmp_path / "own.html").read_text(encoding="utf-8")
    for notebook in NOTEBOOKS:
        assert "worked solution is folded" not in " ".join(
            nbformat.writes(cells.student_copy(notebook)).split()
        )


def test_students_get_an_empty_cell_under_every_exercise():
    for path in NOTEBOOKS:
        copy = cells.student_copy(path)
        for before, cell in zip(copy.cells, copy.cells[1:], strict=False):
            if "exercises.exercise_" in before.source:
                assert cell.cell_type == "code"
                assert cell.source == ""
