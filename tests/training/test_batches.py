"""The order of examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokkeras.training.batches import BatchOrder

sizes = st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))
seeds = st.integers(0, 2**32)


@given(sizes, seeds)
def test_an_epoch_repeats_no_example(size, seed):
    examples, batch = size
    per_epoch = examples // batch
    rows = BatchOrder(examples, batch, seed).indices(0, 3 * per_epoch)
    assert rows.shape == (3 * per_epoch, batch)
    assert rows.dtype == np.int32
    for epoch in np.split(rows, 3):
        taken = epoch.ravel()
        assert len(set(taken.tolist())) == len(taken) == per_epoch * batch
        assert set(taken.tolist()) <= set(range(examples))


@given(sizes, seeds, st.lists(st.integers(0, 9), max_size=8), st.integers(0, 50))
def test_any_chunking_gives_the_same_rows(size, seed, chunks, start):
    whole = BatchOrder(*size, seed).indices(start, sum(chunks))
    order, step, parts = BatchOrder(*size, seed), start, []
    for count in chunks:
        parts.append(order.indices(step, count))
        step += count
    assert np.array_equal(np.concatenate([whole[:0], *parts]), whole)


@given(sizes, seeds, st.lists(st.integers(0, 100), min_size=1, max_size=6))
@settings(max_examples=50)
def test_order_of_asking_does_not_matter(size, seed, steps):
    """A resumed run asks for a step in the middle first."""
    order = BatchOrder(*size, seed)
    for step in steps:
        assert np.array_equal(order.indices(step, 2), BatchOrder(*size, seed).indices(step, 2))


def test_epochs_and_seeds_differ():
    order = BatchOrder(40, 40, 0)
    epochs = order.indices(0, 3)
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])
    assert not np.array_equal(epochs[0], BatchOrder(40, 40, 1).indices(0, 1)[0])


def test_all_examples_take_part_though_a_remainder_is_left_out():
    assert set(BatchOrder(10, 4, 0).indices(0, 60).ravel().tolist()) == set(range(10))


def test_a_full_batch_has_no_order():
    with pytest.raises(ValueError, match="full batch"):
        BatchOrder(10, None, 0).indices(0, 1)
