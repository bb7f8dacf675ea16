"""Dynamic batching: what arrives while the network is busy is computed together, as soon as it is free."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Busy(Exception):
    """There is no room left in the queue.

    Attributes:
        seconds: After how many seconds it is worth asking again; at least one.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"The service is busy. Ask again in {seconds} s.")
        self.seconds = seconds


class Stopped(Exception):
    """Nobody takes anything out of the queue any more."""


class _Job(NamedTuple):
    examples: np.ndarray
    answer: asyncio.Future


class Batcher:
    """Collects what many clients ask into batches, and refuses in time what would wait too long.

    It waits for nobody: a request that finds the network free is computed at once and alone. The network
    works in a thread of its own, so that the event loop stays free to read and to refuse.

    Attributes:
        predict: From examples (n, …) to answers (n, …). It may be replaced while requests arrive.
        most: Number of examples in a batch.
        room: Number of examples that may be here at once, in the queue or in the network.
        here: How many are.
        on_batch: Is told the size of each batch.
    """

    def __init__(
        self,
        predict: Callable[[np.ndarray], np.ndarray],
        most: int = 64,
        room: int = 512,
        on_batch: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.predict, self.most, self.room, self.on_batch = predict, most, room, on_batch
        self.here = 0
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._worker: asyncio.Task | None = None
        self._seconds = 0.0  # that an example takes, a moving average

    @property
    def works(self) -> bool:
        """Whether somebody takes the examples out of the queue."""
        return self._worker is not None and not self._worker.done()

    async def __aenter__(self) -> "Batcher":
        self._worker = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker

    async def __call__(self, examples: np.ndarray) -> np.ndarray:
        """Return the answers to some examples.

        Raises:
            Busy: There is no room for them now.
            Stopped: The worker has ended, so an answer would never come.
        """
        if not self.works:
            raise Stopped
        if self.here + len(examples) > self.room:
            raise Busy(max(1, math.ceil(self.here * self._seconds)))
        job = _Job(examples, asyncio.get_running_loop().create_future())
        self.here += len(examples)
        try:
            self._queue.put_nowait(job)
            return await job.answer
        finally:
            self.here -= len(examples)

    async def _work(self) -> None:
        waiting: _Job | None = None
        while True:
            jobs = [waiting or await self._queue.get()]
            size, waiting = len(jobs[0].examples), None
            while not self._queue.empty() and not waiting:
                job = self._queue.get_nowait()
                if size + len(job.examples) > self.most:
                    waiting = job  # for the next batch
                else:
                    jobs.append(job)
                    size += len(job.examples)
            self.on_batch(size)
            await self._compute([job for job in jobs if not job.answer.done()])  # some clients have left

    async def _compute(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        started = time.perf_counter()
        try:
            batch = np.concatenate([job.examples for job in jobs])
            answers = await asyncio.to_thread(self.predict, batch)
        except Exception as error:  # it is theirs who asked; the others go on
            for job in jobs:
                if not job.answer.done():
                    job.answer.set_exception(error)
            return
        self._seconds += 0.1 * ((time.perf_counter() - started) / len(batch) - self._seconds)
        ends = np.cumsum([len(job.examples) for job in jobs])
        for job, part in zip(jobs, np.split(answers, ends[:-1]), strict=True):
            if not job.answer.done():
                job.answer.set_result(part)
