"""The detector's settings: which values count as reached, and which settings make no sense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from grokkeras.errors import UserError

METRICS = ("accuracy", "loss")
_ACCURACY_DEFAULTS = {"train_threshold": 0.99, "val_threshold": 0.95, "collapse_threshold": 0.8}
# A loss has no natural scale, so its collapse is told in multiples of the threshold it once met.
_LOSS_COLLAPSE_FACTOR = 10.0


@dataclass(frozen=True)
class Thresholds:
    """Checked settings; make them with `Thresholds.of`, which fills in the defaults."""

    metric: str
    train_threshold: float
    val_threshold: float
    patience: int
    min_delay: int
    collapse_threshold: float

    @classmethod
    def of(
        cls,
        metric: str = "accuracy",
        train_threshold: float | None = None,
        val_threshold: float | None = None,
        patience: int = 5,
        min_delay: int = 1000,
        collapse_threshold: float | None = None,
    ) -> Thresholds:
        """The settings with their defaults filled in; `Detector` describes each.

        Raises:
            UserError: a setting makes no sense; the message says which and what to set.
        """
        if metric not in METRICS:
            raise UserError(
                f"detector: metric is one of {', '.join(METRICS)}; received {metric!r}."
            )
        given = {
            "train_threshold": train_threshold,
            "val_threshold": val_threshold,
            "collapse_threshold": collapse_threshold,
        }
        if metric == "accuracy":
            given = {k: _ACCURACY_DEFAULTS[k] if v is None else v for k, v in given.items()}
            if collapse_threshold is None:
                most = _finite("val_threshold", given["val_threshold"])
                given["collapse_threshold"] = min(_ACCURACY_DEFAULTS["collapse_threshold"], most)
        else:
            given = _loss_thresholds(given)
        numbers = {name: _finite(name, value) for name, value in given.items()}
        _check_order(metric, numbers)
        return cls(
            metric=metric,
            patience=_whole("patience", patience, least=1),
            min_delay=_whole("min_delay", min_delay, least=0),
            **numbers,
        )

    def reached(self, value: float, threshold: float) -> bool:
        """Whether `value` meets `threshold`. NaN meets none."""
        return value <= threshold if self.metric == "loss" else value >= threshold

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `Thresholds.of(**d)` gives it back."""
        return asdict(self)

    def check_same(self, other: Mapping[str, Any]) -> None:
        """Refuses a saved state whose settings, `other`, are not these.

        Raises:
            UserError: they differ; the message says in what.
        """
        ours = self.to_dict()
        differing = [name for name in ours if ours[name] != other.get(name)]
        if differing:
            listed = ", ".join(f"{n} {other.get(n)!r} there, {ours[n]!r} here" for n in differing)
            raise UserError(
                f"This detector state was made with other settings ({listed}), so its candidates "
                f"would mean something else. Replay the metrics instead."
            )


def _loss_thresholds(given: dict[str, float | None]) -> dict[str, float | None]:
    for name in ("train_threshold", "val_threshold"):
        if given[name] is None:
            raise UserError(
                f"detector: with a loss the thresholds are upper bounds on a scale that only you "
                f"know, so {name} has no default. Set it, for example train_threshold=0.01 and "
                f"val_threshold=0.1."
            )
    if given["collapse_threshold"] is None:
        bound = _finite("val_threshold", given["val_threshold"])
        if bound <= 0:
            raise UserError(
                f"detector: collapse_threshold has no default when val_threshold is {bound:g} "
                f"(it is {_LOSS_COLLAPSE_FACTOR:g} times a positive val_threshold). Set it."
            )
        given["collapse_threshold"] = _LOSS_COLLAPSE_FACTOR * bound
    return given


def _check_order(metric: str, numbers: dict[str, float]) -> None:
    val, collapse = numbers["val_threshold"], numbers["collapse_threshold"]
    if metric == "loss":
        if collapse < val:
            raise UserError(
                f"detector: with a loss the thresholds are upper bounds, and a collapse is a "
                f"validation loss above collapse_threshold, so it must be at least val_threshold; "
                f"received collapse_threshold={collapse:g}, val_threshold={val:g}. Set all three "
                f"for your loss, for example train_threshold=0.01, val_threshold=0.1, "
                f"collapse_threshold=1."
            )
        return
    for name in ("train_threshold", "val_threshold"):
        if not 0 < numbers[name] <= 1:
            raise UserError(
                f"detector: {name} is an accuracy, above 0 and at most 1; "
                f"received {numbers[name]:g}."
            )
    if not 0 <= collapse <= val:
        raise UserError(
            f"detector: collapse_threshold is an accuracy from 0 to val_threshold ({val:g}), "
            f"below which a grokked run counts as collapsed; received {collapse:g}."
        )


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"detector: {name} is a finite number; received {value!r}.")
    return float(value)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"detector: {name} is a whole number, {least} or more; received {value!r}.")
    return value
