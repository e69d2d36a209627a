"""Examples of a task, as its tests hold them beside each other."""

from __future__ import annotations

import numpy as np

from grokkeras.tasks import Split, TaskData


def parts(task: TaskData) -> tuple[Split, ...]:
    return task.train, task.val, task.test_split(), task.pool_split()


def everything(task: TaskData) -> np.ndarray:
    return np.concatenate([part.x for part in parts(task)])


def keys(x: np.ndarray) -> set[tuple[float, ...]]:
    return set(map(tuple, x.tolist()))
