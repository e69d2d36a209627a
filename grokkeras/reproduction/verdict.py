"""Published beside ours: median, range, ratio and verdict of an arm's runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grokkeras.reproduction.cases import Arm
from grokkeras.reproduction.found import Ended
from grokkeras.sweep.tally import median_step

WITHIN = 2.0

EXPLAINED = (
    "Median over seeds; a run that never got there counts as later than all others. Ratio: our "
    "median over the published step, over the nearer end of a published range, 1 inside it. "
    f"Verdict: within {WITHIN:g} times, faster, slower, not reproduced (half of the seeds or more "
    "never got there), or not comparable."
)


@dataclass(frozen=True)
class Result:
    """What an arm's runs came to.

    Attributes:
        arm: the arm.
        steps: grokking step of each finished run, None where it never came.
        memorization_steps: likewise.
        seconds: what each run took.
        failures: why runs failed.
    """

    arm: Arm
    steps: tuple[float | None, ...]
    memorization_steps: tuple[float | None, ...] = ()
    seconds: tuple[float, ...] = ()
    failures: tuple[str, ...] = ()

    @classmethod
    def of(cls, arm: Arm, runs: Sequence[Ended]) -> Result:
        """From the arm's ended runs."""
        done = [run for run in runs if run.error is None]
        return cls(
            arm,
            steps=tuple(run.grokking_step for run in done),
            memorization_steps=tuple(run.memorization_step for run in done),
            seconds=tuple(run.seconds for run in done),
            failures=tuple(run.error for run in runs if run.error is not None),
        )

    @property
    def median(self) -> float | None:
        """The median grokking step; None where no run has ended or the median one never grokked."""
        return median_step(self.steps)

    @property
    def ratio(self) -> float | None:
        """Our median over the published step; None where either is missing or not comparable."""
        median, published = self.median, self.arm.steps
        if median is None or published is None or not self.arm.comparable:
            return None
        low, high = published
        if low <= median <= high:
            return 1.0
        return median / (low if median < low else high)

    @property
    def verdict(self) -> str:
        """In the words that `EXPLAINED` lists, `not run yet`, or "" where nothing was published."""
        if not self.steps:
            return "failed" if self.failures else "not run yet"
        if not self.arm.comparable:
            return "not comparable"
        if self.arm.steps is None:
            return ""
        ratio = self.ratio
        if ratio is None:
            return "not reproduced"
        if ratio > WITHIN:
            return "slower"
        return "faster" if ratio < 1 / WITHIN else f"within {WITHIN:g} times"


@dataclass(frozen=True)
class Gain:
    """A method's speed beside the same without it, or beside AdamW.

    Attributes:
        arm: with the method.
        beside: without it.
        ours: how many times sooner the median run groks; None where that is not known.
        published: the same in the published numbers, at the ranges' geometric means.
    """

    arm: Arm
    beside: Arm
    ours: float | None
    published: float | None


def gains(results: Mapping[str, Result]) -> list[Gain]:
    """A gain for each arm that has one to be held against.

    Args:
        results: by the arm's name.
    """
    found = []
    for result in results.values():
        if result.arm.beside is None or result.arm.beside not in results:
            continue
        other = results[result.arm.beside]
        ours = None
        if result.median is not None and other.median is not None:
            ours = other.median / result.median
        published = None
        if result.arm.steps is not None and other.arm.steps is not None:
            published = _middle(other.arm.steps) / _middle(result.arm.steps)
        found.append(Gain(result.arm, other.arm, ours, published))
    return found


def _middle(steps: tuple[float, float]) -> float:
    return float((steps[0] * steps[1]) ** 0.5)
