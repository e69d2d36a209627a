"""Losses that say in which precision they are computed."""

from __future__ import annotations

from typing import Any

import keras

from grokkeras.losses.classification import OneHotSquaredError, SoftmaxCrossentropy
from grokkeras.registry import Registry

LOSSES: Registry[Any] = Registry("loss")
LOSSES.register("cross_entropy")(SoftmaxCrossentropy)
LOSSES.register("mse")(OneHotSquaredError)


def make_loss(options: Any) -> keras.losses.Loss:
    """The loss that a configuration's `loss` section describes."""
    return LOSSES.get(options.name)(dtype=options.dtype)


__all__ = ["LOSSES", "OneHotSquaredError", "SoftmaxCrossentropy", "make_loss"]
