"""Every measure: its known value on an analytic case, and a finite one on a degenerate case."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grokkeras.measures import (
    MEASURES,
    CyclicGroup,
    Observed,
    SymmetricGroup,
    measure_all,
    weight_norm,
)

N = 7
PLACES = np.arange(N)
SUMS = (PLACES[:, None] + PLACES) % N
TRAIN = {"loss": 0.5, "accuracy": 0.75, "softmax_collapse": 0.25, "logit_scale": 12.5}


def wave(frequency: int) -> np.ndarray:
    angles = 2 * np.pi * frequency * PLACES / N
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def cyclic() -> CyclicGroup:
    grid = np.stack(np.meshgrid(PLACES, PLACES, indexing="ij"), axis=-1).reshape(-1, 2)
    everywhere = np.ones((N, N), bool)
    return CyclicGroup(PLACES, grid, PLACES, everywhere, everywhere)


def answer(x: np.ndarray) -> np.ndarray:
    """Logits that are right by one frequency alone."""
    sums = (x[:, 0] + x[:, 1]) % N
    return 3 * np.cos(2 * np.pi * 2 * (sums[:, None] - PLACES) / N)


def quadratic(weights, places):
    """The gradient of the mean over examples of |w|^2 scaled by the example."""
    scale = np.mean(1.0 + places)
    given = SEEN.weights if weights is None else weights
    return [scale * np.asarray(w) for w in given]


SEEN = Observed(
    # A token table on one circle, a matrix of rank 1 with 2s, a bias.
    weights=[wave(2), np.full((2, 3), 2.0), np.array([1.0])],
    train=TRAIN,
    val={"loss": 2.0},
    paths=["table/token_embedding", "hidden/kernel", "hidden/bias"],
    group=cyclic(),
    logits=answer,
    gradients=quadratic,
    num_examples=2,
)
_GRADIENT = [*np.abs(wave(2)).ravel(), 2, 2, 2, 2, 2, 2, 1]
_SHARES = np.array([each for each in _GRADIENT if each]) / sum(_GRADIENT)
# Softmax of answer's logits at the right class.
_RIGHT = 3 - math.log(sum(math.exp(3 * math.cos(4 * math.pi * k / N)) for k in range(N)))
KNOWN = {
    "weight_norm": {"weight_norm": math.sqrt(N + 24 + 1)},
    "weight_norm_by_layer": {
        "weight_norm_by_layer/table": math.sqrt(N),
        "weight_norm_by_layer/hidden": 5.0,
    },
    "logit_scale": {"logit_scale": 12.5},
    "softmax_collapse": {"softmax_collapse": 0.25},
    "generalization_gap": {"generalization_gap": 1.5},
    "embedding_ipr": {"embedding_ipr": 1.0},
    "embedding_gini": {"embedding_gini": 2 / 3},  # all power on one frequency of three
    "embedding_representations": {},
    "effective_rank": {
        "effective_rank/table/token_embedding": 2.0,
        "effective_rank/hidden/kernel": 1.0,
    },
    "heavy_tail_exponent": {},
    "restricted_loss": {"restricted_loss": -_RIGHT},
    "excluded_loss": {"excluded_loss": math.log(N)},
    # The examples are 0 and 1, so the gradient is 1.5 times the weights.
    "gradient_norm": {"gradient_norm": 1.5 * math.sqrt(N + 24 + 1)},
    "gradient_entropy": {
        "gradient_entropy": -float(_SHARES @ np.log(_SHARES)) / math.log(2 * N + 7)
    },
    "commutator_defect": {"commutator_defect": 0.0},  # steps of a scaled quadratic commute
}


def test_every_measure_has_a_known_value():
    assert set(MEASURES.names()) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_known_value(name):
    found = measure_all({name: MEASURES.get(name)}, SEEN)
    assert found == pytest.approx(KNOWN[name], abs=1e-9)
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(
    "weights",
    [[], [np.zeros((3, 3), "float32")], [np.zeros((0, 4), "float32")], [np.float32(0)[None]]],
)
def test_finite_on_degenerate_input(name, weights):
    still = dict.fromkeys(TRAIN, 0.0)
    seen = Observed(
        weights=weights,
        train=still,
        val=still,
        paths=[f"layer_{place}/kernel" for place in range(len(weights))],
        group=cyclic(),
        logits=lambda x: np.zeros((len(x), N)),
        gradients=lambda at, places: [np.zeros_like(weight) for weight in weights],
        num_examples=4,
    )
    found = measure_all({name: MEASURES.get(name)}, seen)
    assert all(math.isfinite(value) for value in found.values())
    if name in ("weight_norm", "logit_scale", "softmax_collapse", "gradient_norm"):
        assert found == {name: 0}


def test_what_is_not_at_hand_is_left_out():
    seen = Observed(weights=[np.ones((3, 3))], train={})
    measures = {name: MEASURES.get(name) for name in KNOWN}
    assert measure_all(measures, seen) == {"weight_norm": 3.0}


def test_costly_measures_wait_until_they_are_due():
    measures = {name: MEASURES.get(name) for name in ("weight_norm", "gradient_norm")}
    assert set(measure_all(measures, SEEN, costly=False)) == {"weight_norm"}


def test_weights_that_are_not_finite_raise_nothing():
    broken = Observed(
        weights=[np.full((30, 30), np.nan)],
        train={},
        paths=["table/token_embedding"],
        group=cyclic(),
    )
    for name in KNOWN:
        measure_all({name: MEASURES.get(name)}, broken)


def test_representations_of_the_symmetric_group():
    elements = np.array(list(permutations(range(3))))
    images = np.eye(3)[elements].reshape(6, 9)  # permutation matrices: trivial plus standard
    seen = Observed([images], {}, paths=["token_embedding"], group=SymmetricGroup(elements))
    name = "embedding_representations"
    found = measure_all({name: MEASURES.get(name)}, seen)
    assert found == pytest.approx({f"{name}/21": 1.0, f"{name}/111": 0.0}, abs=1e-12)
    assert measure_all({"a": MEASURES.get("embedding_ipr")}, seen)["a"] == pytest.approx(1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weight_norm_of_narrow_floats_does_not_overflow(dtype):
    """300 squared is past the range of float16."""
    assert weight_norm([np.full(400, 300, dtype)]) == pytest.approx(6000, rel=1e-6)


def test_weight_norm_of_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    # A running sum in bfloat16 would stop growing at 256.
    assert weight_norm([np.ones(10_000, ml_dtypes.bfloat16)]) == pytest.approx(100, rel=1e-6)


def test_weight_norm_of_a_transposed_view():
    weight = np.arange(12, dtype="float32").reshape(3, 4)
    assert weight_norm([weight.T, weight[:, ::2]]) == pytest.approx(
        math.sqrt((weight**2).sum() + (weight[:, ::2] ** 2).sum())
    )


@given(
    st.lists(
        arrays.arrays(
            np.float64, arrays.array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e3, 1e3)
        ),
        max_size=4,
    )
)
def test_weight_norm_is_that_of_all_weights_in_one_vector(weights):
    together = np.concatenate([np.zeros(0), *(w.ravel() for w in weights)])
    assert weight_norm(weights) == pytest.approx(np.linalg.norm(together), rel=1e-12, abs=1e-150)
