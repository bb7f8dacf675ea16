"""The networks that race: those of the tutorials people use, and the recipes of our notebooks.

A reference is built in `benchmarks/races.py` from the description of its tutorial and trained with the
tutorial's own settings, on the whole official training set. A recipe is taken from its notebook: the very
functions that the reader sees, trained on what the notebook trains on before it opens the envelope. For
MNIST and CIFAR-10 that is a tenth less; for IMDB it is training and validation set together. The short
version of a recipe is the same function with other arguments. The recipe for IMDB adds the logits of two
models; the first point of its curve is the one that counts words, alone.
"""

import ast
import contextlib
import functools
import io
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.races import RACES
from tools import collection

CONTENDERS = ("reference", "recipe", "short")


class Clock:
    """Counts seconds, but not those in which it stands still."""

    def __init__(self) -> None:
        self._counted, self._since = 0.0, time.perf_counter()

    def seconds(self) -> float:
        """Return the seconds that were counted so far, while the clock goes."""
        return self._counted + time.perf_counter() - self._since

    def stop(self) -> None:
        """Count no more until `go`."""
        self._counted = self.seconds()

    def go(self) -> None:
        """Count on."""
        self._since = time.perf_counter()


@functools.cache
def notebook_of(task: str) -> Path:
    """Return the path of the notebook that takes part in a race.

    Args:
        task: A key of `RACES`.

    Raises:
        ValueError: If no manifest names the race.
    """
    for path in collection.notebooks():
        if collection.manifest(path).race == task:
            return path
    raise ValueError(f'No notebook takes part in this race: no manifest beside one says race = "{task}".')


@functools.cache
def top_level(notebook: Path) -> tuple[list[ast.stmt], dict[str, ast.stmt]]:
    """Return the imports of a notebook, and the first statement that defines each name at its top level.

    Args:
        notebook: The notebook. Cells with solutions are left out.
    """
    imports, defined = [], {}
    for cell in collection.code_cells(collection.read(notebook)):
        if not collection.is_solution(cell):
            for statement in ast.parse(cell.source).body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    imports.append(statement)
                elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
                    defined.setdefault(statement.name, statement)
                elif isinstance(statement, ast.Assign):
                    for node in ast.walk(ast.Tuple(statement.targets, ast.Store())):
                        if isinstance(node, ast.Name):
                            defined.setdefault(node.id, statement)
    return imports, defined


