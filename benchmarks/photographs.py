"""Train notebook 04's small networks with several seeds, and keep what the notebook says about them.

    python -m benchmarks.photographs

It takes some minutes. The tables go into `benchmarks/04_cifar10_cnn.md`, in place of those that are there. A
test compares what the notebook quotes of them. Only the validation set is asked.
"""

from statistics import mean, stdev
from typing import Any

from benchmarks import contenders, seeds
from tools.collection import ROOT

PAGE = ROOT / "benchmarks" / "04_cifar10_cnn.md"
INGREDIENTS_HEADING = "The five ingredients: 2,500 pictures, 4 epochs, six seeds"
MOVES_HEADING = "What survives a move: 5,000 pictures, 8 epochs, four seeds"
INGREDIENTS_SEEDS = (1, 2, 3, 4, 5, 6)
MOVES_SEEDS = (4, 1004, 2004, 3004)
INGREDIENTS: dict[str, dict[str, Any]] = {
    "reference": {},
    "standardised pixels": {"standardise": True},
    "batch normalisation": {"batch_norm": True},
    "schedule": {"cycle": True},
    "label smoothing": {"smoothing": 0.1},
    "augmentation": {"augmented": True},
    "all together": {
        "standardise": True,
        "batch_norm": True,
        "augmented": True,
        "cycle": True,
        "smoothing": 0.1,
    },
}


def ingredients_table(accuracies: dict[str, list[float]]) -> str:
    """Return a table in Markdown: for each ingredient the accuracy with each seed, and what it gains.

    Args:
        accuracies: Name of an ingredient → validation accuracy with each seed, from 0 to 1.
    """
    reference = accuracies["reference"]
    lines = [
        "Validation accuracy (%) of the reference network with one thing added. The gain is on the mean",
        "of the reference, in percentage points. Written by `benchmarks/photographs.py`.",
        "",
        "| | mean | standard deviation | gain | seeds 1 to 6 |",
        "| :-- | --: | --: | --: | :-- |",
    ]
    for name, found in accuracies.items():
        each = " · ".join(f"{100 * accuracy:.1f}" for accuracy in found)
        gain = 100 * (mean(found) - mean(reference))
        lines.append(
            f"| {name} | {100 * mean(found):.1f} | {100 * stdev(found):.1f} | {gain:+.1f} | {each} |"
        )
    return "\n".join(lines).replace("-", "−").replace(":−−", ":--").replace("−−:", "--:") + "\n"


def moves_table(accuracies: dict[str, list[list[float]]]) -> str:
    """Return a table in Markdown: for each network its accuracy, and what a move costs it.

    Args:
        accuracies: Name of a network → for each seed the accuracies, from 0 to 1, after moves by 0, 1, 2
            and 4 pixels.
    """
    lines = [
        "Validation accuracy (%) on the middle window, and the share of its correct answers (%) that a",
        "network loses by a move, with each seed: 4, 1004, 2004 and 3004. Each network had the best of",
        "three peaks of the learning rate, by the validation set and seed 99. Written by",
        "`benchmarks/photographs.py`.",
        "",
        "| network | not moved | lost at 1 pixel | at 2 | at 4 |",
        "| :-- | :-- | :-- | :-- | :-- |",
    ]
    for name, found in accuracies.items():
        cells = [" · ".join(f"{100 * values[0]:.1f}" for values in found)]
        for place in (1, 2, 3):
            lost = (round(100 * (1 - values[place] / values[0]), 1) + 0.0 for values in found)  # no −0.0
            cells.append(" · ".join(f"{share:.1f}".replace("-", "−") for share in lost))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train them all and write both tables."""
    from utils import datasets, training  # noqa: F401  (the second starts TensorFlow silently)

    data = datasets.load_cifar10()
    moved: dict[str, list[list[float]]] = {}
    train = contenders.from_notebook("cifar10", "train_small", data)
    accuracy_moved = contenders.from_notebook("cifar10", "accuracy_moved", data)
    pixels = contenders.from_notebook("cifar10", "MOVES", data)
    for kind, augmented in contenders.from_notebook("cifar10", "NETWORKS", data):
        name = f"{kind}, augmented" if augmented else kind
        for seed in MOVES_SEEDS:
            network = train(kind, augmented, seed=seed)
            moved.setdefault(name, []).append([accuracy_moved(network, move) for move in pixels])
            print(f"{name}, seed {seed}: {moved[name][-1]}", flush=True)
    seeds.write(PAGE, "04", MOVES_HEADING, moves_table(moved))

    few_pictures = contenders.from_notebook("cifar10", "few_pictures", data)
    found = {name: few_pictures(INGREDIENTS_SEEDS, **options) for name, options in INGREDIENTS.items()}
    seeds.write(PAGE, "04", INGREDIENTS_HEADING, ingredients_table(found))


if __name__ == "__main__":
    main()
