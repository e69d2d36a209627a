"""What a task is: named, split data plus what a model has to know of it. NumPy only.

A task is a function `(options, seed) -> TaskData`, registered by name:

    @TASKS.register("my_task")
    def my_task(options, seed):
        options = read_options(MyOptions, options)
        ...
        return TaskData(...)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from grokkeras.errors import UserError, nearest_name
from grokkeras.registry import Registry
from grokkeras.tasks.splits import split_indices

TaskBuilder = Callable[[Any, int], "TaskData"]
TASKS: Registry[TaskBuilder] = Registry("task")

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, eq=False)
class Split:
    """Examples of one part.

    Attributes:
        x: (n, length) int32 tokens, or (n, features) float32.
        y: (n,) int32 labels, 0..num_classes-1.
    """

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


class Codec(Protocol):
    """Between a person's words for an example and its numbers."""

    def encode(self, **operands: Any) -> np.ndarray:
        """One row of tokens, (length,) int32, from named operands."""
        ...

    def answer(self, label: int) -> object:
        """What the class `label` means."""
        ...


class _Sealed:
    """Keeps the test split where `vars`, `repr` and generic tree walks do not come upon it."""

    __slots__ = ("_split",)

    def __init__(self, split: Split) -> None:
        self._split = split

    def open(self) -> Split:
        return self._split

    def __repr__(self) -> str:
        return "<sealed>"


class TaskData:
    """A task's examples in three parts, and the facts a model is built from.

    Attributes:
        name: the registry's name of the task.
        train: examples to train on.
        val: examples that steer detection, stopping and the choice of the best model.
        num_examples: examples in all three parts.
        num_classes: labels are 0..num_classes-1.
        vocab_size: number of tokens in the vocabulary, or None for features.
        length: tokens an example, or features an example.
        token_ranges: for each position (first token, number of tokens) that may stand there, or
            None for features.

    The test split is no attribute: `test_split()` returns it, for the final evaluation only.
    """

    def __init__(
        self,
        name: str,
        x: np.ndarray,
        y: np.ndarray,
        *,
        num_classes: int,
        train_fraction: float,
        val_fraction: float,
        seed: int,
        stratify: bool = False,
        vocab_size: int | None = None,
        token_ranges: tuple[tuple[int, int], ...] | None = None,
        title: str | None = None,
        codec: Codec | None = None,
    ) -> None:
        """Splits (x, y).

        Args:
            name: the registry's name.
            x: (n, length) tokens or (n, features).
            y: (n,) labels.
            num_classes: number of labels.
            train_fraction: share to train on.
            val_fraction: share to validate on.
            seed: the run's seed.
            stratify: see `splits.split_indices`.
            vocab_size: number of tokens; None makes x features, cast to float32.
            token_ranges: see the class; required with `vocab_size`.
            title: the task in a few words, default its name.
            codec: how to encode an example by hand; None if there is no such way.

        Raises:
            UserError: the fractions leave a part empty.
        """
        x = np.ascontiguousarray(x, dtype=np.float32 if vocab_size is None else np.int32)
        y = np.ascontiguousarray(y, dtype=np.int32)
        train, val, test = split_indices(y, train_fraction, val_fraction, seed, stratify)
        self.name = name
        self.train = Split(x[train], y[train])
        self.val = Split(x[val], y[val])
        self.num_examples = len(y)
        self.num_classes = num_classes
        self.vocab_size = vocab_size
        self.length = x.shape[1]
        self.token_ranges = token_ranges
        self._test = _Sealed(Split(x[test], y[test]))
        self._title = title or name
        self._codec = codec

    def test_split(self) -> Split:
        """The test examples. For the final evaluation: nothing before it may look at them."""
        return self._test.open()

    def describe(self) -> str:
        """One sentence for a person: the task and how many examples each part has."""
        train, val = len(self.train), len(self.val)
        return (
            f"{self._title}: {self.num_examples:,} examples, {train:,} to train on, "
            f"{val:,} to validate on, {self.num_examples - train - val:,} kept for the test"
        )

    def encode(self, **operands: Any) -> np.ndarray:
        """One example by hand, such as `encode(a=12, b=95)`.

        Returns:
            (length,) int32 tokens.

        Raises:
            UserError: an operand is missing, unknown or out of range, or the task has no operands.
        """
        return self._require_codec().encode(**operands)

    def answer(self, label: int) -> object:
        """What class `label` means: the number, or the permutation as a string such as "21345"."""
        if not 0 <= label < self.num_classes:
            raise UserError(
                f"Class {label!r} does not exist: expected 0 to {self.num_classes - 1}."
            )
        return self._require_codec().answer(int(label))

    def _require_codec(self) -> Codec:
        if self._codec is None:
            raise UserError(
                f"The task {self.name!r} has no operands to encode; pass rows of x instead, "
                f"{self.length} numbers each."
            )
        return self._codec

    def __repr__(self) -> str:
        return f"<TaskData {self.describe()}>"


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


def make_task(options: object, seed: int) -> TaskData:
    """Builds the task that `options.name` names.

    Args:
        options: the configuration's `task`, or a mapping or object with the same fields; what a
            mapping leaves out takes the task's default.
        seed: not negative; the same seed gives the same data and split everywhere.

    Returns:
        The task, split.

    Raises:
        UserError: unknown name or option, or options that make no task.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UserError(f"seed must be an integer, 0 or more; received {seed!r}.")
    name = options.get("name") if isinstance(options, Mapping) else getattr(options, "name", None)
    if not isinstance(name, str):
        raise UserError(f"A task needs a name, one of: {', '.join(TASKS.names())}.")
    return TASKS.get(name)(options, int(seed))
