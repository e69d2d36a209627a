"""What a loss can be told: one class a loss, chosen by `loss.name`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from grokkeras.config.base import Decay, NotNegative, Section


class _Loss(Section):
    """Options that every loss has.

    Attributes:
        dtype: precision of the loss; float64 keeps the softmax from collapsing (Prieto et al. 2025,
            arXiv 2501.04697).
        jacobian_weight: factor on the norm of the network's Jacobian by its inputs, which is added
            (GrokAlign, arXiv 2506.12284, which takes 0.001). Default 0: not computed.
    """

    dtype: Literal["float32", "float64"] = "float32"
    jacobian_weight: NotNegative = 0.0


class CrossEntropy(_Loss):
    """Cross-entropy of the softmax.

    Attributes:
        label_smoothing: share of each target spread evenly over all classes. Default 0.
    """

    name: Literal["cross_entropy"]
    label_smoothing: Decay = 0.0


class MeanSquaredError(_Loss):
    """Mean squared error against one-hot labels."""

    name: Literal["mse"]


class StableMax(_Loss):
    """Cross-entropy of StableMax, which does not collapse as softmax does (arXiv 2501.04697)."""

    name: Literal["stablemax"]


LossOptions = Annotated[CrossEntropy | MeanSquaredError | StableMax, Field(discriminator="name")]
