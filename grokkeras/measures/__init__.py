"""Measures of a network while it trains: arrays in, one number out.

`MEASURES` maps each name to a function of what an evaluation has at hand (`Observed`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grokkeras.measures.weight_norm import weight_norm
from grokkeras.registry import Registry


@dataclass(frozen=True)
class Observed:
    """What an evaluation has at hand.

    Attributes:
        weights: the trainable weights.
        train: means over the training split: `loss`, `accuracy`, `softmax_collapse`,
            `logit_scale` (see `grokkeras.training.program.evaluation_sums`).
    """

    weights: Sequence[np.ndarray]
    train: Mapping[str, float]


MEASURES: Registry[Callable[[Observed], float]] = Registry("measure")
MEASURES.register("weight_norm")(lambda seen: weight_norm(seen.weights))
MEASURES.register("logit_scale")(lambda seen: seen.train["logit_scale"])
MEASURES.register("softmax_collapse")(lambda seen: seen.train["softmax_collapse"])

__all__ = ["MEASURES", "Observed", "weight_norm"]
