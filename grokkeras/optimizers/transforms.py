"""All gradient transforms by name.

A transform registers itself in the file that defines it; importing this module imports them all.
"""

from __future__ import annotations

from grokkeras.optimizers.chain import awaited_events, check_steps, tell_event, with_transforms
from grokkeras.optimizers.clip_global_norm import ClipGlobalNorm
from grokkeras.optimizers.coupled_weight_decay import CoupledWeightDecay
from grokkeras.optimizers.egalitarian import EgalitarianGradients
from grokkeras.optimizers.gradient_noise import GradientNoise
from grokkeras.optimizers.grokfast import Grokfast
from grokkeras.optimizers.grokfast_ma import GrokfastMA
from grokkeras.optimizers.layer_learning_rates import LayerLearningRates
from grokkeras.optimizers.norm_cap import NormCap
from grokkeras.optimizers.orthograd import OrthoGrad
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform
from grokkeras.optimizers.weight_norm import WeightNorm

__all__ = [
    "TRANSFORMS",
    "ClipGlobalNorm",
    "CoupledWeightDecay",
    "EgalitarianGradients",
    "GradientNoise",
    "GradientTransform",
    "Grokfast",
    "GrokfastMA",
    "LayerLearningRates",
    "NormCap",
    "OrthoGrad",
    "WeightNorm",
    "awaited_events",
    "check_steps",
    "tell_event",
    "with_transforms",
]
