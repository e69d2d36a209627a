"""Micro-batching: who shares an inference, who is spared, who is turned away."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from grokkeras.serving.batcher import Batcher, Queue
from grokkeras.serving.errors import OverloadedError


class Doubles:
    """Answers each row with its double; fails on batches that hold a negative number."""

    platform = "test"

    def __init__(self):
        self.batches = []
        self.outputs = []

    def run(self, rows, outputs):
        self.batches.append(len(rows))
        self.outputs.append(tuple(outputs))
        if (rows < 0).any():
            raise ValueError("cannot digest it")
        return dict.fromkeys(outputs, rows[:, 0] * 2)


def rows(*values):
    return np.array(values).reshape(-1, 1)


def batcher(engine, most=1000, max_batch=64):
    observed = []
    queue = Queue(most)
    made = Batcher(engine, queue, max_batch, ThreadPoolExecutor(1), observed.append)
    return made, queue, observed


def test_requests_that_come_together_share_one_inference_and_get_their_own_rows():
    engine = Doubles()

    async def main():
        made, queue, observed = batcher(engine)
        sent = [made.run(rows(*range(i, i + 1 + i % 3)), ("class",)) for i in range(10)]
        answers = await asyncio.gather(*sent)
        assert [a["class"].tolist() for a in answers] == [
            [2 * v for v in range(i, i + 1 + i % 3)] for i in range(10)
        ]
        assert engine.batches == observed == [sum(1 + i % 3 for i in range(10))]
        assert queue.rows == 0

    asyncio.run(main())


def test_a_lone_request_does_not_wait_and_gets_only_what_it_asked_for():
    engine = Doubles()

    async def main():
        made, _, _ = batcher(engine)
        assert list(await made.run(rows(3), ("class",))) == ["class"]
        assert engine.outputs == [("class",)]
        # Different wishes are computed once and handed out separately.
        both = await asyncio.gather(
            made.run(rows(1), ("class",)), made.run(rows(2), ("logits", "class"))
        )
        assert [list(answer) for answer in both] == [["class"], ["logits", "class"]]

    asyncio.run(main())


@pytest.mark.parametrize("many", [1, 300])
def test_a_request_that_fails_leaves_the_others_of_its_batch_unharmed(many):
    engine = Doubles()

    async def main():
        made, queue, _ = batcher(engine, max_batch=1000)
        sent = [
            made.run(rows(*[1] * many), ("class",)),
            made.run(rows(-1), ("class",)),
            made.run(rows(2), ("class",)),
        ]
        first, second, third = await asyncio.gather(*sent, return_exceptions=True)
        assert first["class"].tolist() == [2] * many
        assert isinstance(second, ValueError)
        assert third["class"].tolist() == [4]
        assert queue.rows == 0
        assert (await made.run(rows(5), ("class",)))["class"].tolist() == [10]

    asyncio.run(main())


def test_batches_hold_no_more_than_they_may_and_a_request_is_never_split():
    engine = Doubles()

    async def main():
        made, _, _ = batcher(engine, max_batch=4)
        sizes = [3, 3, 1, 9, 2, 2]
        answers = await asyncio.gather(*(made.run(rows(*[7] * n), ("class",)) for n in sizes))
        assert [len(answer["class"]) for answer in answers] == sizes
        assert engine.batches == [3, 4, 9, 4]

    asyncio.run(main())


def test_a_full_queue_turns_away_at_once():
    engine = Doubles()

    async def main():
        made, queue, _ = batcher(engine, most=5)
        waiting = [asyncio.ensure_future(made.run(rows(1, 2), ("class",))) for _ in range(2)]
        await asyncio.sleep(0)
        assert queue.rows == 4
        with pytest.raises(OverloadedError, match="4 rows are waiting") as refused:
            await made.run(rows(1, 2), ("class",))
        assert refused.value.status == 503
        await asyncio.gather(*waiting)
        assert queue.rows == 0
        await made.run(rows(1, 2), ("class",))

    asyncio.run(main())


def test_who_goes_away_takes_nobody_along():
    engine = Doubles()

    async def main():
        made, queue, _ = batcher(engine)
        gone = asyncio.ensure_future(made.run(rows(1), ("class",)))
        stays = asyncio.ensure_future(made.run(rows(2), ("class",)))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays)["class"].tolist() == [4]
        assert queue.rows == 0

    asyncio.run(main())


def test_large_batches_leave_the_event_loop_free():
    class Blocks(Doubles):
        def run(self, rows, outputs):
            if len(rows) > 256:
                assert released.wait(20)
            return super().run(rows, outputs)

    import threading

    released = threading.Event()

    async def main():
        made, _, _ = batcher(Blocks(), max_batch=1000)
        large = asyncio.ensure_future(made.run(rows(*range(500)), ("class",)))
        for _ in range(10):
            await asyncio.sleep(0)
        # The loop runs: were the inference on its thread, this line would never be reached.
        released.set()
        assert len((await large)["class"]) == 500

    asyncio.run(main())
