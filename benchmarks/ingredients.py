"""Train notebook 03's recipe and variants of it with several seeds, and keep their errors.

    python -m benchmarks.ingredients

It takes some minutes. The table goes into `benchmarks/03_mnist_dense.md`, in place of the one that is there.
The notebook has the same numbers in `FIVE_SEEDS`, which a test compares. Only the validation set is asked.
"""

from typing import Any

from benchmarks import contenders, seeds
from tools.collection import ROOT

PAGE = ROOT / "benchmarks" / "03_mnist_dense.md"
HEADING = "What each ingredient is worth"
SEEDS = (3, 1003, 2003, 3003, 4003)
# Learning rates without an ingredient were chosen by two seeds that are not in the table.
VARIANTS: dict[str, dict[str, Any]] = {
    "the recipe": {},
    "one layer of 128": {"widths": (128,)},
    "no shifts": {"shift": 0},
    "no batch normalisation": {"normalise": False, "peak": 8e-3},
    "no cycle": {"cycle": False, "peak": 4e-3},
    "no smoothing": {"smoothing": 0.0},
    "batches of 128": {"batch_size": 128},
    "layers of 512 and 256": {"widths": (512, 256)},
}


def validation_error(data: Any, seed: int, options: dict[str, Any]) -> float:
    """Train a variant and return the part of the validation set that it misclassifies, in per cent.

    Args:
        data: The digits.
        seed: The seed of weights, order and shifts.
        options: Arguments of the notebook's `train_recipe`.
    """
    network = contenders.from_notebook("mnist", "train_recipe", data)(seed=seed, **options)
    answers = network.predict(data.x_val, batch_size=1000, verbose=0).argmax(axis=1)
    return round(100 * float((answers != data.y_val).mean()), 2)


def table(errors: dict[str, list[float]]) -> str:
    """Return the errors as a table in Markdown, with the mean of each row.

    Args:
        errors: Name of a variant → its error with each seed.
    """
    lines = [
        "Digits of the validation set that are misclassified, in per cent, by the recipe and with one thing",
        "changed. Written by `benchmarks/ingredients.py`.",
        "",
        "| | " + " | ".join(f"seed {seed:,}" for seed in SEEDS) + " | mean |",
        "| :-- | " + "--: | " * (len(SEEDS) + 1),
    ]
    for name, found in errors.items():
        cells = [f"{error:.2f}" for error in [*found, sum(found) / len(found)]]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main() -> None:
    """Train them all and write the table."""
    from utils import datasets, training  # noqa: F401  (the second starts TensorFlow silently)

    data = datasets.load_mnist()
    errors: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for seed in SEEDS:
        for name, options in VARIANTS.items():
            errors[name].append(validation_error(data, seed, options))
            print(f"seed {seed}, {name}: {errors[name][-1]:.2f} %", flush=True)
    seeds.write(PAGE, "03", HEADING, table(errors))


if __name__ == "__main__":
    main()
