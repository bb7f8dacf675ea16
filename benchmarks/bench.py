"""Train the networks of tutorials that people use beside our recipes, and measure what else costs.

    python -m benchmarks             everything; goes on where it was interrupted
    python -m benchmarks --quick     MNIST with one seed, in a minute or two; changes no file
    python -m benchmarks --fresh     forgets what was measured before
    python -m benchmarks --isa avx2  as a processor without AVX-512 would, as far as oneDNN is concerned
    python -m benchmarks --report    measures nothing; writes the page and the picture anew

Each measurement runs in a process of its own, one after the other, on the full data. The contenders of a
task take turns, so that a machine that slows down slows all of them. What was measured is kept in
`build/bench`, a file for each measurement, apart for each kind of processor. When all are there they go to
`benchmarks/results`, and from there to `benchmarks/RESULTS.md` and its picture.
"""

import argparse
import ast
import hashlib
import inspect
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import contenders, kinds, measurements, report
from benchmarks.races import RACES
from tools import collection

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "bench"
SEEDS = (1, 2, 3)
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
    "suite": 420,
}


def jobs(quick: bool = False) -> list[str]:
    """Return the measurements, each as the words of its command line.

    Args:
        quick: Only one seed of the smallest task.
    """
    tasks, seeds = (["mnist"], SEEDS[:1]) if quick else (list(RACES), SEEDS)
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
    return ["machine", "imports", "first_number", *loading, *racing, *growing, "suite"]


def fingerprint(job: str) -> str:
    """Return a short text that changes when what is measured changes, and with nothing else.

    It is made from the source of the measurement, of what it trains or loads, and of the modules of `utils`
    that run while the clock does, and from the versions of the packages that compute. The data that a
    network learns from never change: the loaders verify them.

    Args:
        job: The measurement.
    """
    kind, *words = job.split()
    lock = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    parts = [inspect.getsource(measurements.MEASUREMENTS[kind])]
    parts += re.findall(r"^(?:keras|numpy|tensorflow)[\w-]*==\S+", lock, flags=re.MULTILINE)
    files: list[Path] = []
    if kind == "train":
        task, contender, _ = words
        race = RACES[task]
        parts += map(inspect.getsource, (contenders.train, race.load, race.prepare, race.classify))
        if contender == "reference":
            parts.append(inspect.getsource(race.reference))
        else:
            parts += [contenders.source_of(task, race.recipe), f"{race.given} {race.named}"]
            parts += [contenders.source_of(task, name) for name in race.named.values()]
        if contender == "short":
            parts.append(str(race.short))
        files = modules_for("training")
    elif kind == "growth":
        parts.append(contenders.source_of(*measurements.GROWN[words[0]]))
        files = modules_for("training")
    elif kind == "loader" and words[1] == "ours":
        files = modules_for("datasets")
    elif kind == "suite":
        files = [
            path
            for folder in ("exercises", "tests", "utils")
            for path in sorted((ROOT / folder).rglob("*.py"))
        ]
        for path in collection.notebooks():
            parts += [cell.source for cell in collection.code_cells(collection.read(path))]
    parts += [path.read_text(encoding="utf-8") for path in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def modules_for(name: str) -> list[Path]:
    """Return the files of `utils` that are needed to import one of its modules, itself included.

    Args:
        name: The module, without `utils.`.
    """
    found: dict[str, Path] = {}
    todo = [name]
    while todo:
        module = todo.pop()
        path = ROOT / "utils" / f"{module}.py"
        if module in found or not path.exists():  # what is not a module is a name of the package's own
            continue
        found[module] = path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "utils":
                todo += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils."):
                todo.append(node.module.removeprefix("utils."))
    return [found[module] for module in sorted(found)]


def place_of(job: str) -> Path:
    """Return the path of the file that keeps what a measurement found on this kind of processor."""
    return KEPT / kinds.here() / f"{job.replace(' ', '-')}.json"


def kept(job: str) -> dict[str, Any] | None:
    """Return what a measurement found when it was last run, or None if there is nothing or it has changed."""
    path = place_of(job)
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
    path = place_of(job)
    path.parent.mkdir(parents=True, exist_ok=True)
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
    parser.add_argument("--isa", choices=["avx2"], help="widest vectors that oneDNN may use")
    parser.add_argument("--report", action="store_true", help="measure nothing; write the page anew")
    arguments = parser.parse_args()
    if arguments.report:
        report.write()
        return
    if arguments.isa:  # the processes that measure inherit it
        os.environ[kinds.SWITCH] = arguments.isa.upper()
    kind = kinds.here()
    print(f"Results are kept as those of a processor of the kind “{kinds.KINDS[kind]}”.", flush=True)
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
    report.keep(kind, {job: results[job] for job in todo})
    report.write()
    print(f"Written: benchmarks/results/{kind}.json, benchmarks/RESULTS.md and its picture.")


if __name__ == "__main__":
    main()
