"""Keras' Adam and AdamW in PyTorch's fused kernel.

Keras updates PyTorch variables with a dozen passes over all weights, a third of a step's time on
small batches; PyTorch's fused kernel makes one. The two differ in where epsilon enters: Keras adds
it to sqrt(v), PyTorch to sqrt(v / (1 - beta_2**t)). Dividing epsilon by sqrt(1 - beta_2**t) makes
PyTorch's rule Keras' own, so that only the last bits differ; a test holds them together.

Private to Keras: `_momentums`, `_velocities`, `_use_weight_decay`, `_apply_weight_decay`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import torch


def fused_adam(
    optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]
) -> Callable[[Sequence[Any]], None] | None:
    """A faster `optimizer.apply(gradients, variables)`, or None where the rule is not plain Adam.

    Args:
        optimizer: a Keras optimizer on PyTorch, built.
        variables: the Keras variables it was built with, in order.

    Returns:
        A function of the gradients, one a variable, which updates variables, moments and
        iterations in place.
    """
    if not _is_plain(optimizer, variables):
        return None
    # The tensors themselves, which Keras changes in place: asking a variable for its tensor takes
    # longer than the update of a small one.
    weights, first, second = (
        [variable.value for variable in group]
        for group in (variables, optimizer._momentums, optimizer._velocities)
    )
    iterations = optimizer.iterations.value
    uniform_decay = all(optimizer._use_weight_decay(variable) for variable in variables)

    @torch.no_grad()
    def update(gradients: Sequence[Any]) -> None:
        rate = float(optimizer.learning_rate)
        step = int(iterations) + 1
        decay = 0.0
        # A scheduler may have put its own method on the object; it then decides.
        if uniform_decay and "_apply_weight_decay" not in vars(optimizer):
            decay = float(optimizer.weight_decay or 0)
        else:
            optimizer._apply_weight_decay(list(variables))
        count = torch.tensor(float(step))
        torch._fused_adamw_(
            [weight.data for weight in weights],
            # The kernel goes through memory without a look at the strides.
            [gradient.contiguous() for gradient in gradients],
            first,
            second,
            [],
            [count] * len(variables),
            lr=rate,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            weight_decay=decay,
            eps=optimizer.epsilon / math.sqrt(1 - optimizer.beta_2**step),
            amsgrad=False,
            maximize=False,
        )
        iterations.add_(1)

    return update


def _is_plain(optimizer: Any, variables: Sequence[Any]) -> bool:
    """Whether `apply` would do nothing but weight decay and Adam's rule."""
    # Keras' own classes only: a subclass or a wrapper may do anything.
    if not isinstance(optimizer, keras.optimizers.Adam) or not type(
        optimizer
    ).__module__.startswith("keras."):
        return False
    extras = (
        optimizer.amsgrad,
        optimizer.clipnorm,
        optimizer.clipvalue,
        optimizer.global_clipnorm,
        optimizer.use_ema,
        optimizer.gradient_accumulation_steps,
        optimizer.loss_scale_factor,
        optimizer.beta_2 <= 0,
    )
    return not any(extras) and all(
        variable.dtype in ("float32", "float64")
        and variable.value.is_contiguous()
        and variable.constraint is None
        and not getattr(variable, "overwrite_with_gradient", False)
        for variable in variables
    )
