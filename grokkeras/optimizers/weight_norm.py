"""Weight-norm constraint: all weights together stay on a sphere.

    model.compile(optimizer=WeightNorm(keras.optimizers.Adam(1e-3), scale=0.8))

Reference: Liu, Michaud and Tegmark 2022, "Omnigrok: Grokking beyond algorithmic data"
(2210.01117). As in the authors' code the norm is that of all trainable weights as one vector, and
all are scaled by one factor after each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.clip_global_norm import global_norm
from grokkeras.optimizers.norm_cap import initial_norm
from grokkeras.optimizers.transform import (
    TRANSFORMS,
    GradientTransform,
    Number,
    cast,
    to_config,
    wide_dtype,
)


@TRANSFORMS.register("weight_norm")
@keras.saving.register_keras_serializable("grokkeras")
class WeightNorm(GradientTransform):
    """Holds the norm of all trainable weights at a value.

    Args:
        inner_optimizer: see `GradientTransform`.
        scale: the norm as a multiple of the initial one (that of the moment at which the optimizer
            is built), a number or a schedule, 0 or more. Default 1.
        norm: the norm itself, a number or a schedule, in place of `scale`.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range, or both are given.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        scale: Number | None = None,
        norm: Number | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if scale is not None and norm is not None:
            raise UserError(
                f"WeightNorm: give scale, a multiple of the initial norm, or norm, not both; "
                f"received scale={scale!r}, norm={norm!r}."
            )
        scale = 1.0 if scale is None and norm is None else scale
        self.scale = None if scale is None else self.number("scale", scale, least=0)
        self.norm = None if norm is None else self.number("norm", norm, least=0)

    def build_state(self, variables: Sequence[Any]) -> None:
        """The initial norm."""
        self.kept.initial = self.add_state("initial_norm")
        squares = sum(initial_norm(variable) ** 2 for variable in variables)
        if squares == 0:
            raise UserError("WeightNorm cannot hold the norm of weights that are all 0.")
        self.kept.initial.assign(squares**0.5)

    def after_step(self, variables: list[Any], previous: list[Any] | None) -> None:
        """See the class."""
        if self.scale is not None:
            wanted = self.kept.initial.value * self.value(self.scale)
        else:
            assert self.norm is not None
            wanted = self.value(self.norm)
        weights = [ops.cast(v, wide_dtype(v.dtype)) for v in self.known(None)]
        factor = cast(wanted, weights[0].dtype) / global_norm(weights)
        for variable, weight in zip(self.known(None), weights, strict=True):
            self.adjust(variable, weight * ops.cast(factor, weight.dtype))

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        given = {"scale": self.scale, "norm": self.norm}
        return {
            **super().get_config(),
            **{key: None if v is None else to_config(v) for key, v in given.items()},
        }
