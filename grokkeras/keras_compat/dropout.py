"""Gives a built Keras dropout layer a rate that the compiled step reads.

In Keras 3.15 `Dropout.call` asks `self.rate > 0` in Python, so the rate is frozen into the trace.
Here the layer's object stays and its class changes, to a subclass made for it whose `call` reads
the rate where the step runs. Replacing the object instead would mean to find every reference to
it: nodes of functional models, attributes, lists and closures of other people's layers.

The subclass answers to `__class__` with the original class. Keras writes a layer under that name,
so a file holds a stock layer with a plain number as rate; `isinstance`, `summary` and
`clone_model` see the original class too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from keras.src.utils.backend_utils import in_tf_graph

from grokkeras.keras_compat.hidden_variable import hide, unhide

_SLOT = "_grokkeras_dropout"
_SEEDS = "_grokkeras_seeds"
_SET_CLASS = vars(object)["__class__"].__set__

# Where attention keeps the rate that decides, in Python, whether its inner dropout layer is called.
_ATTENTION = {
    keras.layers.MultiHeadAttention: "_dropout",
    keras.layers.GroupQueryAttention: "dropout",
}


class Rate(Protocol):
    """A rate as a layer sees it."""

    @property
    def variables(self) -> tuple[keras.Variable, ...]:
        """What the step reads besides the optimizer."""

    def in_step(self) -> Any:
        """The rate of the step that is being traced or run, a float32 scalar in [0, 1]."""

    def now(self) -> float:
        """The rate on the host."""

    def assign(self, value: float) -> None:
        """Sets it, where that is possible."""


Drop = Callable[[Any, Any, Any], Any]  # (layer, inputs, rate) -> outputs


@dataclass
class _Slot:
    rate: Rate
    drop: Drop
    holder: object
    hidden: list[Any] = field(default_factory=list)
    seeds: Any = None
    called: bool = False


class _Varying:
    """The members of the subclass that differ from the stock dropout layer's."""

    @property
    def rate(self) -> float:
        return vars(self)[_SLOT].rate.now()

    @rate.setter
    def rate(self, value: float) -> None:
        vars(self)[_SLOT].rate.assign(value)

    def call(self, inputs: Any, training: bool = False) -> Any:
        # Shape inference needs no mask: the output looks like the input.
        if not training or in_symbolic_scope():
            return inputs
        slot = vars(self)[_SLOT]
        slot.called = True
        return slot.drop(self, inputs, slot.rate.in_step())


class _VaryingAttention:
    """The member of the subclass that differs from the stock attention layer's."""

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()  # type: ignore[misc]
        return {**config, "dropout": self._dropout_layer.rate}  # type: ignore[attr-defined]


def set_rate(layer: Any, rate: Rate, drop: Drop, holder: object) -> None:
    """Makes a dropout layer follow `rate`; one that follows a rate already changes over.

    Args:
        layer: a built dropout layer of Keras, or of a subclass that keeps Keras' `call`.
        rate: the rate.
        drop: what the layer does in training.
        holder: what `holder_of` will answer.
    """
    reset(layer)
    slot = _Slot(rate, drop, holder)
    slot.hidden = [hide(layer, variable) for variable in rate.variables]
    if "seed_generator" not in vars(layer):
        # Keras makes none for a rate of 0. It is kept: a step compiled with it may serve again.
        if _SEEDS not in vars(layer):
            vars(layer)[_SEEDS] = keras.random.SeedGenerator(layer.seed)
        vars(layer)["seed_generator"] = slot.seeds = vars(layer)[_SEEDS]
        slot.hidden.append(hide(layer, slot.seeds.state))
    vars(layer)[_SLOT] = slot
    _SET_CLASS(layer, _subclass(layer.__class__, _Varying))


def set_attention(layer: Any) -> None:
    """Makes attention, whose inner dropout layer follows a rate, write that rate to files."""
    _SET_CLASS(layer, _subclass(layer.__class__, _VaryingAttention))


def reset(layer: Any) -> None:
    """Makes a changed layer the stock one that it was, with the rate that it was made with."""
    slot = vars(layer).pop(_SLOT, None)
    if slot is not None:
        for holder in slot.hidden:
            unhide(layer, holder)
        if slot.seeds is not None:
            del vars(layer)["seed_generator"]
    if {_Varying, _VaryingAttention} & set(type(layer).__mro__):
        _SET_CLASS(layer, layer.__class__)


def follows(layer: Any) -> bool:
    """Whether a dropout layer follows a rate."""
    return _SLOT in vars(layer)


def holder_of(layer: Any) -> Any:
    """Whose rate a layer follows; None: no one's."""
    slot = vars(layer).get(_SLOT)
    return slot.holder if slot is not None else None


def holders(model: Any) -> list[Any]:
    """What the dropout layers of a model follow at present, in the order of the layers."""
    found = [holder_of(layer) for _, layer, _ in layer_tree(model)]
    return [holder for holder in found if holder is not None]


def stock_call(layer: Any) -> Any:
    """The `call` of the layer's original class."""
    return layer.__class__.call


def was_called(layer: Any) -> bool:
    """Whether the layer has run in training, or been traced for it, since `set_rate`."""
    return vars(layer)[_SLOT].called


def is_attention(layer: Any) -> bool:
    """Whether the layer has an inner dropout layer that it calls if its own rate is above 0."""
    return isinstance(layer, tuple(_ATTENTION))


def attention_rate(layer: Any) -> float:
    """The plain number by which attention decides whether to call its inner dropout layer."""
    return float(getattr(layer, _attention_attribute(layer)))


def layer_tree(root: Any) -> Iterator[tuple[str, Any, Any]]:
    """`(path, layer, owner)` of all layers beneath `root`, each once; a path starts below it."""
    seen = {id(root)}

    def beneath(owner: Any, prefix: str) -> Iterator[tuple[str, Any, Any]]:
        for layer in owner._layers:
            if id(layer) not in seen:
                seen.add(id(layer))
                yield f"{prefix}{layer.name}", layer, owner
                yield from beneath(layer, f"{prefix}{layer.name}/")

    yield from beneath(root, "")


def is_tracing() -> bool:
    """Whether values of variables are symbols now, not numbers."""
    graph = keras.backend.backend() == "tensorflow" and in_tf_graph()
    return graph or in_stateless_scope()


def _attention_attribute(layer: Any) -> str:
    return next(name for kind, name in _ATTENTION.items() if isinstance(layer, kind))


_subclasses: dict[tuple[type, type], type] = {}


def _subclass(stock: type, members: type) -> type:
    key = (stock, members)
    if key not in _subclasses:
        namespace = {
            "__class__": property(lambda self: stock),
            "__module__": stock.__module__,
            "__doc__": stock.__doc__,
        }
        _subclasses[key] = type(stock)(stock.__name__, (members, stock), namespace)
    return _subclasses[key]
