"""PyTorch's fused kernel by Keras' rule: the same weights as Keras' own `apply`."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_cases

FILE = Path(__file__).with_name("cases_fused_adam.py")


@pytest.fixture(scope="module")
def cases():
    return run_cases("torch", FILE)


@pytest.mark.parametrize("name", ["adamw", "adam", "excluded"])
def test_as_keras_updates(cases, name):
    assert cases[name] < 1e-6


def test_gradients_in_any_memory_order(cases):
    """The kernel ignores strides, and a transposed matrix's gradient comes transposed."""
    assert cases["transposed gradient"] < 1e-6


def test_left_to_keras(cases):
    assert cases["left to keras"] == {
        "plain": False,
        "amsgrad": True,
        "clipnorm": True,
        "ema": True,
        "transposed weight": True,
        "subclass": True,
    }
