"""Pools, wrong labels, teachers and mixtures."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokkeras.config import data_options
from grokkeras.errors import UserError
from grokkeras.tasks import TASKS, difficulty, difficulty_names, make_task, taught, with_label_noise
from grokkeras.tasks.diversity import teacher_errors

ADD = {"name": "modular_arithmetic", "operation": "add", "modulus": 13}


def rows(x: np.ndarray) -> set[tuple[float, ...]]:
    return set(map(tuple, x.tolist()))


@pytest.mark.parametrize("stratify", [False, True])
@pytest.mark.parametrize("name", ["modular_arithmetic", "modular_mixture", "symmetric_group"])
def test_a_pool_is_taken_from_the_test_split_alone(name: str, stratify: bool) -> None:
    options = {"name": name, "stratify": stratify}
    plain, pooled = make_task(options, 4), make_task({**options, "pool_fraction": 0.2}, 4)
    assert (pooled.train.x == plain.train.x).all()
    assert (pooled.val.x == plain.val.x).all()
    test, pool = rows(pooled.test_split().x), rows(pooled.pool_split().x)
    assert not test & pool
    assert test | pool == rows(plain.test_split().x)
    assert len(pool) == pytest.approx(0.2 * plain.num_examples, abs=2)


def test_a_pool_must_leave_a_test() -> None:
    with pytest.raises(UserError, match="leaves none for the test"):
        make_task({**ADD, "pool_fraction": 0.3}, 0)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 0.99), st.integers(0, 2**40), st.sampled_from([2, 5, 13]))
def test_exactly_the_share_asked_for_is_wrong(share: float, seed: int, modulus: int) -> None:
    options = {**ADD, "modulus": modulus, "train_fraction": 0.5, "val_fraction": 0.25}
    clean, noisy = make_task(options, seed), make_task({**options, "label_noise": share}, seed)
    changed = np.flatnonzero(clean.train.y != noisy.train.y)
    assert len(changed) == round(share * len(clean.train))
    assert changed.tolist() == noisy.wrong_labels.tolist()
    assert (noisy.train.x == clean.train.x).all()
    assert noisy.train.y.min(initial=0) >= 0
    assert noisy.train.y.max(initial=0) < modulus
    assert (noisy.val.y == clean.val.y).all()
    assert (noisy.test_split().y == clean.test_split().y).all()
    if len(changed):
        assert f"{len(changed):,} training labels made wrong" in noisy.describe()


def test_every_other_class_comes_up() -> None:
    task = with_label_noise(make_task({**ADD, "modulus": 31, "train_fraction": 0.6}, 0), 0.9, 0)
    truth = task.structure.labels(task.train.x)
    step = (task.train.y - truth)[task.wrong_labels] % 31
    assert set(step.tolist()) == set(range(1, 31))


def test_noise_is_the_same_on_every_machine_and_backend() -> None:
    """Drawn from the raw stream of PCG64, which NumPy fixes for good."""
    y = make_task({"name": "modular_arithmetic", "label_noise": 0.1}, seed=0).train.y
    assert hashlib.sha256(y.tobytes()).hexdigest()[:16] == "cacb494ebb1323a8"


def test_augmentation_comes_before_the_noise() -> None:
    """Else a wrong label would be spread over all its images."""
    options = {**ADD, "train_fraction": 0.3, "pool_fraction": 0.2, "augment": ["commute"]}
    task = make_task({**options, "label_noise": 0.2}, 0)
    wrong = np.flatnonzero(task.structure.labels(task.train.x) != task.train.y)
    assert len(wrong) == round(0.2 * len(task.train))
    assert (wrong == task.wrong_labels).all()


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"task.label_noise must lie between 0 and 1, received 1.0"):
        make_task({**ADD, "label_noise": 1.0}, 0)


def teachers(examples: float, **options: object) -> dict:
    return {**ADD, "pool_fraction": 0.2, "teacher": {"run": "x", "examples": examples}, **options}


@pytest.mark.parametrize(("examples", "count"), [(10, 10), (0.5, 17), (1.0, 34), (34, 34)])
def test_a_teacher_labels_inputs_of_the_pool(examples: float, count: int) -> None:
    task = make_task(teachers(examples), seed=0)
    assert len(task.unlabelled) == count
    assert rows(task.unlabelled) <= rows(task.pool_split().x)
    truth = task.structure.labels(task.unlabelled)
    said = truth.copy()
    said[:3] = (said[:3] + 1) % 13
    assert teacher_errors(task, said) == 3
    new = taught(task, said)
    assert len(new.train) == len(task.train) + count
    assert (new.train.y[-count:] == said).all()
    assert len(new.unlabelled) == 0
    assert new.num_examples == task.num_examples
    assert f"{count:,} of the training examples labelled by a teacher, 3 of them wrong" in str(new)
    assert not rows(new.train.x) & (rows(new.val.x) | rows(new.test_split().x))


def test_a_teacher_labels_what_augmentation_has_not_reached() -> None:
    task = make_task(teachers(1.0, augment=["commute"]), seed=0)
    assert len(task.train) > 68
    assert not rows(task.unlabelled) & rows(task.train.x)
    assert rows(task.unlabelled) | rows(task.train.x) >= rows(task.pool_split().x)


def test_noise_leaves_a_teachers_labels() -> None:
    task = make_task(teachers(20, label_noise=0.5), seed=0)
    assert len(task.wrong_labels) == round(0.5 * len(task.train))
    new = taught(task, task.structure.labels(task.unlabelled))
    assert (new.train.y[:-20] == task.train.y).all()
    assert (new.wrong_labels == task.wrong_labels).all()


@pytest.mark.parametrize("examples", [0, 35, 0.001])
def test_more_inputs_than_there_are_is_refused(examples: float) -> None:
    with pytest.raises(UserError, match="between 1 and the 34 in the pool"):
        make_task(teachers(examples), seed=0)


def test_the_first_part_of_a_mixture_is_split_like_the_operation_alone() -> None:
    options = {"modulus": 13, "format": "a op b ="}
    alone = make_task({"name": "modular_arithmetic", "operation": "add", **options}, 5)
    mixed = make_task({"name": "modular_mixture", "operations": ["add", "x3+xy"], "modulus": 13}, 5)
    assert mixed.structure.part_names == ("add", "x3+xy")
    added = mixed.by_part(mixed.train)["add"]
    assert (added.x[:, [0, 2]] == alone.train.x[:, [0, 2]]).all()
    assert (added.y == alone.train.y).all()
    for split in (mixed.train, mixed.val, mixed.test_split()):
        sizes = {name: len(part) for name, part in mixed.by_part(split).items()}
        assert len(set(sizes.values())) == 1
        assert sum(sizes.values()) == len(split)
    other = mixed.by_part(mixed.train)["x3+xy"]
    assert rows(other.x[:, [0, 2]]) != rows(added.x[:, [0, 2]])


def test_a_mixture_answers_by_its_token() -> None:
    task = make_task(
        {"name": "modular_mixture", "operations": ["divide", "subtract"], "modulus": 7}, 0
    )
    assert task.vocab_size == 10
    assert task.encode(a=3, b=5, operation="divide").tolist() == [3, 8, 5, 7]
    assert task.encode(a=3, b=0, operation="subtract").tolist() == [3, 9, 0, 7]
    assert task.num_examples == 7 * 6 + 7 * 7
    every = np.concatenate([split.x for split in (task.train, task.val, task.test_split())])
    labels = np.concatenate([split.y for split in (task.train, task.val, task.test_split())])
    for (a, operation, b, _), label in zip(every.tolist(), labels.tolist(), strict=True):
        assert label * b % 7 == a if operation == 8 else label == (a - b) % 7
    with pytest.raises(UserError, match="b must be an integer from 1 to 6"):
        task.encode(a=3, b=0, operation="divide")
    with pytest.raises(UserError, match="operation must be one of divide, subtract"):
        task.encode(a=3, b=1)


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        (["add"], "two different operations at least"),
        (["add", "add"], "two different operations at least"),
        (["add", "ad"], "Did you mean 'add'"),
    ],
)
def test_what_is_no_mixture_is_refused(operations: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_task({"name": "modular_mixture", "operations": operations}, 0)


def test_difficulties_by_hand() -> None:
    task = make_task(ADD, 0)
    expected = [max(a, b) for a, b, _ in task.train.x.tolist()]
    assert difficulty(task, "operand_range").tolist() == expected
    group = make_task({"name": "symmetric_group", "degree": 4}, 0)
    far = dict(zip(map(tuple, group.train.x[:, :2].tolist()), range(len(group.train)), strict=True))
    inversions, swaps = (difficulty(group, by) for by in ("inversions", "transpositions"))
    # 4321 (number 23) has 6 inversions and is two swaps, 2341 (9) has 3 and is three swaps.
    by_hand = {0: (0, 0), 1: (1, 1), 9: (3, 3), 23: (6, 2)}
    pairs = [(a, b) for a in by_hand for b in by_hand if (a, b) in far]
    assert len(pairs) > 3
    for a, b in pairs:
        assert inversions[far[a, b]] == by_hand[a][0] + by_hand[b][0]
        assert swaps[far[a, b]] == by_hand[a][1] + by_hand[b][1]
    bits = make_task({"name": "sparse_parity"}, 0)
    assert difficulty(bits, "set_bits").tolist() == bits.train.x.sum(axis=1).tolist()
    mixed = make_task({"name": "modular_mixture", "modulus": 7}, 0)
    assert difficulty(mixed, "operation").tolist() == (mixed.train.x[:, 1] - 8).tolist()
    with pytest.raises(UserError, match="Did you mean 'operand_range'"):
        difficulty(task, "operand_rang")


def test_arrays_come_with_their_own_difficulty(tmp_path) -> None:
    x = np.arange(60.0).reshape(20, 3)
    path = tmp_path / "data.npz"
    options = {"name": "arrays", "path": str(path), "stratify": False}
    np.savez(path, x=x, y=np.arange(20) % 2, difficulty=np.arange(20)[::-1])
    task = make_task(options, 0)
    assert difficulty(task, "given").tolist() == (19 - task.train.x[:, 0] / 3).tolist()
    np.savez(path, x=x, y=np.arange(20) % 2)
    with pytest.raises(UserError, match="arrays has no difficulty 'given'"):
        difficulty(make_task(options, 0), "given")
    for bad in (np.arange(19), np.full(20, np.nan), np.array(["a"] * 20)):
        np.savez(path, x=x, y=np.arange(20) % 2, difficulty=bad)
        with pytest.raises(UserError, match="difficulty"):
            make_task(options, 0)


def test_the_configuration_knows_the_same_difficulties(tmp_path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros((20, 3)), y=np.arange(20) % 2, difficulty=np.arange(20))
    for name in TASKS.names():
        task = make_task({"name": name, **({"path": path} if name == "arrays" else {})}, 0)
        assert data_options.difficulties(name) == difficulty_names(task)
