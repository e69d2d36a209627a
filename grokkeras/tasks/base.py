"""What a task is: named, split data plus what a model has to know of it. NumPy only.

A task is a function `(options, seed) -> TaskData`, registered by name:

    @TASKS.register("my_task")
    def my_task(options, seed):
        options = read_options(MyOptions, options)
        ...
        return TaskData(...)
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from grokkeras.errors import UserError
from grokkeras.registry import Registry
from grokkeras.tasks.rows import RowKeys
from grokkeras.tasks.splits import split_in_parts
from grokkeras.tasks.structure import Structure

TaskBuilder = Callable[[Any, int], "TaskData"]
TASKS: Registry[TaskBuilder] = Registry("task")


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
        num_examples: examples in all three parts, and those that wait for a teacher's labels.
        num_classes: labels are 0..num_classes-1.
        vocab_size: number of tokens in the vocabulary, or None for features.
        length: tokens an example, or features an example.
        token_ranges: for each position (first token, number of tokens) that may stand there, or
            None for features.
        structure: what the task knows of its inputs: rule, symmetries, difficulties, parts.
        wrong_labels: places in `train` whose labels were made wrong, (n,) ascending.
        scores: for each difficulty that is given and not computed, one number a training example.
        unlabelled: inputs that a teacher is to label and that then join `train`, (n, length).
        notes: what was done to the training split, in words.

    The test split is no attribute: `test_split()` returns it, for the final evaluation only. Nor
    is the pool, the examples in no split: `pool_split()` has the inputs that may be added to the
    training split.
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
        pool_fraction: float = 0.0,
        structure: Structure | None = None,
        scores: Mapping[str, np.ndarray] | None = None,
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
            pool_fraction: share that stands in no split, taken from what would be the test split.
            structure: what is known of the inputs; None: nothing.
            scores: (n,) numbers by name, larger is harder, for a curriculum.

        Raises:
            UserError: the fractions leave a part empty.
        """
        x = np.ascontiguousarray(x, dtype=np.float32 if vocab_size is None else np.int32)
        y = np.ascontiguousarray(y, dtype=np.int32)
        self.structure = structure or Structure()
        parts = self.structure.part_of(x)
        train, val, test, pool = split_in_parts(
            y, parts, (train_fraction, val_fraction, pool_fraction), seed, stratify
        )
        self.name = name
        self.train = Split(x[train], y[train])
        self.val = Split(x[val], y[val])
        self.num_classes = num_classes
        self.vocab_size = vocab_size
        self.length = x.shape[1]
        self.token_ranges = token_ranges
        self.wrong_labels = np.zeros(0, np.int64)
        self.scores = {key: np.asarray(each)[train] for key, each in (scores or {}).items()}
        self.unlabelled = x[:0]
        self.notes: tuple[str, ...] = ()
        self._test = _Sealed(Split(x[test], y[test]))
        self._pool = _Sealed(Split(x[pool], y[pool]))
        self._title = title or name
        self._codec = codec

    @property
    def num_examples(self) -> int:
        """Examples in all three parts, and those that wait for a teacher's labels."""
        return len(self.train) + len(self.val) + len(self._test.open()) + len(self.unlabelled)

    def test_split(self) -> Split:
        """The test examples. For the final evaluation: nothing before it may look at them."""
        return self._test.open()

    def pool_split(self) -> Split:
        """The examples that stand in no split, with their true labels."""
        return self._pool.open()

    def held_out(self, x: np.ndarray) -> np.ndarray:
        """Which rows stand in validation or test, and so must not be trained on: (n,) bool."""
        keys = RowKeys(self.vocab_size, self.length)
        held = np.concatenate([self.val.x, self._test.open().x])
        return np.isin(keys(x), keys(held))

    def by_part(self, split: Split) -> dict[str, Split]:
        """A split's examples by the part of a mixture that they belong to; {} for one whole."""
        part = self.structure.part_of(split.x)
        return {
            name: Split(split.x[part == place], split.y[part == place])
            for place, name in enumerate(self.structure.part_names)
        }

    def changed(self, *, note: str | None = None, **attributes: Any) -> TaskData:
        """A copy of the task, some of its attributes replaced; val and test stay as they are.

        Args:
            note: what was done, in words.
            attributes: of `train`, `wrong_labels`, `unlabelled`.

        Raises:
            ValueError: the new training split has an input of validation or test.
        """
        new = copy.copy(self)
        vars(new).update(attributes)
        if "train" in attributes and self.held_out(new.train.x[len(self.train) :]).any():
            raise ValueError("An added training example stands in validation or test.")
        missing = len(new.train) - len(self.train)
        # What is known of the given examples alone makes the added ones the hardest.
        new.scores = {
            key: np.append(each, np.full(missing, each.max())) for key, each in self.scores.items()
        }
        new.notes = (*self.notes, note) if note else self.notes
        return new

    def fingerprint(self) -> str:
        """Of all splits' inputs and labels: the same for the same data in the same places."""
        digest = hashlib.sha256()
        for split in (self.train, self.val, self._test.open()):
            for array in (split.x, split.y):
                digest.update(str(array.shape).encode())
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        return digest.hexdigest()[:16]

    def describe(self) -> str:
        """One sentence for a person: the task, how many examples each part has, what was done."""
        train, val, test = len(self.train), len(self.val), len(self._test.open())
        notes = "".join(f"; {note}" for note in self.notes)
        return (
            f"{self._title}: {self.num_examples:,} examples, {train:,} to train on, "
            f"{val:,} to validate on, {test:,} kept for the test{notes}"
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
