"""Weights & Biases and MLflow: see `cases_trackers.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_cases

from grokkeras.config import load_config
from grokkeras.errors import ConfigError
from grokkeras.logging import tracked

CASES = (
    "a finished run",
    "a resumed run",
    "a service that fails on the way",
    "a service that is not there",
    "a store without the run",
    "values that are no numbers",
    "without a key",
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trackers")
    # PyTorch has nothing to compile, and what is sent is the same on every backend.
    return run_cases("torch", Path(__file__).with_name("cases_trackers.py"), str(folder))


@pytest.mark.parametrize("case", CASES)
def test_trackers(results, case):
    assert results[case] is None


def test_names_of_metrics():
    record = {
        "step": 5,
        "seconds": 0.5,
        "train_loss": 1,
        "val_accuracy": 0.25,
        "val_accuracy_add": 0.5,
        "learning_rate": 1e-3,
        "weight_norm_by_layer/head/kernel": 3.0,
        "effective_rank": None,
    }
    assert tracked.metrics(record) == {
        "seconds": 0.5,
        "train/loss": 1.0,
        "validation/accuracy": 0.25,
        "validation/accuracy_add": 0.5,
        "learning_rate": 1e-3,
        "measures/weight_norm_by_layer/head/kernel": 3.0,
    }


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr(
        "grokkeras.config.backend.is_installed", lambda name: name not in ("wandb", "mlflow")
    )
    settings = {"log.wandb": True, "log.mlflow": True}
    with pytest.raises(ConfigError) as caught:
        load_config("quickstart", settings)
    message = str(caught.value)
    assert "pip install 'grokkeras[wandb]'" in message
    assert "pip install 'grokkeras[mlflow]'" in message
    # A run that another machine made can be looked at, and one without them needs no package.
    load_config("quickstart", settings, require_backend=False)
    load_config("quickstart", {"log.wandb": False})
