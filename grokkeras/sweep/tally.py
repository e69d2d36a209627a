"""What the seeds of one setting came to: how many grokked, and when."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grokkeras.strict_json import number
from grokkeras.sweep.jobs import Outcome


@dataclass(frozen=True)
class Tally:
    """A setting's runs.

    Attributes:
        setting: in words.
        finished: how many ended by themselves.
        failed: how many failed.
        missing: how many have not ended.
        memorization_steps: of those finished, None where it never came.
        grokking_steps: likewise.
        seconds: each finished run's `wall_seconds`.
    """

    setting: str
    finished: int
    failed: int
    missing: int
    memorization_steps: tuple[float | None, ...]
    grokking_steps: tuple[float | None, ...]
    seconds: tuple[float, ...]

    @property
    def grokked(self) -> int:
        """How many of the finished ones grokked."""
        return sum(step is not None for step in self.grokking_steps)


def tally(outcomes: Iterable[Outcome]) -> list[Tally]:
    """A line a setting, in order of appearance."""
    settings: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        settings.setdefault(outcome.job.setting, []).append(outcome)
    return [_count(setting, members) for setting, members in settings.items()]


def _count(setting: str, outcomes: Sequence[Outcome]) -> Tally:
    done = [outcome.summary for outcome in outcomes if outcome.status == "finished"]
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    return Tally(
        setting,
        finished=len(done),
        failed=failed,
        missing=len(outcomes) - len(done) - failed,
        memorization_steps=tuple(number(each.get("memorization_step")) for each in done),
        grokking_steps=tuple(number(each.get("grokking_step")) for each in done),
        seconds=tuple(s for each in done if (s := number(each.get("wall_seconds"))) is not None),
    )


def median_step(steps: Sequence[float | None]) -> float | None:
    """The median step, a step that never came counting as later than all others.

    Args:
        steps: None where it never came.

    Returns:
        Of an even number the mean of the two in the middle; None where half of the steps or more
        never came, or there is none.
    """
    if not steps:
        return None
    middle = statistics.median(math.inf if step is None else step for step in steps)
    return None if math.isinf(middle) else middle
