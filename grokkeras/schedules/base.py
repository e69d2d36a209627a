"""What a schedule is: a value that depends on the optimizer step, computed inside the step.

A schedule is an immutable object, equal to another of the same arguments. Calling it computes its
value with `keras.ops`, so the same object works on a Python number and inside a compiled step.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, cast, get_type_hints

from grokkeras.errors import UserError, nearest_name
from grokkeras.registry import Registry
from grokkeras.schedules.arguments import Check, number
from grokkeras.schedules.lazy_ops import ops

S = TypeVar("S", bound="Schedule")


class Context(Protocol):
    """What a feedback schedule may look at; scalars, float32, computed only if asked for.

    Attributes:
        learning_rate: the optimizer's, at this step.
        weight_norm: Euclidean norm of all weights that the scheduled value acts on, taken
            together, before this step's update.
    """

    @property
    def learning_rate(self) -> Any:
        """See the class."""

    @property
    def weight_norm(self) -> Any:
        """See the class."""


@dataclass(frozen=True)
class Moment:
    """When and where a schedule is evaluated.

    Attributes:
        step: optimizer steps done, float32 scalar, never negative.
        events: name to the step at which the event was confirmed, float32; +inf: not yet.
        context: for feedback schedules; None where there is none.
    """

    step: Any
    events: Mapping[str, Any] = field(default_factory=dict)
    context: Context | None = None

    def since(self, start: Any) -> Moment:
        """The same moment on a clock that starts at step `start`."""
        events = {name: step - start for name, step in self.events.items()}
        return Moment(ops.maximum(self.step - start, 0.0), events, self.context)


@dataclass(frozen=True)
class Schedule(abc.ABC):
    """A value that depends on the step; float, and where it matters, on events or feedback.

    Subclasses are frozen dataclasses whose fields are annotated with their checks.
    """

    name: ClassVar[str]
    own_events: ClassVar[tuple[str, ...]] = ()
    own_context: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        faults = []
        for name, check in _checks(type(self)).items():
            received = getattr(self, name)
            try:
                object.__setattr__(self, name, check(received))
            except ValueError as error:
                faults.append(f"{name} is {error}; received {received!r}")
        faults = faults or list(self._faults())
        if faults:
            raise UserError(f"{type(self).__name__}: {'. '.join(faults)}.")

    def __call__(
        self, step: Any, events: Mapping[str, Any] | None = None, context: Context | None = None
    ) -> Any:
        """The value at a step, a float32 scalar of the backend.

        Args:
            step: optimizer steps done so far: the value is for the update that comes next. A
                number or a scalar of the backend, such as `optimizer.iterations`.
            events: name to the step at which the event was confirmed, +inf before it.
            context: what feedback schedules look at.

        Raises:
            UserError: an event or the context that this schedule needs is missing.
        """
        missing = [name for name in self.needs_events if name not in (events or {})]
        if missing:
            raise UserError(
                f"{self!r} needs to know of the event {', '.join(missing)}: pass "
                f"events={{name: step at which it was confirmed, or float('inf')}}."
            )
        if context is None and self.needs_context:
            raise UserError(
                f"{self!r} needs {' and '.join(self.needs_context)} and can be evaluated only "
                f"within an optimizer step: it drives weight decay."
            )
        known = {name: ops.cast(at, "float32") for name, at in (events or {}).items()}
        now = Moment(ops.maximum(ops.cast(step, "float32"), 0.0), known, context)
        return ops.cast(self.at(now), "float32")

    @abc.abstractmethod
    def at(self, now: Moment) -> Any:
        """The value, as a float32 scalar or a Python float."""

    @abc.abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value it can take; infinite where that is not known."""

    @property
    def needs_events(self) -> tuple[str, ...]:
        """The events it asks for, its parts included, sorted."""
        return self._gathered("own_events", "needs_events")

    @property
    def needs_context(self) -> tuple[str, ...]:
        """What it asks a `Context` for, its parts included, sorted."""
        return self._gathered("own_context", "needs_context")

    def get_config(self) -> dict[str, Any]:
        """The schedule as a configuration writes it: `{"schedule": "cosine", "start": ...}`."""
        return {"schedule": self.name} | {
            entry.name: _to_config(getattr(self, entry.name)) for entry in fields(self)
        }

    @classmethod
    def from_config(cls: type[S], config: Mapping[str, Any]) -> S:
        """The inverse of `get_config`. Called on `Schedule` it makes any kind.

        Raises:
            UserError: an unknown schedule or argument, a missing or a bad argument.
        """
        arguments = dict(config)
        name = arguments.pop("schedule", getattr(cls, "name", None))
        if not isinstance(name, str):
            raise UserError(
                f"A schedule is a mapping with the key 'schedule', one of "
                f"{', '.join(SCHEDULES.names())}; received {dict(config)!r}."
            )
        kind = SCHEDULES.get(name)
        if not issubclass(kind, cls):
            raise UserError(f"{cls.__name__}.from_config received a schedule {name!r}.")
        known = {entry.name: entry for entry in fields(kind)}
        for key in arguments:
            if key not in known:
                near = nearest_name(key, known)
                hint = f" Did you mean {near!r}?" if near else ""
                raise UserError(
                    f"Schedule {name!r} has no argument {key!r}.{hint} "
                    f"Known: {', '.join(known) or 'none'}."
                )
        absent = [key for key, f in known.items() if f.default is MISSING and key not in arguments]
        if absent:
            raise UserError(f"Schedule {name!r} lacks {', '.join(absent)}.")
        return kind(**arguments)

    def _faults(self) -> Iterator[str]:
        """What is wrong between arguments that are right one by one."""
        return iter(())

    def _parts(self) -> list[Schedule]:
        parts: list[Schedule] = []
        for entry in fields(self):
            value = getattr(self, entry.name)
            values = value if isinstance(value, tuple) else (value,)
            parts += [part for part in values if isinstance(part, Schedule)]
        return parts

    def _gathered(self, own: str, of_parts: str) -> tuple[str, ...]:
        names = set(getattr(self, own))
        for part in self._parts():
            names.update(getattr(part, of_parts))
        return tuple(sorted(names))


