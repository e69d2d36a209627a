"""Every measure: its known value on an analytic case, and a finite one on a degenerate case."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grokkeras.measures import MEASURES, Observed, weight_norm

TRAIN = {"loss": 0.5, "accuracy": 0.75, "softmax_collapse": 0.25, "logit_scale": 12.5}
SEEN = Observed(weights=[np.full((2, 3), 2.0, "float32"), np.array([1.0], "float32")], train=TRAIN)
# Six weights of 2 and one of 1.
KNOWN = {"weight_norm": 5.0, "logit_scale": 12.5, "softmax_collapse": 0.25}


def test_every_measure_has_a_known_value():
    assert set(MEASURES.names()) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_known_value(name):
    value = MEASURES.get(name)(SEEN)
    assert isinstance(value, float)
    assert value == KNOWN[name]


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(
    "weights",
    [[], [np.zeros((3, 3), "float32")], [np.zeros((0, 4), "float32")], [np.float32(0)[None]]],
)
def test_finite_on_degenerate_input(name, weights):
    still = dict.fromkeys(TRAIN, 0.0)
    value = MEASURES.get(name)(Observed(weights=weights, train=still))
    assert value == 0


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
