"""Initial weights by name: their numbers, in our models and in others."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from helpers import BACKENDS

from grokkeras.config.model_options import INITS, Init


def test_every_backend_draws_the_same(everywhere):
    for name in ("draws", "models"):
        for backend in BACKENDS:
            assert everywhere[backend][name] == everywhere["jax"][name]


def test_sizes(cases):
    drawn = {name: np.array(values) for name, values in cases["draws"].items()}
    assert drawn["normal"].std() == pytest.approx(60**-0.5, rel=0.05)
    assert drawn["small"].std() == pytest.approx(2 * 60**-0.75, rel=0.05)
    assert abs(drawn["small"].mean()) < 0.01


def test_orthogonal(cases):
    drawn = {name: np.array(values) for name, values in cases["draws"].items()}
    np.testing.assert_allclose(drawn["tall"].T @ drawn["tall"], np.eye(4), atol=1e-6)
    np.testing.assert_allclose(drawn["wide"] @ drawn["wide"].T, np.eye(4) / 4, atol=1e-6)
    flat = drawn["kernel"].reshape(18, 5)
    np.testing.assert_allclose(flat.T @ flat, np.eye(5), atol=1e-6)


def test_sparse(cases):
    drawn = np.array(cases["draws"]["sparse"])
    connected = drawn != 0
    assert (connected.sum(0) == 6).all()
    # Each unit's own inputs, spread over all.
    assert len({tuple(column) for column in connected.T}) > 75
    assert connected.sum(1).min() >= 1
    assert drawn[connected].std() == pytest.approx(6**-0.5, rel=0.1)
    assert (np.array(cases["draws"]["narrow"]) != 0).all()


def test_in_our_models(cases):
    """Matrices as asked, embeddings normal, biases 0."""
    found = cases["models"]
    assert sorted(found) == sorted(INITS) == sorted(get_args(Init))
    for init, weights in found.items():
        arrays = {name: np.array(values) for name, values in weights.items()}
        table = arrays["table/token_embedding"]
        np.testing.assert_array_equal(table, np.array(found["normal"]["table/token_embedding"]))
        for name, array in arrays.items():
            if name.endswith("bias"):
                assert not array.any(), name
        query, first = arrays["block_0/attention/query/kernel"], arrays["mlp/hidden_0/kernel"]
        if init == "orthogonal":
            np.testing.assert_allclose(query.T @ query, 4 * np.eye(16), atol=1e-5)
            np.testing.assert_allclose(first @ first.T, 4 * np.eye(14), atol=1e-5)
        elif init == "sparse":
            assert ((query != 0).sum(0) == 4).all()
            assert ((first != 0).sum(0) == 4).all()
        elif init == "small":
            assert query.std() == pytest.approx(2 * 16**-0.8, rel=0.15)
        elif init == "uniform":
            assert query.std() == pytest.approx(2 / 48**0.5, rel=0.15)
            assert 0.95 * 2 / 4 < abs(query).max() <= 2 / 4
        else:
            assert query.std() == pytest.approx(2 / 4, rel=0.15)


def test_in_a_model_not_ours(everywhere):
    first = everywhere["jax"]["foreign"]
    for backend in BACKENDS:
        case = everywhere[backend]["foreign"]
        assert case["kernels"] == pytest.approx(first["kernels"], rel=1e-6)
        assert case["nonzero"] == 3
        assert case["loaded"] == "NumpyOrthogonal"
        assert case["falls"]


def test_twenty_steps_are_equal_on_three_backends(everywhere):
    for init, losses in everywhere["jax"]["twenty_steps"].items():
        for backend in BACKENDS:
            other = everywhere[backend]["twenty_steps"][init]
            np.testing.assert_allclose(other, losses, rtol=1e-4, err_msg=f"{backend} {init}")


def test_refusals(cases):
    said = cases["init_refusals"]
    assert "need a matrix" in said["vector"]
    assert "at least 1" in said["none"]
    assert "Did you mean 'orthogonal'?" in said["name"]
    assert "init_scale changes it" in said["stddev"]
    assert "for init 'sparse'" in said["connections"]
