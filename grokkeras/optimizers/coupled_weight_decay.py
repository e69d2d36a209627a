"""Weight decay through the gradient, as PyTorch's `Adam(weight_decay=...)` and old papers have it.

    model.compile(optimizer=CoupledWeightDecay(keras.optimizers.Adam(1e-3), decay=0.005))

The `weight_decay` of Keras' optimizers is decoupled: a step multiplies the weights by
1 - learning_rate * weight_decay. Coupled, it is the gradient of decay/2 * |w|^2, and Adam divides
it by the size of past gradients like any other: once the data is fitted and its gradients are
small, the same number decays far more strongly.

Reference: Loshchilov and Hutter 2019, "Decoupled weight decay regularization" (1711.05101),
algorithm 2, line 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.chain import transforms_of
from grokkeras.optimizers.orthograd import OrthoGrad
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform, Number, cast, to_config


@TRANSFORMS.register("coupled_weight_decay")
@keras.saving.register_keras_serializable("grokkeras")
class CoupledWeightDecay(GradientTransform):
    """Adds decay * w to the gradient of every weight w, biases and embeddings among them.

    Behind Grokfast, as in `Grokfast(CoupledWeightDecay(...))`, it is not averaged with the
    gradients: so do Grokfast's authors.

    Args:
        inner_optimizer: see `GradientTransform`.
        decay: a number or a schedule, 0 or more. Default 0.01.
        name: of the optimizer.

    Raises:
        UserError: `decay` is out of range; when it is built, OrthoGrad comes after it.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        decay: Number = 0.01,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        self.decay = self.number("decay", decay, least=0)

    def build_state(self, variables: Sequence[Any]) -> None:
        """Nothing to keep; refuses OrthoGrad behind it."""
        if any(isinstance(inner, OrthoGrad) for inner in transforms_of(self)):
            raise UserError(
                "CoupledWeightDecay was put before OrthoGrad, which takes away the gradient "
                "along the weights, and with it all of the decay. Put OrthoGrad first: "
                "OrthoGrad(CoupledWeightDecay(optimizer))."
            )

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        decay = self.value(self.decay)
        return [
            gradient + cast(decay, gradient.dtype) * ops.cast(variable, gradient.dtype)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {**super().get_config(), "decay": to_config(self.decay)}
