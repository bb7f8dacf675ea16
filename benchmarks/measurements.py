"""What is measured, each in a process of its own.

    python -m benchmarks.measurements train mnist recipe 1

prints what it found as one line of JSON. `python -m benchmarks` starts these processes and keeps what they
print.
"""

import contextlib
import importlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import contenders, kinds
from benchmarks.races import RACES
from tools import collection

ROOT = Path(__file__).resolve().parent.parent
LOADERS = ("mnist", "cifar10", "imdb")
# Sizes that double, from small to as large as the data and the patience allow.
GROWTH = {
    "examples": (3_400, 6_800, 13_700, 27_500, 55_000),
    "length": (25, 50, 100, 200, 400),
    "width": (8, 16, 32, 64),
}
# The notebook whose network grows, by its task, and the function that builds it there.
GROWN = {
    "examples": ("mnist", "build_recipe"),
    "length": ("imdb", "build_sentiment"),
    "width": ("cifar10", "build_recipe"),
}


def peak_memory() -> float:
    """Return the most memory that this process has held so far, in megabytes."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def memory_of_tree(process: Any) -> float:
    """Return the memory that a process and its descendants hold now, in megabytes.

    Args:
        process: A `psutil.Process`.
    """
    import psutil

    total = 0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total / 1e6


def watched(command: list[str], **options: Any) -> dict[str, float]:
    """Run a command; return its `seconds` and the `megabytes` that it and its descendants held at most.

    Args:
        command: The command.
        **options: For `psutil.Popen`.

    Raises:
        RuntimeError: If the command fails.
    """
    import psutil

    started, most = time.perf_counter(), 0.0
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            most = max(most, memory_of_tree(process))
        time.sleep(0.2)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"It ended with the code {process.returncode}: {' '.join(command)}")
    return {"seconds": seconds, "megabytes": most}


def train(task: str, contender: str, seed: str) -> dict[str, Any]:
    """Train a contender; see `contenders.train`, to which the peak memory is added."""
    return {**contenders.train(task, contender, int(seed)), "megabytes": peak_memory()}


def machine() -> dict[str, Any]:
    """Return what the machine is, in words, and what its processor and its memory can do at most.

    The most floating-point operations a second are those of a product of two large matrices, the most bytes a
    second those of copying an array that fits into no cache.
    """
    from utils import training  # noqa: F401  (starts TensorFlow silently)

    import keras
    import numpy as np
    import psutil
    import tensorflow as tf

    def best_of(work: Callable[[], Any], times: int = 8) -> float:
        """Return the least seconds of a few runs."""
        seconds = []
        for _ in range(times):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        return min(seconds[1:])

    n = 3000
    a = tf.random.normal((n, n))
    multiply = tf.function(lambda: tf.reduce_sum(a @ a))
    source, target = np.ones(2**26, "float32"), np.empty(2**26, "float32")
    kind = kinds.here()
    vectors = kinds.KINDS[kind] + (f" by {kinds.SWITCH}" if kinds.is_switched() else "")
    return {
        "kind": kind,
        "words": f"{os.cpu_count()} cores ({platform.machine()}, {vectors}), "
        f"{psutil.virtual_memory().total / 2**30:.0f} GB of memory, no GPU, {platform.system()}",
        "versions": {
            "Python": platform.python_version(),
            "TensorFlow": tf.__version__,
            "Keras": keras.__version__,
            "NumPy": np.__version__,
        },
        "operations": 2 * n**3 / best_of(lambda: multiply().numpy()),
        "bytes": 2 * source.nbytes / best_of(lambda: np.copyto(target, source)),
    }


def loader(name: str, whose: str) -> dict[str, float]:
    """Load a data set by our loader or by `keras.datasets`, from the same files, after all imports.

    What `keras.datasets` would spend on finding and verifying its files is not counted.

    Args:
        name: `"mnist"`, `"cifar10"` or `"imdb"`.
        whose: `"ours"` or `"keras"`.

    Returns:
        `seconds`, and `megabytes` at the peak above what the imports hold.
    """
    from utils import datasets, training  # noqa: F401

    import psutil

    if whose == "ours":
        load = getattr(datasets, f"load_{name}")
    else:
        module = importlib.import_module(f"keras.src.datasets.{name}")
        folder = Path(os.environ.get("TUTORIAL_DATA_DIR") or Path.home() / ".keras" / "datasets")
        # It would look in a folder of its own and for an archive that may not be there.
        module.get_file = lambda fname, **_: str(folder / fname if fname.endswith(".npz") else folder)
        load = module.load_data
    before = psutil.Process().memory_info().rss / 1e6
    started = time.perf_counter()
    kept = load()
    seconds = time.perf_counter() - started
    del kept
    return {"seconds": seconds, "megabytes": max(0.0, peak_memory() - before)}


def imports() -> dict[str, float]:
    """Return the `seconds` and the `megabytes` of importing TensorFlow, Keras and what the notebooks use."""
    started = time.perf_counter()
    from utils import checks, datasets, plots, training  # noqa: F401

    import keras  # noqa: F401

    return {"seconds": time.perf_counter() - started, "megabytes": peak_memory()}


def first_number() -> dict[str, float]:
    """Return the seconds from starting JupyterLab to its answer and to a trained MNIST network."""
    from nbclient import NotebookClient

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    lab = subprocess.Popen(
        [*command, "--ServerApp.port_retries=0", "--ip=127.0.0.1", str(ROOT / "notebooks")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            time.sleep(0.05)
        answered = time.perf_counter() - started
        path = contenders.notebook_of("mnist")
        notebook = collection.read(path)
        last = next(
            k for k, cell in enumerate(notebook.cells) if "accuracy of the dense network" in cell.source
        )
        notebook.cells = notebook.cells[: last + 1]
        NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute(
            stderr=subprocess.DEVNULL
        )
        return {"answer": answered, "seconds": time.perf_counter() - started}
    finally:
        lab.terminate()
        lab.wait()


def suite() -> dict[str, float]:
    """Run what `make test` runs, on the sample data; return its `seconds` and `megabytes`."""
    return watched([sys.executable, "-m", "pytest", "-q"], env={**os.environ, "TUTORIAL_DATA": "sample"})


def growth(axis: str, size: str) -> dict[str, float]:
    """Train on a problem of a given size.

    Args:
        axis: `"examples"`: the recipe of notebook 03 on as many digits. `"length"`: the network of
            notebook 05 that reads one way, on 2,000 reviews of as many words. `"width"`: the network of
            notebook 04 with as many kernels in its first convolution and two, four and eight times as
            many in the others, on 2,000 windows.
        size: The size.

    Returns:
        `seconds` of an epoch, the best of two after a first one, and `megabytes` at the peak above the start.
    """
    from utils import training  # noqa: F401

    import keras
    import numpy as np
    import psutil

    number = int(size)
    random = np.random.default_rng(1)
    keras.utils.set_random_seed(1)
    task, builder = GROWN[axis]
    data = RACES[task].load("recipe")
    build = contenders.from_notebook(task, builder, data)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if axis == "examples":
        network = build()
        x, y, batch = data.x_train[:number], data.y_train[:number], 256
    elif axis == "width":
        network = build(tuple(number * factor for factor in (1, 2, 4, 8)))
        x, y, batch = data.x_train[:2000, :24, :24], data.y_train[:2000], 128
    else:
        network = build(length=number)
        x, y, batch = random.integers(10_000, size=(2000, number)), random.integers(2, size=2000), 64
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile("adam", loss, jit_compile=False)
    before = psutil.Process().memory_info().rss / 1e6
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        network.fit(x, y, batch_size=batch, verbose=0)
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds[1:]), "megabytes": max(0.0, peak_memory() - before)}


MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function for function in (train, machine, loader, imports, first_number, suite, growth)
}

if __name__ == "__main__":
    print(json.dumps(MEASUREMENTS[sys.argv[1]](*sys.argv[2:])))
