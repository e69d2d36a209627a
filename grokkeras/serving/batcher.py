"""Micro-batching: requests that arrive together share one inference.

No request waits for others to come. The first one asks the event loop to compute "next"; whatever
requests the loop reads before that, or while an inference is under way, join it. Under load batches
grow by themselves, and a lone request pays nothing.

A small batch is computed on the event loop's own thread: handing it to another and back costs more
than the inference. A large one goes to a thread, so that health checks and others are answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from grokkeras.serving.card import OUTPUTS
from grokkeras.serving.engines import Engine
from grokkeras.serving.errors import OverloadedError

_INLINE_ROWS = 256
Answers = dict[str, np.ndarray]


@dataclass
class _Waiting:
    rows: np.ndarray
    outputs: tuple[str, ...]
    future: asyncio.Future[Answers]


class Queue:
    """How many rows of all models wait, and the most that may."""

    def __init__(self, most: int) -> None:
        self.rows = 0
        self.most = most


class Batcher:
    """Joins concurrent requests for one loaded version.

    Args:
        engine: computes.
        queue: counts waiting rows over all versions.
        max_batch_rows: rows in one inference; a request is never split.
        executor: where large batches are computed.
        observe: called with the rows of each batch.
    """

    def __init__(
        self,
        engine: Engine,
        queue: Queue,
        max_batch_rows: int,
        executor: Executor,
        observe: Callable[[int], object] = lambda rows: None,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._max_batch_rows = max_batch_rows
        self._executor = executor
        self._observe = observe
        self._waiting: deque[_Waiting] = deque()
        self._busy = False

    async def run(self, rows: np.ndarray, outputs: tuple[str, ...]) -> Answers:
        """The answers to a request's rows.

        Args:
            rows: (n, length), checked.
            outputs: which are wanted, of `card.OUTPUTS`.

        Raises:
            OverloadedError: too many rows wait already.
            Exception: whatever the engine raised on these rows.
        """
        if self._queue.rows + len(rows) > self._queue.most:
            raise OverloadedError(self._queue.rows)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(rows, outputs, loop.create_future())
        self._queue.rows += len(rows)
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next_batch)
        return await waiting.future

    def _next_batch(self) -> None:
        batch = self._take()
        if not batch:
            self._busy = False
            return
        count = sum(len(each.rows) for each in batch)
        self._observe(count)
        loop = asyncio.get_running_loop()
        if count <= _INLINE_ROWS:
            self._deliver(batch, compute(self._engine, batch))
            loop.call_soon(self._next_batch)
            return
        running = loop.run_in_executor(self._executor, compute, self._engine, batch)

        def done(result: asyncio.Future[list[Answers | Exception]]) -> None:
            self._deliver(batch, result.result())
            self._next_batch()

        running.add_done_callback(done)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        room = self._max_batch_rows
        while self._waiting and (not batch or len(self._waiting[0].rows) <= room):
            each = self._waiting.popleft()
            batch.append(each)
            room -= len(each.rows)
        return batch

    def _deliver(self, batch: Sequence[_Waiting], results: list[Answers | Exception]) -> None:
        for each, result in zip(batch, results, strict=True):
            self._queue.rows -= len(each.rows)
            if each.future.done():  # whoever asked is gone
                continue
            if isinstance(result, Exception):
                each.future.set_exception(result)
            else:
                each.future.set_result(result)


def compute(engine: Engine, batch: Sequence[_Waiting]) -> list[Answers | Exception]:
    """The answers of a batch, one for each request.

    If the engine fails on the whole, each request is computed alone, so that one that it cannot
    digest leaves the others unharmed.
    """
    if len(batch) == 1:
        only = batch[0]
        try:
            return [engine.run(only.rows, only.outputs)]
        except Exception as error:
            return [error]
    alike = all(each.outputs == batch[0].outputs for each in batch)
    outputs = batch[0].outputs if alike else OUTPUTS
    try:
        answers = engine.run(np.concatenate([each.rows for each in batch]), outputs)
    except Exception:
        return [result for each in batch for result in compute(engine, [each])]
    results: list[Answers | Exception] = []
    start = 0
    for each in batch:
        stop = start + len(each.rows)
        results.append({name: answers[name][start:stop] for name in each.outputs})
        start = stop
    return results
