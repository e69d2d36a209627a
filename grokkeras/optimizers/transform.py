"""`GradientTransform`: what wraps a Keras optimizer and changes gradients or weights around it.

    model.compile(optimizer=Grokfast(OrthoGrad(keras.optimizers.AdamW(1e-3, weight_decay=1.0))))

A transform is a Keras optimizer itself, so it stands in stock `compile()`, saves, loads and chains.
One step, outermost transform first:

    gradient -> mean over accumulated batches -> Grokfast -> OrthoGrad
             -> the inner optimizer's own clipping, decay, update and constraints
             -> `after_step` of OrthoGrad, then of Grokfast

State lives in variables, so that it is saved and restored with the optimizer. `learning_rate`,
`iterations` and `weight_decay` are the inner optimizer's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat import transforms as compat
from grokkeras.keras_compat.wrapper import OptimizerWrapper, replicas
from grokkeras.optimizers.accumulation import Accumulation
from grokkeras.registry import Registry
from grokkeras.schedules import Schedule
from grokkeras.schedules.base import number_or_schedule

Number = float | Schedule

TRANSFORMS: Registry[type[GradientTransform]] = Registry("transform")


class GradientTransform(OptimizerWrapper):
    """Wraps an optimizer. Subclasses say what happens to gradients, weights or both.

    They override `build_state`, `transform` and `after_step`, change state by `write` and weights
    by `adjust` alone, and read numbers that may be schedules by `value`.

    Args:
        inner_optimizer: any Keras optimizer, another transform, or a name that Keras knows. A
            `LossScaleOptimizer` goes around the transform, never inside it: `compile` puts it
            there by itself under `mixed_float16`.
        name: of the optimizer.

    Attributes:
        event_steps: the events that its schedules wait for: name to a variable with the step at
            which it was confirmed; +inf before.

    Raises:
        UserError: the inner optimizer is a `LossScaleOptimizer`.
    """

    # Whether `after_step` wants the weights as they were before the step.
    needs_previous: ClassVar[bool] = False

    def __init__(
        self, inner_optimizer: keras.optimizers.Optimizer | str, name: str | None = None
    ) -> None:
        optimizer = keras.optimizers.get(inner_optimizer)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            kind = type(self).__name__
            raise UserError(
                f"{kind} expected an optimizer whose gradients are not scaled, but received a "
                f"LossScaleOptimizer. Put it outside: LossScaleOptimizer({kind}(optimizer))."
            )
        super().__init__(optimizer, name)
        self.kept.events = set()
        self.kept.event_steps = {}
        self.kept.accumulation = None
        # Within a step: updates made before it, and where gradients are accumulated whether this
        # batch is the last one of the update.
        self.kept.step, self.kept.due = None, None
        self.kept.outermost = True
        self.kept.update = None
        if isinstance(optimizer, GradientTransform):
            optimizer.kept.outermost = False

    # What subclasses override.

    def build_state(self, variables: Sequence[Any]) -> None:
        """Makes the state, and refuses what the transform cannot work on.

        Args:
            variables: all trainable variables of the model, in its order.
        """

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """The gradients that the inner optimizer is to see.

        Args:
            gradients: dense tensors, float32 at least, one of each variable's shape.
            variables: those trainable variables that have a gradient.
        """
        return gradients

    def after_step(self, variables: list[Any], previous: list[Any] | None) -> None:
        """Changes the weights after the inner optimizer's step, by `adjust` alone.

        Args:
            variables: those trainable variables that had a gradient.
            previous: their values before the step, if `needs_previous`.
        """

    def check_steps(self, steps: int) -> None:
        """Refuses a run of this many steps if the transform would do nothing in it.

        Raises:
            UserError: so it is.
        """

    # What subclasses use.

    def add_slots(self, name: str, variables: Sequence[Any], rows: int | None = None) -> list[Any]:
        """A state variable of zeros for each weight, float32 at least.

        Args:
            name: of the slot.
            variables: the weights.
            rows: if given, each slot holds this many arrays of the weight's shape.
        """
        lead = () if rows is None else (rows,)
        return [
            self.add_state(
                f"{v.path.replace('/', '_')}_{name}", (*lead, *v.shape), wide_dtype(v.dtype)
            )
            for v in variables
        ]

    def write(self, state: Any, value: Any) -> None:
        """Sets a state variable, unless this batch is only accumulated."""
        due = self.kept.due
        state.assign(value if due is None else ops.where(due, value, state.value))

    def adjust(self, variable: Any, value: Any) -> None:
        """Sets a weight after the step, likewise."""
        due, value = self.kept.due, ops.cast(value, variable.dtype)
        variable.assign(value if due is None else ops.where(due, value, variable.value))

    def number(self, name: str, value: Any, least: float | None = None) -> Number:
        """Checks an argument that is a number, a schedule or a schedule's configuration.

        Raises:
            UserError: it is none of them, or a schedule that needs what only weight decay can see.
        """
        try:
            checked: Number = number_or_schedule(least)(value)
        except ValueError as error:
            raise UserError(
                f"{type(self).__name__}: {name} is {error}; received {value!r}."
            ) from None
        if isinstance(checked, Schedule):
            if checked.needs_context:
                raise UserError(
                    f"{type(self).__name__}: {name} cannot follow {checked!r}: it needs "
                    f"{' and '.join(checked.needs_context)}, and drives weight decay only."
                )
            self.kept.events.update(checked.needs_events)
        return checked

    def value(self, number: Number) -> Any:
        """The number, or the schedule's value for this update, a float32 scalar."""
        if isinstance(number, Schedule):
            return number(self.kept.step, self.event_steps)
        return number

    # The optimizer.

    # Methods, since Keras saves what it finds in the properties of an optimizer, for ever where a
    # list holds the optimizer itself.

    def chain(self) -> list[GradientTransform]:
        """This transform and those inside it, outermost first."""
        inner = self.inner_optimizer
        return [self, *(inner.chain() if isinstance(inner, GradientTransform) else [])]

    def base_optimizer(self) -> keras.optimizers.Optimizer:
        """The optimizer inside all transforms, which updates the weights."""
        return self.chain()[-1].inner_optimizer

    def update_by(self, update: Callable[[Sequence[Any]], None] | None) -> None:
        """Has a faster equal of the base optimizer's `apply` make its updates.

        Args:
            update: a function of the gradients of all trainable variables, in the order in which
                the optimizer was built on them; None: `apply` itself.
        """
        self.kept.update = update

    @property
    def event_steps(self) -> dict[str, Any]:
        """See the class."""
        return dict(self.kept.event_steps)

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the transform's state and builds the inner optimizer, unless it is built.

        Raises:
            UserError: the transform does not fit these variables.
        """
        if self.built:
            return
        variables = list(variables)
        if replicas(self.base_optimizer()) > 1:
            raise UserError(
                f"{type(self).__name__} expected the gradient of the whole batch, but a "
                f"tf.distribute strategy gives each replica its own. Train on one device."
            )
        with compat.outside_of_trace():
            self.forget_states()
            for event in sorted(self.kept.events):
                self.kept.event_steps[event] = self.add_state(f"{event}_step")
                self.kept.event_steps[event].assign(float("inf"))
            batches = self.base_optimizer().gradient_accumulation_steps
            if batches and self.kept.outermost:
                self.kept.accumulation = Accumulation(batches, self.add_slots("sum", variables))
            self.build_state(variables)
            if not self.inner_optimizer.built:
                self.inner_optimizer.build(variables)
            super().build(variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """One step: transforms the gradients, updates the weights, then adjusts them."""
        if not self.built:
            if trainable_variables is None:
                raise ValueError("Build the optimizer first: optimizer.build(variables).")
            self.build(trainable_variables)
        base = self.base_optimizer()
        due = self.kept.accumulation and self.kept.accumulation.due(base)
        self._enter(ops.cast(base.iterations, "float32"), due)
        variables, gradients = self.known(trainable_variables), list(grads)
        places = [
            place
            for place, (gradient, variable) in enumerate(zip(gradients, variables, strict=True))
            if gradient is not None and self.trains(variable)
        ]
        trained = [variables[place] for place in places]
        given = [compat.dense(gradients[place]) for place in places]
        for place, gradient in zip(places, self._transformed(given, trained), strict=True):
            gradients[place] = gradient
        previous = None
        if any(transform.needs_previous for transform in self.chain()):
            previous = [ops.copy(variable) for variable in trained]
        self._update(gradients, variables)
        for transform in reversed(self.chain()):
            transform.after_step(trained, previous)
        self._enter(None, None)

    def _update(self, gradients: list[Any], variables: list[Any]) -> None:
        update, known = self.kept.update, self.known(None)
        is_whole = len(variables) == len(known) and all(map(operator.is_, variables, known))
        if update is not None and is_whole:
            update(gradients)
        else:
            self.base_optimizer().apply(gradients, variables)

    def _enter(self, step: Any, due: Any) -> None:
        for transform in self.chain():
            transform.kept.step, transform.kept.due = step, due

    def _transformed(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """The gradients after the whole chain, as the base optimizer takes them."""
        base, accumulation = self.base_optimizer(), self.kept.accumulation
        scale = base.loss_scale_factor or 1.0
        dtypes = [keras.backend.standardize_dtype(gradient.dtype) for gradient in gradients]
        gradients = [cast(g, wide_dtype(dtype)) for g, dtype in zip(gradients, dtypes, strict=True)]
        if scale != 1.0:
            gradients = [gradient / scale for gradient in gradients]
        due = self.kept.due
        if accumulation is not None:
            sums = self.of(accumulation.slots, variables)
            gradients = accumulation.mean(due, gradients, sums)
        for transform in self.chain():
            gradients = transform.transform(gradients, variables)
        if accumulation is not None:
            gradients = accumulation.release(due, gradients)
        if scale != 1.0:
            gradients = [gradient * scale for gradient in gradients]
        return [cast(g, dtype) for g, dtype in zip(gradients, dtypes, strict=True)]


def cast(value: Any, dtype: Any) -> Any:
    """A tensor in a dtype; a Python number stays one, since it takes on any."""
    return value if isinstance(value, float) else ops.cast(value, dtype)


def to_config(number: Number) -> float | dict[str, Any]:
    """A number or schedule as `get_config` gives it."""
    return number.get_config() if isinstance(number, Schedule) else number


def wide_dtype(dtype: str) -> str:
    """The dtype of states and of arithmetic for weights of a dtype: float32 at least."""
    return dtype if dtype == "float64" else "float32"
