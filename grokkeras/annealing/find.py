"""Finds the dropout in a model: what can follow a schedule, and what cannot and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grokkeras.annealing.formulas import FORMULAS, KINDS
from grokkeras.keras_compat.dropout import (
    attention_rate,
    is_attention,
    layer_tree,
    stock_call,
)


@dataclass
class Found:
    """The dropout of a model, by the layers' paths.

    Attributes:
        layers: dropout layers that can follow a rate.
        attention: attention layers whose inner dropout layer is among `layers`.
        reasons: path of a layer that cannot to the reason.
    """

    layers: dict[str, Any] = field(default_factory=dict)
    attention: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


Where = Callable[[str, Any], bool]


def find_dropout(model: Any, where: Where = lambda path, layer: True) -> Found:
    """All dropout of a model, in the order of its layers.

    Args:
        model: a Keras model or layer.
        where: whether the layer at a path is asked for.
    """
    found = Found()
    tree = [entry for entry in layer_tree(model) if where(entry[0], entry[1])]
    for path, layer, owner in tree:
        if isinstance(layer, KINDS):
            _sort(found, path, layer, owner)
        elif is_attention(layer) and not layer.built and attention_rate(layer) > 0:
            found.reasons[path] = "not built yet, it has no inner dropout layer"
    changed = {id(layer) for layer in found.layers.values()}
    for path, layer, _ in tree:
        if isinstance(layer, KINDS) or is_attention(layer):
            continue
        held = _held_as_numbers(layer)
        if held and not any(id(inner) in changed for _, inner, _ in layer_tree(layer)):
            found.reasons[path] = f"{_kind(layer)} holds {held} as a plain number"
    return found


def _sort(found: Found, path: str, layer: Any, owner: Any) -> None:
    """Puts a dropout layer where it belongs."""
    if stock_call(layer) not in FORMULAS:
        found.reasons[path] = f"{_kind(layer)} has a call of its own, which would be lost"
    elif not is_attention(owner):
        found.layers[path] = layer
    elif attention_rate(owner) > 0:
        found.layers[path] = layer
        found.attention[path] = owner
    else:
        # Its fused attention, which was chosen for want of dropout, knows no dropout.
        found.reasons[path.rpartition("/")[0]] = (
            f"{_kind(owner)} was made with dropout=0, so it never calls its inner dropout layer"
        )


def _held_as_numbers(layer: Any) -> str:
    """The layer's own rates above 0, such as those of recurrent cells: `dropout=0.2`."""
    rates = {
        name: value
        for name, value in vars(layer).items()
        if "drop" in name and isinstance(value, float) and 0.0 < value <= 1.0
    }
    return " and ".join(f"{name.strip('_')}={value:g}" for name, value in rates.items())


def _kind(layer: Any) -> str:
    return str(layer.__class__.__name__)
