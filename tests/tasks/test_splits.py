from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.errors import UserError
from grokkeras.tasks.splits import generator, split_counts, split_indices

fractions = st.tuples(st.floats(0.05, 0.6), st.floats(0.05, 0.35))


def labels_of(counts: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


@given(count=st.integers(60, 400), fraction=fractions, seed=st.integers(0, 2**40))
def test_parts_are_disjoint_complete_and_of_the_size_asked_for(
    count: int, fraction: tuple[float, float], seed: int
) -> None:
    parts = split_indices(np.zeros(count, int), *fraction, seed)
    assert sorted(np.concatenate(parts)) == list(range(count))
    assert len(parts[0]) == round(fraction[0] * count)
    assert len(parts[1]) == round(fraction[1] * count)


@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=9).filter(lambda c: sum(c) >= 60),
    fraction=fractions,
    seed=st.integers(0, 2**40),
)
def test_stratified_parts_are_complete_and_train_is_within_one_of_its_share(
    counts: list[int], fraction: tuple[float, float], seed: int
) -> None:
    labels = labels_of(counts)
    parts = split_indices(labels, *fraction, seed, stratify=True)
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    assert [len(part) for part in parts] == list(split_counts(len(labels), *fraction))
    share = len(parts[0]) * np.array(counts) / len(labels)
    train = np.bincount(labels[parts[0]], minlength=len(counts))
    assert (np.abs(train - share) < 1 + 1e-9).all()


def test_stratified_parts_keep_the_proportions_where_a_plain_split_does_not() -> None:
    labels = labels_of([900, 90, 10])
    train, val, test = split_indices(labels, 0.5, 0.3, seed=0, stratify=True)
    assert np.bincount(labels[train]).tolist() == [450, 45, 5]
    assert np.bincount(labels[val]).tolist() == [270, 27, 3]
    assert np.bincount(labels[test]).tolist() == [180, 18, 2]
    plain = {
        tuple(np.bincount(labels[split_indices(labels, 0.5, 0.3, seed)[0]])) for seed in range(5)
    }
    assert plain != {(450, 45, 5)}


def test_equal_shares_do_not_always_favour_the_same_labels() -> None:
    labels = labels_of([5] * 10)  # 25 of 50: every label is owed 2.5
    favoured = set()
    for seed in range(10):
        train = split_indices(labels, 0.5, 0.3, seed, stratify=True)[0]
        favoured.add(tuple(np.bincount(labels[train]) == 3))
    assert len(favoured) > 5


@pytest.mark.parametrize("stratify", [False, True])
def test_same_seed_same_split_other_seed_other_split(stratify: bool) -> None:
    labels = labels_of([100, 100])
    first, again, other = (split_indices(labels, 0.4, 0.3, s, stratify) for s in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert set(first[0]) != set(other[0])


def test_the_split_of_a_seed_is_what_it_has_always_been() -> None:
    train, val, test = split_indices(np.zeros(12, int), 0.5, 0.25, seed=7)
    assert (train.tolist(), val.tolist()) == ([10, 4, 2, 5, 8, 6], [0, 9, 7])
    assert test.tolist() == [3, 1, 11]


def test_streams_of_one_seed_differ() -> None:
    a, b = (generator(0, stream).bit_generator.random_raw(4).tolist() for stream in (1, 2))
    assert a != b


def test_counts_round_and_leave_the_rest_to_the_test() -> None:
    assert split_counts(9409, 0.4, 0.3) == (3764, 2823, 2822)


@pytest.mark.parametrize(
    ("count", "train", "val", "words"),
    [
        (100, 0.0, 0.3, "train_fraction must lie between 0 and 1, received 0.0"),
        (100, 0.4, 1.0, "val_fraction must lie between 0 and 1, received 1.0"),
        (100, 0.7, 0.3, "leave 70, 30 and 0"),
        (100, 0.7, 0.6, "leave 70, 60 and 0"),
        (2, 0.4, 0.3, "Use fractions whose sum stays below 1, or more examples"),
        (0, 0.4, 0.3, "of 0 examples"),
        (100, float("nan"), 0.3, "received nan"),
    ],
)
def test_an_empty_part_is_refused(count: int, train: float, val: float, words: str) -> None:
    with pytest.raises(UserError, match=words):
        split_counts(count, train, val)
