"""Options that every task has, and how a task reads its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grokkeras.errors import UserError, nearest_name

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How a task's examples are divided, and what is done to the training split.

    Attributes:
        train_fraction, val_fraction: shares of the examples; the rest is the test split.
        stratify: keep every label's share equal in the splits.
        pool_fraction: share set aside, taken from the rest, for augmentation and a teacher.
        augment: names of symmetries, see `augmentation.augmented`.
        teacher: mapping or object with `run` and `examples`, or None; see `diversity`.
        label_noise: share of the training labels that is made wrong.
    """

    train_fraction: float = 0.4
    val_fraction: float = 0.3
    stratify: bool = False
    pool_fraction: float = 0.0
    augment: Sequence[str] = ()
    teacher: Any = None
    label_noise: float = 0.0

    def split(self) -> dict[str, Any]:
        """The arguments of `TaskData` that divide the examples."""
        keys = ("train_fraction", "val_fraction", "stratify", "pool_fraction")
        return {key: getattr(self, key) for key in keys}


def read_options(kind: type[OptionsT], options: object) -> OptionsT:
    """A task's options as its own dataclass, from the configuration's object or a mapping.

    Args:
        kind: a dataclass; its defaults fill in what a mapping leaves out.
        options: a mapping, or any object with the fields as attributes.

    Raises:
        UserError: a mapping has a key that the task does not know.
    """
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    if isinstance(options, Mapping):
        for key in options:
            if key not in names and key != "name":
                near = nearest_name(str(key), names)
                hint = f" Did you mean {near!r}?" if near else ""
                raise UserError(
                    f"Unknown task option {key!r}.{hint} Known: {', '.join(sorted(names))}."
                )
        return kind(**{name: options[name] for name in names if name in options})
    return kind(**{name: getattr(options, name) for name in names if hasattr(options, name)})
