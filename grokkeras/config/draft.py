"""A configuration that may still have faults, as far as its sound parts go.

Checks across fields must not wait until the last type error is mended, and must not stumble over
it either: a check reads what it needs from the draft and is passed over where that is unsound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from grokkeras.config import fields
from grokkeras.config.base import Section
from grokkeras.config.schema import RunConfig


class UnsoundError(Exception):
    """A check needs a value that was refused already."""


class Draft:
    """Read by dotted key: `draft["model.width"]`.

    Args:
        data: the plain configuration.
        faulty: dotted keys already refused.
    """

    def __init__(self, data: Mapping[Any, Any], faulty: Iterable[str]) -> None:
        self.data = data
        self._faulty = set(faulty)
        self._sections: dict[str, Section | None] = {}

    def __getitem__(self, dotted: str) -> Any:
        """The value at `section.key`, its default filled in.

        Raises:
            UnsoundError: it, or the whole section, was refused.
        """
        section, key = dotted.split(".")
        if self._is_faulty(dotted):
            raise UnsoundError(dotted)
        value = self._section(section)
        if value is None:
            raise UnsoundError(section)
        return getattr(value, key)

    def section(self, name: str) -> Any:
        """A section without any fault.

        Raises:
            UnsoundError: it has one.
        """
        value = self._section(name)
        if value is None or any(key.split(".")[0] == name for key in self._faulty):
            raise UnsoundError(name)
        return value

    def given(self, dotted: str) -> bool:
        """Whether the user set this key, rather than leaving it to its default."""
        section, key = dotted.split(".")
        value = self.data.get(section)
        return isinstance(value, Mapping) and key in value

    def _is_faulty(self, dotted: str) -> bool:
        return any(key == dotted or key.startswith(f"{dotted}.") for key in self._faulty)

    def _section(self, name: str) -> Section | None:
        if name not in self._sections:
            self._sections[name] = self._build(name)
        return self._sections[name]

    def _build(self, name: str) -> Section | None:
        raw = self.data.get(name)
        if raw is None and name not in self.data and not RunConfig.model_fields[name].is_required():
            return RunConfig.model_fields[name].get_default(call_default_factory=True)
        if not isinstance(raw, Mapping):
            return None
        cls = fields.section_class(name, raw.get("name"))
        if cls is None:
            return None
        sound = {
            key: value
            for key, value in raw.items()
            if key in cls.model_fields and not self._is_faulty(f"{name}.{key}")
        }
        try:
            return TypeAdapter(cls).validate_python(sound)
        except ValidationError:  # a key without a default is missing
            return None
