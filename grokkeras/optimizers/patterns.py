"""Regular expressions that pick weights by their path, such as `head/kernel`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grokkeras.errors import UserError


class Patterns:
    """One or more regular expressions; a weight is meant if one is found in its path.

    Args:
        what: the argument they came in, for messages.
        expressions: one, or several.

    Raises:
        UserError: they are no regular expressions, or there are none.
    """

    def __init__(self, what: str, expressions: str | Sequence[str]) -> None:
        self.what = what
        self.expressions = (expressions,) if isinstance(expressions, str) else tuple(expressions)
        try:
            self._compiled = [re.compile(expression) for expression in self.expressions]
        except (re.error, TypeError) as error:
            raise UserError(
                f"{what} are regular expressions that are searched in a weight's path; received "
                f"{expressions!r} ({error})."
            ) from None
        if not self.expressions:
            raise UserError(f"{what} is empty: name at least one, or leave it out.")

    @classmethod
    def optional(cls, what: str, expressions: str | Sequence[str] | None) -> Patterns | None:
        """The patterns, or None if there are none."""
        return None if expressions is None else cls(what, expressions)

    def first(self, path: str) -> int | None:
        """The place of the first expression that is found in a path."""
        return next((i for i, e in enumerate(self._compiled) if e.search(path)), None)

    def match(self, path: str) -> bool:
        """Whether one is found in a path."""
        return self.first(path) is not None

    def check(self, paths: Sequence[str]) -> None:
        """Makes sure that each expression decides about at least one weight.

        Raises:
            UserError: one does not.
        """
        deciding = {self.first(path) for path in paths}
        for place, expression in enumerate(self.expressions):
            if place not in deciding:
                raise UserError(
                    f"{self.what}: {expression!r} matches no weight, or none that an earlier one "
                    f"has not taken. Weights: {', '.join(paths)}."
                )

    def to_config(self) -> list[str]:
        """The expressions, as a list."""
        return list(self.expressions)
