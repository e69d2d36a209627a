"""The activations a model can be given by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError


@keras.saving.register_keras_serializable(package="grokkeras")
def quadratic(x: Any) -> Any:
    """The square: with it a two-layer MLP has an analytic grokked solution (Gromov 2023)."""
    return ops.square(x)


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": keras.activations.relu,
    "gelu": keras.activations.gelu,
    "silu": keras.activations.silu,
    "tanh": keras.activations.tanh,
    "quadratic": quadratic,
}


def get_activation(name: str) -> Callable[[Any], Any]:
    """The activation called `name`; an unknown name is a UserError that lists the known ones."""
    if name not in ACTIVATIONS:
        raise UserError(f"Unknown activation {name!r}. Known: {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]
