"""From curves to phases: when a run memorized, grokked, collapsed, and why it stalls.

Nothing here imports Keras or a backend, and all but `fit_jump` and `zero_loss_share` is plain
Python; those two import NumPy when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grokkeras.detection.curve import Curve
from grokkeras.detection.detector import Detector
from grokkeras.detection.diagnosis import Diagnostician, Finding, Observation, diagnose
from grokkeras.detection.events import Event

if TYPE_CHECKING:
    from grokkeras.detection.sharpness import Sharpness, fit_jump
    from grokkeras.detection.zero_loss import zero_loss_share

__all__ = [
    "Curve",
    "Detector",
    "Diagnostician",
    "Event",
    "Finding",
    "Observation",
    "Sharpness",
    "diagnose",
    "fit_jump",
    "zero_loss_share",
]


def __getattr__(name: str) -> Any:
    if name in ("Sharpness", "fit_jump"):
        from grokkeras.detection import sharpness

        return getattr(sharpness, name)
    if name == "zero_loss_share":
        from grokkeras.detection.zero_loss import zero_loss_share

        return zero_loss_share
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
