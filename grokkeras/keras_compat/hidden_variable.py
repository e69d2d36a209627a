"""Variables that training carries along and no file knows.

JAX threads through a step what `Layer.variables` lists. What `Layer.weights` lists as well goes
into `get_weights`, weight files and parameter counts, and a stock layer could no longer load them.
Keras itself has one kind of variable in between, the states of seed generators: so such a variable
is held by an object that looks like a seed generator, and stands among the layer's.
"""

from __future__ import annotations

from typing import Any

import keras


class _Holder:
    """Has the one attribute for which `Layer.variables` asks a seed generator."""

    def __init__(self, variable: keras.Variable) -> None:
        self.state = variable


def scalar(value: float, name: str) -> keras.Variable:
    """A float32 scalar that is neither trained nor cast to a layer's compute dtype."""
    return keras.Variable(
        value, shape=(), dtype="float32", trainable=False, autocast=False, name=name
    )


def hide(layer: Any, variable: keras.Variable) -> Any:
    """Adds `variable` to `layer.variables` but not to `layer.weights`; several layers may share it.

    Returns:
        What `unhide` takes.
    """
    holder = _Holder(variable)
    layer._seed_generators.append(holder)
    return holder


def unhide(layer: Any, holder: Any) -> None:
    """The inverse of `hide`."""
    layer._seed_generators[:] = [held for held in layer._seed_generators if held is not holder]
