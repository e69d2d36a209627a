"""A second train function beside a model's own, for as long as something about a step differs.

`fit` compiles its step once a model and keeps it in `model.train_function`: what a callback changes
about the optimizer afterwards is not seen. `make_train_function(force=True)` is meant to help, and
does not on JAX: `jax.jit` finds the trace of `model.train_step` again, since two bound methods of
one object are equal, as long as the former compiled function is alive. So the second one is made
from a function that equals nothing else.

Whatever is kept hangs on `model.train_function` alone: `model.compile`, or whoever else sets that
to None, drops it all, and with it JAX's trace. So nobody may hold on to a train function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# On a function that stands in for the model's own; and on its own, those that stood in for it.
_STANDS_IN = "_grokkeras_stands_in"
_SPARES = "_grokkeras_spares"
_MOST_SPARES = 4


@dataclass
class _StandIn:
    """What a stand-in was made for, in order, and the function it stands in for."""

    tokens: tuple[object, ...] = field(default=())
    own: Any = None


def enter(model: Any, token: object) -> None:
    """Makes the model's step depend on `token` too, compiled anew the first time.

    To be called in `on_train_begin`, when `fit` has made its train function and not yet run it.

    Args:
        model: a compiled Keras model.
        token: stands for what is different about the step. After `leave`, the next `enter` with
            the same tokens finds the compiled function again, if the model was not compiled or
            changed in between.
    """
    present = _stand_in(model.train_function)
    if not any(known is token for known in present.tokens):
        _switch(model, present.own, (*present.tokens, token))


def leave(model: Any, token: object) -> None:
    """Takes `token` away again; without any, the model's step is its own once more."""
    present = _stand_in(model.train_function)
    if any(known is token for known in present.tokens):
        _switch(model, present.own, tuple(known for known in present.tokens if known is not token))
    else:
        # Somebody compiled anew meanwhile, with what is now to end in the trace.
        model.train_function = None


def _stand_in(function: Any) -> _StandIn:
    return getattr(function, _STANDS_IN, None) or _StandIn(own=function)


def _switch(model: Any, own: Any, tokens: tuple[object, ...]) -> None:
    """From the present train function, own or stand-in, to the one for `tokens`."""
    former, spares = model.train_function, getattr(own, _SPARES, [])
    if former is not own:
        # Own knows its spares, or the one in use knows own: both would keep each other alive.
        getattr(former, _STANDS_IN).own = None
        spares.append(former)
        del spares[:-_MOST_SPARES]
    if own is not None:
        setattr(own, _SPARES, spares)
    if not tokens:
        model.train_function = own
        return
    found = [spare for spare in spares if _same(getattr(spare, _STANDS_IN).tokens, tokens)]
    if found:
        model.train_function = found[0]
        spares[:] = [spare for spare in spares if spare is not found[0]]
    else:
        model.train_function = _make(model)
    setattr(model.train_function, _STANDS_IN, _StandIn(tokens, own))


def _same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _make(model: Any) -> Any:
    step = model.train_step
    shadowed = vars(model).get("train_step")

    def train_step(*args: Any, **kwargs: Any) -> Any:
        return step(*args, **kwargs)

    vars(model)["train_step"] = train_step
    try:
        model.make_train_function(force=True)
    finally:
        if shadowed is None:
            del vars(model)["train_step"]
        else:
            vars(model)["train_step"] = shadowed
    return model.train_function
