"""Chains of transforms by name, and checks over a chain."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform


def with_transforms(
    optimizer: keras.optimizers.Optimizer, transforms: Sequence[str | Mapping[str, Any]]
) -> keras.optimizers.Optimizer:
    """An optimizer wrapped in transforms, of which the first sees the gradients first.

    Args:
        optimizer: any Keras optimizer.
        transforms: each a name of `TRANSFORMS`, or a mapping with `name` and arguments. Any number
            that may be a schedule may be a schedule's configuration.

    Raises:
        UserError: an unknown name, or an argument that is bad, missing or unknown.
    """
    for entry in reversed(transforms):
        arguments = {"name": entry} if isinstance(entry, str) else dict(entry)
        if "name" not in arguments:
            raise UserError(
                f"A transform is a name, or a mapping with a name and arguments; received "
                f"{entry!r}. Names: {', '.join(TRANSFORMS.names())}."
            )
        name = arguments.pop("name")
        kind = TRANSFORMS.get(name)
        try:
            inspect.signature(kind).bind(optimizer, **arguments)
        except TypeError as error:
            raise UserError(f"Transform {name!r} received {arguments!r}: {error}.") from None
        optimizer = kind(optimizer, **arguments)
    return optimizer


def check_steps(optimizer: keras.optimizers.Optimizer, steps: int) -> None:
    """Refuses a run that is too short for a transform to do anything.

    Args:
        optimizer: any Keras optimizer, wrapped or not.
        steps: updates that the run will make.

    Raises:
        UserError: it is too short.
    """
    for transform in transforms_of(optimizer):
        transform.check_steps(steps)


def awaited_events(optimizer: keras.optimizers.Optimizer) -> set[str]:
    """The events that schedules of an optimizer's transforms wait for; it need not be built."""
    return {event for transform in transforms_of(optimizer) for event in transform.kept.events}


def tell_event(optimizer: keras.optimizers.Optimizer, event: str, step: float) -> None:
    """Tells the schedules of an optimizer's transforms that an event was confirmed.

    Outside of a step; on JAX while the state is in the optimizer's variables, as it is at the end
    of an epoch. Nothing happens if no schedule waits for it.

    Args:
        optimizer: any Keras optimizer, wrapped or not; built.
        event: such as `memorization`.
        step: at which it was confirmed, in updates; infinity: not yet.
    """
    for transform in transforms_of(optimizer):
        variable = transform.event_steps.get(event)
        if variable is not None and float(ops.convert_to_numpy(variable)) != step:
            variable.assign(step)


def transforms_of(optimizer: Any) -> Iterator[GradientTransform]:
    """The transforms around an optimizer, outermost first; none around a plain one."""
    while optimizer is not None:
        if isinstance(optimizer, GradientTransform):
            yield optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)
