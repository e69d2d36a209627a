"""What an optimizer can be told: one class an optimizer, chosen by `optimizer.name`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from grokkeras.config.base import Decay, Positive, Section
from grokkeras.config.schedule_options import NotNegativeValue, PositiveValue
from grokkeras.config.transform_options import Expression, TransformOptions


class Common(Section):
    """What every optimizer takes.

    Attributes:
        learning_rate: step size; a number or a schedule.
        weight_decay: decoupled decay; a step multiplies weights by
            1 - learning_rate * weight_decay before the update. A number or a schedule.
        weight_decay_groups: weights with a decay of their own: regular expression to number or
            schedule; the first that is found in a weight's path decides. 0 exempts them. The
            others follow weight_decay. Default: none.
        transforms: what happens to the gradients before the update and to the weights after it;
            the first one sees the gradients first. See `transform_options`.
    """

    learning_rate: PositiveValue = 1e-3
    weight_decay: NotNegativeValue = 0.0
    weight_decay_groups: Annotated[
        dict[Expression, NotNegativeValue],
        Field(
            description="a mapping from regular expressions, searched in a weight's path, to "
            "decays, each a number, 0 or more, or a schedule",
        ),
    ] = Field(default_factory=dict)
    transforms: Annotated[
        list[TransformOptions],
        Field(description="a list of names, or of mappings with a name and options"),
    ] = Field(default_factory=list)


class AdamW(Common):
    """Adam with decoupled weight decay, grokking's usual optimizer.

    Reference: Loshchilov and Hutter 2019 (arXiv 1711.05101). Epsilon enters before the bias
    correction, as everywhere in Keras, so values from PyTorch papers do not carry over.
    """

    name: Literal["adamw"]
    weight_decay: NotNegativeValue = 1.0
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-8


class Adam(Common):
    """Adam; the same as adamw but for a default weight decay of 0.

    Reference: Kingma and Ba 2015 (arXiv 1412.6980).
    """

    name: Literal["adam"]
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-8


class SGD(Common):
    """Stochastic gradient descent, with momentum where asked."""

    name: Literal["sgd"]
    learning_rate: PositiveValue = 0.1
    momentum: Decay = 0.0
    nesterov: bool = False


class Lion(Common):
    """Lion: the sign of an interpolated momentum.

    Reference: Chen et al. 2023 (arXiv 2302.06675). Wants a learning rate three to ten times
    below AdamW's.
    """

    name: Literal["lion"]
    learning_rate: PositiveValue = 3e-4
    weight_decay: NotNegativeValue = 1.0
    beta_1: Decay = 0.9
    beta_2: Decay = 0.99


class Muon(Common):
    """Muon on hidden matrices, AdamW on embeddings, head and vectors.

    Reference: Jordan et al. 2024; for grokking Fu 2026.

    Attributes:
        learning_rate: for the hidden matrices. Default 0.02.
        momentum: of their Nesterov momentum. Default 0.95.
        scale: of their updates for n inputs and m outputs: `rms`, 0.2*sqrt(max(n, m)), about the
            size of AdamW's, or `spectral`, sqrt(max(1, m/n)), as in Jordan's code.
        adam_learning_rate: for all other weights. Default 1e-3. Where learning_rate is a schedule,
            at its largest value; below that both fall together.
        adam_weight_decay: likewise. Default 1.
    """

    name: Literal["muon"]
    learning_rate: PositiveValue = 0.02
    weight_decay: NotNegativeValue = 1.0
    momentum: Decay = 0.95
    scale: Literal["rms", "spectral"] = "rms"
    adam_learning_rate: Positive = 1e-3
    adam_weight_decay: NotNegativeValue = 1.0
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999


OptimizerOptions = Annotated[AdamW | Adam | SGD | Lion | Muon, Field(discriminator="name")]
