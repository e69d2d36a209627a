"""When a run evaluates, saves and ends a call: functions of the absolute step alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokkeras.training.plan import Plan, chunk_length, is_evaluation, next_evaluation

per_decade = st.integers(1, 1000)


def by_definition(last, evaluations):
    """The distinct integers round(10 ** (k / E)) from 1 to `last`."""
    steps, k = set(), 0
    while (step := round(10 ** (k / evaluations))) <= last:
        steps.add(step)
        k += 1
    return steps


@given(per_decade, st.integers(1, 20_000))
@settings(max_examples=60)
def test_evaluation_steps_are_those_of_the_definition(evaluations, last):
    steps, step = [], 0
    while (step := next_evaluation(step, evaluations)) <= last:
        steps.append(step)
    assert steps == sorted(by_definition(last, evaluations))


@given(per_decade, st.integers(0, 10**7))
def test_next_evaluation_from_anywhere(evaluations, step):
    after = next_evaluation(step, evaluations)
    assert after > step
    assert is_evaluation(after, evaluations)
    assert after in by_definition(after, evaluations)
    # None is passed over.
    assert not {s for s in by_definition(after, evaluations) if step < s < after}


def test_a_hundred_a_decade():
    steps = sorted(by_definition(10_000, 100))
    assert steps[:10] == list(range(1, 11))
    assert {1, 10, 100, 1000, 10_000} <= set(steps)
    assert not is_evaluation(0, 100)
    assert next_evaluation(0, 100) == 1
    # From 1,000 on every one of the hundred is a step of its own.
    assert len([s for s in steps if 1000 <= s < 10_000]) == 100


plans = st.builds(
    Plan,
    max_steps=st.integers(1, 3000),
    evaluations_per_decade=st.integers(1, 100),
    checkpoint_every=st.none() | st.integers(1, 700),
    max_chunk=st.integers(1, 256),
)


def walk(plan, step=0):
    ends = []
    while step < plan.max_steps:
        step = plan.next_boundary(step)
        ends.append(step)
    return ends


@given(plans)
@settings(max_examples=60)
def test_calls_end_where_something_is_due(plan):
    ends = walk(plan)
    assert ends[-1] == plan.max_steps
    chunks = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert all(0 < chunk <= plan.max_chunk for chunk in chunks)
    due = {s for s in range(1, plan.max_steps + 1) if plan.is_evaluation(s)}
    assert due == {
        *by_definition(plan.max_steps, plan.evaluations_per_decade),
        plan.max_steps,
    }
    saved = {s for s in range(1, plan.max_steps + 1) if plan.is_checkpoint(s)}
    every = plan.checkpoint_every
    assert saved == (set(range(every, plan.max_steps + 1, every)) if every else set())
    assert due | saved <= set(ends)


@given(plans, st.data())
@settings(max_examples=60)
def test_a_run_cut_anywhere_goes_on_with_the_same_calls(plan, data):
    ends = walk(plan)
    cut = data.draw(st.integers(0, plan.max_steps - 1))
    assert walk(plan, cut) == [end for end in ends if end > cut]


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_chunk_length_is_a_power_of_two(num_parameters, batch_size):
    length = chunk_length(num_parameters, batch_size)
    assert 1 <= length <= 256
    assert length & (length - 1) == 0
    assert chunk_length(num_parameters * 2, batch_size) <= length


@pytest.mark.parametrize(
    ("num_parameters", "batch_size", "expected"),
    [(1000, 10, 256), (226_816, 3830, 16), (10**9, 10**6, 1)],
)
def test_chunk_length_by_size(num_parameters, batch_size, expected):
    """About half a second on two cores, where W1 makes some 40 steps a second."""
    assert chunk_length(num_parameters, batch_size) == expected
