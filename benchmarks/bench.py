"""Train the networks of tutorials that people use beside our recipes, and measure what else costs.

    python -m benchmarks            everything; goes on where it was interrupted
    python -m benchmarks --quick    MNIST with one seed, in a minute or two; changes no file
    python -m benchmarks --fresh    forgets what was measured before
    python -m benchmarks --report   writes the tables and the picture from the last complete run

Each measurement runs in a process of its own, one after the other, on the full data. The contenders of a
task take turns, so that a machine that slows down slows all of them. What was measured is kept in
`build/bench`, a file for each measurement. When all are there they go to `benchmarks/results.json`, and
from there to `benchmarks/RESULTS.md` and to its picture.
"""

import argparse
import hashlib
import inspect
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat

from benchmarks import contenders, measurements, report

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "bench"
SEEDS = (1, 2, 3)
NOTEBOOKS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
# Seconds, for the first estimate of the time left; what was measured takes their place.
EXPECTED = {
    "train mnist": 15,
    "train cifar10": 120,
    "train imdb": 120,
    "machine": 15,
    "loader": 10,
    "imports": 8,
    "first_number": 40,
    "growth": 15,
    "notebook": 180,
    "suite": 420,
}


def jobs(quick: bool = False) -> list[str]:
    """Return the measurements, each as the words of its command line.

    Args:
        quick: Only one seed of the smallest task.
    """
    tasks, seeds = (["mnist"], SEEDS[:1]) if quick else (list(contenders.NOTEBOOKS), SEEDS)
    racing = [
        f"train {task} {contender} {seed}"
        for task in tasks
        for seed in seeds
        for contender in contenders.CONTENDERS
    ]
    if quick:
        return racing
    loading = [f"loader {name} {whose}" for name in measurements.LOADERS for whose in ("ours", "keras")]
    growing = [f"growth {axis} {size}" for axis, sizes in measurements.GROWTH.items() for size in sizes]
    reading = [f"notebook {stem}" for stem in NOTEBOOKS]
    return [*reading, "machine", "imports", "first_number", *loading, *racing, *growing, "suite"]


def fingerprint(job: str) -> str:
    """Return a short text that changes when what is measured changes.

    Args:
        job: The measurement.
    """
    kind, *words = job.split()
    subject = inspect.getsource(measurements.MEASUREMENTS[kind])
    subject += "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "utils").rglob("*.py")))
    if kind == "train":
        task, contender, _ = words
        subject += inspect.getsource(contenders.train)
        subject += (
            inspect.getsource(contenders.reference)
            if contender == "reference"
            else contenders.source_of(task, contenders.RECIPES[task])
        )
        subject += str(contenders.SHORT[task]) if contender == "short" else ""
    elif kind == "growth":
        subject += contenders.source_of(*measurements.GROWN[words[0]])
    elif kind == "notebook":
        cells = nbformat.read(ROOT / "notebooks" / f"{words[0]}.ipynb", as_version=4).cells
        subject += "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return hashlib.sha256(subject.encode()).hexdigest()[:16]


def kept(job: str) -> dict[str, Any] | None:
    """Return what a measurement found when it was last run, or None if there is nothing or it has changed."""
    path = KEPT / f"{job.replace(' ', '-')}.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return found["found"] if found["fingerprint"] == fingerprint(job) else None


def run(job: str) -> dict[str, Any]:
    """Run a measurement in a process of its own, keep what it found, and return it.

    Raises:
        SystemExit: If the process fails; with what it said.
    """
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.measurements", *job.split()]
    folders = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "TUTORIAL_DATA": "full", "PYTHONPATH": folders}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"“{job}” failed. What was measured before is kept. It said:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    found["wall"] = time.perf_counter() - started
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{job.replace(' ', '-')}.json"
    path.write_text(json.dumps({"fingerprint": fingerprint(job), "found": found}))
    return found


def expected(job: str, results: dict[str, Any]) -> float:
    """Return how many seconds a measurement will take, from its like if there are any.

    Args:
        job: The measurement.
        results: What was found so far.
    """
    like = job.rsplit(" ", 1)[0] if job.startswith("train") else job
    walls = [found["wall"] for name, found in results.items() if name.startswith(like)]
    if walls:
        return statistics.median(walls)
    return next(seconds for kind, seconds in EXPECTED.items() if job.startswith(kind))


def main() -> None:
    """Read the command line, measure what is missing, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="MNIST with one seed; changes no file")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--report", action="store_true", help="measure nothing; write the tables anew")
    arguments = parser.parse_args()
    if arguments.report:
        report.write(report.read())
        return
    todo = jobs(arguments.quick)
    results = {} if arguments.fresh else {job: found for job in todo if (found := kept(job)) is not None}
    if results:
        print(f"{len(results)} of {len(todo)} measurements are there already.", flush=True)
    for number, job in enumerate(todo, start=1):
        if job in results:
            continue
        left = sum(expected(other, results) for other in todo if other not in results)
        print(f"{number:3} of {len(todo)}, about {left / 60:.0f} min left: {job}", flush=True)
        results[job] = run(job)
    if arguments.quick:
        print(report.race_table("mnist", results))
        return
    report.write({job: results[job] for job in todo})
    print("Written: benchmarks/results.json, benchmarks/RESULTS.md and its picture.")


if __name__ == "__main__":
    main()
