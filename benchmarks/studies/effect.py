"""How much sooner one arm groks than another, seed by seed, with an interval.

A seed that did not grok counts as later than all others (inf), so a median exists where more than
half of the seeds grok. The interval is the percentile bootstrap over seeds (Efron 1979): both arms
are resampled by the same seeds. With few seeds it is rough, and so is a sign test beside it.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 10_000


@dataclass(frozen=True)
class Effect:
    """One arm beside another, over the same seeds.

    Attributes:
        ratio: the other's median step over this one's: above 1, this one is sooner. inf or 0 where
            one of them has no median, 1 where neither has.
        low, high: ends of the 95 % interval of the ratio.
        sooner, later: seeds on which this arm groks sooner, and later, than the other; seeds on
            which neither groks, or both at the same step, are in neither.
    """

    ratio: float
    low: float
    high: float
    sooner: int
    later: int


def compare(ours: Sequence[int | None], others: Sequence[int | None]) -> Effect:
    """Holds an arm beside another.

    Args:
        ours: the grokking step of each seed; None: not in time.
        others: the same of the other arm, seed by seed. At least one.

    Raises:
        ValueError: there are none, or not as many of one as of the other.
    """
    pairs = [(_step(a), _step(b)) for a, b in zip(ours, others, strict=True)]
    if not pairs:
        raise ValueError("there are no seeds to compare")
    draw = random.Random(0)
    ratios = sorted(_ratio(draw.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    edge = round(RESAMPLES * 0.025)
    return Effect(
        _ratio(pairs),
        ratios[edge],
        ratios[-edge - 1],
        sooner=sum(a < b for a, b in pairs),
        later=sum(a > b for a, b in pairs),
    )


def sign_test(sooner: int, later: int) -> float:
    """The two-sided p-value of so uneven a split, were both outcomes equally likely."""
    count, fewer = sooner + later, min(sooner, later)
    tail = sum(math.comb(count, k) for k in range(fewer + 1)) / 2**count
    return min(1.0, 2 * tail)


def _step(step: int | None) -> float:
    return math.inf if step is None else step


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    mine, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
    if mine == theirs:
        return 1.0
    return theirs / mine
