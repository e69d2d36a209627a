"""The gradient of a Keras model's loss as NumPy arrays, on every backend, in inference mode.

For measures: it changes nothing in the model, draws no random number, and can look at weights other
than the model's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

Weights = Sequence[np.ndarray] | None


class Gradients(Protocol):
    """What `gradient_function` makes."""

    def __call__(self, weights: Weights, x: Any, y: Any, shares: Any = None) -> list[np.ndarray]:
        """The gradient of the mean loss, one array a trainable weight.

        Args:
            weights: None for the model's own.
            x: inputs (batch, ...).
            y: labels.
            shares: (batch,) float32 with which each example's loss is multiplied first, where
                the loss gives one value an example; None: 1.
        """
        ...


def gradient_function(model: Any, loss: Callable[[Any, Any], Any]) -> Gradients:
    """The gradient of a model's loss as a function, compiled once a batch size where that pays.

    Args:
        model: a built Keras model.
        loss: (labels, outputs) to one value an example, or one in all.
    """
    make = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    return make(model, loss)


def _jax(model: Any, loss: Callable[[Any, Any], Any]) -> Gradients:
    import jax

    def mean(weights: Any, state: Any, x: Any, y: Any, shares: Any) -> Any:
        outputs, _ = model.stateless_call(weights, state, x, training=False)
        return _mean(loss(y, outputs), shares)

    compiled = jax.jit(jax.grad(mean))

    def gradients(weights: Weights, x: Any, y: Any, shares: Any = None) -> list[np.ndarray]:
        at = [v.value for v in model.trainable_variables] if weights is None else list(weights)
        state = [v.value for v in model.non_trainable_variables]
        return [np.asarray(each) for each in compiled(at, state, x, y, shares)]

    return gradients


def _tensorflow(model: Any, loss: Callable[[Any, Any], Any]) -> Gradients:
    import tensorflow as tf

    def taken(weights: Any, state: Any, x: Any, y: Any, shares: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            outputs, _ = model.stateless_call(weights, state, x, training=False)
            mean = _mean(loss(y, outputs), shares)
        found = tape.gradient(mean, weights, unconnected_gradients="zero")
        return [tf.convert_to_tensor(each) for each in found]

    # Operation by operation, 512 examples take as long as a compiled step on 2,000.
    function: Callable[..., list[Any]] = taken
    if not model.run_eagerly:
        function = tf.function(taken, autograph=False, jit_compile=bool(model.jit_compile))

    def gradients(weights: Weights, x: Any, y: Any, shares: Any = None) -> list[np.ndarray]:
        at = [v.value for v in model.trainable_variables] if weights is None else weights
        state = [v.value for v in model.non_trainable_variables]
        given = ([tf.convert_to_tensor(each) for each in values] for values in (at, state))
        batch = [None if each is None else tf.convert_to_tensor(each) for each in (x, y, shares)]
        found = function(*given, *batch)
        return [each.numpy() for each in found]

    return gradients


def _torch(model: Any, loss: Callable[[Any, Any], Any]) -> Gradients:
    import torch

    def present(x: Any, y: Any, shares: Any) -> list[np.ndarray]:
        variables = model.trainable_variables
        mean = _mean(loss(ops.convert_to_tensor(y), model(x, training=False)), shares)
        found = torch.autograd.grad(mean, [v.value for v in variables], allow_unused=True)
        return [_dense(each, v) for each, v in zip(found, variables, strict=True)]

    # Lent to the model: a wrapped torch module reads its own parameters, not Keras' variables.
    def gradients(weights: Weights, x: Any, y: Any, shares: Any = None) -> list[np.ndarray]:
        if weights is None:
            return present(x, y, shares)
        variables = model.trainable_variables
        kept = [np.array(ops.convert_to_numpy(v.value)) for v in variables]
        try:
            for variable, weight in zip(variables, weights, strict=True):
                variable.assign(weight)
            return present(x, y, shares)
        finally:
            for variable, weight in zip(variables, kept, strict=True):
                variable.assign(weight)

    return gradients


def _mean(values: Any, shares: Any) -> Any:
    return ops.mean(values if shares is None else values * ops.cast(shares, values.dtype))


def _dense(gradient: Any, variable: Any) -> np.ndarray:
    """A gradient as an array: a weight that the loss does not touch has one of zeros."""
    if gradient is None:
        return np.zeros(variable.shape, "float32")
    return np.asarray(ops.convert_to_numpy(gradient))
