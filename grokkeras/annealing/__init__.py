"""Dropout whose rate varies while training, in any Keras model.

    from grokkeras import anneal_dropout, schedules
    anneal_dropout(model, schedules.Cosine(0.5, 0.0, steps=5000))

The callback `DropoutScheduler` does the same for one `fit`.
"""

from __future__ import annotations

from grokkeras.annealing.anneal import Annealed, anneal_dropout
from grokkeras.keras_compat.optimizer_step import optimizer_step

__all__ = ["Annealed", "anneal_dropout", "optimizer_step"]
