"""Values that answer to the state of training: to the weights' norm, to the learning rate.

They are evaluated inside the compiled step, on the weights and the learning rate of that step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from grokkeras.schedules.arguments import Number, Positive, number
from grokkeras.schedules.base import Moment, NotNegativeValue, Schedule, register, value_of
from grokkeras.schedules.lazy_ops import ops

# Below it a float32 quotient would overflow. A learning rate of 0 makes any decay do nothing.
_TINY = 1e-30


@register("hold_norm")
@dataclass(frozen=True)
class HoldNorm(Schedule):
    """The weight decay that draws the weight norm down to a target and keeps it there.

    A step with decay `d` and learning rate `r` multiplies the norm by `1 - r * d`. This sets
    `d = (1 - target / norm) / (r * horizon)` while the norm is above the target, so that decay
    alone takes away `1 / horizon` of the excess each step; below the target it is 0, since decay
    cannot make weights grow. Where gradients push the norm out by `g` a step, it settles at
    `target + g * horizon`. The idea of a norm at which a model generalises is that of
    Liu et al. 2022, "Omnigrok" (2210.01117).

    Args:
        target: norm of all decayed weights taken together, 0 or more; may be a schedule.
        horizon: steps in which the excess would fall to 1/e; 1 or more. 1: at once, as a
            projection onto the sphere does. Default 100.
    """

    target: NotNegativeValue
    horizon: Annotated[float, number(least=1)] = 100.0

    own_context = ("learning_rate", "weight_norm")

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        assert now.context is not None
        norm, rate = now.context.weight_norm, now.context.learning_rate
        target = value_of(self.target, now)
        excess = ops.maximum(1.0 - target / ops.maximum(norm, _TINY), 0.0)
        return excess / (ops.maximum(rate, _TINY) * self.horizon)

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return 0.0, math.inf


@register("with_learning_rate")
@dataclass(frozen=True)
class WithLearningRate(Schedule):
    """A value that follows the learning rate: `base * (learning_rate / reference) ** power`.

    Keras' decay already multiplies by the learning rate. With `power=-1` the product of the two no
    longer depends on it: weights shrink at the same pace however the learning rate falls
    ("independent" decay, Wortsman et al. 2023, 2309.14322). With `power=1` decay fades with the
    learning rate twice over.

    Args:
        base: the value where the learning rate is `reference`; a number or a schedule, 0 or more.
        reference: a learning rate, above 0.
        power: any number. Default 1.
    """

    base: NotNegativeValue
    reference: Positive
    power: Number = 1.0

    own_context = ("learning_rate",)

    def at(self, now: Moment) -> Any:
        """See `Schedule`."""
        assert now.context is not None
        ratio = ops.maximum(now.context.learning_rate, _TINY) / self.reference
        return value_of(self.base, now) * ops.power(ratio, self.power)

    def bounds(self) -> tuple[float, float]:
        """See `Schedule`."""
        return 0.0, math.inf
