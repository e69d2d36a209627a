"""Clipping by the norm of all gradients together, as a link of a chain.

Keras' own `global_clipnorm` does the same after all transforms, just before the update; this one
stands where it is put: `ClipGlobalNorm(Grokfast(...))` bounds what Grokfast averages.

Reference: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
networks" (1211.5063), algorithm 1.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform, Number, cast, to_config


@TRANSFORMS.register("clip_global_norm")
@keras.saving.register_keras_serializable("grokkeras")
class ClipGlobalNorm(GradientTransform):
    """Scales all gradients by one factor, so that their common norm is at most `norm`.

    Args:
        inner_optimizer: see `GradientTransform`.
        norm: the bound, a number or a schedule, 0 or more. Default 1.
        name: of the optimizer.

    Raises:
        UserError: `norm` is out of range.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        norm: Number = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        self.norm = self.number("norm", norm, least=0)

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        norm = global_norm(gradients)
        bound = cast(self.value(self.norm), norm.dtype)
        factor = ops.where(norm > bound, bound / norm, 1.0)
        return [gradient * ops.cast(factor, gradient.dtype) for gradient in gradients]

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {**super().get_config(), "norm": to_config(self.norm)}


def global_norm(tensors: list[Any]) -> Any:
    """The Euclidean norm of all tensors taken together; their number may be 0."""
    squares = [ops.sum(ops.square(tensor)) for tensor in tensors]
    return ops.sqrt(sum(squares[1:], squares[0])) if squares else ops.zeros(())
