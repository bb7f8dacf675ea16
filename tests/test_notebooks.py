"""Tests of what the committed notebooks are made of. What they compute is tested by nbval."""

import re
from pathlib import Path

import nbformat
import pytest

from tools import collection
from tools.collection import tags, text_of

NOTEBOOKS = collection.notebooks()
PARTS = [
    "## The question",
    "## The mathematics",
    "## From scratch",
    "## The same in Keras",
    "## Experiments",
    "## Exercises",
    "## What to remember",
]
MOST_BYTES = 1_000_000
MOST_LINES = 35
FEWEST_EXERCISES = 5
PATH_OF_A_MACHINE = re.compile(r"(?<![\w.:/])/(home|Users|root|tmp|work|mnt|var|usr)/|\b[A-Z]:\\")


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """Return the code cells of the notebook at a path."""
    return collection.code_cells(collection.read(path))


def outputs(path: Path) -> list[nbformat.NotebookNode]:
    """Return all outputs of a notebook."""
    return [output for cell in code_cells(path) for output in cell.outputs]


def prose(path: Path) -> str:
    """Return all text cells of a notebook, one after the other."""
    return "\n".join(cell.source for cell in collection.read(path).cells if cell.cell_type == "markdown")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request) -> Path:
    """Go through all notebooks."""
    return request.param


def test_there_are_notebooks_and_their_names_begin_with_a_number():
    assert len(NOTEBOOKS) >= 2
    assert sorted(collection.NOTEBOOKS.glob("*.ipynb")) == NOTEBOOKS
    assert all(re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem) for path in NOTEBOOKS)


def test_it_is_valid_and_its_cells_have_names(path):
    notebook = collection.read(path)
    nbformat.validate(notebook)
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)


def test_it_begins_with_its_number_a_promise_and_a_card(path):
    first = collection.read(path).cells[0].source
    assert first.startswith(f"# {path.stem[:2]} · ")
    promise = first.split("\n\n")[1]
    assert promise[0].isalpha()
    assert set(collection.card(path)) - {"Optional"} == set(collection.CARD)
    assert collection.minutes(path, "Reading time")


def test_its_card_promises_no_shorter_run_time_than_was_measured(path):
    assert collection.manifest(path).seconds <= 60 * collection.minutes(path, "Run time")


def test_its_card_names_the_sections_that_are_optional(path):
    headings = re.findall(r"^#+ .*$", prose(path), flags=re.MULTILINE)
    optional = [heading for heading in headings if "optional" in heading.lower()]
    names = [re.fullmatch(r"### (.+) \(optional\)", heading) for heading in optional]
    assert all(names), f"an optional section has a heading like “### Its name (optional)”: {optional}"
    listed = collection.card(path).get("Optional", "")
    assert listed == "; ".join(name[1] for name in names), "the card lists them in the row **Optional**"


def test_it_has_the_parts_of_a_notebook_in_order(path):
    assert re.findall(r"^## .*$", prose(path), flags=re.MULTILINE) == PARTS


def test_the_question_has_a_picture_before_any_formula(path):
    question = False
    for cell in collection.read(path).cells:
        if cell.cell_type == "markdown":
            question = question or PARTS[0] in cell.source
            assert not question or "$$" not in cell.source, "there is a formula before the first picture"
        elif question and any("image/png" in output.get("data", {}) for output in cell.outputs):
            return
    pytest.fail("there is no picture after the question")


def test_it_has_an_experiment_that_breaks_something(path):
    assert re.search(r"^### Break it", prose(path), flags=re.MULTILINE)


def test_it_was_run_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


def test_nothing_went_wrong_and_nothing_was_written_to_stderr(path):
    for output in outputs(path):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", text_of(output)


def test_it_holds_no_path_of_a_machine(path):
    for cell in collection.read(path).cells:
        assert not PATH_OF_A_MACHINE.search(cell.source), cell.source
    for output in outputs(path):
        assert not PATH_OF_A_MACHINE.search(text_of(output)), text_of(output)


