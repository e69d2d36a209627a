"""`Transformer` and `MLP` as Keras models, on each backend and between them."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS
from model_options import SAVED_IN

HERE = Path(__file__).parent
SAVED = [(name, policy) for name, policies in SAVED_IN.items() for policy in policies]
WEIGHTS = {"bfloat16": "bfloat16", "float64": "float64"}
COMPUTE = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved")


@pytest.fixture(scope="module")
def everywhere(folder):
    return run_everywhere(HERE / "cases_model.py", str(folder))


@pytest.fixture(params=BACKENDS)
def cases(request, everywhere):
    return everywhere[request.param]


@pytest.fixture(scope="module")
def loaded(folder, everywhere):
    """What each backend makes of the files of all three, by backend."""
    return run_everywhere(HERE / "cases_load.py", str(folder))


@pytest.mark.parametrize("name", ["outside", "outside_mlp"])
def test_a_token_outside_its_range_gives_nan_for_its_row_alone(cases, name):
    assert cases[name]["good"]
    assert cases[name]["bad_rows"] == [False, True, True, True, True, False]
    assert cases[name]["others_equal"]


def test_backends_agree_on_logits_from_the_same_seed(everywhere):
    for one, two in itertools.combinations(BACKENDS, 2):
        for name, logits in everywhere[one]["seeded"].items():
            other = np.array(everywhere[two]["seeded"][name])
            assert other.shape == (5, 7)
            np.testing.assert_allclose(other, logits, rtol=2e-6, atol=2e-6, err_msg=name)


def test_initial_weights(cases):
    """Normal, by default 1 / sqrt(fan in); biases 0."""
    initial = cases["initial"]
    for setting, deviations in initial.items():
        if not isinstance(deviations, dict):
            continue
        for name, deviation in deviations.items():
            fan_in = 256 if "contract" in name else 64
            expected = {"default": 1, "scale": 3}.get(setting, 0.1 * math.sqrt(fan_in))
            expected /= math.sqrt(fan_in)
            if name.endswith("bias"):
                assert deviation == 0, name
            else:
                # The position embedding has 192 numbers only: 5 % of sampling error.
                assert deviation == pytest.approx(expected, rel=0.15), (setting, name)
    assert initial["same_seed"]
    assert not initial["other_seed"]
    assert initial["all_differ"]


def test_wrapped_in_a_functional_model(cases):
    assert max(cases["wrapped"]) <= 2e-6


def test_one_trace_serves_every_batch_size(everywhere):
    gaps = everywhere["tensorflow"]["any_batch"]
    assert len(gaps) == 12  # four models, three batch sizes
    assert max(gaps) <= 2e-6


def test_number_of_parameters(everywhere):
    numbers = everywhere["torch"]["parameters"]
    assert len(numbers) > 20
    assert {name: built for name, (built, _) in numbers.items()} == {
        name: counted for name, (_, counted) in numbers.items()
    }


def test_dropout_is_the_identity_in_inference(cases):
    dropout = cases["dropout"]
    assert dropout["weights_equal"]
    assert dropout["inference"]
    assert dropout["mlp_inference"]


def test_dropout_is_random_in_training(cases):
    dropout = cases["dropout"]
    for what in ("training_differs", "steps_differ", "rows_differ", "mlp_differs"):
        assert dropout[what], what
    assert dropout["other_seed_differs"]
    # Two hidden layers, and the sum of the embeddings, which is one too.
    assert dropout["mlp_dropouts"] == 3


def test_dropout_is_reproducible(cases):
    assert cases["dropout"]["reproducible"]


@pytest.mark.parametrize("name", ["fit", "fit_mlp"])
def test_stock_fit_compiled(cases, name):
    fitted = cases[name]
    assert not fitted["eager"]
    assert fitted["losses"][0] == pytest.approx(fitted["before"], rel=0.1)
    assert fitted["losses"][-1] < fitted["losses"][0] - 0.05, fitted


def test_wrong_arguments_are_refused(cases):
    words = {
        "heads": ("num_heads", "width=10"),
        "layers": ("num_layers", "0"),
        "norm": ("layer_norm", "pre, post", "'both'"),
        "biases": ("biases", "mlp, all", "'some'"),
        "activation": ("rellu", "relu"),
        "tied": ("tied_head", "vocab_size"),
        "ranges": ("token_ranges", "2 positions"),
        "range": ("0 to 4", "3"),
        "encoding": ("encoding", "one_hot", "two_hot"),
        "combine": ("combine", "concat or sum", "mean"),
        "features": ("vocab_size", "none"),
        "signed": ("signed", "two tokens"),
    }
    messages = cases["refused"]
    assert set(messages) == set(words)
    for name, expected in words.items():
        for word in expected:
            assert word in messages[name], (name, messages[name])


@pytest.mark.parametrize(("name", "policy"), SAVED)
def test_models_take_the_dtype_policy(cases, name, policy):
    model = cases["save"][f"{cases.backend}-{policy}-{name}"]
    # Seeds of dropout masks are integers.
    floating = {dtype for dtype in model["dtypes"] if "float" in dtype}
    assert floating == {WEIGHTS.get(policy, "float32")}
    assert model["compute"] == COMPUTE.get(policy, WEIGHTS.get(policy, "float32"))


@pytest.mark.parametrize(("name", "policy"), SAVED)
@pytest.mark.parametrize("saver", BACKENDS)
@pytest.mark.parametrize("loader", BACKENDS)
def test_saves_and_loads(everywhere, loaded, saver, loader, name, policy):
    """In a fresh process, on the same backend and on the others."""
    # Between backends half precision rounds differently at every operation.
    coarse = {"bfloat16": 0.05, "mixed_bfloat16": 0.05, "mixed_float16": 0.01}
    tolerance = 0 if saver == loader else coarse.get(policy, 2e-6)
    file = f"{saver}-{policy}-{name}"
    before, after = everywhere[saver]["save"][file], loaded[loader][file]
    assert after["dtypes"] == before["dtypes"]
    assert after["compute"] == before["compute"]
    expected = np.array(before["logits"])
    gap = abs(np.array(after["logits"]) - expected).max() / abs(expected).max()
    assert gap <= tolerance
