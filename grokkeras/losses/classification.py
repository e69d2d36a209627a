"""Losses of classification on logits, one value an example, in a dtype of choice.

Late in training the winning logit of a memorised example is so far ahead that float32 rounds its
loss to exactly 0 and its gradient with it (softmax collapse, Prieto et al. 2025, 2501.04697,
section 3). Computing the loss in float64 puts that point off; `dtype` says in which it is done.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError

_MEANS = ("sum_over_batch_size", "mean", "auto", "mean_with_sample_weight")


class ClassificationLoss(keras.losses.Loss):
    """Base of losses that cast logits to `dtype` and compare them with integer labels.

    Args:
        dtype: precision in which it is computed, `float32` or `float64`.
        name: as for every Keras loss.
        kwargs: as for every Keras loss.
    """

    def __init__(self, dtype: str = "float32", name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name or type(self).__name__.lower(), **kwargs)
        self.compute_in = dtype
        if dtype == "float64" and not _has_float64():
            raise UserError(
                "A float64 loss needs 64-bit mode on JAX, which must be on before the first array: "
                "set JAX_ENABLE_X64=1 (`grokkeras run` does), or use dtype float32."
            )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        # Keras would cast labels and logits to float32 here, before `call` sees them.
        values = self.call(ops.convert_to_tensor(y_true), y_pred)
        count = ops.cast(ops.shape(values)[0], values.dtype)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, values.dtype)
            values = values * weights
            if self.reduction == "mean_with_sample_weight":
                count = ops.sum(weights * ops.ones_like(values))
        if self.reduction in _MEANS:
            return ops.sum(values) / count
        return ops.sum(values) if self.reduction == "sum" else values

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction, "dtype": self.compute_in}


def _has_float64() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns of what is here told in full
        return keras.backend.standardize_dtype(ops.zeros((), "float64").dtype) == "float64"


def is_answer(y_true: Any, logits: Any) -> Any:
    """(batch, classes) booleans, True at each label; labels are (batch,) or (batch, 1)."""
    labels = ops.cast(ops.reshape(y_true, (-1, 1)), "int32")
    return ops.equal(labels, ops.arange(logits.shape[-1], dtype="int32"))


@keras.saving.register_keras_serializable(package="grokkeras")
class SoftmaxCrossentropy(ClassificationLoss):
    """Softmax cross-entropy of logits and integer labels.

    Args:
        dtype: precision in which it is computed, `float32` or `float64`.
        label_smoothing: share of each target that is spread evenly over all classes (Szegedy et
            al. 2016, 1512.00567, section 7), from 0 to below 1. Above 0 the loss has its least
            value at finite logits, so they stop growing.
        name: as for every Keras loss.
        kwargs: as for every Keras loss.

    Call arguments:
        y_true: (batch,) or (batch, 1) integers.
        y_pred: (batch, classes) logits.

    Returns:
        The mean over the batch; `call` gives (batch,).
    """

    def __init__(
        self,
        dtype: str = "float32",
        label_smoothing: float = 0.0,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype, name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise UserError(
                f"label_smoothing is a share from 0 to below 1. Received {label_smoothing}."
            )
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = ops.cast(y_pred, self.compute_in)
        # Shifted by the largest logit first, so that a loss below its rounding error is not lost.
        chances = ops.log_softmax(logits, axis=-1)
        loss = -ops.sum(ops.where(is_answer(y_true, logits), chances, 0.0), axis=-1)
        if self.label_smoothing:
            even = -ops.sum(chances, axis=-1) / logits.shape[-1]
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * even
        return loss

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package="grokkeras")
class OneHotSquaredError(ClassificationLoss):
    """Squared distance of the outputs from the one-hot label, averaged over classes.

    Args:
        dtype: precision in which it is computed, `float32` or `float64`.

    Call arguments:
        y_true: (batch,) or (batch, 1) integers.
        y_pred: (batch, classes) outputs.

    Returns:
        The mean over the batch; `call` gives (batch,).
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        outputs = ops.cast(y_pred, self.compute_in)
        target = ops.cast(is_answer(y_true, outputs), self.compute_in)
        # Not `ops.mean`: it rounds float64 to float32 on the way, on JAX and PyTorch.
        return ops.sum(ops.square(outputs - target), axis=-1) / outputs.shape[-1]
