"""When a run has nothing left to do.

Needs no backend: `resume` asks before it loads one.
"""

from __future__ import annotations

from grokkeras.config import RunConfig
from grokkeras.detection import Detector


def is_over(config: RunConfig, step: int, detector: Detector) -> bool:
    """Whether a run that stands at `step` has nothing left to do."""
    return step >= config.train.max_steps or detector.should_stop(config.train.stop_after_grokking)