@cache
def _checks(kind: type[Schedule]) -> dict[str, Check]:
    hints = get_type_hints(kind, include_extras=True)
    return {entry.name: hints[entry.name].__metadata__[0] for entry in fields(kind)}


SCHEDULES: Registry[type[Schedule]] = Registry("schedule")


def register(name: str) -> Callable[[type[S]], type[S]]:
    """Class decorator: makes a schedule known to configurations as `name`."""

    def add(kind: type[S]) -> type[S]:
        kind.name = name
        SCHEDULES.register(name)(kind)
        return kind

    return add


def number_or_schedule(least: float | None = None) -> Check:
    """Check of an argument that is a number, a schedule, or a schedule's configuration."""
    is_number = number(least=least)

    def check(value: Any) -> float | Schedule:
        if isinstance(value, Mapping):
            value = Schedule.from_config(value)
        if isinstance(value, Schedule):
            if least is not None and value.bounds()[0] < least:
                raise ValueError(f"a schedule that stays at {least:g} or more")
            return value
        try:
            return cast(float, is_number(value))
        except ValueError as error:
            raise ValueError(f"{error}, or a schedule") from None

    return check


Value = Annotated[float | Schedule, number_or_schedule()]
NotNegativeValue = Annotated[float | Schedule, number_or_schedule(least=0)]


def value_of(part: float | Schedule, now: Moment) -> Any:
    """The value at a moment of what is a number or a schedule."""
    return part.at(now) if isinstance(part, Schedule) else part


def bounds_of(*parts: float | Schedule) -> tuple[float, float]:
    """The bounds of anything that lies within those of its parts."""
    pairs = [part.bounds() if isinstance(part, Schedule) else (part, part) for part in parts]
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def _to_config(value: Any) -> Any:
    if isinstance(value, Schedule):
        return value.get_config()
    return [_to_config(item) for item in value] if isinstance(value, tuple) else value
