"""Losses that say in which precision they are computed, and Jacobian alignment beside them."""

from __future__ import annotations

from typing import Any

import keras

from grokkeras.losses.classification import OneHotSquaredError, SoftmaxCrossentropy
from grokkeras.losses.jacobian import JacobianAlignment, jacobian_penalty
from grokkeras.losses.stablemax import StableMaxCrossentropy
from grokkeras.registry import Registry

LOSSES: Registry[Any] = Registry("loss")
LOSSES.register("cross_entropy")(SoftmaxCrossentropy)
LOSSES.register("mse")(OneHotSquaredError)
LOSSES.register("stablemax")(StableMaxCrossentropy)

# What a `loss` section says that is not an argument of the loss itself.
_BESIDE = ("name", "jacobian_weight")


def make_loss(options: Any) -> keras.losses.Loss:
    """The loss that a configuration's `loss` section describes, without its Jacobian alignment."""
    arguments = {key: value for key, value in options if key not in _BESIDE}
    return LOSSES.get(options.name)(**arguments)


__all__ = [
    "LOSSES",
    "JacobianAlignment",
    "OneHotSquaredError",
    "SoftmaxCrossentropy",
    "StableMaxCrossentropy",
    "jacobian_penalty",
    "make_loss",
]