def test_every_picture_has_a_text_that_says_what_one_sees(path):
    pictures = [output for output in outputs(path) if "image/png" in output.get("data", {})]
    assert pictures
    for output in pictures:
        alt = output.metadata.get("image/png", {}).get("alt", "")
        assert len(alt.split()) >= 8, f"too short a text for a picture: {alt!r}"


def test_it_is_small(path):
    assert path.stat().st_size < MOST_BYTES


def test_its_metadata_are_the_same_on_every_machine(path):
    notebook = collection.read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info == {"name": "python"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}, cell.metadata


def test_no_saved_output_needs_a_running_kernel(path):
    for output in outputs(path):
        assert not any("widget" in kind or "javascript" in kind for kind in output.get("data", {}))


def test_it_uses_the_known_tags_and_few_that_are_not_compared(path):
    cells = code_cells(path)
    assert set().union(*(tags(cell) for cell in cells)) <= collection.TAGS
    for cell in cells:
        assert not re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source), "nbval is told by tags alone"
    not_compared = {cell.id for cell in cells if collection.NOT_COMPARED in tags(cell)}
    assert not_compared == set(collection.manifest(path).not_compared), "the manifest says which, and why"


def test_what_is_compared_prints_verdicts(path):
    compared = [
        cell for cell in code_cells(path) if not tags(cell) & {collection.NOT_COMPARED, collection.SOLUTION}
    ]
    verdicts = [line for cell in compared for output in cell.outputs for line in text_of(output).splitlines()]
    assert sum(line.startswith("✓") for line in verdicts) >= 10


def test_its_cells_fit_on_a_screen(path):
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source


def test_no_cell_hides_its_value_behind_a_semicolon(path):
    for cell in code_cells(path):
        assert not cell.source.rstrip().endswith(";"), cell.source


def test_it_speaks_keras_3(path):
    for cell in code_cells(path):
        assert not re.search(r"\btf\.keras\b|\btensorflow\.keras\b|from tensorflow import keras", cell.source)


def test_every_exercise_has_a_blank_a_check_and_a_folded_solution(path):
    cells = collection.read(path).cells
    headings = [i for i, cell in enumerate(cells) if re.match(r"### Exercise \d", cell.source)]
    assert len(headings) >= FEWEST_EXERCISES
    for k, start in enumerate(headings, start=1):
        text, blank, solution = cells[start : start + 3]
        assert text.source.startswith(f"### Exercise {k} · ")
        call = f"exercises.exercise_{k}("
        assert call in blank.source
        assert "..." in blank.source
        assert text_of(blank.outputs[0]) == f"○ Exercise {k}: not attempted yet\n"
        assert solution.source.startswith("# Solution\n")  # JupyterLab shows this line of a folded cell
        assert call in solution.source
        assert text_of(solution.outputs[-1]).endswith(f"✓ Exercise {k}: right\n")
        assert tags(solution) == {collection.SOLUTION}
        assert collection.is_folded(solution)


def test_solutions_are_nothing_but_the_solutions_of_exercises(path):
    cells = collection.read(path).cells
    solutions = [cell for cell in cells if collection.is_solution(cell)]
    headings = [cell for cell in cells if re.match(r"### Exercise \d", cell.source)]
    assert len(solutions) == len(headings)
    assert all(cell.cell_type == "code" for cell in solutions)


def test_what_is_folded_is_a_solution_or_draws_and_claims_nothing(path):
    for cell in code_cells(path):
        if collection.is_folded(cell) and not collection.is_solution(cell):
            assert cell.source.startswith("# Drawing: "), "JupyterLab shows this line of a folded cell"
            assert not re.search(r"\bcheck\(", cell.source), "what is checked is there to be read"


def test_its_links_to_files_lead_somewhere(path):
    for cell in collection.read(path).cells:
        for target in re.findall(
            r"\]\(([^)#\s]+)[^)]*\)", cell.source if cell.cell_type == "markdown" else ""
        ):
            if not re.match(r"[a-z]+:", target):
                assert (path.parent / target).exists(), target
