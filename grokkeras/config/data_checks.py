"""What does not go together in the data's options: pools, symmetries, teachers, curricula.

Each check is a generator of faults that reads a `Draft`, as in `grokkeras.config.checks`.
"""

from __future__ import annotations

from collections.abc import Iterator

from grokkeras.config.data_options import difficulties, symmetries
from grokkeras.config.draft import Draft
from grokkeras.config.explain import NOTHING
from grokkeras.config.shape import TaskShape
from grokkeras.errors import Fault, nearest_name

# Their splits together hold every input there is.
_ALL_INPUTS = ("modular_arithmetic", "modular_mixture", "symmetric_group")


def pool_leaves_a_test_split(draft: Draft) -> Iterator[Fault]:
    """The three shares and the pool are of the same examples."""
    taken = draft["task.train_fraction"] + draft["task.val_fraction"]
    pool = draft["task.pool_fraction"]
    if taken < 1 <= taken + pool:
        words = f"below {1 - taken:.3g}, since train, validation and pool must leave a test split"
        yield Fault("task.pool_fraction", pool, words)


def symmetries_are_declared(draft: Draft) -> Iterator[Fault]:
    """A symmetry of another task would give wrong labels."""
    names = draft["task.augment"]
    if not names:
        return
    task = draft.section("task")
    known = symmetries(task)
    for index, name in enumerate(names):
        key = f"task.augment.{index}"
        if name not in known:
            words = f"one of {', '.join(known)}" if known else "nothing"
            whose = f"the symmetries of {_what(task)}"
            if not known and task.name == "arrays":
                whose = "arrays declares none; give your own with tasks.augmented in Python"
            yield Fault(key, name, f"{words}: {whose}", nearest_name(name, known))
        elif name in names[:index]:
            yield Fault(key, name, "each symmetry once")


def added_examples_have_a_place(draft: Draft) -> Iterator[Fault]:
    """Where every input stands in a split, no image and no teacher can add one."""
    if draft["task.pool_fraction"] > 0:
        return
    words = "above 0, such as 0.2: the inputs that"
    if draft["task.teacher"] is not None:
        yield Fault("task.pool_fraction", 0.0, f"{words} the teacher labels are set aside there")
    elif draft["task.augment"] and draft["task.name"] in _ALL_INPUTS:
        reason = "augmentation may add are set aside there; all others stand in a split"
        yield Fault("task.pool_fraction", 0.0, f"{words} {reason}")


def operations_are_two_at_least(draft: Draft) -> Iterator[Fault]:
    """A mixture of one operation is no mixture."""
    if draft["task.name"] != "modular_mixture":
        return
    operations = draft["task.operations"]
    if len(operations) < 2:
        yield Fault("task.operations", operations, "two at least; for one: modular_arithmetic")
    for index, operation in enumerate(operations):
        if operation in operations[:index]:
            yield Fault(f"task.operations.{index}", operation, "each operation once")


def curriculum_is_one_of_two(draft: Draft) -> Iterator[Fault]:
    """By step or by accuracy, from less to more, and with batches."""
    if draft["curriculum.by"] not in difficulties(draft["task.name"]):
        known = difficulties(draft["task.name"])
        yield Fault(
            "curriculum.by",
            draft["curriculum.by"],
            f"a difficulty of {draft['task.name']}: {' or '.join(known)}",
            nearest_name(draft["curriculum.by"], known),
        )
    steps, until = draft["curriculum.steps"], draft["curriculum.until"]
    if steps is None and until is None:
        words = "a number of steps, such as 2000, or curriculum.until, an accuracy such as 0.95"
        yield Fault("curriculum.steps", NOTHING, words)
    elif steps is not None and until is not None:
        yield Fault("curriculum.until", until, "nothing where curriculum.steps is given, or alone")
    elif steps is not None and draft["curriculum.stages"] is not None:
        words = "nothing: stages go with curriculum.until, steps grow evenly"
        yield Fault("curriculum.stages", draft["curriculum.stages"], words)
    start, end = draft["curriculum.start"], draft["curriculum.end"]
    if end < start:
        yield Fault("curriculum.end", end, f"at least curriculum.start, {start:g}")
    if draft["train.batch_size"] == "full":
        words = "a number, such as 512: a curriculum draws its batches from the easiest examples"
        yield Fault("train.batch_size", "full", words)


def batch_within_the_first_examples(draft: Draft, shape: TaskShape) -> Iterator[Fault]:
    """A batch must not be larger than what a curriculum admits at first."""
    size = draft["train.batch_size"]
    admitted = round(draft["curriculum.start"] * shape.num_train)
    if size != "full" and admitted < size <= shape.num_train:
        words = f"at most the {admitted:,} training examples that curriculum.start admits"
        yield Fault("train.batch_size", size, words)


def may_grow(draft: Draft) -> bool:
    """Whether the training split's size is known only when the data exist."""
    return bool(draft["task.augment"]) or draft["task.teacher"] is not None


def _what(task: object) -> str:
    operations = getattr(task, "operations", None) or [getattr(task, "operation", None)]
    name = getattr(task, "name", "")
    return name if operations == [None] else f"{name} with {' and '.join(map(str, operations))}"


CHECKS = [
    pool_leaves_a_test_split,
    symmetries_are_declared,
    added_examples_have_a_place,
    operations_are_two_at_least,
    curriculum_is_one_of_two,
]
SHAPE_CHECKS = [batch_within_the_first_examples]
