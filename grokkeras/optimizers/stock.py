"""The optimizers that a configuration's `optimizer` section can name: Keras' own, and Muon."""

from __future__ import annotations

from typing import Any

import keras

from grokkeras.optimizers.muon import Muon
from grokkeras.registry import Registry

OPTIMIZERS: Registry[Any] = Registry("optimizer")


def _adam_arguments(options: Any) -> dict[str, Any]:
    return {
        "learning_rate": options.learning_rate,
        "weight_decay": options.weight_decay,
        "beta_1": options.beta_1,
        "beta_2": options.beta_2,
        "epsilon": options.epsilon,
    }


@OPTIMIZERS.register("adamw")
def adamw(options: Any) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019, 1711.05101), decay on every weight."""
    return keras.optimizers.AdamW(**_adam_arguments(options))


@OPTIMIZERS.register("adam")
def adam(options: Any) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba 2015, 1412.6980); Keras decouples its weight decay like AdamW's."""
    arguments = _adam_arguments(options)
    return keras.optimizers.Adam(**{**arguments, "weight_decay": options.weight_decay or None})


@OPTIMIZERS.register("sgd")
def sgd(options: Any) -> keras.optimizers.Optimizer:
    """Stochastic gradient descent, with momentum and decoupled weight decay."""
    return keras.optimizers.SGD(
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay or None,
        momentum=options.momentum,
        nesterov=options.nesterov,
    )


@OPTIMIZERS.register("lion")
def lion(options: Any) -> keras.optimizers.Optimizer:
    """Lion (Chen et al. 2023, 2302.06675): the sign of an interpolated momentum."""
    return keras.optimizers.Lion(
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        beta_1=options.beta_1,
        beta_2=options.beta_2,
    )


@OPTIMIZERS.register("muon")
def muon(options: Any) -> keras.optimizers.Optimizer:
    """Muon (Jordan et al. 2024) on hidden matrices, AdamW on embeddings, head and vectors.

    Not Keras' own, which applies both weight decays with Muon's learning rate, and goes by the
    number of dimensions where this one goes by what a weight is for.
    """
    return Muon(
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        momentum=options.momentum,
        scale=options.scale,
        adam_lr_ratio=options.adam_learning_rate / options.learning_rate,
        adam_weight_decay=options.adam_weight_decay,
        adam_beta_1=options.beta_1,
        adam_beta_2=options.beta_2,
        # The name in both kinds of models; with a tied head there is no such layer.
        head=r"(^|/)head/",
    )
