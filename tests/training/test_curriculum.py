"""Batches from the easiest examples: bounded by the pace, and the same after any cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokkeras.training.curriculum import (
    Curriculum,
    CurriculumOrder,
    Pace,
    StagePace,
    StepPace,
)

COUNT, BATCH = 60, 4
DIFFICULTY = np.random.default_rng(1).integers(0, 12, COUNT).astype(float)

shares = st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 1.0)).map(sorted)
seeds = st.integers(0, 2**32)


@st.composite
def paces(draw: st.DrawFn) -> Pace:
    start, end = draw(shares)
    if draw(st.booleans()):
        return StepPace(COUNT, start, end, draw(st.integers(1, 300)))
    pace = StagePace(COUNT, start, end, draw(st.integers(2, 6)), 0.9)
    for step in sorted(draw(st.sets(st.integers(1, 200), max_size=8))):
        pace.tell(step, draw(st.sampled_from([0.5, 0.9, 1.0])))
    return pace


def order(pace: Pace, seed: int = 0) -> CurriculumOrder:
    return CurriculumOrder(Curriculum(DIFFICULTY, pace), BATCH, seed)


@given(paces(), seeds)
def test_batches_are_of_the_admitted_examples_and_those_are_the_easiest(pace, seed):
    curriculum = Curriculum(DIFFICULTY, pace)
    rows = CurriculumOrder(curriculum, BATCH, seed).indices(0, 250)
    assert rows.shape == (250, BATCH)
    assert rows.dtype == np.int32
    for step, row in enumerate(rows):
        admitted = curriculum.admitted(step)
        assert len(set(row.tolist())) == BATCH
        assert set(row.tolist()) <= set(admitted.tolist())
        bound = DIFFICULTY[admitted].max()
        others = np.setdiff1d(np.arange(COUNT), admitted)
        assert (DIFFICULTY[others] >= bound).all()
        assert (DIFFICULTY[row] <= bound).all()


@given(paces(), seeds, st.lists(st.integers(0, 40), max_size=8), st.integers(0, 300))
def test_any_chunking_gives_the_same_rows(pace, seed, chunks, start):
    whole = order(pace, seed).indices(start, sum(chunks))
    made, step, parts = order(pace, seed), start, []
    for count in chunks:
        parts.append(made.indices(step, count))
        step += count
    assert np.array_equal(np.concatenate([whole[:0], *parts]), whole)


@given(paces(), seeds, st.lists(st.integers(0, 500), min_size=1, max_size=6))
@settings(max_examples=50)
def test_order_of_asking_does_not_matter(pace, seed, steps):
    made, walked = order(pace, seed), order(pace, seed).indices(0, 503)
    for step in steps:
        assert np.array_equal(made.indices(step, 2), walked[step : step + 2])


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=12), seeds, st.data())
def test_a_run_that_is_told_as_it_goes_and_cut_draws_what_an_uncut_one_draws(told, seed, data):
    """The accuracy comes at evaluations; the cut run goes on from the pace's saved state."""
    whole_pace, cut_pace = (StagePace(COUNT, 0.2, 1.0, 4, 0.9) for _ in range(2))
    whole, cut = order(whole_pace, seed), order(cut_pace, seed)
    step = 0
    for chunk, good in told:
        rows = whole.indices(step, chunk)
        if data.draw(st.booleans()):
            state = cut_pace.state_dict()
            cut_pace = StagePace(COUNT, 0.2, 1.0, 4, 0.9)
            cut_pace.load_state_dict(state)
            cut = order(cut_pace, seed)
        assert np.array_equal(cut.indices(step, chunk), rows)
        step += chunk
        opened = whole_pace.tell(step, 0.95 if good else 0.1)
        assert cut_pace.tell(step, 0.95 if good else 0.1) == opened


def test_a_pass_deals_each_admitted_example_once():
    pace = StagePace(COUNT, 0.2, 1.0, 2, 0.9)
    made = order(pace)
    first = made.indices(0, 3)  # 12 admitted, 3 batches of 4
    assert sorted(first.ravel().tolist()) == sorted(
        Curriculum(DIFFICULTY, pace).admitted(0).tolist()
    )
    again = made.indices(3, 1)  # a pass that the next stage breaks off
    assert pace.tell(4, 0.9)
    everything = made.indices(4, 15)
    assert sorted(everything.ravel().tolist()) == list(range(COUNT))
    assert set(again.ravel().tolist()) <= set(first.ravel().tolist())
    assert not np.array_equal(made.indices(19, 15), everything)


def test_paces_by_hand():
    steady = StepPace(100, 0.2, 1.0, 80)
    assert [steady.admitted(step) for step in (0, 10, 40, 80, 1000)] == [20, 30, 60, 100, 100]
    stages = StagePace(100, 0.2, 1.0, 5, 0.95)
    assert stages.admitted(10**9) == 20
    assert not stages.tell(7, 0.949)
    assert stages.tell(9, 0.95)
    assert [stages.admitted(step) for step in (8, 9, 100)] == [20, 40, 40]
    assert all(stages.tell(step, 1.0) for step in (10, 20, 30))
    assert stages.admitted(30) == 100
    assert not stages.awaits_accuracy()
    assert not stages.tell(40, 1.0)


def test_a_far_step_is_found_at_once():
    """Walking through every pass of a billion steps would take minutes."""
    for pace in (StepPace(COUNT, 0.5, 1.0, 100), StagePace(COUNT, 0.5, 1.0, 3, 0.9)):
        assert order(pace).indices(10**12, 1).shape == (1, BATCH)


def test_equally_hard_examples_keep_the_splits_random_order():
    assert Curriculum(np.zeros(9), StepPace(9, 0.5, 1.0, 1)).ranking.tolist() == list(range(9))


def test_a_batch_must_fit_in_the_first_examples():
    with pytest.raises(ValueError, match="batch of 4 does not fit in the first 3"):
        order(StepPace(COUNT, 0.05, 1.0, 10))
