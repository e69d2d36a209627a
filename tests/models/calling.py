"""Calls a model as quickly as its backend allows, in inference or in training mode."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np


def logits_of(model: Any, x: np.ndarray, training: bool = False, dtype: str = "float32") -> Any:
    """The model's logits as NumPy; the state of its dropout seeds moves on as in a plain call."""
    if keras.backend.backend() == "jax":
        # Outside `jit` JAX compiles each operation by itself, which takes ten times as long.
        weights = [variable.value for variable in model.trainable_variables]
        states = [variable.value for variable in model.non_trainable_variables]
        logits, states = _compiled(model, training)(weights, states, x)
        for variable, state in zip(model.non_trainable_variables, states, strict=True):
            variable.assign(state)
    else:
        logits = model(x, training=training)
    # TensorFlow and PyTorch hand no bfloat16 to NumPy.
    return keras.ops.convert_to_numpy(keras.ops.cast(logits, dtype))


@cache
def _compiled(model: Any, training: bool) -> Any:
    import jax

    return jax.jit(lambda w, s, x: model.stateless_call(w, s, x, training=training))
