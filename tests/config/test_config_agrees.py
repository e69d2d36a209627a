"""The schema against what stands on it: it may not import them, so tests hold them together."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from helpers import run_on_backend
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.cli.list_command import KINDS
from grokkeras.config import TaskShape, load_config, task_shape
from grokkeras.config.catalog import catalog
from grokkeras.config.checks import is_prime, nearest_prime
from grokkeras.config.fields import item_variants, variants
from grokkeras.config.measures import MEASURES, MeasureName
from grokkeras.config.optimizer_options import Common
from grokkeras.config.schema import DetectorOptions
from grokkeras.detection import Detector
from grokkeras.errors import UserError
from grokkeras.tasks import TASKS, make_task
from grokkeras.tasks.splits import split_counts

TASK_OPTIONS: list[dict[str, Any]] = [
    {"name": "modular_arithmetic", "operation": "add", "modulus": 11},
    {"name": "modular_arithmetic", "operation": "divide", "modulus": 7, "format": "a op b ="},
    {"name": "modular_arithmetic", "operation": "x3+xy", "modulus": 6, "format": "a b"},
    {"name": "symmetric_group", "degree": 4},
    {"name": "symmetric_group", "degree": 3, "operation": "aba'", "format": "a op b ="},
    {"name": "sparse_parity", "num_bits": 12, "num_examples": 101},
    {"name": "sparse_parity", "num_bits": 12, "num_examples": 101, "pool_fraction": 0.21},
    {"name": "modular_mixture", "operations": ["add", "divide", "x3+xy"], "modulus": 7},
    {"name": "modular_mixture", "modulus": 6, "pool_fraction": 0.1, "label_noise": 0.1},
]


@pytest.mark.parametrize("options", TASK_OPTIONS, ids=str)
@pytest.mark.parametrize("stratify", [False, True])
def test_shapes_are_those_of_the_data(options: dict[str, Any], stratify: bool) -> None:
    config = load_config({"task": {**options, "stratify": stratify}, "model": {"name": "mlp"}})
    data = make_task(config.task, config.seed)
    assert task_shape(config.task) == TaskShape.of_data(data)
    assert len(data.test_split().y) == TaskShape.of_data(data).num_test


@given(
    st.integers(2, 60),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
)
def test_the_split_is_refused_exactly_where_the_task_refuses_it(
    modulus: int, train: float, val: float
) -> None:
    task = {"name": "modular_arithmetic", "operation": "add", "modulus": modulus}
    source = {
        "task": {**task, "train_fraction": train, "val_fraction": val},
        "model": {"name": "mlp"},
    }
    try:
        sizes = split_counts(modulus**2, train, val)
    except UserError:
        sizes = None
    try:
        shape = task_shape(load_config(source).task)
    except UserError:
        shape = None
    if train + val < 1:  # rounding leaves split_counts an example where the shares leave none
        assert (shape is None) == (sizes is None)
    if shape is not None:
        assert sizes == (shape.num_train, shape.num_val, shape.num_test)


def test_every_task_has_options_and_the_other_way_round() -> None:
    assert sorted(variants("task")) == TASKS.names()


def test_every_optimizer_and_measure_has_options_and_the_other_way_round() -> None:
    code = """
    from grokkeras.optimizers import OPTIMIZERS
    from grokkeras.measures import MEASURES
    print(OPTIMIZERS.names(), MEASURES.names())
    """
    expected = f"{sorted(variants('optimizer'))} {sorted(MEASURES)}"
    assert run_on_backend("jax", code).strip() == expected


def test_options_of_transforms_are_the_arguments_of_their_classes() -> None:
    code = """
    import inspect, json
    from grokkeras.optimizers import TRANSFORMS
    found = {}
    for name in TRANSFORMS.names():
        arguments = inspect.signature(TRANSFORMS.get(name)).parameters.values()
        found[name] = {
            a.name: "required" if a.default is a.empty else a.default
            for a in arguments if a.name not in ("inner_optimizer", "name")
        }
    print(json.dumps(found))
    """
    options = {
        name: {
            key: "required" if field.is_required() else field.default
            for key, field in cls.model_fields.items()
            if key != "name"
        }
        for name, cls in item_variants(Common.model_fields["transforms"]).items()
    }
    assert json.loads(run_on_backend("jax", code)) == options


def test_measures_are_described() -> None:
    assert list(MEASURES) == list(get_args(MeasureName))


def test_detector_defaults_are_the_detectors() -> None:
    settings = Detector().settings.to_dict()
    assert DetectorOptions().model_dump() == settings


@given(
    st.sampled_from(["accuracy", "loss"]),
    *[st.sampled_from([0.05, 0.8, 0.95, 1.0, 1.5])] * 3,
)
def test_thresholds_are_refused_exactly_where_the_detector_refuses_them(
    metric: str, train: float, val: float, collapse: float
) -> None:
    chosen = {
        "metric": metric,
        "train_threshold": train,
        "val_threshold": val,
        "collapse_threshold": collapse,
    }
    source = {
        "task": TASK_OPTIONS[0],
        "model": {"name": "mlp"},
        "detector": chosen,
    }
    try:
        Detector(**chosen)
        sound = True
    except UserError:
        sound = False
    try:
        load_config(source)
        assert sound
    except UserError:
        assert not sound


def test_the_catalogue_has_a_line_on_everything() -> None:
    for kind in KINDS:
        things = catalog(kind)
        assert things
        for name, line in things.items():
            assert name
            assert line.splitlines()[0].endswith(".")


def test_primes() -> None:
    assert [n for n in range(30) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    assert [nearest_prime(n) for n in (4, 96, 100, 97)] == [3, 97, 101, 97]
