"""Measures of a network while it trains: arrays in, numbers out.

Each file has one as a pure function. `MEASURES` maps the names that a configuration uses to
functions of what an evaluation has at hand (`Observed`).
"""

from __future__ import annotations

from grokkeras.measures.effective_rank import effective_rank
from grokkeras.measures.frequency_loss import restricted_and_excluded_loss
from grokkeras.measures.gradients import commutator_defect, gradient_entropy
from grokkeras.measures.groups import CyclicGroup, SymmetricGroup
from grokkeras.measures.heavy_tail import heavy_tail_exponent
from grokkeras.measures.local_complexity import local_complexity, simplex_corners
from grokkeras.measures.observed import Measure, Observed, measure_all
from grokkeras.measures.registered import MEASURES
from grokkeras.measures.spectrum import (
    fourier_power,
    gini,
    inverse_participation_ratio,
    key_frequencies,
)
from grokkeras.measures.symmetric_spectrum import representation_power
from grokkeras.measures.weight_norm import weight_norm

__all__ = [
    "MEASURES",
    "CyclicGroup",
    "Measure",
    "Observed",
    "SymmetricGroup",
    "commutator_defect",
    "effective_rank",
    "fourier_power",
    "gini",
    "gradient_entropy",
    "heavy_tail_exponent",
    "inverse_participation_ratio",
    "key_frequencies",
    "local_complexity",
    "measure_all",
    "representation_power",
    "restricted_and_excluded_loss",
    "simplex_corners",
    "weight_norm",
]
