"""OrthoGrad: gradients without the part that only scales the weights.

    model.compile(optimizer=OrthoGrad(keras.optimizers.AdamW(1e-2, weight_decay=0.0)))

Reference: Prieto, Barsbey, Mediano and Birdal 2025, "Grokking at the edge of numerical stability"
(2501.04697), section 5. As in the authors' code each tensor is projected on its own, and the
result has the norm of the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform

# As in the authors' code: keeps 0/0 away, far below any norm.
_TINY = 1e-30
# A share of the gradient this small is what rounding left of a gradient along the weights. The
# authors' code scales it up to the full norm, for a weight of one element at every step.
_ROUNDING = 1e-6


@TRANSFORMS.register("orthograd")
@keras.saving.register_keras_serializable("grokkeras")
class OrthoGrad(GradientTransform):
    """Projects each gradient on what is orthogonal to its weights: g' = g - <w,g>/<w,w> * w.

    g' is then scaled to the norm of g; it is 0 where nothing but rounding is left.

    Decoupled decay (`weight_decay` of Keras' optimizers) works beside it. An L2 regularizer does
    not: its gradient is along the weights, so the projection would remove all of it.

    Args:
        inner_optimizer: see `GradientTransform`.
        name: of the optimizer.

    Raises:
        UserError: when it is built, a weight has an L2 regularizer.
    """

    def __init__(
        self, inner_optimizer: keras.optimizers.Optimizer | str, name: str | None = None
    ) -> None:
        super().__init__(inner_optimizer, name)

    def build_state(self, variables: Sequence[Any]) -> None:
        """Nothing to keep; refuses decay that comes with the gradient."""
        coupled = [v.path for v in variables if _has_l2(getattr(v, "regularizer", None))]
        if coupled:
            raise UserError(
                f"OrthoGrad removes the gradient along the weights, and with it all of the L2 "
                f"regularizer of {', '.join(coupled)}. Leave the regularizer out and give the "
                f"optimizer a weight_decay, which does not go through the gradient."
            )

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        return [
            _orthogonal(gradient, ops.cast(variable, gradient.dtype))
            for gradient, variable in zip(gradients, variables, strict=True)
        ]


def _orthogonal(gradient: Any, weight: Any) -> Any:
    along = ops.sum(weight * gradient) / (ops.sum(weight * weight) + _TINY)
    across = gradient - along * weight
    norm = ops.sqrt(ops.sum(gradient * gradient))
    left = ops.sqrt(ops.sum(across * across))
    return across * ops.where(left > _ROUNDING * norm, norm / (left + _TINY), 0.0)


def _has_l2(regularizer: Any) -> bool:
    share = getattr(regularizer, "l2", None)
    return share is not None and bool(float(share) > 0)
