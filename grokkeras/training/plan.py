"""When a run evaluates, saves and comes up for air: functions of the absolute step alone.

A run that was cut anywhere and resumed therefore makes the same calls of the same lengths as one
that was never interrupted, and ends with the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def evaluation_step(k: int, per_decade: int) -> int:
    """The k-th evaluation step with repetitions: round(10 ** (k / per_decade))."""
    return round(10 ** (k / per_decade))


def next_evaluation(step: int, per_decade: int) -> int:
    """The first evaluation step after `step` (the run's last step aside).

    Args:
        step: optimizer steps done, 0 or more.
        per_decade: evaluations a tenfold growth of the step.

    Returns:
        A step greater than `step`.
    """
    k = 0 if step < 1 else max(0, math.floor(per_decade * math.log10(step)) - 1)
    while evaluation_step(k, per_decade) <= step:
        k += 1
    return evaluation_step(k, per_decade)


def is_evaluation(step: int, per_decade: int) -> bool:
    """Whether `step` is an evaluation step (the run's last step aside)."""
    return step >= 1 and next_evaluation(step - 1, per_decade) == step


@dataclass(frozen=True)
class Plan:
    """Where the calls of many steps end.

    Attributes:
        max_steps: the run's last step.
        evaluations_per_decade: see `next_evaluation`.
        checkpoint_every: optimizer steps between checkpoints; None: only at the end.
        max_chunk: most steps in one call.
    """

    max_steps: int
    evaluations_per_decade: int
    checkpoint_every: int | None
    max_chunk: int

    def next_boundary(self, step: int) -> int:
        """The step at which the call that starts at `step` ends."""
        ends = [
            self.max_steps,
            next_evaluation(step, self.evaluations_per_decade),
            (step // self.max_chunk + 1) * self.max_chunk,
        ]
        if self.checkpoint_every:
            ends.append((step // self.checkpoint_every + 1) * self.checkpoint_every)
        return min(ends)

    def is_evaluation(self, step: int) -> bool:
        """Whether metrics are due at `step`: an evaluation step, or the last step."""
        return step == self.max_steps or is_evaluation(step, self.evaluations_per_decade)

    def is_checkpoint(self, step: int) -> bool:
        """Whether a checkpoint is due at `step`; the runner adds one where the run ends."""
        return self.checkpoint_every is not None and step % self.checkpoint_every == 0


# A call of many steps cannot be interrupted, so it should be short; but JAX allocates temporaries
# anew in each. Quickstart's transformer, 2 cores: 4 steps a call 39.9 steps/s, 16 43.0, 32 44.2.
_CHUNK_FLOPS = 1e11
_LONGEST_CHUNK = 256


def chunk_length(num_parameters: int, batch_size: int) -> int:
    """Most steps in one call, a power of two: a function of the work in a step, not of the clock.

    Args:
        num_parameters: the model's, taken as multiplications an example.
        batch_size: examples a step.
    """
    flops = 6.0 * num_parameters * batch_size
    steps = max(1.0, min(float(_LONGEST_CHUNK), _CHUNK_FLOPS / flops))
    return 2 ** int(math.log2(steps))
