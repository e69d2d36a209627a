"""`optimizer.iterations` inside the forward pass, on every backend.

On TensorFlow and PyTorch a layer just reads the variable. On JAX a step is a pure function: in the
forward pass Keras puts the model's variables in place, but not the optimizer's, so a layer would
read the value of the moment of tracing, for ever. The step has it, though: `train_step(state,
data)` gets the optimizer's variables as `state[2]`. So on JAX `train_step` of the model is wrapped
to put them in reach while it is traced.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import keras
from keras import ops
from keras.src.backend.common.stateless_scope import in_stateless_scope

from grokkeras.errors import UserError

_SHADOWED = "_grokkeras_shadowed"
_known: ContextVar[tuple[Any, Any] | None] = ContextVar("optimizer_step", default=None)


@contextlib.contextmanager
def optimizer_step(optimizer: Any, values: Sequence[Any]) -> Iterator[None]:
    """Within it, layers called in a JAX step know how many updates the optimizer has made.

    Args:
        optimizer: a built Keras optimizer.
        values: the present values of `optimizer.variables`, as `stateless_apply` takes them.
    """
    mapping = list(zip(optimizer.variables, values, strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        step = ops.cast(optimizer.iterations, "float32")
    token = _known.set((optimizer, step))
    try:
        yield
    finally:
        _known.reset(token)


def iterations(optimizer: Any) -> Any:
    """`optimizer.iterations` as a float32 scalar, in the step that is being traced or run.

    Raises:
        UserError: on JAX, it is a step outside `optimizer_step`.
    """
    known = _known.get()
    if known is not None and known[0] is optimizer:
        return known[1]
    if keras.backend.backend() == "jax" and in_stateless_scope():
        raise UserError(
            "A schedule needs optimizer.iterations in the forward pass, but this JAX step has not "
            "said what it is. In a step of your own, wrap the forward pass: "
            "`with grokkeras.annealing.optimizer_step(optimizer, optimizer_variables): ...`."
        )
    return ops.cast(optimizer.iterations, "float32")


def steps_done(optimizer: Any) -> int:
    """`optimizer.iterations` on the host."""
    # Not by way of NumPy, whose version 2 warns of how Keras' variables become arrays.
    try:
        return int(optimizer.iterations)
    except TypeError:
        # Under tf.distribute there is a copy on each replica, and `int` knows no such thing.
        return int(optimizer.iterations.value.numpy())


def share_optimizer_step(model: Any) -> None:
    """Wraps `model.train_step` in `optimizer_step` on JAX; the other backends need nothing.

    The wrapper is a new function each time: `jax.jit` finds an old trace again by its function.
    """
    if keras.backend.backend() != "jax":
        return
    unshare_optimizer_step(model)
    shadowed = vars(model).get("train_step")
    original = model.train_step

    @functools.wraps(original)
    def train_step(state: Any, data: Any) -> Any:
        with optimizer_step(model.optimizer, state[2]):
            return original(state, data)

    setattr(train_step, _SHADOWED, (shadowed,))
    vars(model)["train_step"] = train_step


def unshare_optimizer_step(model: Any) -> None:
    """The inverse of `share_optimizer_step`."""
    marked = getattr(vars(model).get("train_step"), _SHADOWED, None)
    if marked is not None:
        del vars(model)["train_step"]
        if marked[0] is not None:
            vars(model)["train_step"] = marked[0]
