"""The group behind a task, for the measures that ask which frequencies a network uses."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokkeras.measures.groups import CyclicGroup, Group, SymmetricGroup
from grokkeras.tasks import TaskData
from grokkeras.tasks.modular_structure import ModularStructure
from grokkeras.tasks.permutations import elements


def task_group(options: Any, task: TaskData) -> Group | None:
    """The group, or None where the task has none that is known here.

    Args:
        options: the configuration's `task`.
        task: its data.
    """
    if options.name == "symmetric_group":
        return SymmetricGroup(elements(options.degree))
    if options.name != "modular_arithmetic":
        return None
    elements_of = {
        "add": _residues,
        "subtract": _residues,
        "multiply": _powers,
        "divide": _powers,
    }.get(options.operation)
    numbers = None if elements_of is None else elements_of(options.modulus)
    if numbers is None or not isinstance(task.structure, ModularStructure):
        return None
    # a - b is a + (-b), and a / b is a * b^-1: the second operand's elements run backwards.
    inverted = options.operation in ("subtract", "divide")
    n = len(numbers)
    first, second = numbers, numbers[-np.arange(n) % n] if inverted else numbers
    layout = task.structure.layout
    pairs = np.meshgrid(first, second, indexing="ij")
    inputs = layout.rows(pairs[0].ravel(), pairs[1].ravel())
    place_a, place_b = (_places(tokens, options.modulus) for tokens in (first, second))

    def mask(*splits: Any) -> np.ndarray:
        marked = np.zeros((n, n), bool)
        for split in splits:
            a, b, _ = layout.operands(split.x)
            i, j = place_a[a], place_b[b]
            known = (i >= 0) & (j >= 0)  # multiplication by 0 is outside the group
            marked[i[known], j[known]] = True
        return marked

    return CyclicGroup(
        first, inputs, numbers, train=mask(task.train), seen=mask(task.train, task.val)
    )


def _residues(modulus: int) -> np.ndarray | None:
    return np.arange(modulus) if modulus > 2 else None


def _powers(modulus: int) -> np.ndarray | None:
    """Powers 0, 1, ... of the smallest generator of the residues other than 0; None without one.

    They are a cyclic group where the modulus is prime; other moduli are not looked at.
    """
    for generator in range(2, modulus):
        powers = [1]
        while (power := powers[-1] * generator % modulus) not in (0, 1) and len(powers) < modulus:
            powers.append(power)
        if len(powers) == modulus - 1:
            return np.array(powers)
    return None


def _places(tokens: np.ndarray, size: int) -> np.ndarray:
    places = np.full(size, -1)
    places[tokens] = np.arange(len(tokens))
    return places
