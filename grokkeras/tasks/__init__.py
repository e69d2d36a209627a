"""Tasks: what is to be learnt, as NumPy arrays split into train, validation and test.

    from grokkeras import tasks
    task = tasks.make_task({"name": "modular_arithmetic", "operation": "add"}, seed=0)
    task.train.x, task.train.y, task.val.x, task.val.y

Importing this package registers every task; a new one is a file that is imported here.
"""

from __future__ import annotations

from grokkeras.tasks import arrays, modular, parity, symmetric
from grokkeras.tasks.base import TASKS, Split, TaskData, make_task
from grokkeras.tasks.splits import split_counts, split_indices

__all__ = [
    "TASKS",
    "Split",
    "TaskData",
    "arrays",
    "make_task",
    "modular",
    "parity",
    "split_counts",
    "split_indices",
    "symmetric",
]
