"""The README, CONTRIBUTING and the page for teachers say what is there."""

import base64
import configparser
import dataclasses
import re

from exercises import gradient_descent

import pytest

from benchmarks import report
from tools import collection, readme
from tools.collection import ROOT

NOTEBOOKS = collection.notebooks()
README = collection.README.read_text(encoding="utf-8")
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md", "handouts/README.md")
}


def test_every_target_that_they_name_exists_and_every_target_is_named():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    calls = re.compile(r"(?:`|^    )make ([a-z-]+)", flags=re.MULTILINE)
    named = {target for page in PAGES.values() for target in calls.findall(page)}
    assert named <= targets
    assert targets - named == {"help", "clean"}


@pytest.mark.parametrize("name", PAGES)
def test_their_links_to_files_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)#\s]+)\)", PAGES[name])
    assert targets
    for target in targets:
        assert re.match(r"https?:", target) or ((ROOT / name).parent / target).exists(), target


@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_they_say_of_each_notebook_is_what_its_manifest_says(page):
    assert page.read_text(encoding="utf-8") == readme.filled(page), "run `python -m tools.readme`"


def test_the_table_lists_all_notebooks():
    listed = re.findall(r"\(notebooks/(\w+)\.ipynb\)", README)
    assert listed == [path.stem for path in NOTEBOOKS]


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(collection.CollectionError, match="lost its marks"):
        readme.fill("# A page\n", "notebooks", "")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.6, "1 s"), (99.4, "99 s"), (99.6, "1:40 min"), (380, "6:20 min")]
)
def test_run_times_are_shown_as_one_reads_them(seconds, shown, monkeypatch):
    monkeypatch.setattr(collection, "notebooks", lambda: NOTEBOOKS[:1])
    manifest = collection.manifest(NOTEBOOKS[0])
    monkeypatch.setattr(collection, "manifest", lambda path: dataclasses.replace(manifest, seconds=seconds))
    assert f" | {shown} | " in readme.notebooks_table()


def test_a_result_that_names_a_race_shows_what_was_reached_there(monkeypatch):
    monkeypatch.setattr(report, "reached", {"mnist": "11 to 12 %"}.__getitem__)
    manifest = dataclasses.replace(collection.manifest(NOTEBOOKS[0]), result="{race} of all", race="mnist")
    monkeypatch.setattr(collection, "manifest", lambda path: manifest)
    assert "| [11 to 12 %](benchmarks/RESULTS.md) of all |" in readme.notebooks_table()
    manifest = dataclasses.replace(manifest, race="")
    with pytest.raises(collection.CollectionError, match=r"01_gradient_descent\.toml: .*names no race"):
        readme.notebooks_table()


def test_the_lines_of_output_that_it_shows_are_those_of_the_notebooks(capsys):
    rule = configparser.RawConfigParser()
    rule.read(ROOT / "tests" / "sanitize.cfg", encoding="utf-8")
    (section,) = rule.sections()
    pattern, replacement = (rule.get(section, key) for key in ("regex", "replace"))
    printed = {
        re.sub(pattern, replacement, line)
        for path in NOTEBOOKS
        for cell in collection.code_cells(collection.read(path))
        for output in cell.outputs
        for line in collection.text_of(output).splitlines()
    }
    gradient_descent.exercise_1((9.6, 2.1))
    printed |= set(capsys.readouterr().out.splitlines())
    shown = re.findall(r"^    ([✓✗].*)$", README, flags=re.MULTILINE)
    assert len(shown) == 3
    for line in shown:
        assert re.sub(pattern, replacement, line) in printed


def test_its_picture_is_a_figure_of_a_notebook():
    picture = (ROOT / ".github" / "readme.png").read_bytes()
    figures = [
        base64.b64decode(output.data["image/png"])
        for path in NOTEBOOKS
        for cell in collection.read(path).cells
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
