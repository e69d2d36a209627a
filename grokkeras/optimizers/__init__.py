"""Optimizers and gradient transforms, for `compile()` and by name in a configuration.

    model.compile(optimizer=Grokfast(OrthoGrad(keras.optimizers.AdamW(1e-3, weight_decay=1.0))))
    model.compile(optimizer=Muon(0.02))

A transform wraps any Keras optimizer, see `GradientTransform`. The optimizers of a configuration
are stock classes built as they are: a subclass loses PyTorch's multi-tensor path and is three times
as slow there. Muon alone is this package's, see its class.
"""

from __future__ import annotations

from typing import Any

import keras

from grokkeras.optimizers.muon import Muon
from grokkeras.optimizers.muon_groups import MuonGroup, muon_groups
from grokkeras.optimizers.stock import OPTIMIZERS
from grokkeras.optimizers.transforms import (
    TRANSFORMS,
    ClipGlobalNorm,
    CoupledWeightDecay,
    EgalitarianGradients,
    GradientNoise,
    GradientTransform,
    Grokfast,
    GrokfastMA,
    LayerLearningRates,
    NormCap,
    OrthoGrad,
    WeightNorm,
    awaited_events,
    check_steps,
    tell_event,
    with_transforms,
)


def make_optimizer(options: Any) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration's `optimizer` section describes, its transforms around it.

    Raises:
        UserError: an option is bad in a way that only the transform itself can tell.
    """
    transforms = [transform.model_dump() for transform in options.transforms]
    return with_transforms(OPTIMIZERS.get(options.name)(options), transforms)


__all__ = [
    "OPTIMIZERS",
    "TRANSFORMS",
    "ClipGlobalNorm",
    "CoupledWeightDecay",
    "EgalitarianGradients",
    "GradientNoise",
    "GradientTransform",
    "Grokfast",
    "GrokfastMA",
    "LayerLearningRates",
    "Muon",
    "MuonGroup",
    "NormCap",
    "OrthoGrad",
    "WeightNorm",
    "awaited_events",
    "check_steps",
    "make_optimizer",
    "muon_groups",
    "tell_event",
    "with_transforms",
]
