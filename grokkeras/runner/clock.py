"""Where a run's time goes: in optimizer steps, and in all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class RunClock:
    """Adds up wall time over the sittings of a run.

    Args:
        now: a monotonic clock in seconds.

    Attributes:
        steps: optimizer steps inside timed calls, the first call of each sitting left out, since
            it compiles.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._start = now()
        self._loop_start: float | None = None
        self._before = {"wall": 0.0, "training": 0.0, "loop": 0.0}
        self._training = 0.0
        self.steps = 0

    @contextmanager
    def training_call(self, count: int) -> Iterator[None]:
        """Times one call of `count` optimizer steps."""
        start = self._now()
        yield
        end = self._now()
        if self._loop_start is None:
            self._loop_start = end
        else:
            self._training += end - start
            self.steps += count

    @property
    def wall_seconds(self) -> float:
        """Seconds since the beginning, earlier sittings included."""
        return self._before["wall"] + self._now() - self._start

    @property
    def training_seconds(self) -> float:
        """Seconds inside training calls."""
        return self._before["training"] + self._training

    @property
    def steps_per_second(self) -> float | None:
        """Optimizer steps a second inside training calls; None before the second call."""
        return self.steps / self.training_seconds if self.training_seconds else None

    @property
    def training_share(self) -> float | None:
        """Share of the time after the first call that went into optimizer steps."""
        loop = self._before["loop"]
        if self._loop_start is not None:
            loop += self._now() - self._loop_start
        return self.training_seconds / loop if loop else None

    def state_dict(self) -> dict[str, Any]:
        """The totals so far, JSON-able."""
        loop = self._before["loop"]
        if self._loop_start is not None:
            loop += self._now() - self._loop_start
        return {
            "wall": self.wall_seconds,
            "training": self.training_seconds,
            "loop": loop,
            "steps": self.steps,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from an earlier sitting's totals."""
        self._before = {key: float(state[key]) for key in self._before}
        self.steps = int(state["steps"])
