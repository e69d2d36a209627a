"""What is done to a training split after it was drawn: augmentation, a teacher, wrong labels.

In this order: symmetries need true labels; a teacher labels what augmentation has not reached;
wrong labels come last and leave the teacher's as the teacher gave them. Validation and test are
never touched. All of it is drawn with NumPy from the seed, so it is the same on every backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokkeras.errors import UserError
from grokkeras.tasks.augmentation import augmented
from grokkeras.tasks.base import Split, TaskData
from grokkeras.tasks.options import SplitOptions, read_options
from grokkeras.tasks.rows import RowKeys
from grokkeras.tasks.splits import generator, shuffled

_NOISE_STREAM = 104
_TEACHER_STREAM = 105
_KEYS = ("augment", "teacher", "label_noise")


def diversified(task: TaskData, options: object, seed: int) -> TaskData:
    """What a task's options ask for beyond its examples; teachers' labels are still to come.

    Args:
        task: as its family made it.
        options: with `augment`, `teacher` and `label_noise`, each of which may be missing.
        seed: the run's seed.

    Raises:
        UserError: a symmetry is unknown or does not hold, a share is out of range, or there are
            fewer inputs in the pool than the teacher is to label.
    """
    if isinstance(options, Mapping):
        options = {key: value for key, value in options.items() if key in _KEYS}
    chosen = read_options(SplitOptions, options)
    if chosen.augment:
        task = augmented(task, chosen.augment)
    if chosen.teacher is not None:
        task = task.changed(unlabelled=teacher_inputs(task, _examples(chosen.teacher), seed))
    if chosen.label_noise:
        task = with_label_noise(task, chosen.label_noise, seed)
    return task


def with_label_noise(task: TaskData, share: float, seed: int) -> TaskData:
    """The task with a share of its training labels wrong, each replaced by another class.

    Args:
        task: the task.
        share: of the training examples, from 0 to below 1; exactly round(share * n) labels.
        seed: which labels, and what stands there instead.

    Returns:
        A new task; `wrong_labels` has the places.
    """
    if not 0.0 <= share < 1.0:
        raise UserError(f"task.label_noise must lie between 0 and 1, received {share!r}.")
    rng = generator(seed, _NOISE_STREAM)
    wrong = np.sort(shuffled(rng, len(task.train))[: round(share * len(task.train))])
    others = np.uint64(task.num_classes - 1)
    step = rng.bit_generator.random_raw(len(wrong)) % others + np.uint64(1)
    y = task.train.y.copy()
    y[wrong] = (y[wrong] + step.astype(np.int64)) % task.num_classes
    return task.changed(
        train=Split(task.train.x, y),
        wrong_labels=wrong,
        note=f"{len(wrong):,} training labels made wrong",
    )


def teacher_inputs(task: TaskData, examples: float, seed: int) -> np.ndarray:
    """Inputs for a teacher to label: from the pool, but for those trained on already.

    Args:
        task: the task.
        examples: a whole number of inputs, or a float, the share of those there are.
        seed: which of them.

    Raises:
        UserError: there are not so many, or none.
    """
    pool = task.pool_split().x
    keys = RowKeys(task.vocab_size, task.length)
    free = pool[~np.isin(keys(pool), keys(task.train.x))]
    count = round(examples * len(free)) if isinstance(examples, float) else int(examples)
    if not 1 <= count <= len(free):
        raise UserError(
            f"task.teacher.examples: received {examples!r}, expected a number of inputs between 1 "
            f"and the {len(free):,} in the pool that are in no split, or a share of them such as "
            f"0.5. task.pool_fraction makes the pool."
        )
    return free[np.sort(shuffled(generator(seed, _TEACHER_STREAM), len(free))[:count])]


def taught(task: TaskData, labels: np.ndarray) -> TaskData:
    """The task with the inputs that waited for a teacher in its training split.

    Args:
        task: from `make_task` with `teacher`.
        labels: (n,) the teacher's labels of `task.unlabelled`.

    Returns:
        A new task; its last note tells how often the teacher was wrong.
    """
    x = task.unlabelled
    labels = np.asarray(labels).astype(np.int32)
    if labels.shape != (len(x),) or (len(x) and not 0 <= labels.min() <= labels.max()):
        raise ValueError(f"Expected {len(x):,} labels, received an array of {labels.shape}.")
    wrong = teacher_errors(task, labels)
    train = task.train
    return task.changed(
        train=Split(np.concatenate([train.x, x]), np.concatenate([train.y, labels])),
        unlabelled=x[:0],
        note=f"{len(x):,} of the training examples labelled by a teacher, {wrong:,} of them wrong",
    )


def teacher_errors(task: TaskData, labels: np.ndarray) -> int:
    """How many of a teacher's labels of `task.unlabelled` are not the true ones."""
    pool = task.pool_split()
    keys = RowKeys(task.vocab_size, task.length)
    known, first = np.unique(keys(pool.x), return_index=True)
    truth = pool.y[first[np.searchsorted(known, keys(task.unlabelled))]]
    return int((truth != labels).sum())


def _examples(teacher: Any) -> float:
    found = teacher.get("examples", 1.0) if isinstance(teacher, Mapping) else teacher.examples
    return float(found) if isinstance(found, float) else int(found)
