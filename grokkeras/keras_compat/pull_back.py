"""The gradient of a function's outputs by its inputs, inside a step that differentiates it again.

Keras has no operation that differentiates, so each backend's own is asked. What comes back is part
of the computation: the step's gradient by the weights flows through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

Function = Callable[[Any], Any]


def pull_back(function: Function, inputs: Any, cotangent: Function) -> tuple[Any, Any]:
    """Outputs, and J'v: the transposed Jacobian of `function` at `inputs`, times v.

    Args:
        function: inputs to outputs, of tensors of the backend.
        inputs: tensor of floats; where it was computed from weights, the step's gradient goes on
            through it.
        cotangent: gives v, of the outputs' shape, from the outputs.

    Returns:
        The outputs, and a tensor of the inputs' shape.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return _on_jax(function, inputs, cotangent)
    if backend == "tensorflow":
        return _on_tensorflow(function, inputs, cotangent)
    return _on_torch(function, inputs, cotangent)


def _on_jax(function: Function, inputs: Any, cotangent: Function) -> tuple[Any, Any]:
    import jax

    outputs, pull = jax.vjp(function, inputs)
    return outputs, pull(cotangent(outputs))[0]


def _on_tensorflow(function: Function, inputs: Any, cotangent: Function) -> tuple[Any, Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return outputs, tape.gradient(outputs, inputs, output_gradients=cotangent(outputs))


def _on_torch(function: Function, inputs: Any, cotangent: Function) -> tuple[Any, Any]:
    import torch

    if not inputs.requires_grad:
        inputs = inputs.detach().requires_grad_()
    outputs = function(inputs)
    pulled = torch.autograd.grad(outputs, inputs, cotangent(outputs), create_graph=True)
    return outputs, pulled[0]
