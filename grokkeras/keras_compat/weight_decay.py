"""Weight decay that varies, for whatever optimizer a model was compiled with.

`DecayMethod` does it for one optimizer; here are those that wrap others, and what is saved: the
optimizer variable that only our steps read is hidden while Keras saves or loads.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from grokkeras.errors import UserError
from grokkeras.keras_compat.decay_method import DecayMethod, DecayRule
from grokkeras.keras_compat.optimizer_tree import decaying, tree

_MARK = "_grokkeras_weight_decay"
_SAVING = ("save_own_variables", "load_own_variables")

__all__ = ["DecayRule", "ScheduledDecay", "attached_to"]


class ScheduledDecay:
    """The weight decay of an optimizer under rules, from `attach` to `detach`.

    Args:
        optimizer: a Keras optimizer, or one that wraps others (`LossScaleOptimizer`,
            `MultiOptimizer`, anything with an `inner_optimizer`). Built or not.
        rules: a variable's decay is that of the first rule that covers it; a variable that none
            covers is not decayed. What `exclude_from_weight_decay` excluded stays so.

    Raises:
        UserError: the optimizer has no weight decay, or applies it in a way of its own.
    """

    def __init__(self, optimizer: Any, rules: Sequence[DecayRule]) -> None:
        self.optimizer = optimizer
        self.rules = tuple(rules)
        self._parts = [DecayMethod(part, self.rules) for part in decaying(optimizer)]
        self._checked = False

    def has(self, attribute: str) -> bool:
        """Whether any of the optimizers has this decay, of `ATTRIBUTES`, and it is not None."""
        return any(getattr(p.optimizer, attribute, None) is not None for p in self._parts)

    def check(self) -> None:
        """Makes sure that every rule is for something; the optimizer must be built.

        A rule without a label that stands after others is for the rest, of which there may be none.

        Raises:
            UserError: a rule covers no variable that the optimizer trains.
        """
        if self._checked:
            return
        variables = [v for p in self._parts for v in p.optimizer._trainable_variables]
        deciding = [next((r for r in self.rules if r.covers(v)), None) for v in variables]
        for place, rule in enumerate(self.rules):
            if place > 0 and not rule.label:
                continue
            if not any(first is rule for first in deciding):
                which = "The choice of variables matches no variable"
                if rule.label:
                    which = f"The pattern {rule.label!r} matches no variable that is left for it"
                paths = ", ".join(variable.path for variable in variables) or "none"
                raise UserError(
                    f"{which}, so its weight decay schedule would do nothing. Variables: {paths}."
                )
        self._checked = True

    def attach(self) -> None:
        """From here on the optimizer decays by the rules. Steps compiled before do not see it.

        Raises:
            UserError: another schedule is attached to the optimizer.
        """
        if attached_to(self.optimizer) not in (None, self):
            raise UserError(
                f"{type(self.optimizer).__name__} follows a weight decay schedule already. Use "
                f"one for all variables: it can hold a schedule for each group of them."
            )
        for part in self._parts:
            part.attach(self.check)
        for optimizer in tree(self.optimizer):
            vars(optimizer)[_MARK] = self
            for method in _SAVING:
                vars(optimizer)[method] = types.MethodType(_hiding(method, self), optimizer)

    def detach(self) -> None:
        """Gives the optimizer back as it was. Its `weight_decay` was never anything else."""
        for part in self._parts:
            part.detach()
        for optimizer in tree(self.optimizer):
            for name in (_MARK, *_SAVING):
                vars(optimizer).pop(name, None)

    def tell(self, values: Mapping[str, float]) -> None:
        """Tells the step what only the host knows; on JAX, while the state is in the variables.

        Args:
            values: name to number: of an event, the step at which it was confirmed, or infinity.
                Names that no schedule asks for are passed over.
        """
        for part in self._parts:
            part.tell(values)

    def values(self, step: float | None = None) -> list[dict[str, float]]:
        """The decay at a step, for people to look at: by attribute, one mapping a rule.

        Feedback schedules answer for the present weights. Of several wrapped optimizers the first
        is asked.

        Args:
            step: optimizer steps done. Default: those that the optimizer has done.
        """
        part = self._parts[0]
        at = part.optimizer.iterations if step is None else step
        return [
            {name: float(v) for name, v in part.values(rule, at).items()} for rule in self.rules
        ]

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """For as long as this lasts, the optimizer has the variables of a stock one."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.hidden())
            yield


def attached_to(optimizer: Any) -> ScheduledDecay | None:
    """The schedule that is attached to an optimizer or to what it wraps."""
    marks = (vars(part).get(_MARK) for part in tree(optimizer))
    return next((mark for mark in marks if mark is not None), None)


def _hiding(method: str, whole: ScheduledDecay) -> Callable[..., Any]:
    def call(optimizer: Any, store: Any) -> Any:
        with whole.hidden():
            return getattr(type(optimizer), method)(optimizer, store)

    return call
