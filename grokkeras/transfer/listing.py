"""What was taken over and what was not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Taken:
    """A weight that got values of the source.

    Attributes:
        name: in the model that was started.
        shape: of it.
        source_name: in the source.
        source_shape: of that.
        how: `as it was`, or how the shapes were brought together.
    """

    name: str
    shape: Shape
    source_name: str
    source_shape: Shape
    how: str


@dataclass(frozen=True)
class Left:
    """A weight that kept its own initial values, or one of the source that was not used.

    Attributes:
        name: of the weight.
        shape: of it.
        why: in words.
    """

    name: str
    shape: Shape
    why: str


@dataclass(frozen=True)
class Transfer:
    """What `transfer` did; printed, it is a table.

    Attributes:
        source: the run folder or file, or the source model's name.
        taken: weights that got values of the source.
        left: weights of the model that kept their own.
        unused: weights of the source that went nowhere.
    """

    source: str
    taken: tuple[Taken, ...]
    left: tuple[Left, ...]
    unused: tuple[Left, ...]

    @property
    def message(self) -> str:
        """One line for a person."""
        names = ", ".join(one.name for one in self.taken)
        total = len(self.taken) + len(self.left)
        return f"{len(self.taken)} of {total} weights start from {self.source}: {names}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with `message`."""
        return {"message": self.message, **asdict(self)}

    def __str__(self) -> str:
        rows = [("taken", one.name, size(one.shape), _from(one)) for one in self.taken]
        rows += [("left", one.name, size(one.shape), one.why) for one in self.left]
        rows += [("unused", one.name, size(one.shape), one.why) for one in self.unused]
        kind, name, shape, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = [f"{a:{kind}}  {b:{name}}  {c:{shape}}  {why}" for a, b, c, why in rows]
        return "\n".join([self.message, *lines])


def size(shape: Sequence[int]) -> str:
    """(98, 128) as "98 x 128"."""
    return " x ".join(map(str, shape)) or "one number"


def _from(one: Taken) -> str:
    renamed = "" if one.source_name == one.name else f"{one.source_name}, "
    return f"{renamed}{one.how}"
