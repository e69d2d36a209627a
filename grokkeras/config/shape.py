"""How large a task's data is, known from its options before any of it exists.

Checks and the memory estimate need sizes, not examples, so a configuration can be refused without
NumPy. Only `arrays` has to be opened first: its shape comes from `TaskShape.of_data`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from grokkeras.config.task_options import (
    Arrays,
    ModularArithmetic,
    ModularMixture,
    SparseParity,
    Splits,
    SymmetricGroup,
)


@dataclass(frozen=True)
class TaskShape:
    """The sizes of a task.

    Attributes:
        num_train, num_val, num_test: examples in each split.
        num_classes: labels are 0..num_classes-1.
        length: tokens an example, or features an example.
        vocab_size: number of tokens, or None for features.
        token_ranges: for each position (first token, number of tokens) that may stand there, or
            None for features.
    """

    num_train: int
    num_val: int
    num_test: int
    num_classes: int
    length: int
    vocab_size: int | None
    token_ranges: tuple[tuple[int, int], ...] | None

    @property
    def num_examples(self) -> int:
        """Examples in all splits."""
        return self.num_train + self.num_val + self.num_test

    @classmethod
    def of_data(cls, data: Any) -> TaskShape:
        """The sizes of data that exists, a `grokkeras.tasks.TaskData`."""
        num_train, num_val = len(data.train.y) + len(data.unlabelled), len(data.val.y)
        return cls(
            num_train,
            num_val,
            data.num_examples - num_train - num_val,
            data.num_classes,
            data.length,
            data.vocab_size,
            data.token_ranges,
        )


def task_shape(task: Splits) -> TaskShape | None:
    """The sizes of a task, or None where only its file knows them (`arrays`).

    What augmentation or a teacher will add to the training split is not counted. A split may come
    out empty, or the test split negative: `checks` refuses that.
    """
    if isinstance(task, Arrays):
        return None
    if isinstance(task, SparseParity):
        ranges = ((0, 2),) * task.num_bits
        return _shape(task, task.num_examples, 2, 2, ranges)
    if isinstance(task, ModularArithmetic):
        first_b = 1 if task.operation == "divide" else 0
        return _pairs(task, task.format, task.modulus, first_b)
    if isinstance(task, ModularMixture):
        return _mixture(task)
    assert isinstance(task, SymmetricGroup)
    return _pairs(task, task.format, math.factorial(task.degree), 0)


def _pairs(task: Splits, layout: str, size: int, first_b: int) -> TaskShape:
    a, b, equals, operation = (0, size), (first_b, size - first_b), (size, 1), (size + 1, 1)
    ranges = {"a b": (a, b), "a b =": (a, b, equals), "a op b =": (a, operation, b, equals)}[layout]
    vocab_size = max(first + count for first, count in ranges)
    return _shape(task, size * (size - first_b), size, vocab_size, ranges)


def _mixture(task: ModularMixture) -> TaskShape:
    first_b = [int(operation == "divide") for operation in task.operations]
    shapes = [_pairs(task, "a op b =", task.modulus, first) for first in first_b]
    size, count = task.modulus, len(task.operations)
    return TaskShape(
        num_train=sum(each.num_train for each in shapes),
        num_val=sum(each.num_val for each in shapes),
        num_test=sum(each.num_test for each in shapes),
        num_classes=size,
        length=4,
        vocab_size=size + 1 + count,
        token_ranges=((0, size), (size + 1, count), (0, size), (size, 1)),
    )


def _shape(
    task: Splits,
    count: int,
    num_classes: int,
    vocab_size: int,
    ranges: tuple[tuple[int, int], ...],
) -> TaskShape:
    # The same rounding as grokkeras.tasks.splits; a test holds the two together.
    num_train, num_val = round(task.train_fraction * count), round(task.val_fraction * count)
    num_pool = round(task.pool_fraction * count)
    return TaskShape(
        num_train,
        num_val,
        count - num_train - num_val - num_pool,
        num_classes,
        len(ranges),
        vocab_size,
        ranges,
    )
