"""Augmentation adds true examples to training alone, and false symmetries are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from parts_of import keys, parts

from grokkeras.errors import UserError
from grokkeras.tasks import Split, Symmetry, augmented, make_task

POOLED = {"train_fraction": 0.3, "val_fraction": 0.2, "pool_fraction": 0.3}
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
