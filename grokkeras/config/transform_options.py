"""What a gradient transform can be told: one class a transform, chosen by its `name`.

    optimizer:
      name: adamw
      transforms: [{name: grokfast, alpha: 0.98, lamb: 2.0}, orthograd]

A transform is a mapping, or its name alone where the defaults will do. The first one sees the
gradients first. Names, options and defaults are those of `grokkeras.optimizers`; a test holds the
two together.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator, Field

from grokkeras.config.base import Count, Decay, NotNegative, Section
from grokkeras.config.schedule_options import NotNegativeValue


def _compiles(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return expression


Expression = Annotated[str, AfterValidator(_compiles)]
Expressions = Annotated[
    Annotated[list[Expression], Field(min_length=1)] | None,
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(
        description="a regular expression that is searched in a weight's path, a list of them, "
        "or null"
    ),
]


class Transform(Section):
    """What every transform's options have in common.

    Attributes:
        alone: whether a second one of the same name would do nothing or undo the first, whatever
            its options.
        twice: whether a second one with the very same options makes sense.
    """

    alone: ClassVar[bool] = False
    twice: ClassVar[bool] = False

    @property
    def slots(self) -> int:
        """Numbers kept for each weight."""
        return 0


class Grokfast(Transform):
    """Adds a moving average of the gradients to them.

    Reference: Lee et al. 2024 (arXiv 2405.20233), algorithm 2.

    Attributes:
        alpha: how slowly the average follows.
        lamb: how much of it is added.
    """

    twice: ClassVar[bool] = True

    name: Literal["grokfast"]
    alpha: Decay = 0.98
    lamb: NotNegativeValue = 2.0

    @property
    def slots(self) -> int:
        """The average."""
        return 1


class GrokfastMA(Transform):
    """Adds the mean of the last gradients to them, once there are enough.

    Reference: Lee et al. 2024 (arXiv 2405.20233), algorithm 1.

    Attributes:
        window: gradients that are averaged.
        lamb: how much of the mean is added.
    """

    twice: ClassVar[bool] = True

    name: Literal["grokfast_ma"]
    window: Count = 100
    lamb: NotNegativeValue = 5.0

    @property
    def slots(self) -> int:
        """The window and one more, and the sum as two numbers."""
        return self.window + 3


class OrthoGrad(Transform):
    """Takes out of each gradient the part that only scales its weight.

    Reference: Prieto et al. 2025 (arXiv 2501.04697), section 5.
    """

    alone: ClassVar[bool] = True

    name: Literal["orthograd"]


class Egalitarian(Transform):
    """Gives every direction of the first layer the same speed.

    Reference: Pasand and Dohmatob 2025 (arXiv 2510.04930).

    Attributes:
        layers: which weights instead of the first matrix.
        epsilon: a direction whose singular value is far below fades out.
        strength: 1: the equalised gradient; 0: the gradient as it is.
    """

    name: Literal["egalitarian"]
    layers: Expressions = None
    epsilon: NotNegative = 1e-6
    strength: NotNegativeValue = 1.0


class GradientNoise(Transform):
    """Adds noise that falls over time to the gradients.

    Reference: Neelakantan et al. 2015 (arXiv 1511.06807).

    Attributes:
        stddev: of the noise at the first step.
        decay: how fast the variance falls, as (1 + step)^-decay.
        seed: of the noise, apart from the run's own seed.
    """

    alone: ClassVar[bool] = True

    name: Literal["gradient_noise"]
    stddev: NotNegativeValue = 0.1
    decay: NotNegative = 0.55
    seed: Annotated[int, Ge(0), Le(10_000)] = 0


class ClipGlobalNorm(Transform):
    """Bounds the norm of all gradients together.

    Reference: Pascanu et al. 2013 (arXiv 1211.5063), algorithm 1.
    """

    twice: ClassVar[bool] = True

    name: Literal["clip_global_norm"]
    norm: NotNegativeValue = 1.0


class CoupledWeightDecay(Transform):
    """Adds decay * w to each gradient: PyTorch's `Adam(weight_decay=...)`.

    Reference: Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2, line 6.

    Attributes:
        decay: not decoupled like `optimizer.weight_decay`: Adam rescales it with the gradient.
    """

    alone: ClassVar[bool] = True

    name: Literal["coupled_weight_decay"]
    decay: NotNegativeValue = 0.01


class NormCap(Transform):
    """Scales a weight back where its norm exceeds a multiple of its initial norm.

    Reference: Fu 2026.

    Attributes:
        factor: the multiple.
        variables: which weights instead of all matrices.
    """

    name: Literal["norm_cap"]
    factor: NotNegativeValue = 1.0
    variables: Expressions = None


class WeightNorm(Transform):
    """Holds the norm of all weights together at a value.

    Reference: Liu et al. 2022, "Omnigrok" (arXiv 2210.01117).

    Attributes:
        scale: the norm as a multiple of the initial one. Default 1.
        norm: the norm itself, in place of scale.
    """

    alone: ClassVar[bool] = True

    name: Literal["weight_norm"]
    scale: NotNegativeValue | None = None
    norm: NotNegativeValue | None = None


class LayerLearningRates(Transform):
    """Multiplies the learning rate of some weights.

    Attributes:
        rates: regular expression to factor; the first that is found in a weight's path decides.
    """

    alone: ClassVar[bool] = True

    name: Literal["layer_learning_rates"]
    rates: Annotated[
        dict[Expression, NotNegativeValue],
        Field(
            min_length=1,
            description="a mapping from regular expressions, searched in a weight's path, to "
            "factors, each a number, 0 or more, or a schedule",
        ),
    ]


def _named(value: Any) -> Any:
    """`orthograd` as `{name: orthograd}`; anything else as it is."""
    return {"name": value} if isinstance(value, str) else value


TransformOptions = Annotated[
    Grokfast
    | GrokfastMA
    | OrthoGrad
    | Egalitarian
    | GradientNoise
    | ClipGlobalNorm
    | CoupledWeightDecay
    | NormCap
    | WeightNorm
    | LayerLearningRates,
    Field(discriminator="name"),
    BeforeValidator(_named),
]
