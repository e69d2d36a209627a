"""The measures' formulas, each against a case whose answer is known by hand."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from grokkeras.measures import (
    MEASURES,
    Observed,
    commutator_defect,
    effective_rank,
    fourier_power,
    gini,
    gradient_entropy,
    heavy_tail_exponent,
    inverse_participation_ratio,
    key_frequencies,
    local_complexity,
    measure_all,
    observed,
    representation_power,
    restricted_and_excluded_loss,
    simplex_corners,
)
from grokkeras.measures.one_thread import one_blas_thread
from grokkeras.measures.singular_values import singular_values
from grokkeras.measures.symmetric_spectrum import character, partitions

N = 31
PLACES = np.arange(N)


def test_effective_rank():
    assert effective_rank(np.eye(5)) == pytest.approx(5)
    assert effective_rank(np.ones((3, 4))) == pytest.approx(1)
    # Singular values 3 and 1: entropy of (3/4, 1/4).
    expected = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert effective_rank(np.diag([3.0, -1.0])) == pytest.approx(expected)
    assert effective_rank(np.zeros((3, 3))) == 0


def test_a_circle_has_one_frequency():
    angles = 2 * np.pi * 5 * PLACES / N
    table = (
        np.stack([2 * np.cos(angles), 2 * np.sin(angles)], axis=1) + 7.0
    )  # constants are left out
    power = fourier_power(table)
    assert power.shape == (15,)
    assert key_frequencies(power) == [5]
    assert inverse_participation_ratio(power) == pytest.approx(1)
    assert gini(power) == pytest.approx(1 - 1 / 15)


@pytest.mark.parametrize("order", [8, 9])
def test_noise_has_all_frequencies_alike(order):
    table = np.random.default_rng(0).standard_normal((order, 40_000))
    power = fourier_power(table) / 40_000
    assert power == pytest.approx(np.full(order // 2, order), rel=0.03)


def test_concentration():
    even = np.full(4, 2.5)
    assert inverse_participation_ratio(even) == pytest.approx(0.25)
    assert gini(even) == pytest.approx(0)
    assert inverse_participation_ratio(np.array([3.0, 1.0])) == pytest.approx(10 / 16)
    assert gini(np.array([3.0, 1.0])) == pytest.approx(0.25)
    assert inverse_participation_ratio(np.zeros(3)) == gini(np.zeros(3)) == 0


def test_key_frequencies_stand_out_of_the_floor():
    assert key_frequencies(np.array([1.0, 60.0, 4.0, 35.0])) == [2, 4]
    assert key_frequencies(np.ones(20)) == key_frequencies(np.zeros(3)) == []
    noise = np.random.default_rng(0).standard_normal((97, 128))
    assert key_frequencies(fourier_power(noise)) == []
    many = np.concatenate([np.ones(20), np.arange(30, 60)[:5]])
    assert key_frequencies(many, most=2) == [25, 24]


def test_characters_of_s4():
    """The table in any book on representations."""
    classes = [(1, 1, 1, 1), (2, 1, 1), (2, 2), (3, 1), (4,)]
    table = {shape: [character(shape, cycles) for cycles in classes] for shape in partitions(4)}
    assert table == {
        (4,): [1, 1, 1, 1, 1],
        (3, 1): [3, 1, -1, 0, -1],
        (2, 2): [2, 0, 2, -1, 0],
        (2, 1, 1): [3, -1, -1, 0, 1],
        (1, 1, 1, 1): [1, -1, 1, 1, -1],
    }


def test_representations_of_noise_and_of_signs():
    elements = np.array(list(permutations(range(4))))
    noise = np.random.default_rng(0).standard_normal((24, 20_000))
    assert list(representation_power(noise, elements).values()) == pytest.approx(
        [20_000] * 4, rel=0.04
    )
    signs = np.array([[np.linalg.det(np.eye(4)[row])] for row in elements])
    power = representation_power(signs, elements)
    assert power.pop((1, 1, 1, 1)) == pytest.approx(24)
    assert list(power.values()) == pytest.approx([0, 0, 0], abs=1e-9)


def test_restricted_and_excluded_loss():
    """A network that knows the algorithm, one that knows its examples by heart, and both."""
    sums = (PLACES[:, None] + PLACES) % N
    train = np.random.default_rng(0).random((N, N)) < 0.4
    algorithm = sum(
        20 * np.cos(2 * np.pi * f * (sums[..., None] - PLACES) / N) for f in (3, 5, 11, 14)
    )
    restricted, excluded = restricted_and_excluded_loss(algorithm, sums, train, train)
    assert restricted < 0.01
    assert excluded == pytest.approx(math.log(N))
    by_heart = np.zeros((N, N, N))
    by_heart[train] = 60 * np.eye(N)[sums[train]]
    restricted, excluded = restricted_and_excluded_loss(by_heart, sums, train, ~train, [3, 5])
    assert restricted > 1
    assert excluded < 1e-6
    both = restricted_and_excluded_loss(algorithm + by_heart, sums, train, train, [3, 5, 11, 14])
    assert max(both) < 0.01


def test_gradient_entropy():
    assert gradient_entropy([np.full((2, 5), -3.0)]) == pytest.approx(1)
    assert gradient_entropy([np.array([0.0, 4.0]), np.zeros(3)]) == pytest.approx(0)
    assert gradient_entropy([]) == 0


def test_commutator_defect_of_two_quadratics():
    """For losses w'Aw/2 and w'Bw/2 the two orders differ by rate^2 (AB - BA) w, exactly."""
    generator = np.random.default_rng(1)
    halves = generator.standard_normal((2, 4, 4))
    a, b = halves @ halves.transpose(0, 2, 1)
    w = generator.standard_normal(4)

    def step(at, matrix):
        return at - 0.01 * matrix @ at

    found = commutator_defect(
        [w], [step(w, a)], [step(w, b)], [step(step(w, a), b)], [step(step(w, b), a)]
    )
    expected = np.linalg.norm((a @ b - b @ a) @ w) / np.linalg.norm(a @ w) / np.linalg.norm(b @ w)
    assert found == pytest.approx(expected)
    assert commutator_defect([w], [w], [w], [w], [w]) == 0


def test_heavy_tail_exponent_of_a_power_law():
    """Eigenvalues with density x^-3: their exact quantiles."""
    eigenvalues = (1 - (np.arange(400) + 0.5) / 400) ** -0.5
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((400, 400)))[0]
    assert heavy_tail_exponent(turn * np.sqrt(eigenvalues)) == pytest.approx(3, abs=0.05)
    assert heavy_tail_exponent(np.eye(50)) is None
    assert heavy_tail_exponent(np.ones((3, 3))) is None


def test_local_complexity_counts_the_units_that_cut_a_neighbourhood():
    points = np.array([[0.0, 0.0], [5.0, 5.0]])
    corners = simplex_corners(points, 4, 0.5)
    assert np.linalg.norm(corners - points[:, None], axis=-1) == pytest.approx(0.5)
    # Three units: two lines through the origin, and one far from both points.
    weights, bias = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([0.0, 0.0, 100.0])
    assert local_complexity(corners @ weights.T + bias) == pytest.approx((2 + 0) / 2)


def blas_threads():
    from threadpoolctl import threadpool_info

    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_decompositions_take_one_thread_and_leave_the_rest_as_it_was():
    before = blas_threads()
    assert before
    with one_blas_thread():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_an_observation_decomposes_each_matrix_once(monkeypatch):
    taken, threads = [], []

    def counted(matrix):
        taken.append(matrix.shape)
        threads.extend(blas_threads())
        return singular_values(matrix)

    monkeypatch.setattr(observed, "singular_values", counted)
    weights = [np.eye(24), np.ones(7), np.ones((4, 3, 2)), np.ones((5, 1))]
    seen = Observed(weights=weights, train={}, paths=["a", "b", "c", "d"])
    found = measure_all(
        {name: MEASURES.get(name) for name in ("effective_rank", "heavy_tail_exponent")}, seen
    )
    assert found == pytest.approx({"effective_rank/a": 24, "effective_rank/c": 1})
    assert taken == [(24, 24), (4, 6)]
    assert set(threads) == {1}
