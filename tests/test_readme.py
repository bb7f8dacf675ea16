"""The README says what is there."""

import base64
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_every_target_that_it_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", README))
    assert {"lab", "test", "test-full", "run", "lock"} <= named
    for target in named:
        assert re.search(rf"^{target}:.*## ", makefile, flags=re.MULTILINE), target


def test_its_links_to_files_lead_somewhere():
    targets = re.findall(r"\]\(([^)#\s]+)\)", README)
    assert targets
    for target in targets:
        assert re.match(r"https?:", target) or (ROOT / target).exists(), target


def test_its_table_lists_all_notebooks():
    listed = re.findall(r"\(notebooks/(\w+)\.ipynb\)", README)
    assert listed == [path.stem for path in NOTEBOOKS]


def test_its_picture_is_a_figure_of_a_notebook():
    picture = (ROOT / ".github" / "readme.png").read_bytes()
    figures = [
        base64.b64decode(output.data["image/png"])
        for path in NOTEBOOKS
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert picture in figures


def test_every_requirement_has_a_word_on_what_it_is_for_and_a_locked_version():
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE))
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert "-c constraints.txt" in lines
        for before, line in zip(["", *lines], lines, strict=False):
            if not line.startswith(("#", "-")):
                assert "#" in line or before.startswith(("#", "tensorflow")), f"{line} is for what?"
                assert re.match(r"[\w-]+", line).group() in locked
