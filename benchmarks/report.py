"""From what was measured to `RESULTS.md`, its picture, and what the README says of the races."""

import json
import statistics
from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import Any

from benchmarks import contenders, kinds
from benchmarks.races import RACES

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PICTURE = ROOT / ".github" / "benchmark.png"

Results = dict[str, dict[str, Any]]  # of one kind of processor: what each measurement found


def runs(results: Results, task: str, contender: str) -> list[dict[str, Any]]:
    """Return what was found for a contender, seed by seed."""
    return [found for job, found in results.items() if job.startswith(f"train {task} {contender} ")]


def spread(values: list[float], form: str, unit: str = "") -> str:
    """Return the median and, in brackets, the range of some values.

    Args:
        values: The values.
        form: How a number is written, for example `".1f"`.
        unit: What follows the numbers.
    """
    middle, low, high = (f"{value:{form}}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle}{unit}" if low == high else f"{middle}{unit} ({low} to {high})"


def percent(run: dict[str, Any]) -> float:
    """Return the test accuracy at the end of a training in percent."""
    return 100 * run["curve"][-1][1]


def time_to(accuracy: float, contestants: list[dict[str, Any]]) -> float | None:
    """Return the seconds after which the first of some trainings had a test accuracy, or None if none had.

    Args:
        accuracy: The accuracy.
        contestants: The trainings. Only the ends of their epochs are looked at.
    """
    times = [seconds for run in contestants for seconds, reached in run["curve"] if reached >= accuracy]
    return min(times, default=None)


def ratios(results: Results, task: str) -> tuple[list[float], list[float]]:
    """Return, seed by seed, two ratios to the reference's time: the recipe's time, and that to its accuracy.

    The second is infinite where our networks never got as far as the reference.
    """
    whole, reach = [], []
    triples = zip(*(runs(results, task, name) for name in contenders.CONTENDERS), strict=True)
    for reference, recipe, short in triples:
        whole.append(recipe["seconds"] / reference["seconds"])
        reached = time_to(reference["curve"][-1][1], [recipe, short])
        reach.append(reached / reference["seconds"] if reached is not None else float("inf"))
    return whole, reach


def race_table(task: str, results: Results) -> str:
    """Return the table of a task's contenders."""
    names = {
        "reference": RACES[task].tutorial,
        "recipe": f"recipe of notebook {contenders.notebook_of(task).name[:2]}",
        "short": "its short version",
    }
    lines = [
        "| | epochs | parameters | test accuracy (%) | time (s) | peak memory (GB) |",
        "| :-- | --: | --: | --: | --: | --: |",
    ]
    for contender, name in names.items():
        found = runs(results, task, contender)
        lines.append(
            f"| {name} | {len(found[0]['curve'])} | {found[0]['parameters']:,} "
            f"| {spread([percent(run) for run in found], '.2f')} "
            f"| {spread([run['seconds'] for run in found], '.1f')} "
            f"| {spread([run['megabytes'] / 1000 for run in found], '.2f')} |"
        )
    return "\n".join(lines) + "\n"


def epochs_table(task: str, results: Results) -> str:
    """Return the table of test accuracies and seconds by epoch, as medians over the seeds."""
    found = {contender: runs(results, task, contender) for contender in ("reference", "recipe")}
    lines = [
        "| epoch | reference (%) | after (s) | recipe (%) | after (s) |",
        "| --: | --: | --: | --: | --: |",
    ]
    for epoch in range(max(len(each[0]["curve"]) for each in found.values())):
        cells = []
        for each in found.values():
            if epoch < len(each[0]["curve"]):
                points = [run["curve"][epoch] for run in each]
                accuracy, seconds = (statistics.median(p[k] for p in points) for k in (1, 0))
                cells += [f"{100 * accuracy:.2f}", f"{seconds:.1f}"]
            else:
                cells += ["", ""]
        lines.append(f"| {epoch + 1} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def targets_table(every: dict[str, Results]) -> str:
    """Return what was aimed at and what was found on each kind of processor; the worst seed decides.

    Args:
        every: The results of each kind of processor.
    """
    heads = [f"{kinds.KINDS[kind]}: median (range) | in every seed" for kind in every]
    lines = [f"| | aimed at | {' | '.join(heads)} |", "| :-- | --: |" + " --: | :-- |" * len(every)]
    for task, race in RACES.items():
        for what, bound, from_below in (
            ("test accuracy (%)", 100 * race.accuracy, True),
            ("time of the recipe over that of the reference", race.whole, False),
            ("time to the reference's accuracy over the reference's time", race.reach, False),
        ):
            if bound is None:
                continue
            cells = []
            for results in every.values():
                whole, reach = ratios(results, task)
                accuracies = [percent(run) for run in runs(results, task, "recipe")]
                values = accuracies if from_below else whole if what.startswith("time of") else reach
                holds = min(values) >= bound if from_below else max(values) <= bound
                cells += [spread(values, ".2f"), "yes" if holds else "**no**"]
            sign = "≥" if from_below else "≤"
            lines.append(f"| {race.title}: {what} | {sign} {bound:g} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def at_full_speed(results: Results, task: str, contender: str) -> tuple[float, float, float, float]:
    """Return what a training asks for, operations and bytes, and the seconds of each at full speed.

    Each multiplication comes with an addition, and the way back costs twice the way there. Numbers have four
    bytes. In each step a parameter is read on both ways, its gradient is written and read, and Adam reads and
    writes it and its two averages: ten times in all.

    Args:
        results: What was measured.
        task: A key of `RACES`.
        contender: `"reference"` or `"recipe"`.
    """
    found = runs(results, task, contender)[0]
    operations = 3 * 2 * found["multiplications"]
    moved = 4 * (3 * found["numbers_passed"] + 10 * found["parameters"] * found["steps"])
    machine = results["machine"]
    return operations, moved, operations / machine["operations"], moved / machine["bytes"]


def work_table(results: Results) -> str:
    """Return what each training asks of processor and memory, and how long both would need at full speed."""
    lines = [
        "| | operations (10¹²) | at full speed (s) | bytes (10⁹) | at full speed (s) "
        "| took (s) | both over that |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
    ]
    for task, race in RACES.items():
        for contender in ("reference", "recipe"):
            operations, moved, computing, moving = at_full_speed(results, task, contender)
            took = statistics.median(run["seconds"] for run in runs(results, task, contender))
            lines.append(
                f"| {race.title}, {contender} | {operations / 1e12:,.2f} | {computing:.1f} "
                f"| {moved / 1e9:,.0f} | {moving:.1f} | {took:.1f} "
                f"| {100 * (computing + moving) / took:.0f} % |"
            )
    return "\n".join(lines) + "\n"


def costs_table(every: dict[str, Results]) -> str:
    """Return seconds and memory of everything that is neither a race nor a notebook, kind by kind.

    Args:
        every: The results of each kind of processor.
    """
    costs = {
        ("first_number", "answer"): "JupyterLab answers",
        ("first_number", "seconds"): "… and a kernel in it has trained the first MNIST network",
        ("imports", "seconds"): "importing TensorFlow, Keras and `utils`",
    }
    for job in next(iter(every.values())):
        kind, *words = job.split()
        if kind == "loader":
            whose = "utils" if words[1] == "ours" else "keras"
            costs[job, "seconds"] = f"loading {RACES[words[0]].title}, `{whose}.datasets`"
    costs["suite", "seconds"] = "`make test`, sample data"
    heads = [f"{kinds.KINDS[kind]}: time (s) | memory (MB)" for kind in every]
    lines = [f"| | {' | '.join(heads)} |", "| :-- |" + " --: | --: |" * len(every)]
    for (job, what), name in costs.items():
        cells = []
        for results in every.values():
            megabytes = results[job].get("megabytes")
            cells += [f"{results[job][what]:.1f}", "" if megabytes is None else f"{megabytes:,.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def growth_table(results: Results) -> str:
    """Return how time and memory grow, with the slope of each doubling on logarithmic axes."""
    names = {
        "examples": "training examples, notebook 03's recipe",
        "length": "words in a review, an LSTM with 32 units",
        "width": "kernels in the first of notebook 04's four convolutions",
    }
    lines = [
        "| | | time of an epoch (s) | slope | memory (MB) | slope |",
        "| :-- | --: | --: | --: | --: | --: |",
    ]
    for axis, name in names.items():
        points = [
            (int(job.split()[2]), found)
            for job, found in results.items()
            if job.startswith(f"growth {axis} ")
        ]
        for k, (size, found) in enumerate(points):
            slopes = {
                what: f"{log2(found[what] / max(points[k - 1][1][what], least)):.2f}" if k else ""
                for what, least in (("seconds", 0), ("megabytes", 1))
            }
            lines.append(
                f"| {'' if k else name} | {size:,} | {found['seconds']:.2f} "
                f"| {slopes['seconds']} | {found['megabytes']:.0f} | {slopes['megabytes']} |"
            )
    return "\n".join(lines) + "\n"


def in_words(options: dict[str, Any]) -> str:
    """Return the arguments of a short version in words."""
    words = [f"{options['epochs']} epoch{'s' if options['epochs'] > 1 else ''}"]
    if not options.get("both_ways", True):
        words.append("one direction")
    if "batch_size" in options:
        words.append(f"batches of {options['batch_size']}")
    if "peak" in options:
        words.append(f"peak learning rate {options['peak']}")
    if not options.get("dropout", True):
        words.append("no dropout")
    return ", ".join(words)


def versions(results: Results) -> str:
    """Return the versions of the packages in a line."""
    return ", ".join(f"{name} {version}" for name, version in results["machine"]["versions"].items())


def for_each_kind(every: dict[str, Results], text: Callable[[Results], str], level: int) -> str:
    """Return a text about each kind of processor, each under a heading.

    Args:
        every: The results of each kind of processor.
        text: Makes the text from the results of one.
        level: Of the heading.
    """
    return "\n".join(
        f"{'#' * level} {kinds.KINDS[kind]}\n\n{text(results)}" for kind, results in every.items()
    )


def results_page(every: dict[str, Results]) -> str:
    """Return `RESULTS.md`.

    Args:
        every: The results of each kind of processor, the one that the words are about first.
    """
    first = next(iter(every.values()))
    seeds = len(runs(first, "mnist", "recipe"))
    machines = "\n".join(
        f"- **{kinds.KINDS[kind]}**: {results['machine']['words']}. {versions(results)}. "
        f"Every number: [`results/{kind}.json`](results/{kind}.json)."
        for kind, results in every.items()
    )
    races = "\n".join(
        f"### {race.title}\n\n"
        + for_each_kind(
            every, lambda results, task=task: f"{race_table(task, results)}\n{epochs_table(task, results)}", 4
        )
        for task, race in RACES.items()
    )
    shorter = "; ".join(f"{race.title}: {in_words(race.short)}" for race in RACES.values())
    speeds = "; ".join(
        f"with {kinds.KINDS[kind]} {results['machine']['operations'] / 1e9:,.0f} · 10⁹ floating-point "
        f"operations and {results['machine']['bytes'] / 1e9:,.0f} · 10⁹ bytes"
        for kind, results in every.items()
    )
    return f"""# Side by side with the tutorials people use

Written by `make bench`. Each kind of processor below had a complete run of its own:

{machines}

Numbers are medians over {seeds} seeds, with their range in brackets.

![Test accuracy against seconds of training for each of the three pairs](../.github/benchmark.png)

The picture shows the run with {kinds.KINDS[next(iter(every))]}.

## What was aimed at

{targets_table(every)}
## How it was measured

Every training ran in a process of its own, with nothing else running. The contenders of a task took
turns: reference, recipe, the recipe's short version, then the next seed. Where a notebook's recipe has
changed since, its own networks are measured again, alone. The clock starts when the data are loaded, so it
counts preparing them, building and compiling the network and training it. After each epoch the clock stops
while the network is measured on the test set. These accuracies are recorded, and no race uses them for
anything else: no setting, no choice of an epoch and no early stopping depends on them.

A reference has its tutorial's network, optimizer, batch size and epochs, and learns from the whole
official training set. A recipe is the function that stands in its notebook. It learns from what its notebook
learns from before it opens the envelope: a tenth less for MNIST and CIFAR-10, whose validation sets stay
apart, and everything for IMDB. No network is validated during a race.
The short version is the same function with other arguments ({shorter}), so
that its schedule ends earlier. The time to the reference's accuracy is the first end of an epoch, of recipe
or short version with the same seed, at which the test accuracy was at least that of the reference at its end.

A processor without AVX-512 counts as *AVX2 only*. So does one with AVX-512 on which
`make bench ARGS="--isa avx2"` ran, which sets `{kinds.SWITCH}=AVX2`; its line above then says so.
That switch holds for oneDNN alone, which computes convolutions and most matrix products. NumPy, TensorFlow's
own kernels (Eigen) and what XLA compiles still use all that the processor has, so such a run may be faster
than one on a processor that has no AVX-512.

## The races

{races}
## Why not further?

Full speed is what a product of two large matrices and the copying of a large array reach:
{speeds} a second.
What the trainings ask for is counted from the shapes: the products of dense layers, convolutions and
LSTMs, once forwards and twice backwards; the numbers that each layer reads and writes, as often; and
the parameters, ten times in each step, for they are read on both ways, and Adam reads and writes them
with their two averages and their gradient.

{for_each_kind(every, work_table, 3)}
### What that means

{why_not_further(next(iter(every)), first)}
## What else costs

Loaders: the same files, after all imports, memory above what the imports hold. Ours verify each file, cut
off a validation set and, for IMDB, pad and truncate. Tests: all processes together.

{costs_table(every)}
The run times of the notebooks stand in the [README](../README.md#the-notebooks).

## How cost grows

Each doubling of the size; a slope of 1 on two logarithmic axes means that the cost doubles with it, 2
that it grows fourfold. Memory is what the process held at its peak above its start, the data it was given
not counted.

{for_each_kind(every, growth_table, 3)}"""


def why_not_further(kind: str, results: Results) -> str:
    """Return what stands between the recipes and a machine's full speed, in words.

    Args:
        kind: The kind of processor.
        results: What was measured on it.
    """
    least, took = {}, {}
    for task in RACES:
        *_, computing, moving = at_full_speed(results, task, "recipe")
        least[task] = computing + moving
        took[task] = statistics.median(run["seconds"] for run in runs(results, task, "recipe"))
    return f"""\
In the last column arithmetic and memory take turns, and no byte comes from a cache. So it is too high
rather than too low. The numbers that follow are those with {kinds.KINDS[kind]}.

**The CNN** is the nearest to what the machine can do. Its operations and bytes alone need
{least["cifar10"]:.0f} seconds, and it took {took["cifar10"]:.0f}. So going further means asking for
less: windows of 24 by 24 pixels have {24 * 24 / 32**2:.0%} of a picture's pixels, and pooling before
the normalisation leaves a quarter of the numbers to be normalised. Both are in the recipe.

**The LSTM** is far from it: {least["imdb"]:.0f} of {took["imdb"]:.0f} seconds. Its matrix products are
small. A step multiplies a batch of 128 with a matrix of 96 by 128, and the time goes into starting each
operation of each of the 250 steps, one after the other, not into computing them. Larger batches help
the processor, up to where they hurt the accuracy after so few epochs; [what was
tried](05_imdb_lstm.md#how-large-a-batch) says where that is.

**The dense net** is between them: {least["mnist"]:.1f} of {took["mnist"]:.1f} seconds. The rest is
shifting the digits, building and tracing the network, and starting the steps, even several at a time.

One cost that buys nothing was taken away, for tutorials and recipes alike. When Keras lets go of a data
set's iterator, after `fit`, `predict` or an epoch, TensorFlow 2.21 waits for the thread that tunes the
data set, and that may sleep for as long as the epoch took. `utils.training` switches the tuning off;
arrays in memory need none.
""".replace("%", " %")


def reached(task: str) -> str:
    """Return the test accuracies that a task's recipe reached in all races, for example `98.7 to 98.8 %`.

    Args:
        task: A key of `RACES`.
    """
    values = [percent(run) for kind in kinds.measured() for run in runs(read(kind), task, "recipe")]
    return f"{min(values):.1f} to {max(values):.1f} %"


def draw(results: Results, path: Path) -> None:
    """Draw test accuracy against seconds for each task, a panel each, and save the picture."""
    from utils import plots

    import matplotlib.pyplot as plt

    plots.use_house_style()
    figure, panels = plt.subplots(1, 3, figsize=(10, 3.2))
    styles = {
        "reference": ("s", "--", plots.ORANGE, "tutorial"),
        "recipe": ("o", "-", plots.BLUE, "our recipe"),
        "short": ("^", ":", "black", "its short version"),
    }
    for axes, (task, race) in zip(panels, RACES.items(), strict=True):
        for contender, (marker, line, colour, label) in styles.items():
            for number, found in enumerate(runs(results, task, contender)):
                seconds, accuracies = zip(*found["curve"], strict=True)
                axes.plot(
                    seconds,
                    [100 * accuracy for accuracy in accuracies],
                    marker=marker,
                    linestyle=line,
                    color=colour,
                    markersize=4,
                    linewidth=1,
                    label=label if number == 0 else None,
                )
        axes.set(title=race.title, xlabel="seconds of training", xlim=(0, None))
    panels[0].set_ylabel("test accuracy (%)")
    panels[0].legend(loc="lower right")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def read(kind: str) -> Results:
    """Return what the last complete run measured on a kind of processor."""
    return json.loads(kinds.path(kind).read_text(encoding="utf-8"))


def keep(kind: str, results: Results) -> None:
    """Write what a complete run measured on a kind of processor."""
    kinds.RESULTS.mkdir(exist_ok=True)
    kinds.path(kind).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def write() -> None:
    """Write `RESULTS.md` and the picture from all results that are there."""
    results = {kind: read(kind) for kind in kinds.measured()}
    RESULTS.write_text(results_page(results), encoding="utf-8")
    draw(next(iter(results.values())), PICTURE)
