"""Weight decay that varies, inside the compiled step of one stock Keras optimizer.

Keras keeps `weight_decay` as a plain number, which is frozen into the trace; a variable in its
place breaks saving. But every stock optimizer applies its decay in one method,
`_apply_weight_decay`, so that method is shadowed on the instance: for each group of variables it
computes the schedule from `optimizer.iterations`, lets the attribute hold the result, and calls the
method of the class. Nothing else changes: class, configuration, order of variables and PyTorch's
multi-tensor path are those of the stock optimizer, and whatever is saved loads as one.

What the host tells the step (the step of an event, a number from a Python function) stands in a
variable, see `told`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from keras import ops

from grokkeras.keras_compat.optimizer_tree import ATTRIBUTES
from grokkeras.keras_compat.told import Told
from grokkeras.schedules import Schedule

_METHOD = "_apply_weight_decay"


@dataclass(frozen=True, eq=False)
class DecayRule:
    """The decay of some variables.

    Attributes:
        covers: says of a variable of the model whether the rule is for it.
        schedules: by attribute (`ATTRIBUTES`), how that decay varies. One that is missing, or that
            the optimizer lacks, stays as it is.
        label: what it is called in a message; empty: the only rule.
    """

    covers: Callable[[Any], bool]
    schedules: Mapping[str, Schedule]
    label: str = ""


class DecayMethod:
    """The decay of one optimizer under rules, from `attach` to `detach`.

    Args:
        optimizer: a Keras optimizer that decays by itself, and wraps no other.
        rules: a variable's decay is that of the first rule that covers it; a variable that none
            covers is not decayed.
    """

    def __init__(self, optimizer: Any, rules: Sequence[DecayRule]) -> None:
        self.optimizer = optimizer
        self.rules = tuple(rules)
        needed = [name for r in rules for s in r.schedules.values() for name in s.needs_events]
        self._told = Told(optimizer, needed, "weight_decay_inputs")
        self._floats = self._present_floats()
        self._rule_of: dict[int, DecayRule | None] = {}

    def attach(self, before_decay: Callable[[], None]) -> None:
        """From here on the optimizer decays by the rules.

        Args:
            before_decay: called where the decay is traced or run, with the optimizer built.
        """
        optimizer = self.optimizer
        self._floats = self._present_floats()
        self._told.attach()

        def apply_weight_decay(optimizer: Any, variables: Sequence[Any]) -> None:
            before_decay()
            self._apply(optimizer, list(variables))

        # Not by setattr: Keras would look into what is assigned, to track it.
        vars(optimizer)[_METHOD] = types.MethodType(apply_weight_decay, optimizer)

    def detach(self) -> None:
        """Gives the optimizer its own method and variables back."""
        vars(self.optimizer).pop(_METHOD, None)
        self._told.detach()

    def tell(self, values: Mapping[str, float]) -> None:
        """Sets what the step reads, by name; on JAX, while the state is in the variables."""
        self._told.tell(values)

    def values(self, rule: DecayRule, step: Any) -> dict[str, Any]:
        """By attribute the decay at a step under a rule, float32 scalars, outside of a step."""
        covered = self._covered(rule, self.optimizer._trainable_variables)
        return self._evaluate(rule, covered, step)

    def hidden(self) -> AbstractContextManager[None]:
        """For as long as it is entered, the optimizer has the variables of a stock one."""
        return self._told.hidden()

    def _apply(self, optimizer: Any, variables: list[Any]) -> None:
        """In place of the optimizer's own `_apply_weight_decay`, within its step."""
        groups = [(rule, self._covered(rule, variables)) for rule in self.rules]
        # All values first: feedback is on the weights before any of them decays.
        decays = [
            (group, self._evaluate(rule, group, optimizer.iterations))
            for rule, group in groups
            if group
        ]
        attributes = vars(optimizer)
        for group, values in decays:
            try:
                attributes.update(values)
                getattr(type(optimizer), _METHOD)(optimizer, group)
            finally:
                attributes.update(self._floats)

    def _covered(self, rule: DecayRule, variables: Sequence[Any]) -> list[Any]:
        """The variables that a rule decays, among those given."""
        rule_of = self._rule_of
        for variable in variables:
            if id(variable) not in rule_of:
                found = next((r for r in self.rules if r.covers(variable)), None)
                rule_of[id(variable)] = found
        decays = self.optimizer._use_weight_decay
        return [v for v in variables if rule_of[id(v)] is rule and decays(v)]

    def _evaluate(self, rule: DecayRule, variables: Sequence[Any], step: Any) -> dict[str, Any]:
        told = self._told.read()
        context = _Context(self.optimizer, variables)
        wanted = {name: s for name, s in rule.schedules.items() if name in self._floats}
        # One schedule for both decays of Muon is computed once.
        computed = {id(s): s(step, told, context) for s in wanted.values()}
        return {name: computed[id(s)] for name, s in wanted.items()}

    def _present_floats(self) -> dict[str, float]:
        values = {name: getattr(self.optimizer, name, None) for name in ATTRIBUTES}
        return {name: value for name, value in values.items() if value is not None}


class _Context:
    """What feedback schedules see of a step, see `grokkeras.schedules.Context`."""

    def __init__(self, optimizer: Any, variables: Sequence[Any]) -> None:
        self._optimizer = optimizer
        self._variables = variables

    @cached_property
    def learning_rate(self) -> Any:
        return ops.cast(self._optimizer.learning_rate, "float32")

    @cached_property
    def weight_norm(self) -> Any:
        squares = [ops.sum(ops.square(ops.cast(v, "float32"))) for v in self._variables]
        return ops.sqrt(sum(squares[1:], squares[0])) if squares else ops.zeros((), "float32")
