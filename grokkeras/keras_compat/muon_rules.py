"""Keras' Muon with its choice of rule taken over.

`keras.optimizers.Muon` asks `_should_use_adamw` of each variable, goes by its number of dimensions
and path, and applies both decays in `_apply_weight_decay` with Muon's learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class RuledMuon(keras.optimizers.Muon):
    """Subclasses say which variables Muon is for by `by_adamw`, and how in `update_step`.

    The weight decay of either group is multiplied by the group's own learning rate, as in Jordan's
    Muon; Keras multiplies both by Muon's.
    """

    def by_adamw(self, index: int) -> bool:
        """Whether AdamW is for the trainable variable of this index."""
        raise NotImplementedError

    def index(self, variable: Any) -> int:
        """The place of a variable, Keras' or the backend's, among the trainable variables."""
        return int(self._get_variable_index(variable))

    def _should_use_adamw(self, variable: Any) -> bool:
        return self.by_adamw(self.index(variable))

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        for variable in variables:
            adamw = self._should_use_adamw(variable)
            decay = self.adam_weight_decay if adamw else self.weight_decay
            if decay is None or not self._use_weight_decay(variable):
                continue
            rate = self.learning_rate * (self.adam_lr_ratio if adamw else 1.0)
            share = keras.ops.cast(decay * rate, variable.dtype)
            variable.assign(variable - variable * share)


def keras_uses_adamw(optimizer: keras.optimizers.Muon, variable: Any) -> bool:
    """Whether a stock Muon gives a variable to AdamW."""
    return bool(optimizer._should_use_adamw(variable))
