"""Declared symmetries hold for every example, and the configuration knows the same ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from parts_of import everything, keys, parts

from grokkeras.config import data_options
from grokkeras.tasks import TaskData, make_task
from grokkeras.tasks.modular import OPERATIONS
from grokkeras.tasks.symmetry_check import check_symmetries

# Written anew, digit by digit, so that a slip in the package's formulas shows.
FORMULAS: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda a, b, p: (a + b) % p,
    "subtract": lambda a, b, p: (a - b) % p,
    "multiply": lambda a, b, p: (a * b) % p,
    "divide": lambda a, b, p: next(c for c in range(p) if c * b % p == a),
    "x2+y2": lambda a, b, p: (a * a + b * b) % p,
    "x2+xy+y2": lambda a, b, p: (a * a + a * b + b * b) % p,
    "x2+xy+y2+x": lambda a, b, p: (a * a + a * b + b * b + a) % p,
    "x3+xy": lambda a, b, p: (a * a * a + a * b) % p,
    "x3+xy2+y": lambda a, b, p: (a * a * a + a * b * b + b) % p,
}


def compose(f: tuple[int, ...], g: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(f[g[i]] for i in range(len(g)))


def inverted(f: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(f.index(i) for i in range(len(f)))


@pytest.mark.parametrize(
    ("operation", "modulus"),  # division needs a prime
    [(name, p) for name in OPERATIONS for p in (7, 12) if (name, p) != ("divide", 12)],
)
def test_declared_symmetries_of_modular_arithmetic_hold_for_every_pair(
    operation: str, modulus: int
) -> None:
    options = {"name": "modular_arithmetic", "operation": operation, "modulus": modulus}
    task = make_task(options, seed=0)
    x = everything(task)
    y = np.array([FORMULAS[operation](a, b, modulus) for a, b, _ in x.tolist()])
    assert task.structure.symmetries()
    for name in task.structure.symmetries():
        members = list(task.structure.members(name))
        for member in members:
            before = x.copy()
            images, labels = member.inputs(x), member.labels(x, y)
            assert (x == before).all()
            assert keys(images) == keys(x), name  # a bijection of the inputs
            expected = [FORMULAS[operation](a, b, modulus) for a, b, _ in images.tolist()]
            assert labels.tolist() == expected, name
        assert check_symmetries(task, members) == len(members) * len(x)


@pytest.mark.parametrize("operation", ["ab", "aba'", "aba"])
@pytest.mark.parametrize("degree", [3, 4])
def test_declared_symmetries_of_permutations_hold_for_every_pair(
    operation: str, degree: int
) -> None:
    task = make_task({"name": "symmetric_group", "degree": degree, "operation": operation}, seed=0)
    group = list(permutations(range(degree)))

    def answer(a: int, b: int) -> int:
        left = compose(group[a], group[b])
        factor = {"ab": None, "aba'": inverted(group[a]), "aba": group[a]}[operation]
        return group.index(left if factor is None else compose(left, factor))

    x = everything(task)
    table = {(a, b): answer(a, b) for a in range(len(group)) for b in range(len(group))}
    y = np.array([table[a, b] for a, b, _ in x.tolist()])
    for name in task.structure.symmetries():
        for member in task.structure.members(name):
            images, labels = member.inputs(x), member.labels(x, y)
            assert keys(images) == keys(x), name
            assert labels.tolist() == [table[a, b] for a, b, _ in images.tolist()], name


@pytest.mark.parametrize("num_relevant", [2, 3])
def test_the_complement_of_a_parity_holds_for_every_row(num_relevant: int) -> None:
    options = {"name": "sparse_parity", "num_bits": 8, "num_relevant": num_relevant}
    task = make_task({**options, "num_examples": 256}, seed=3)
    table = dict(zip(map(tuple, everything(task).tolist()), labels_of(task), strict=True))
    (member,) = task.structure.members("complement")
    x = everything(task)
    expected = [table[tuple(row)] for row in (1 - x).tolist()]
    assert member.labels(x, np.array(labels_of(task))).tolist() == expected


def labels_of(task: TaskData) -> list[int]:
    return np.concatenate([part.y for part in parts(task)]).tolist()


def test_mixtures_declare_what_all_their_operations_have() -> None:
    options = {"name": "modular_mixture", "operations": ["add", "subtract", "multiply"]}
    task = make_task({**options, "modulus": 7}, seed=0)
    assert task.structure.symmetries() == ("commute", "scale", "negate")
    x = everything(task)
    formulas = [FORMULAS[name] for name in options["operations"]]

    def truth(rows: np.ndarray) -> list[int]:
        return [formulas[op - 8](a, b, 7) for a, op, b, _ in rows.tolist()]

    for name in task.structure.symmetries():
        for member in task.structure.members(name):
            images = member.inputs(x)
            assert (images[:, 1] == x[:, 1]).all()
            assert member.labels(x, np.array(truth(x))).tolist() == truth(images), name


def test_the_configuration_knows_the_same_symmetries() -> None:
    for operation in OPERATIONS:
        options = {"name": "modular_arithmetic", "operation": operation, "modulus": 7}
        check_names(options)
    for operation in ("ab", "aba'", "aba"):
        check_names({"name": "symmetric_group", "degree": 3, "operation": operation})
    check_names({"name": "modular_mixture", "operations": ["multiply", "divide"], "modulus": 7})
    check_names({"name": "sparse_parity", "num_bits": 8, "num_examples": 64})


def check_names(options: dict) -> None:
    ours = make_task(options, seed=0).structure.symmetries()
    assert data_options.symmetries(SimpleNamespace(**options)) == ours
