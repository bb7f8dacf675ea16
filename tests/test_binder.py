"""Tests of what repo2docker, and so Binder, reads. The image itself is built by them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / ".binder"
SHOW = "import os; print(os.environ.get('TUTORIAL_DATA'), os.environ.get('TUTORIAL_DATA_DIR'))"


def test_the_packages_are_those_of_everybody_else():
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted == ["-r ../requirements.txt"]


def test_the_python_is_one_that_tensorflow_runs_on():
    version = re.fullmatch(r"python-(3\.\d+)\n", (BINDER / "runtime.txt").read_text(encoding="utf-8"))
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert version
    assert f'"{version[1]}"' in workflow, "no continuous integration runs on this Python"


@pytest.mark.skipif(os.name == "nt", reason="the images are of Linux")
@pytest.mark.parametrize(
    ("set_by_teacher", "seen_in_notebooks"),
    [
        ({}, "sample None"),
        ({"TUTORIAL_DATA": "auto"}, "auto None"),
        ({"TUTORIAL_DATA_DIR": "/shared"}, "None /shared"),
        ({"TUTORIAL_DATA": "full", "TUTORIAL_DATA_DIR": "/shared"}, "full /shared"),
    ],
)
def test_without_a_shared_folder_nobody_downloads(set_by_teacher, seen_in_notebooks):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TUTORIAL_")}
    command = [str(BINDER / "start"), sys.executable, "-c", SHOW]
    answer = subprocess.run(
        command, env=environment | set_by_teacher, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == seen_in_notebooks
