"""A learning rate of its own for each layer, whatever the optimizer.

    model.compile(optimizer=LayerLearningRates(
        keras.optimizers.AdamW(1e-3), {"embedding": 0.1, "head/kernel": 0.0}))

Scaling gradients would do nothing under Adam, whose step does not depend on their scale. So the
step itself is scaled: w <- w_before + rate * (w_after - w_before). Since updates and decoupled
decay of Keras' optimizers are proportional to the learning rate, that is the step of a learning
rate `rate` times as large, its weight decay included. A rate of 0 freezes a weight exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.patterns import Patterns
from grokkeras.optimizers.transform import (
    TRANSFORMS,
    GradientTransform,
    Number,
    cast,
    to_config,
    wide_dtype,
)


@TRANSFORMS.register("layer_learning_rates")
@keras.saving.register_keras_serializable("grokkeras")
class LayerLearningRates(GradientTransform):
    """Multiplies the learning rate of some weights.

    Args:
        inner_optimizer: see `GradientTransform`.
        rates: regular expression to a factor (a number or a schedule, 0 or more). The first that
            is found in a weight's path decides; weights without one keep the factor 1.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range; when it is built, an expression matches no weight.
    """

    needs_previous: ClassVar[bool] = True

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        rates: Mapping[str, Number],
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if not isinstance(rates, Mapping):
            raise UserError(
                f"LayerLearningRates: rates is a mapping from regular expressions to factors; "
                f"received {rates!r}."
            )
        self.patterns = Patterns("LayerLearningRates: rates", list(rates))
        self.kept.factors = [
            self.number(f"the rate of {pattern!r}", rate, least=0)
            for pattern, rate in rates.items()
        ]

    def build_state(self, variables: Sequence[Any]) -> None:
        """Nothing to keep; decides which factor is for which weight."""
        paths = [variable.path for variable in variables]
        self.patterns.check(paths)
        self.kept.places = [self.patterns.first(path) for path in paths]

    def after_step(self, variables: list[Any], previous: list[Any] | None) -> None:
        """See the class."""
        assert previous is not None
        factors = [self.value(factor) for factor in self.kept.factors]
        places = self.of(self.kept.places, variables)
        for variable, before, place in zip(variables, previous, places, strict=True):
            if place is None:
                continue
            wide = wide_dtype(variable.dtype)
            start = ops.cast(before, wide)
            step = ops.cast(variable, wide) - start
            self.adjust(variable, start + step * cast(factors[place], wide))

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        pairs = zip(self.patterns.expressions, self.kept.factors, strict=True)
        return {**super().get_config(), "rates": {key: to_config(f) for key, f in pairs}}
