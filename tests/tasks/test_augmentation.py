"""Declared symmetries hold for every pair, false ones are refused, images stay in training."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from grokkeras.config import data_options
from grokkeras.errors import UserError
from grokkeras.tasks import Split, Symmetry, TaskData, augmented, make_task
from grokkeras.tasks.modular import OPERATIONS
from grokkeras.tasks.rows import RowKeys, SeenRows
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
POOLED = {"train_fraction": 0.3, "val_fraction": 0.2, "pool_fraction": 0.3}


def parts(task: TaskData) -> tuple[Split, ...]:
    return task.train, task.val, task.test_split(), task.pool_split()


def everything(task: TaskData) -> np.ndarray:
    return np.concatenate([part.x for part in parts(task)])


def keys(x: np.ndarray) -> set[tuple[float, ...]]:
    return set(map(tuple, x.tolist()))


def compose(f: tuple[int, ...], g: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(f[g[i]] for i in range(len(g)))


def inverted(f: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(f.index(i) for i in range(len(f)))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("modulus", [7, 12])
def test_declared_symmetries_of_modular_arithmetic_hold_for_every_pair(
    operation: str, modulus: int
) -> None:
    if operation == "divide" and modulus == 12:
        pytest.skip("division needs a prime")
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


AUGMENTED = [
    {"name": "modular_arithmetic", "operation": "add", "modulus": 13, "augment": ["commute"]},
    {"name": "modular_arithmetic", "operation": "subtract", "modulus": 13, "augment": ["scale"]},
    {
        "name": "modular_arithmetic",
        "operation": "multiply",
        "modulus": 12,
        "augment": ["commute", "balance"],
    },
    {"name": "symmetric_group", "degree": 4, "augment": ["inverse", "conjugate"]},
    {"name": "modular_mixture", "modulus": 7, "augment": ["commute", "negate"]},
    {"name": "sparse_parity", "num_bits": 9, "num_examples": 200, "augment": ["complement"]},
]


@pytest.mark.parametrize("options", AUGMENTED, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_augmentation_adds_true_examples_to_training_alone(options: dict, seed: int) -> None:
    options = options | POOLED
    plain = make_task({**options, "augment": []}, seed)
    task = make_task(options, seed)
    own = len(plain.train)
    assert (task.train.x[:own] == plain.train.x).all()
    assert (task.train.y[:own] == plain.train.y).all()
    added = task.train.x[own:]
    assert len(added) > 0
    assert len(keys(task.train.x)) == len(task.train)
    assert (task.structure.labels(task.train.x) == task.train.y).all()
    assert not keys(task.train.x) & (keys(task.val.x) | keys(task.test_split().x))
    for ours, theirs in zip(parts(task)[1:], parts(plain)[1:], strict=True):
        assert (ours.x == theirs.x).all()
        assert (ours.y == theirs.y).all()
    assert task.num_examples == plain.num_examples + len(added)
    assert f"{len(added):,} of the training examples added by" in task.describe()


def test_exactly_the_images_outside_validation_and_test_are_added() -> None:
    options = {"name": "modular_arithmetic", "operation": "add", "modulus": 11, **POOLED}
    plain = make_task(options, seed=0)
    task = make_task({**options, "augment": ["commute"]}, seed=0)
    images = {(b, a, e) for a, b, e in plain.train.x.tolist()}
    held = keys(plain.val.x) | keys(plain.test_split().x)
    assert keys(task.train.x) == keys(plain.train.x) | (images - held)
    left_out = len(images & held)
    assert left_out > 0
    assert f"({left_out:,} images left out" in task.notes[0]


def test_symmetries_are_applied_one_after_the_other() -> None:
    """From one example, commuting and then scaling reaches the pairs (u a, u b) and (u b, u a)."""
    options = {"name": "modular_arithmetic", "operation": "add", "modulus": 5}
    task = make_task(
        {
            **options,
            "train_fraction": 0.04,
            "val_fraction": 0.04,
            "pool_fraction": 0.88,
            "augment": ["commute", "scale"],
        },
        seed=2,
    )
    a, b, equals = task.train.x[0].tolist()
    orbit = {(u * s % 5, u * t % 5, equals) for u in range(1, 5) for s, t in ((a, b), (b, a))}
    assert keys(task.train.x) == orbit - keys(task.val.x) - keys(task.test_split().x)


def swap(x: np.ndarray) -> np.ndarray:
    return x[:, [1, 0, 2]]


def test_a_false_symmetry_is_refused_with_a_counter_example() -> None:
    options = {"name": "modular_arithmetic", "operation": "subtract", "modulus": 7, **POOLED}
    task = make_task(options, seed=0)
    with pytest.raises(UserError, match="does not hold for modular_arithmetic") as refused:
        augmented(task, [Symmetry("swap", swap)])
    words = str(refused.value)
    # The example it shows is one: read back, it contradicts.
    example, image = re.findall(r"\[(\d), (\d), 7\]", words)
    a, b = map(int, example)
    assert image == example[::-1]
    assert f"has the label {(a - b) % 7}" in words
    assert f"but has {(b - a) % 7}." in words
    right = Symmetry("swap", swap, lambda x, y: (-y) % 7)
    assert len(augmented(task, [right]).train) > len(task.train)


def test_a_symmetry_that_fails_at_a_single_pair_is_refused() -> None:
    task = make_task({"name": "modular_arithmetic", "operation": "add", "modulus": 11}, seed=0)

    def almost(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where((x[:, 0] == 3) & (x[:, 1] == 8), (y + 1) % 11, y)

    with pytest.raises(UserError, match=r"\[3, 8, 11\] has the label 0"):
        augmented(task, [Symmetry("almost", swap, almost)])


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (lambda x: x[:, :2], "rows of the same shape"),
        (lambda x: x + np.array([1, 0, 0]), "which is no input of the task"),
    ],
)
def test_images_must_be_inputs(inputs: Callable[[np.ndarray], np.ndarray], words: str) -> None:
    task = make_task({"name": "modular_arithmetic", "operation": "add", "modulus": 7}, seed=0)
    with pytest.raises(UserError, match=words):
        augmented(task, [Symmetry("wrong", inputs)])


def test_an_undeclared_name_is_refused_with_the_nearest() -> None:
    options = {"name": "modular_arithmetic", "operation": "divide", "modulus": 7}
    with pytest.raises(UserError, match="Did you mean 'negate'"):
        make_task({**options, "augment": ["negat"]}, seed=0)
    with pytest.raises(UserError, match="Known: scale, negate, reflect"):
        make_task({**options, "augment": ["translate"]}, seed=0)


@pytest.fixture
def rows_file(tmp_path: Path) -> dict:
    """Rows of four numbers whose class is whether the first exceeds the last."""
    x = np.array(list(permutations(range(4))), np.float64)
    np.savez(tmp_path / "data.npz", x=x, y=(x[:, 0] > x[:, 3]).astype(int))
    return {"name": "arrays", "path": str(tmp_path / "data.npz"), "stratify": False}


def test_symmetries_of_plain_data_are_checked_where_labels_are_known(rows_file: dict) -> None:
    task = make_task({**rows_file, "pool_fraction": 0.1}, seed=0)
    middle = Symmetry("middle", lambda x: x[:, [0, 2, 1, 3]])
    grown = augmented(task, [middle])
    assert len(grown.train) > len(task.train)
    assert not keys(grown.train.x) & (keys(task.val.x) | keys(task.test_split().x))
    assert (grown.train.y == (grown.train.x[:, 0] > grown.train.x[:, 3])).all()
    with pytest.raises(UserError, match="'turned' does not hold for arrays"):
        augmented(task, [Symmetry("turned", lambda x: x[:, ::-1])])


def test_labels_of_the_test_are_not_looked_at(rows_file: dict) -> None:
    """Wrong test labels change nothing, where the same in validation would be found."""
    task = make_task(rows_file, seed=0)
    middle = Symmetry("middle", lambda x: x[:, [0, 2, 1, 3]])
    task.test_split().y[:] = 1 - task.test_split().y
    augmented(task, [middle])
    task.val.y[:] = 1 - task.val.y
    with pytest.raises(UserError, match="does not hold"):
        augmented(task, [middle])


def test_an_example_of_validation_cannot_be_added() -> None:
    task = make_task({"name": "modular_arithmetic", "operation": "add", "modulus": 7}, seed=0)
    leak = Split(
        np.concatenate([task.train.x, task.val.x[:1]]), np.concatenate([task.train.y, [0]])
    )
    with pytest.raises(ValueError, match="stands in validation or test"):
        task.changed(train=leak)


@pytest.mark.parametrize("vocab_size", [5, 2**31 - 2, None])
def test_keys_are_equal_exactly_for_equal_rows(vocab_size: int | None) -> None:
    rng = np.random.default_rng(0)
    dtype = np.int32 if vocab_size else np.float32
    x = rng.integers(0, 3, size=(400, 4)).astype(dtype)
    made = RowKeys(vocab_size, 4)(x)
    distinct = len({row.tobytes() for row in x})
    assert len(np.unique(made)) == distinct < 400
    seen = SeenRows(RowKeys(vocab_size, 4))
    first = seen.add(x[:200])
    assert len(first) == len(keys(x[:200]))
    assert keys(x[:200][first]) == keys(x[:200])
    assert keys(x[200:][seen.add(x[200:])]) == keys(x[200:]) - keys(x[:200])
    assert len(seen.add(x)) == 0


def test_minus_zero_is_zero() -> None:
    made = RowKeys(None, 2)(np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32))
    assert made[0] == made[1]
