"""What the backends differ in when gradients are changed and kept.

TensorFlow gives the gradient of an embedding as rows with duplicates, which its Adam squares one by
one; only in place can one row of a large array be written at the cost of a row; and initial values
have to be taken outside of a trace.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras


def outside_of_trace() -> AbstractContextManager[Any]:
    """Within it, variables are read and set at once, not at every run of what is being traced.

    On TensorFlow stock `fit` builds the optimizer while it traces the step.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        context: AbstractContextManager[Any] = tf.init_scope()
        return context
    return nullcontext()


def dense(gradient: Any) -> Any:
    """A gradient as a tensor; TensorFlow's `IndexedSlices` summed over duplicate rows."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.convert_to_tensor(gradient)
    return gradient


def read_row(state: Any, index: Any) -> Any:
    """Row `index`, a scalar, of a variable."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        place = torch.as_tensor(index, device=state.value.device).long().reshape(1)
        return state.value.index_select(0, place)[0]
    if backend == "jax":
        import jax

        return jax.lax.dynamic_index_in_dim(state.value, index, 0, keepdims=False)
    import tensorflow as tf

    return tf.gather(state.value, index)


def write_row(state: Any, index: Any, row: Any) -> None:
    """Sets row `index`, a scalar, of a variable, without copying the others."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        place = torch.as_tensor(index, device=state.value.device).long().reshape(1)
        with torch.no_grad():
            state.value.index_copy_(0, place, row[None])
    elif backend == "jax":
        import jax

        state.assign(jax.lax.dynamic_update_index_in_dim(state.value, row, index, 0))
    else:
        import tensorflow as tf

        state.value.scatter_nd_update(tf.reshape(index, (1, 1)), row[None])
