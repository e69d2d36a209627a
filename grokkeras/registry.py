"""Names to things of a kind (tasks, measures, ...): `register`, `get`, `names`.

A thing registers itself in the file that defines it, so adding one is adding a file:

    MEASURES = Registry("measure")

    @MEASURES.register("weight_norm")
    def weight_norm(arrays): ...

The contract tests run over `names()`, so a new thing is tested the moment it exists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from grokkeras.errors import UserError, nearest_name

T = TypeVar("T")


class Registry(Generic[T]):
    """A table of things of one `kind` (a singular noun, used in messages)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: makes the thing known as `name`. A name already taken is a ValueError."""

        def add(thing: T) -> T:
            if name in self._things:
                raise ValueError(f"{self.kind} {name!r} is already registered.")
            self._things[name] = thing
            return thing

        return add

    def get(self, name: str) -> T:
        """The thing called `name`; an unknown name is a UserError that lists the known ones."""
        if name in self._things:
            return self._things[name]
        near = nearest_name(name, self._things)
        hint = f" Did you mean {near!r}?" if near else ""
        raise UserError(
            f"Unknown {self.kind} {name!r}.{hint} Known: {', '.join(self.names()) or 'none'}."
        )

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._things)
