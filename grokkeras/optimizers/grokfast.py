"""Grokfast with an exponential moving average of the gradients.

    model.compile(optimizer=Grokfast(keras.optimizers.AdamW(1e-3, weight_decay=0.005)))

Reference: Lee, Kang, Kim and Lee 2024, "Grokfast: Accelerated grokking by amplifying slow
gradients" (2405.20233), algorithm 2. As in the authors' code the average starts with the first
gradient, not with zero, so the first step's gradient is (1 + lamb) times itself.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform, Number, cast, to_config


@TRANSFORMS.register("grokfast")
@keras.saving.register_keras_serializable("grokkeras")
class Grokfast(GradientTransform):
    """Adds the gradients' moving average: m <- alpha*m + (1 - alpha)*g, then g <- g + lamb*m.

    State: one array of each weight's shape.

    Args:
        inner_optimizer: see `GradientTransform`.
        alpha: how slowly the average follows, 0 to below 1. Default 0.98.
        lamb: how much of it is added, a number or a schedule, 0 or more. Default 2.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        alpha: float = 0.98,
        lamb: Number = 2.0,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if not 0.0 <= alpha < 1.0:
            raise UserError(f"Grokfast: alpha is 0 or more and below 1; received {alpha!r}.")
        self.alpha = float(alpha)
        self.lamb = self.number("lamb", lamb, least=0)

    def build_state(self, variables: Any) -> None:
        """One average a weight, and whether they have begun."""
        self.kept.begun = self.add_state("begun")
        self.kept.averages = self.add_slots("average", variables)

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        lamb = self.value(self.lamb)
        begun = {g.dtype: ops.cast(self.kept.begun, g.dtype) for g in gradients}
        amplified = []
        for gradient, slot in zip(gradients, self.of(self.kept.averages, variables), strict=True):
            # 1 or 0. In the first step the average is the gradient itself.
            later = begun[gradient.dtype]
            take = (1.0 - later) + later * (1.0 - self.alpha)
            average = slot.value * (later * self.alpha) + gradient * take
            self.write(slot, average)
            amplified.append(gradient + average * cast(lamb, gradient.dtype))
        self.write(self.kept.begun, ops.ones(()))
        return amplified

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {**super().get_config(), "alpha": self.alpha, "lamb": to_config(self.lamb)}
