"""Make the virtual environment `.venv`, or bring it up to date. Quick where there is nothing to do.

    python tools/environment.py          what a learner needs
    python tools/environment.py --dev    what the tests need as well
    python tools/environment.py --lock   choose the newest versions anew and write constraints.txt

It uses the standard library only, and syntax that an old Python 3 can read, so that it can say that a
Python is too old. The environment is installed by uv, which is put into it first.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
OLDEST, NEWEST = (3, 10), (3, 13)
# The finished environment, and the cache of the installer beside it, in bytes; measured, and rounded up.
SPACE_NEEDED = 4 * 10**9


class SetupError(Exception):
    """A sentence for the person at the keyboard."""


def check_machine():
    """Say what is missing on this machine before anything is written to it."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            "These notebooks need Python 3.10 to 3.13, because TensorFlow does, and this is Python "
            f"{platform.python_version()}. Install one of them, "
            "and name it where it is not found: make lab PYTHON=python3.12"
        )
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetupError(
            "TensorFlow has no build for Macs with an Intel processor any more. "
            "Where this is an Apple silicon Mac, use its native Python and not one under Rosetta."
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise SetupError(
            "This Python lacks the module ensurepip, which a virtual environment needs. "
            "On Debian and Ubuntu: sudo apt install python{}.{}-venv".format(*sys.version_info[:2])
        ) from None
    free = shutil.disk_usage(str(ROOT)).free
    if not PYTHON.exists() and free < SPACE_NEEDED:
        raise SetupError(
            f"The environment needs {SPACE_NEEDED / 1e9:.0f} GB of disk space, and {ROOT} has "
            f"{free / 1e9:.1f} GB left. Free some, and run the command again."
        )


def fingerprint(dev):
    """Return a hash of all that the environment depends on; it changes when the environment is stale."""
    digest = hashlib.sha256(repr((sys.version_info[:2], str(ENVIRONMENT))).encode())
    names = ["constraints.txt", "requirements.txt", "pyproject.toml"] + (
        ["requirements-dev.txt"] if dev else []
    )
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def run(*command):
    """Run a program of the environment; what it prints is seen as it comes."""
    try:
        subprocess.run([str(part) for part in command], cwd=str(ROOT), check=True)
    except subprocess.CalledProcessError:
        raise SetupError(
            "Setting up stopped at the step above. Where it says that a connection failed: the set-up needs "
            "the Python package index once, and nothing after that. A mirror of it is named to the two "
            "installers by PIP_INDEX_URL and UV_DEFAULT_INDEX. Then run the same command again."
        ) from None


def version_of_environment():
    """Return the version of the environment's Python, such as (3, 12); None where none starts."""
    if not PYTHON.exists():
        return None
    command = [str(PYTHON), "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:  # of another kind of machine, for instance in a folder on a shared drive
        return None
    return tuple(int(part) for part in answer.stdout.decode().split()) or None


def install_uv():
    """Make the bare environment with uv in it, in place of one that another Python made."""
    found, wanted = version_of_environment(), tuple(sys.version_info[:2])
    if found != wanted:
        if ENVIRONMENT.exists():
            reason = "was made by Python {}.{}".format(*found) if found else "has no Python that starts"
            print(
                f"The environment {ENVIRONMENT.name} {reason}, and this is Python {wanted[0]}.{wanted[1]}. "
                "It is removed and made anew.",
                flush=True,
            )
        else:
            print(f"Making the environment {ENVIRONMENT.name} …", flush=True)
        venv.create(str(ENVIRONMENT), clear=True, with_pip=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    constraints = ["--constraint", "constraints.txt"] if (ROOT / "constraints.txt").exists() else []
    run(PYTHON, "-m", "pip", "install", *quiet, *constraints, "uv")


def set_up_lab():
    """Keep JupyterLab from asking every new learner about news, and let it show Markdown, not its source."""
    settings = ENVIRONMENT / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    notification = {"fetchNews": "false", "checkForUpdates": False}
    overrides = {
        "@jupyterlab/apputils-extension:notification": notification,
        "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    }
    (settings / "overrides.json").write_text(json.dumps(overrides))


def make_environment(dev):
    """Install what is needed, unless this very set is installed already."""
    stamps = {kind: ENVIRONMENT / f"installed-{kind}" for kind in ("learner", "dev")}
    wanted = {"learner": fingerprint(dev=False), "dev": fingerprint(dev=True)}
    kinds = ["dev"] if dev else ["learner", "dev"]  # the larger set holds the smaller one
    if PYTHON.exists():
        for kind in kinds:
            if stamps[kind].exists() and stamps[kind].read_text() == wanted[kind]:
                return
    check_machine()
    install_uv()
    print("Installing the packages (once; about 300 MB to download) …", flush=True)
    requirements = "requirements-dev.txt" if dev else "requirements.txt"
    # Without compiled bytecode the first start of TensorFlow is slow, or every one where it cannot be kept.
    run(
        SCRIPTS / "uv",
        "pip",
        "install",
        "--python",
        PYTHON,
        "--compile-bytecode",
        "--requirement",
        requirements,
    )
    set_up_lab()
    kind = "dev" if dev else "learner"
    stamps[kind].write_text(wanted[kind])
    print("The environment is ready.", flush=True)


def write_lock():
    """Choose the newest versions that go together on every platform, and write them to constraints.txt."""
    check_machine()
    install_uv()
    lines = ["uv"]
    for name in ("requirements.txt", "requirements-dev.txt"):
        wanted = (ROOT / name).read_text(encoding="utf-8").splitlines()
        # Not the constraints, which are being written, nor the references to files and this project.
        lines += [line for line in wanted if not line.startswith(("#", "-"))]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text("\n".join(lines), encoding="utf-8")
        command = [SCRIPTS / "uv", "pip", "compile", "--universal", "--python-version", "3.10", "--upgrade"]
        command += ["--no-annotate", "--quiet", "--custom-compile-command", "make lock"]
        run(*command, "--output-file", "constraints.txt", source)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--dev", action="store_true", help="install what the tests need as well")
    choice.add_argument("--lock", action="store_true", help="write constraints.txt anew")
    arguments = parser.parse_args()
    try:
        if arguments.lock:
            write_lock()
        else:
            make_environment(arguments.dev)
    except SetupError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(
            f"Setting up stopped: {error}. Once that is put right, run the same command again; "
            "it continues where it stopped."
        )
    except KeyboardInterrupt:
        sys.exit("Setting up was interrupted. Run the same command again; it continues where it stopped.")


if __name__ == "__main__":
    main()
