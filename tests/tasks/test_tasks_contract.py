"""What every task must show, run over the registry: a new task is tested the moment it exists."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest

from grokkeras.config import task_options
from grokkeras.errors import UserError
from grokkeras.tasks import (
    TASKS,
    Split,
    TaskData,
    arrays,
    difficulty,
    difficulty_names,
    make_task,
    mixture,
    modular,
    operands,
    parity,
    symmetric,
)
from grokkeras.tasks.symmetry_check import check_symmetries

NEEDED = {"arrays": {"path": "data.npz", "stratify": False}}


@pytest.fixture(params=TASKS.names())
def options(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(500, 6))
    np.savez("data.npz", x=x, y=np.arange(500) % 5)
    return {"name": request.param, **NEEDED.get(request.param, {})}


def parts(task: TaskData) -> tuple[Split, Split, Split]:
    return task.train, task.val, task.test_split()


def rows(split: Split) -> set[bytes]:
    return {row.tobytes() for row in split.x}


def test_splits_are_disjoint_and_complete(options: dict) -> None:
    task = make_task(options, seed=0)
    train, val, test = (rows(part) for part in parts(task))
    assert not train & val
    assert not train & test
    assert not val & test
    assert len(train) + len(val) + len(test) == task.num_examples
    # Each part of a mixture is split by itself.
    slack = max(0, len(task.structure.part_names) - 1)
    assert abs(len(task.train) - round(0.4 * task.num_examples)) <= slack
    assert abs(len(task.val) - round(0.3 * task.num_examples)) <= slack


def test_same_seed_same_data_other_seed_other_split(options: dict) -> None:
    first, again, other = (make_task(options, seed) for seed in (5, 5, 6))
    for a, b in zip(parts(first), parts(again), strict=True):
        assert (a.x == b.x).all()
        assert (a.y == b.y).all()
    assert rows(first.train) != rows(other.train)
    assert rows(first.test_split()) != rows(other.test_split())


def test_facts_agree_with_the_arrays(options: dict) -> None:
    task = make_task(options, seed=0)
    assert task.name == options["name"]
    for part in parts(task):
        assert part.x.shape == (len(part), task.length)
        assert part.y.dtype == np.int32
        assert part.y.shape == (len(part),)
        assert part.y.min() >= 0
        assert part.y.max() < task.num_classes
        assert part.x.dtype == (np.float32 if task.vocab_size is None else np.int32)
    if task.vocab_size is not None:
        assert task.token_ranges is not None
        assert len(task.token_ranges) == task.length
        everything = np.concatenate([part.x for part in parts(task)])
        for column, (first, count) in zip(everything.T, task.token_ranges, strict=True):
            assert set(column.tolist()) == set(range(first, first + count))
            assert first + count <= task.vocab_size
    else:
        assert task.token_ranges is None


def arrays_within(thing: object, depth: int = 6) -> Iterator[np.ndarray]:
    """Every array that a generic walk over attributes and containers comes upon."""
    if isinstance(thing, np.ndarray):
        yield thing
    elif depth and dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield from arrays_within(getattr(thing, field.name), depth - 1)
    elif depth and isinstance(thing, dict):
        for value in thing.values():
            yield from arrays_within(value, depth - 1)
    elif depth and isinstance(thing, list | tuple):
        for value in thing:
            yield from arrays_within(value, depth - 1)
    elif depth and hasattr(thing, "__dict__"):
        yield from arrays_within(vars(thing), depth - 1)


def test_only_test_split_gives_the_test_examples(options: dict) -> None:
    task = make_task(options, seed=0)
    secret = rows(task.test_split())
    public = [getattr(task, name) for name in dir(task) if not name.startswith("_")]
    found = list(arrays_within([vars(task), public]))
    assert len(found) >= 4  # the walk does come upon train and val
    for array in found:
        if array.ndim == 2:
            assert not {row.tobytes() for row in array} & secret
    assert "test" not in {name for name in dir(task) if not name.startswith("_")}


def test_options_may_be_an_object_with_attributes(options: dict) -> None:
    task = make_task(SimpleNamespace(**options, unrelated=1), seed=0)
    assert (task.train.x == make_task(options, seed=0).train.x).all()


def test_survives_a_pickle_for_workers(options: dict) -> None:
    task = make_task(options, seed=0)
    back = pickle.loads(pickle.dumps(task))
    assert (back.train.x == task.train.x).all()
    assert (back.test_split().y == task.test_split().y).all()


def test_describe_is_one_sentence(options: dict) -> None:
    sentence = make_task(options, seed=0).describe()
    assert "\n" not in sentence
    assert "to train on" in sentence
    assert "kept for the test" in sentence


def test_misspelt_option_names_the_nearest(options: dict) -> None:
    with pytest.raises(UserError, match="Did you mean 'train_fraction'"):
        make_task({**options, "train_fractoin": 0.5}, seed=0)


def test_fractions_that_leave_no_test_are_refused(options: dict) -> None:
    with pytest.raises(UserError, match="one example each"):
        make_task({**options, "train_fraction": 0.6, "val_fraction": 0.4}, seed=0)


@pytest.mark.parametrize(
    ("bad", "seed", "words"),
    [
        ({"name": "modular_arithmetik"}, 0, "Did you mean 'modular_arithmetic'"),
        ({}, 0, "A task needs a name, one of: arrays, modular_arithmetic"),
        ({"name": "modular_arithmetic"}, -1, "seed must be an integer, 0 or more; received -1"),
        ({"name": "modular_arithmetic"}, 1.5, "received 1.5"),
    ],
)
def test_what_makes_no_task_is_refused(bad: dict, seed: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_task(bad, seed)


def test_declared_symmetries_hold_and_keep_the_splits_disjoint(options: dict) -> None:
    if options["name"] != "sparse_parity":
        options["pool_fraction"] = 0.2
    plain = make_task(options, seed=0)
    for name in plain.structure.symmetries():
        assert check_symmetries(plain, list(plain.structure.members(name))) > 0
        task = make_task({**options, "augment": [name]}, seed=0)
        assert len(task.train) > len(plain.train)
        train, val, test = (rows(part) for part in parts(task))
        assert not train & (val | test)
        assert len(train) == len(task.train)
        assert val == rows(plain.val)
        assert test == rows(plain.test_split())
        assert (task.structure.labels(task.train.x) == task.train.y).all()


def test_the_rule_agrees_with_the_labels(options: dict) -> None:
    task = make_task(options, seed=0)
    for part in parts(task):
        by_rule = task.structure.labels(part.x)
        assert by_rule is None or (by_rule == part.y).all()
    assert (task.structure.labels(task.train.x) is None) == (options["name"] == "arrays")


def test_exactly_the_share_asked_for_is_wrong_in_training_alone(options: dict) -> None:
    clean, noisy = (make_task({**options, "label_noise": share}, 3) for share in (0.0, 0.123))
    changed = np.flatnonzero(clean.train.y != noisy.train.y)
    assert changed.tolist() == noisy.wrong_labels.tolist()
    assert len(changed) == round(0.123 * len(clean.train))
    assert 0 <= noisy.train.y.min() <= noisy.train.y.max() < noisy.num_classes
    for ours, theirs in zip(parts(noisy)[1:], parts(clean)[1:], strict=True):
        assert (ours.y == theirs.y).all()


def test_every_difficulty_is_a_number_an_example(options: dict) -> None:
    task = make_task(options, seed=0)
    for name in difficulty_names(task):
        found = difficulty(task, name)
        assert found.shape == (len(task.train),)
        assert np.isfinite(found).all()
        assert len(np.unique(found)) > 1


def test_tasks_import_no_backend() -> None:
    code = (
        "import sys, grokkeras.tasks;"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CONFIGURED = {
    "modular_arithmetic": (modular.ModularOptions, task_options.ModularArithmetic),
    "modular_mixture": (mixture.MixtureOptions, task_options.ModularMixture),
    "symmetric_group": (symmetric.SymmetricOptions, task_options.SymmetricGroup),
    "sparse_parity": (parity.ParityOptions, task_options.SparseParity),
    "arrays": (arrays.ArraysOptions, task_options.Arrays),
}


@pytest.mark.parametrize("name", TASKS.names())
def test_options_and_defaults_are_those_of_the_configuration(name: str) -> None:
    ours, theirs = CONFIGURED[name]
    defaults = {field.name: field.default for field in dataclasses.fields(ours)}
    fields = theirs.model_fields
    assert set(defaults) | {"name"} == set(fields)
    for key, default in defaults.items():
        theirs_by_default = fields[key].get_default(call_default_factory=True)
        if isinstance(default, tuple):
            theirs_by_default = tuple(theirs_by_default)
        assert fields[key].is_required() or theirs_by_default == default, key


def test_choices_are_those_of_the_configuration() -> None:
    def choices(owner: type, key: str) -> set[str]:
        return set(get_args(owner.model_fields[key].annotation))

    assert choices(task_options.ModularArithmetic, "operation") == set(modular.OPERATIONS)
    assert set(get_args(task_options.Operation)) == set(modular.OPERATIONS)
    assert choices(task_options.SymmetricGroup, "operation") == set(symmetric.OPERATIONS)
    assert choices(task_options.ModularArithmetic, "format") == set(operands.FORMATS)
