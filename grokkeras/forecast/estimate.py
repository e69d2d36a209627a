"""Signs in, forecast out, by what runs of other tasks and models did.

The logarithm of the steps left, in steps waited, is a sum of the logarithms of three things: the
steps left by the line from the peak, those by the trend lately, and the steps waited over those it
took to memorize. The weights and the errors around it come from `calibration.json`.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grokkeras.forecast.said import Forecast
from grokkeras.forecast.signs import Point, Signs, read_signs

_FILE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Interval:
    """The errors of the calibration's forecasts at about the same share of the way.

    Attributes:
        up_to: of `Signs.fallen`, 0 to 1.
        low, high: log of the true over the forecast steps left: its quantiles at
            (1 - coverage) / 2 and (1 + coverage) / 2.
    """

    up_to: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """What the study found on its calibration runs.

    Attributes:
        weights: of `features`, by name.
        intervals: by growing `up_to`, the last of which is 1.
        coverage: share of the calibration's forecasts whose interval held.
        least_fallen, least_steady: what `Signs.fallen` and `Signs.steady` must be for a sign.
    """

    weights: dict[str, float]
    intervals: tuple[Interval, ...]
    coverage: float
    least_fallen: float
    least_steady: float


@functools.cache
def shipped() -> Calibration:
    """What `calibration.json` holds."""
    known = json.loads(_FILE.read_text(encoding="utf-8"))["calibration"]
    return Calibration(**{**known, "intervals": tuple(Interval(**i) for i in known["intervals"])})


def features(signs: Signs) -> dict[str, float]:
    """What is weighed, by name."""
    return {
        "constant": 1.0,
        "from_peak": math.log(signs.from_peak / signs.waited),
        "lately": math.log(signs.lately / signs.waited),
        "waited": math.log(signs.waited / max(1, signs.memorized)),
    }


def forecast(
    curve: Iterable[Point], memorized: int, calibration: Calibration | None = None
) -> Forecast:
    """When a run that has memorized will grok.

    Args:
        curve: (step, validation loss) in order of step, up to now. A point that is not finite is
            left out.
        memorized: the memorization step.
        calibration: default the shipped one.

    Returns:
        An estimate with its interval, after the curve's last point, or that there is no sign.
    """
    known = calibration or shipped()
    points = list(curve)
    signs = read_signs(points, memorized)
    if signs is None:
        made_at = points[-1][0] if points else memorized
        return _no_sign(made_at, known, "too few evaluations since it memorized")
    return estimate(signs, known)


def estimate(signs: Signs, known: Calibration) -> Forecast:
    """What signs come to by a calibration."""
    if not has_sign(signs, known.least_fallen, known.least_steady):
        way = f"{100 * signs.fallen:.0f} % of its way"
        if signs.fallen < known.least_fallen:
            return _no_sign(signs.step, known, f"validation loss has hardly come down ({way})")
        return _no_sign(signs.step, known, f"validation loss, {way} down, does not fall steadily")
    left = signs.waited * math.exp(weigh(signs, known.weights))
    interval = next(each for each in known.intervals if signs.fallen <= each.up_to)
    low, about, high = (
        signs.step + max(1, round(left * math.exp(shift)))
        for shift in (interval.low, 0.0, interval.high)
    )
    return Forecast(
        signs.step,
        about,
        min(low, about),
        max(high, about),
        known.coverage,
        f"validation loss is {100 * signs.fallen:.0f} % of its way down",
    )


def has_sign(signs: Signs, least_fallen: float, least_steady: float) -> bool:
    """Whether the loss has come down and does so steadily."""
    return signs.fallen >= least_fallen and signs.steady >= least_steady


def weigh(signs: Signs, weights: dict[str, float]) -> float:
    """Log of the steps left, in steps waited."""
    found = features(signs)
    return sum(weight * found[name] for name, weight in weights.items())


def _no_sign(made_at: int, known: Calibration, reason: str) -> Forecast:
    return Forecast(made_at, None, None, None, known.coverage, reason)
