"""A silent start of TensorFlow, and progress that reads well while it runs and after it is saved.

A notebook imports this module before it imports TensorFlow and Keras. Importing it

- imports both, and shows what TensorFlow says at its start only where it means something;
- hides TensorFlow's informational lines for the rest of the session, unless `TF_CPP_MIN_LOG_LEVEL` is set;
- calls `set_data_autotuning(False)`, so that an epoch ends when its last step is done.
"""

import functools
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from IPython import get_ipython
from IPython.display import display

# Hides TensorFlow's informational lines for the rest of the session; warnings and errors stay visible.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

# What TensorFlow writes at start-up on a machine where everything is well. Information has the letter I
# after its time stamp. The rest are known to be harmless: libraries of a GPU build that register twice, and
# a logger that speaks before it is set up.
_HARMLESS = (
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: )?I\b|^I0000 |^To enable the following instructions"
    r"|^WARNING: All log messages before absl::InitializeLog|Unable to register cu\w+ factory"
    r"|computation placer already registered|Could not find cuda drivers|Could not find TensorRT|^\s*$"
    r"|oneDNN supports DT_BOOL only"
)


# Run in a process of its own, so that it outlives a TensorFlow that aborts: keeps what arrives, and hands the
# lines that mean something to whoever started it, or, where that has died, all lines to the terminal. An
# interrupt is meant for the notebook, and must not stop this.
_KEEPER = """
import os, re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
lines = list(sys.stdin.buffer)
try:
    sys.stdout.buffer.writelines(line for line in lines if not re.search(sys.argv[1].encode(), line))
    sys.stdout.flush()
except OSError:
    sys.stderr.buffer.writelines(lines)
    sys.stderr.flush()
    os._exit(1)  # an orderly exit would complain about what could not be handed over
"""


def _start_keeper() -> subprocess.Popen:
    """Start the process that keeps what TensorFlow says at its start."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _KEEPER, _HARMLESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # In a notebook, descriptor 2 leads back into this very process; the terminal is elsewhere.
        stderr=getattr(sys.stderr, "_original_stdstream_copy", None),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


@contextmanager
def _silent_startup() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, and afterwards pass on all but the harmless lines.

    TensorFlow's C++ part writes there directly, before any setting of its own takes effect. Redirecting the
    descriptor keeps oneDNN, which the documented way to silence it would switch off. Where no process can be
    started, nothing is held back.
    """
    sys.stderr.flush()
    try:
        keeper = _start_keeper()
    except OSError:
        yield
        return
    original = os.dup(2)
    os.dup2(keeper.stdin.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        said, _ = keeper.communicate()
        sys.stderr.write(said.decode(errors="replace"))


with _silent_startup():
    import keras
    import tensorflow as tf

    tf.zeros(1)  # The first tensor sets up the devices, which is when the other half of the messages comes.
    tf.transpose(tf.zeros((2, 2), tf.bool))  # as every mask does: some processors complain, once


_make_options = tf.data.Options.__init__


def set_data_autotuning(enabled: bool) -> None:
    """Say whether data sets of `tf.data` tune themselves where nobody says so for one of them.

    TensorFlow's own default is that they do. But Keras wraps arrays in a data set, and whenever it lets go
    of that (at the end of `fit` and `predict`, after an epoch) TensorFlow 2.21 waits for the tuning thread.
    On a machine with few cores the thread often misses the call to stop and sleeps on, for up to a minute,
    with every core idle. Batches cut from an array in memory have nothing to tune.

    Options are the only switch, and Keras makes its own, so this changes the default of `tf.data.Options` for
    the whole process.

    Args:
        enabled: `True` for TensorFlow's own default.
    """

    @functools.wraps(_make_options)
    def make_options_without_tuning(options: tf.data.Options) -> None:
        _make_options(options)
        options.autotune.enabled = False

    tf.data.Options.__init__ = _make_options if enabled else make_options_without_tuning


set_data_autotuning(False)


_BAR_WIDTH = 24
_SECONDS_BETWEEN_UPDATES = 0.2
_LINES_KEPT = 10


class _LiveText:
    """A piece of text that is rewritten in place in a notebook, and shown nowhere else."""

    def __init__(self) -> None:
        self._handle = None
        self._next_update = 0.0
        if getattr(get_ipython(), "kernel", None) is not None:
            self._handle = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text: str, *, at_once: bool = False) -> None:
        """Show the text, unless the last change is so recent that nobody could have read it."""
        now = time.monotonic()
        if self._handle is not None and (at_once or now >= self._next_update):
            self._handle.update({"text/plain": text}, raw=True)
            self._next_update = now + _SECONDS_BETWEEN_UPDATES


def _bar(done: float, started: float) -> str:
    """Draw how much is done, as a part of one, and estimate the time left from the time taken."""
    filled = round(_BAR_WIDTH * done)
    bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
    if done <= 0:
        return bar
    left = (time.monotonic() - started) * (1 - done) / done
    return f"{bar} {100 * done:3.0f} %, {int(left // 60)}:{int(left % 60):02d} min left"


class Progress(keras.callbacks.Callback):
    """Shows a training as it runs, and leaves one clean line an epoch in the saved notebook.

    Use it with `verbose=0`, so that Keras's own bar, which saves its control characters, stays away:
    `model.fit(…, verbose=0, callbacks=[Progress()])`. Long trainings leave ten lines, spread evenly, with
    the last epoch among them. The lines hold measured numbers, so the cell wants the tag
    `nbval-ignore-output`.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._lines: list[str] = []
        self._started = time.monotonic()
        self._live = _LiveText()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch, which the batches do not know."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        epochs, steps = self.params["epochs"], self.params["steps"]
        # With several steps per execution, Keras counts the last ones beyond the end of the epoch.
        part_of_epoch = min((batch + 1) / steps, 1.0) if steps else 0.0
        bar = _bar((self._epoch + part_of_epoch) / epochs, self._started)
        self._live.write("\n".join([*self._kept(), f"epoch {self._epoch + 1} of {epochs} {bar}"]))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the line of the epoch."""
        numbers = "   ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in (logs or {}).items())
        width = len(str(self.params["epochs"]))
        self._lines.append(f"epoch {epoch + 1:{width}} of {self.params['epochs']}   {numbers}")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the lines, without the bar."""
        self._live.write("\n".join(self._kept()), at_once=True)

    def _kept(self) -> list[str]:
        """Return at most ten of the lines so far, spread evenly, the last one always."""
        stride = -(-len(self._lines) // _LINES_KEPT)
        return self._lines[::-1][:: max(stride, 1)][::-1]


def progress(items: Iterable[Any], label: str) -> Iterator[Any]:
    """Yield the items of an experiment, showing how far it is; nothing is left when it is done.

    Since it leaves nothing, the cell's output is the same on every machine and can be compared.

    Args:
        items: What to go through, for example learning rates or seeds.
        label: What one item is, for example "training".
    """
    items = list(items)
    live = _LiveText()
    started = time.monotonic()
    for index, item in enumerate(items):
        live.write(f"{label} {index + 1} of {len(items)} {_bar(index / len(items), started)}", at_once=True)
        yield item
    live.write("", at_once=True)
