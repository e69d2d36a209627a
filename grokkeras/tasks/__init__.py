"""Tasks: what is to be learnt, as NumPy arrays split into train, validation and test.

    from grokkeras import tasks
    task = tasks.make_task({"name": "modular_arithmetic", "operation": "add"}, seed=0)
    task.train.x, task.train.y, task.val.x, task.val.y

Importing this package registers every task; a new one is a file that is imported here.
"""

from __future__ import annotations

from grokkeras.tasks import arrays, mixture, modular, parity, symmetric
from grokkeras.tasks.augmentation import augmented
from grokkeras.tasks.base import TASKS, Split, TaskData
from grokkeras.tasks.difficulty import difficulty, difficulty_names
from grokkeras.tasks.diversity import taught, with_label_noise
from grokkeras.tasks.make import make_task
from grokkeras.tasks.splits import split_counts, split_indices
from grokkeras.tasks.structure import Structure, Symmetry

__all__ = [
    "TASKS",
    "Split",
    "Structure",
    "Symmetry",
    "TaskData",
    "arrays",
    "augmented",
    "difficulty",
    "difficulty_names",
    "make_task",
    "mixture",
    "modular",
    "parity",
    "split_counts",
    "split_indices",
    "symmetric",
    "taught",
    "with_label_noise",
]
