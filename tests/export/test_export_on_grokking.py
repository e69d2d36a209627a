"""`ExportOnGrokking` in stock `fit`, on a model that is not ours, on every backend."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS


@pytest.fixture(scope="module")
def everywhere():
    return run_everywhere(Path(__file__).with_name("cases_export.py"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_callback_exports_what_agrees_with_the_training_backend(everywhere, backend):
    found = everywhere[backend]["callback"]
    assert found["grokked"] is not None
    assert found["path"] == "mine/1"
    assert found["left"] == ["mine"]  # no scratch folder stays behind
    parity = found["parity"]
    assert (parity["backend"], parity["inputs"]) == (backend, 49)
    for form in ("keras", "saved_model", "onnx"):
        assert parity[form]["argmax_agreement"] == 1.0
        assert parity[form]["mismatches"] == 0
        assert parity[form]["largest_difference"] < 1e-4
    assert found["manifest"]["grokking_step"] == found["grokked"]
    assert found["manifest"]["has_grokked"] is True
    files = set(found["manifest"]["files"])
    extra = {f"assets.extra/{name}" for name in
             ("model.onnx", "grokkeras.json", "labels.txt", "signatures.json")}  # fmt: skip
    assert extra | {"saved_model.pb", "parity.json", "variables/variables.index"} <= files
    assert found["card"]["input"]["ranges"] == [[0, 7], [0, 7]]
    assert found["card"]["num_classes"] == 7


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_exported_too_early_and_a_failure_is_a_warning(everywhere, backend):
    found = everywhere[backend]["ungrokked"]
    assert found["before"] == [None, False]
    assert found["said"] == ["ExportOnGrokking exported nothing: no room"]
    assert found["steps"] > 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_inputs_are_known_or_asked_for_before_training(everywhere, backend):
    found = everywhere[backend]["inputs"]
    assert found["rows"] == [list(row) for row in itertools.product(range(5), range(1, 5), [5])]
    assert found["large"] == [[20_000, 4], [0, 0, 0, 0], [399, 399, 399, 399]]
    assert "Pass inputs=x" in found["refused"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_precision_is_rebuilt_in_float32_with_the_same_weights(everywhere, backend):
    cases = everywhere[backend]["half precision"]
    for policy, tolerance in (("bfloat16", 0.05), ("mixed_float16", 0.01)):
        for model in ("foreign", "ours"):
            found = cases[f"{policy} {model}"]
            assert found["replaced"] == policy
            assert found["dtypes"] == ["float32"]
            assert found["weights"]
            assert 0 < found["apart"] < tolerance
    for model in ("foreign", "ours"):
        assert cases[f"float32 {model}"] == {
            "replaced": None, "same": True, "dtypes": ["float32"], "weights": True, "apart": 0.0,
        }  # fmt: skip
