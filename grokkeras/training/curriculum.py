"""Easy examples first: which share of the training split the batches are drawn from.

Bengio et al. 2009, "Curriculum learning". The examples stand in an order from easy to hard; a
`Pace` says how many of the easiest are admitted at a step, and `CurriculumOrder` deals batches from
those, pass after pass. Only the indices change: the compiled step is the same as without it.

Everything is a function of the absolute step and of the pace's history, the steps at which the
model's accuracy opened another stage. The history is in the checkpoint, so a run that was cut
anywhere and resumed draws the same batches.
"""

from __future__ import annotations

import abc
import bisect
from collections.abc import Mapping
from typing import Any

import numpy as np

# Distinguishes this use of the run's seed from every other: the plain batch order has 2.
_STREAM = 3


class Pace(abc.ABC):
    """How many of the easiest examples are admitted at each step."""

    @abc.abstractmethod
    def admitted(self, step: int) -> int:
        """The number of admitted examples at the beginning of `step`; it never falls."""

    @abc.abstractmethod
    def next_opening(self, step: int) -> int | None:
        """The first step after `step` at which a stage opened; None: none so far."""

    @abc.abstractmethod
    def settled(self, step: int) -> bool:
        """Whether the number stays as it is from `step` on, as far as is known."""

    def awaits_accuracy(self) -> bool:
        """Whether the accuracy on the admitted examples decides on what comes next."""
        return False

    def tell(self, step: int, accuracy: float) -> bool:
        """Takes in the accuracy on the admitted examples; returns whether a stage opened."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs, JSON-able."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027  nothing to load
        """Goes on from `state_dict`."""


class StepPace(Pace):
    """The admitted share grows evenly with the step.

    Args:
        count: number of examples.
        start, end: shares admitted at step 0 and from `steps` on.
        steps: optimizer steps.
    """

    def __init__(self, count: int, start: float, end: float, steps: int) -> None:
        self._count = count
        self._start = start
        self._end = end
        self._steps = steps

    def admitted(self, step: int) -> int:
        done = min(1.0, step / self._steps)
        return round(self._count * (self._start + (self._end - self._start) * done))

    def next_opening(self, step: int) -> int | None:
        return None

    def settled(self, step: int) -> bool:
        return step >= self._steps


class StagePace(Pace):
    """The admitted share grows by a stage when the accuracy on what is admitted is high enough.

    Args:
        count: number of examples.
        start, end: shares admitted in the first and the last stage.
        stages: how many there are, 2 at least.
        until: accuracy on the admitted examples that opens the next stage.

    Attributes:
        openings: for each stage after the first, the step at which it opened.
    """

    def __init__(self, count: int, start: float, end: float, stages: int, until: float) -> None:
        self._counts = [round(count * share) for share in np.linspace(start, end, stages)]
        self._until = until
        self.openings: list[int] = []

    def admitted(self, step: int) -> int:
        return self._counts[bisect.bisect_right(self.openings, step)]

    def next_opening(self, step: int) -> int | None:
        place = bisect.bisect_right(self.openings, step)
        return self.openings[place] if place < len(self.openings) else None

    def settled(self, step: int) -> bool:
        return self.next_opening(step) is None

    def awaits_accuracy(self) -> bool:
        return len(self.openings) < len(self._counts) - 1

    def tell(self, step: int, accuracy: float) -> bool:
        opens = self.awaits_accuracy() and accuracy >= self._until
        if opens:
            self.openings.append(step)
        return opens

    def state_dict(self) -> dict[str, Any]:
        return {"openings": list(self.openings)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.openings[:] = state["openings"]


class Curriculum:
    """A training split from easy to hard, and how fast to go through it.

    Args:
        difficulty: (n,) one number an example, larger is harder.
        pace: how many are admitted.
    """

    def __init__(self, difficulty: np.ndarray, pace: Pace) -> None:
        # Equally hard examples keep the split's order, which is random.
        self.ranking = np.argsort(difficulty, kind="stable").astype("int32")
        self.pace = pace

    def admitted(self, step: int) -> np.ndarray:
        """The admitted examples at a step, easiest first: (m,) int32 places in the split."""
        return self.ranking[: self.pace.admitted(step)]


class CurriculumOrder:
    """Which examples each step takes; the interface of `batches.BatchOrder`.

    A pass deals each admitted example at most once, in a random order drawn from the seed and the
    pass's number; what does not fill a batch is left out. The pace is read where a pass begins,
    and a stage that opens begins a pass.

    Args:
        curriculum: the examples.
        batch_size: examples a step, at most those admitted at first.
        seed: the run's seed.
    """

    def __init__(self, curriculum: Curriculum, batch_size: int, seed: int) -> None:
        first = curriculum.pace.admitted(0)
        if batch_size > first:
            raise ValueError(f"A batch of {batch_size} does not fit in the first {first} examples.")
        self._curriculum = curriculum
        self._batch_size = batch_size
        self._seed = seed
        self._dealt: np.ndarray | None = None
        self._restart()

    def indices(self, step: int, count: int) -> np.ndarray:
        """The examples of `count` steps from `step` on: (count, batch_size) int32."""
        rows = np.empty((count, self._batch_size), "int32")
        for row in range(count):
            self._seek(step + row)
            place = (step + row - self._begin) * self._batch_size
            rows[row] = self._deal()[place : place + self._batch_size]
        return rows

    def _restart(self) -> None:
        self._number, self._begin, self._dealt = 0, 0, None

    def _seek(self, step: int) -> None:
        """Makes the pass that contains `step` the present one."""
        pace = self._curriculum.pace
        if step < self._begin:
            self._restart()
        while True:
            length = pace.admitted(self._begin) // self._batch_size
            opening = pace.next_opening(self._begin)
            if opening is None and pace.settled(self._begin):
                passes = (step - self._begin) // length  # all alike: no need to walk
            else:
                end = self._begin + length
                if opening is not None and opening < end:
                    length, end = opening - self._begin, opening
                passes = int(step >= end)
            if passes == 0:
                return
            self._number += passes
            self._begin += passes * length
            self._dealt = None

    def _deal(self) -> np.ndarray:
        if self._dealt is None:
            generator = np.random.default_rng([self._seed, _STREAM, self._number])
            self._dealt = generator.permutation(self._curriculum.admitted(self._begin))
        return self._dealt
