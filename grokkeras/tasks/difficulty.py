"""How hard training examples are, by the task's own measure: the order of a curriculum."""

from __future__ import annotations

import numpy as np

from grokkeras.errors import UserError, nearest_name
from grokkeras.tasks.base import TaskData


def difficulty_names(task: TaskData) -> tuple[str, ...]:
    """What `difficulty` can go by: what the task computes, and what came with its data."""
    return (*task.structure.difficulties(), *task.scores)


def difficulty(task: TaskData, by: str) -> np.ndarray:
    """How hard each training example is.

    Args:
        task: the task.
        by: one of `difficulty_names(task)`:
            operand_range    modular arithmetic: the larger operand
            operation        a mixture: the operation's place in the list
            inversions       symmetric groups: swaps of neighbours that make both operands
            transpositions   symmetric groups: swaps of any two that make both operands
            set_bits         sparse parity: bits that are 1, of all of them, since which ones
                             matter is what is to be learnt
            given            arrays: the array `difficulty` in the file

    Returns:
        (n,) float64, larger is harder.

    Raises:
        UserError: the task has no such difficulty.
    """
    if by in task.scores:
        return task.scores[by].astype(np.float64)
    if by in task.structure.difficulties():
        return task.structure.difficulty(by, task.train.x)
    known = difficulty_names(task)
    near = nearest_name(by, known)
    hint = f" Did you mean {near!r}?" if near else ""
    words = ", ".join(known) or "none; for arrays, save (n,) numbers as difficulty beside x and y"
    raise UserError(f"curriculum.by: {task.name} has no difficulty {by!r}.{hint} Known: {words}.")
