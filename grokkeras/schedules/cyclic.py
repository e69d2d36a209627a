"""Up and down, over and over.

Reference: Smith 2017, "Cyclical learning rates" (1506.01186), here for any value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from grokkeras.schedules.arguments import Number, one_of, whole
from grokkeras.schedules.base import Moment, Schedule, register
from grokkeras.schedules.lazy_ops import ops


@register("cyclic")
@dataclass(frozen=True)
class Cyclic(Schedule):
    """From `low` to `high` and back in every `period` steps.

    Args:
        low: value at steps 0, `period`, 2 * `period`, ...
        high: value halfway between them; it may be below `low`, which begins at the top.
        period: optimizer steps a cycle, 2 or more.
        shape: `cosine` (default), smooth; or `triangle`, straight lines.
    """

    low: Number
    high: Number
    period: Annotated[int, whole(2)]
    shape: Annotated[str, one_of(("cosine", "triangle"))] = "cosine"

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        turns = now.step / self.period
        phase = turns - ops.floor(turns)
        if self.shape == "cosine":
            weight = 0.5 * (1.0 - ops.cos(2.0 * math.pi * phase))
        else:
            weight = 1.0 - ops.absolute(2.0 * phase - 1.0)
        return self.low * (1.0 - weight) + self.high * weight

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return min(self.low, self.high), max(self.low, self.high)
