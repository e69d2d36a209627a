"""Which optimizers stand behind one: what `LossScaleOptimizer` and its like wrap.

Keras' wrappers hold what they wrap as `inner_optimizer` (`LossScaleOptimizer`) or `optimizers`
(`MultiOptimizer`); wrappers of ours keep to the same names.
"""

from __future__ import annotations

from typing import Any

from grokkeras.errors import UserError

# What Keras' optimizers call their decays; the second is Muon's, for what it leaves to AdamW.
ATTRIBUTES = ("weight_decay", "adam_weight_decay")

# Where a class that is not Keras' might read its decay without asking `_apply_weight_decay`.
_UPDATES = ("update_step", "_parallel_update_step", "_backend_update_step", "apply")


def tree(optimizer: Any) -> list[Any]:
    """An optimizer and all that it wraps, outermost first."""
    return [optimizer, *(part for inner in _inner(optimizer) for part in tree(inner))]


def decaying(optimizer: Any) -> list[Any]:
    """The optimizers, of which one may be made, that have a weight decay to schedule.

    Raises:
        UserError: there is none, or one applies its decay in a way of its own.
    """
    if optimizer is None:
        raise UserError("The model has no optimizer: pass one to model.compile.")
    innermost = [part for part in tree(optimizer) if not _inner(part)]
    for part in innermost:
        reader = _reads_decay_itself(type(part))
        if reader:
            raise UserError(
                f"{type(part).__name__} reads its weight_decay in {reader}, so a schedule cannot "
                f"reach it. Apply the decay in _apply_weight_decay, as Keras' own optimizers do."
            )
    found = [
        part
        for part in innermost
        if any(getattr(part, name, None) is not None for name in ATTRIBUTES)
    ]
    if not found:
        names = ", ".join(type(part).__name__ for part in innermost)
        raise UserError(
            f"A weight decay schedule needs an optimizer with weight decay; {names} has "
            f"weight_decay=None. Make it with weight_decay=0.0 (any number turns decay on, the "
            f"schedule says how much)."
        )
    return found


def _inner(optimizer: Any) -> list[Any]:
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return [inner]
    return list(getattr(optimizer, "optimizers", None) or [])


def _reads_decay_itself(kind: type) -> str | None:
    """The method of an update in which a class reads `weight_decay`, if any does."""
    for base in kind.__mro__:
        for name in _UPDATES:
            code = getattr(vars(base).get(name), "__code__", None)
            if code is not None and not set(ATTRIBUTES).isdisjoint(code.co_names):
                return f"{base.__name__}.{name}"
    return None
