"""Tests of the set-up: a sentence for everything that can be missing, and nothing done twice.

A real installation needs the package index; every run of these tests has been through one.
"""

import builtins
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tools import environment

ROOT = Path(__file__).resolve().parent.parent

VersionInfo = namedtuple("VersionInfo", "major minor micro")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Let the module believe that the project lies in a temporary folder, where nothing is installed."""
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(environment, "SCRIPTS", tmp_path / ".venv" / "bin")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path


@pytest.fixture
def installations(project, monkeypatch):
    """Record what would be installed, instead of installing it."""
    commands = []

    def run(*command):
        commands.append([str(part) for part in command])
        environment.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        environment.PYTHON.touch()

    monkeypatch.setattr(environment, "run", run)
    monkeypatch.setattr(environment, "version_of_environment", lambda: tuple(sys.version_info[:2]))
    return commands


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0), (2, 7, 18)])
def test_a_python_out_of_range_is_named_in_a_sentence(version, monkeypatch):
    monkeypatch.setattr(sys, "version_info", VersionInfo(*version))
    with pytest.raises(environment.SetupError, match=r"need Python 3.10 to 3.13.*make lab PYTHON="):
        environment.check_machine()


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 11, 7), (3, 12, 1), (3, 13, 5)])
def test_a_python_in_range_is_accepted(version, monkeypatch, project):
    monkeypatch.setattr(sys, "version_info", VersionInfo(*version))
    environment.check_machine()


def test_a_missing_venv_module_names_the_package_to_install(monkeypatch):
    real_import = builtins.__import__

    def without_ensurepip(name, *arguments):
        if name == "ensurepip":
            raise ImportError
        return real_import(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_ensurepip)
    with pytest.raises(environment.SetupError, match=r"sudo apt install python3\.\d+-venv"):
        environment.check_machine()


def test_too_little_space_is_told_before_anything_is_written(project, monkeypatch):
    usage = shutil.disk_usage(ROOT)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(environment.SetupError, match=r"needs 4 GB of disk space.*has 1.0 GB left"):
        environment.make_environment(dev=False)
    assert not (project / ".venv").exists()


def test_a_failed_step_is_explained_without_a_traceback(project):
    with pytest.raises(environment.SetupError, match="needs the Python package index once"):
        environment.run(sys.executable, "-c", "import sys; sys.exit(1)")


def test_the_second_time_nothing_is_installed(installations):
    environment.make_environment(dev=False)
    assert installations
    installations.clear()
    environment.make_environment(dev=False)
    assert installations == []


def test_what_the_tests_need_is_enough_for_the_learner(installations):
    environment.make_environment(dev=True)
    assert any("requirements-dev.txt" in part for command in installations for part in command)
    installations.clear()
    environment.make_environment(dev=False)
    assert installations == []


def test_what_the_learner_needs_is_not_enough_for_the_tests(installations):
    environment.make_environment(dev=False)
    installations.clear()
    environment.make_environment(dev=True)
    assert installations


@pytest.mark.parametrize(
    ("found", "reason"),
    [((3, 9), "was made by Python 3.9, and this is Python"), (None, "has no Python that starts")],
)
def test_an_environment_of_another_python_is_replaced_and_that_is_said(
    found, reason, installations, monkeypatch, capsys
):
    made = []
    monkeypatch.setattr(environment, "version_of_environment", lambda: found)
    monkeypatch.setattr(environment.venv, "create", lambda path, **options: made.append((path, options)))
    environment.ENVIRONMENT.mkdir()
    environment.make_environment(dev=False)
    assert made == [(str(environment.ENVIRONMENT), {"clear": True, "with_pip": True})]
    said = capsys.readouterr().out
    assert reason in said
    assert "It is removed and made anew." in said


def test_the_version_of_an_environment_is_asked_of_its_python(project, monkeypatch):
    assert environment.version_of_environment() is None
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    assert environment.version_of_environment() == sys.version_info[:2]


def test_an_environment_of_another_kind_of_machine_has_no_version(project):
    environment.PYTHON.parent.mkdir(parents=True)
    environment.PYTHON.write_bytes(b"\x7fELF of a processor that is not here")
    environment.PYTHON.chmod(0o755)
    assert environment.version_of_environment() is None


def test_the_lock_asks_for_the_newest_version_of_every_package_whatever_it_was(installations, monkeypatch):
    asked = []

    def run(*command):
        if "compile" in command:
            assert "--upgrade" in command
            assert "--constraint" not in command
            asked.extend(command[-1].read_text(encoding="utf-8").splitlines())

    monkeypatch.setattr(environment, "run", run)
    environment.PYTHON.parent.mkdir(parents=True)
    environment.PYTHON.touch()
    environment.write_lock()
    names = {line.split()[0] for line in asked}
    assert {"uv", "keras", "tensorflow", "pytest", "ruff"} <= names
    assert not [line for line in asked if line.startswith("-") or "==" in line.split("#")[0].split(";")[0]]


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "pyproject.toml"])
def test_a_changed_file_makes_the_environment_stale(name, installations, project):
    environment.make_environment(dev=False)
    installations.clear()
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    environment.make_environment(dev=False)
    assert installations


def test_an_interrupted_installation_is_taken_up_again(installations, monkeypatch):
    def fail(*command):
        environment.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        environment.PYTHON.touch()
        raise environment.SetupError("interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(environment, "run", fail)
        with pytest.raises(environment.SetupError):
            environment.make_environment(dev=False)
    environment.make_environment(dev=False)
    assert installations


def test_an_unknown_option_is_answered_in_a_line_or_two():
    command = [sys.executable, str(ROOT / "tools" / "environment.py"), "--banana"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
