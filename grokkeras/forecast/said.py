"""A forecast, and how it is told in every view of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Forecast:
    """When a run that waits will grok, as far as its curves tell.

    Attributes:
        made_at: the step of the last evaluation that it rests on.
        step: the grokking step, as likely to come sooner as later; None: no sign of grokking.
        low, high: what the grokking step lies between, with probability `coverage`; None likewise.
        coverage: between 0 and 1.
        reason: what it rests on, or why there is no sign.
    """

    made_at: int
    step: int | None
    low: int | None
    high: int | None
    coverage: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As `grokkeras show --json` prints it."""
        return asdict(self)

    def brief(self) -> str:
        """Such as `groks at about 2,300 (80 %: 1,700 to 3,400)`, or `no sign of grokking`."""
        if self.step is None or self.low is None or self.high is None:
            return "no sign of grokking"
        low, about, high = (f"{rounded(each):,}" for each in (self.low, self.step, self.high))
        return f"groks at about {about} ({100 * self.coverage:.0f} %: {low} to {high})"

    def sentence(self) -> str:
        """The same with its reason."""
        return f"{self.brief()}: {self.reason}"


def rounded(step: int) -> int:
    """A step in two figures, since nobody knows it in more; three where it begins with a 1."""
    digits = len(str(step))
    kept = 3 if str(step).startswith("1") else 2
    return round(step, min(0, kept - digits))
