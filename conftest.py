"""What all tests share. This is the one place of the suite that knows about the tiers of the data.

A plain `pytest` runs on the sample tier: no network, no files, the same on every machine.
"""

import os
import re
import time
from queue import Empty
from typing import Any

import nbval.kernel
import psutil
import pytest
from nbval.plugin import IPyNbCell

from tools import collection

TIER = os.environ.setdefault("TUTORIAL_DATA", "sample")

MEMORY_PER_NOTEBOOK = 3 * 2**30
# What takes minutes or needs a browser runs only where `-m` names it, whatever else `-m` says.
ON_REQUEST = {"mistakes", "random_mistakes", "browser"}


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval compare verdict lines without the values in them, from whatever folder it is called."""
    config.option.nbval_sanitize_with = str(collection.ROOT / "tests" / "sanitize.cfg")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run two notebooks at once where there are two cores and memory for both."""
    room = psutil.virtual_memory().available // MEMORY_PER_NOTEBOOK
    return int(min(2, os.cpu_count() or 1, max(room, 1)))


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Compare the outputs of cells tagged `full-data` on the full data only; execute them always.

    Leave out what runs on request only. Files go in reverse order, notebooks before tests. So the notebooks
    that train longest begin first, and no worker is left with one of them when the other has nothing to do.
    """
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker("data")
            if collection.FULL_DATA in collection.tags(item.cell):
                item.options["check"] = item.options["check"] and os.environ["TUTORIAL_DATA"] == "full"
    left_out = ON_REQUEST - set(re.findall(r"\w+", config.option.markexpr))
    on_request = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    config.hook.pytest_deselected(items=on_request)
    items[:] = [item for item in items if item not in on_request]
    items.sort(key=lambda item: (isinstance(item, IPyNbCell), item.path), reverse=True)


@pytest.hookimpl(tryfirst=True)  # before a notebook starts its kernel
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give the data that were asked for to what is marked `data`, and the sample to everything else.

    So what is not marked does the same on all data, and need not run on all.
    """
    os.environ["TUTORIAL_DATA"] = TIER if item.get_closest_marker("data") else "sample"


class WatchedKernel(nbval.kernel.RunningKernel):
    """A kernel that gets a second start, and whose death is noticed at once.

    nbval alone would wait for the time-out of the cell.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Start the kernel; again if it cannot: another process may have taken a port of its."""
        try:
            super().__init__(*arguments, **options)
        except RuntimeError:
            super().__init__(*arguments, **options)

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """Return the next message, looking every second whether the kernel is still there to send one."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            remaining = deadline - time.monotonic()
            try:
                return super().get_message(stream, timeout=max(0.0, min(1.0, remaining)))
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("The kernel died. Was there enough memory?") from None
                if remaining <= 1.0:
                    raise


nbval.plugin.RunningKernel = WatchedKernel
