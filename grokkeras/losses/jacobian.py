"""Jacobian alignment: GrokAlign (Walker et al. 2025, 2506.12284), a term beside any loss.

At the end of training a network's Jacobian by its inputs, J (classes, inputs), is of low rank and
aligned with the data, the paper finds; holding its Frobenius norm down brings that, and grokking
with it, sooner. The norm is estimated from one random direction an example and step, as in Hoffman
et al. 2019 (1908.02729):

    penalty = weight * mean over examples of sqrt(C) * |J' v|,  v a random unit vector of C classes.

The Jacobian needs the model, which a Keras loss never sees. So it is a wrapper around the model:

    trained = JacobianAlignment(model, weight=1e-3)
    trained.compile(optimizer, loss=...); trained.fit(x, y)      # `model` is what was trained

Inputs that are token numbers have no gradient; there it is taken by their embeddings. A model of
tokens says how by two methods, which those of `grokkeras.models` have: `embed(inputs)`, floats
(batch, ...) that each belong to one example, and `call_embedded(embedded, training=False)`, which
gives the outputs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat.counted_noise import normal
from grokkeras.keras_compat.pull_back import pull_back


def jacobian_penalty(model: Any, inputs: Any, step: Any, seed: int = 0) -> Any:
    """The mean over a batch of sqrt(C) * |J' v|, with the model in inference mode.

    Args:
        model: Keras model of one input and one output, logits (batch, C).
        inputs: (batch, ...): floats, or token numbers where the model has `embed` and
            `call_embedded`.
        step: integer scalar of the backend; each step has directions of its own.
        seed: another one gives other directions.

    Returns:
        A scalar, in float64 where the model computes in that, else in float32. The square of what
        is averaged is |J|^2 in expectation.

    Raises:
        UserError: there are several inputs, or they are whole numbers and the model has no such
            methods.
    """
    points, function = _differentiable(model, inputs)
    logits, gradient = pull_back(function, points, lambda logits: _directions(logits, step, seed))
    wide = "float64" if _dtype(gradient) == "float64" else "float32"
    flat = ops.reshape(ops.cast(gradient, wide), (ops.shape(gradient)[0], -1))
    # The tiny number keeps the root's slope finite where a Jacobian is 0.
    norms = ops.sqrt(ops.sum(ops.square(flat), axis=-1) + 1e-30)
    rows = ops.cast(ops.shape(norms)[0], wide)
    return math.sqrt(logits.shape[-1]) * ops.sum(norms) / rows


@keras.saving.register_keras_serializable(package="grokkeras")
class JacobianAlignment(keras.Model):
    """Trains a model with `jacobian_penalty` added to whatever loss it is compiled with.

    The penalty is part of the training loss alone, not of `evaluate` and `val_loss`.

    Args:
        model: Keras model of one input and one output, logits (batch, C).
        weight: factor on the penalty, 0 or more.
        seed: of the random directions.

    Example:
        >>> trained = JacobianAlignment(model, weight=1e-3)
        >>> trained.compile("adam", loss=SoftmaxCrossentropy())
        >>> trained.fit(x, y)
        >>> model.save("model.keras")    # without the wrapper
    """

    def __init__(
        self, model: keras.Model, weight: float = 1e-3, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not weight >= 0:
            raise UserError(f"weight must be 0 or more. Received {weight}.")
        self.inner = model
        self.weight = weight
        self.seed = seed
        # A variable, so that a compiled step draws anew each time.
        self.draws = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="draws"
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return _call(self.inner, inputs, training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The compiled loss, in training with the penalty."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training or not self.weight:
            return loss
        penalty = self.weight * jacobian_penalty(self.inner, x, self.draws.value, self.seed)
        self.draws.assign_add(1)
        return loss + ops.cast(penalty, loss.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.inner),
            "weight": self.weight,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> JacobianAlignment:
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})


def _differentiable(model: Any, inputs: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Floats, one row an example, and the function from them to logits."""
    if isinstance(inputs, dict | list | tuple):
        raise UserError(
            "Jacobian alignment takes a model of one input. "
            f"Received {len(inputs)} inputs as a {type(inputs).__name__}."
        )
    inputs = ops.convert_to_tensor(inputs)
    if hasattr(model, "embed") and hasattr(model, "call_embedded"):
        return model.embed(inputs), lambda embedded: model.call_embedded(embedded, training=False)
    if not keras.backend.is_float_dtype(_dtype(inputs)):
        raise UserError(
            f"Jacobian alignment needs inputs with a gradient. Received {_dtype(inputs)}, and "
            f"{type(model).__name__} has no methods embed(inputs) and "
            f"call_embedded(embedded, training) that say where its token numbers become floats."
        )
    return inputs, lambda points: _call(model, points, False)


def _call(model: Any, inputs: Any, training: bool | None) -> Any:
    takes_training = "training" in inspect.signature(model.call).parameters
    return model(inputs, training=training) if takes_training else model(inputs)


def _directions(logits: Any, step: Any, seed: int) -> Any:
    """Random unit vectors, of the shape of the logits (batch, C), the same on every backend."""
    noise = normal(ops.shape(logits), seed, step)
    length = ops.sqrt(ops.sum(ops.square(noise), axis=-1, keepdims=True))
    return ops.cast(noise / length, logits.dtype)


def _dtype(tensor: Any) -> str:
    return keras.backend.standardize_dtype(tensor.dtype)