def needed_for(name: str, defined: dict[str, ast.stmt]) -> list[ast.stmt]:
    """Return the statements that a definition needs, itself included, each after those that it needs.

    Args:
        name: What is wanted.
        defined: The statement that defines each name. A name that is not in it is taken to be there.
    """
    found: list[ast.stmt] = []
    begun: set[int] = set()

    def visit(word: str) -> None:
        statement = defined.get(word)
        if statement is None or id(statement) in begun:
            return
        begun.add(id(statement))
        own = _local_names(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id not in own:
                visit(node.id)
        found.append(statement)

    visit(name)
    return found


def _local_names(statement: ast.stmt) -> set[str]:
    """Return arguments and variables of a function; nothing for another statement."""
    if not isinstance(statement, ast.FunctionDef):
        return set()
    arguments = {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    stored = {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return arguments | stored


def source_of(task: str, name: str) -> str:
    """Return a function of a task's notebook, and all that it needs, as source."""
    _, defined = top_level(notebook_of(task))
    return "\n".join(ast.unparse(statement) for statement in needed_for(name, defined))


def from_notebook(task: str, name: str, data: Any) -> Any:
    """Return what a notebook defines under a name, with all that it needs; nothing is trained.

    Args:
        task: A key of `RACES`.
        name: The name, most often of a function.
        data: What the notebook calls `data`.
    """
    imports, defined = top_level(notebook_of(task))
    defined = {word: statement for word, statement in defined.items() if word != "data"}
    namespace: dict[str, Any] = {"data": data}
    module = ast.Module([*imports, *needed_for(name, defined)], type_ignores=[])
    exec(compile(module, notebook_of(task).name, "exec"), namespace)
    return namespace[name]


def shapes(
    network: Any, shape: tuple[int, ...]
) -> Iterator[tuple[Any, int, list[tuple[int, ...]], tuple[int, ...]]]:
    """Yield each layer of a network, how often it is there, and the shapes of what enters and what leaves it.

    A bidirectional layer is the layer inside, twice.

    Args:
        network: A Keras network.
        shape: The shape of one example, which takes the place of any size that the network leaves open.
    """
    import keras

    known: dict[str, tuple[int, ...]] = {}  # the shape behind each layer: there may be more than one path
    for layer in network.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            sources = [
                tensor._keras_history.operation.name for tensor in layer._inbound_nodes[0].input_tensors
            ]
            entering = [known.get(name, (1, *shape)) for name in sources]
            leaving = layer.compute_output_shape(entering[0] if len(entering) == 1 else entering)
            known[layer.name] = leaving
            if isinstance(layer, keras.layers.Bidirectional):
                yield layer.forward_layer, 2, entering, leaving
            else:
                yield layer, 1, entering, leaving


def multiplications(network: Any, shape: tuple[int, ...]) -> int:
    """Return how many multiplications one example costs on its way forward through a network.

    Only matrix products count: dense layers, convolutions and LSTMs.

    Args:
        network: A Keras network.
        shape: The shape of one example.
    """
    import keras

    total = 0
    for layer, times, (entering, *_), leaving in shapes(network, shape):
        if isinstance(layer, keras.layers.LSTM):
            total += times * entering[1] * 4 * layer.units * (entering[2] + layer.units)
        elif isinstance(layer, keras.layers.Conv2D):
            total += leaving[1] * leaving[2] * layer.kernel.shape[0] ** 2 * entering[3] * leaving[3]
        elif isinstance(layer, keras.layers.Dense):
            total += int(layer.kernel.shape[0]) * leaving[-1]
    return int(total)


def numbers_passed(network: Any, shape: tuple[int, ...]) -> int:
    """Return how many numbers the layers read and write for one example on its way forward.

    Each layer reads what enters it and writes what leaves it; an LSTM writes its four gates, too.

    Args:
        network: A Keras network.
        shape: The shape of one example.
    """
    import keras

    total = 0
    for layer, times, entering, leaving in shapes(network, shape):
        total += sum(math.prod(each) for each in entering) + math.prod(leaving)
        if isinstance(layer, keras.layers.LSTM):
            total += times * entering[0][1] * 4 * layer.units
    return int(total)


def train(task: str, contender: str, seed: int) -> dict[str, Any]:
    """Train a contender and measure it on the test set after each epoch, while the clock stands still.

    Args:
        task: A key of `RACES`.
        contender: `"reference"`, `"recipe"` or `"short"`.
        seed: The seed of weights, order and dropout.

    Returns:
        A dictionary: `curve`, a list of pairs of seconds and test accuracy, the first of them for a model
        beside the network if there is one; `seconds` in all;
        `parameters`; `steps` of the optimizer; and `multiplications` and `numbers_passed`, forwards, of all
        examples of all epochs.
    """
    # Starts TensorFlow silently, and spares every contender, tutorials too, the wait at the end of an epoch.
    from utils import training  # noqa: F401

    import keras
    import numpy as np

    race = RACES[task]
    data = race.load(contender)
    x_test = race.prepare(data.x_test, contender)
    curve: list[tuple[float, float]] = []
    steps = epochs = 0
    beside: Any = 0.0  # what another model adds to the network's logits

    def measure(seconds: float, outputs: Any) -> None:
        """Note a time and the accuracy of the outputs that were there then."""
        answers = race.classify(outputs, contender)
        curve.append((seconds, float(np.mean(answers == data.y_test))))

    class Measure(keras.callbacks.Callback):
        """Asks about the test set after each epoch; its time does not count."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """Note the time, stop the clock and measure."""
            nonlocal steps, epochs
            seconds = clock.seconds()
            clock.stop()
            steps, epochs = steps + self.params["steps"], epochs + 1
            measure(seconds, self.model.predict(x_test, batch_size=500, verbose=0) + beside)
            clock.go()

    with contextlib.redirect_stdout(io.StringIO()):
        if contender != "reference":
            # Reads the notebook and imports what it does; no tutorial is charged for that either.
            from_notebook(task, "SEED", data)
        clock = Clock()
        callbacks = [Measure()]
        if contender == "reference":
            keras.utils.set_random_seed(seed)
            x = race.prepare(np.concatenate([data.x_train, data.x_val]), contender)
            y = np.concatenate([data.y_train, data.y_val])
            network, settings = race.reference()
            network.fit(x, y, verbose=0, callbacks=callbacks, **settings)
            examples, shape = len(x) * settings["epochs"], x.shape[1:]
        else:
            if race.beside:
                train_beside, logits_beside, share = (from_notebook(task, name, data) for name in race.beside)
                whole = np.concatenate([data.x_train, data.x_val])
                model = train_beside(whole, np.concatenate([data.y_train, data.y_val]))
                seconds = clock.seconds()
                clock.stop()
                beside = share * logits_beside(model, data.x_test)[:, np.newaxis]
                measure(seconds, beside)
                clock.go()
            named = {argument: from_notebook(task, name, data) for argument, name in race.named.items()}
            options = {**race.given, **named, **(race.short if contender == "short" else {})}
            found = from_notebook(task, race.recipe, data)(seed=seed, callbacks=callbacks, **options)
            network = found[0] if isinstance(found, tuple) else found
            learnt = options["part"][0] if "part" in options else data.x_train
            examples, shape = len(learnt) * epochs, race.shape
        seconds = clock.seconds()
    return {
        "curve": curve,
        "seconds": seconds,
        "parameters": int(network.count_params()),
        "steps": steps,
        "multiplications": multiplications(network, shape) * examples,
        "numbers_passed": numbers_passed(network, shape) * examples,
    }
