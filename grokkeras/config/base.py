"""The base of every configuration section, and the number types they share.

Strict: `"97"` is no whole number and `true` is no number, because a value that has to be guessed
at is better refused than trained on for an hour.
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One mapping of the configuration: unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


# The upper bounds refuse slips of the finger; what a machine can hold is `memory.check_memory`'s.
Count = Annotated[int, Ge(1), Le(1_000_000_000)]
Steps = Annotated[int, Ge(1), Le(1_000_000_000_000)]
StepsOrZero = Annotated[int, Ge(0), Le(1_000_000_000_000)]
Fraction = Annotated[float, Gt(0), Lt(1)]
Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Decay = Annotated[float, Ge(0), Lt(1)]
