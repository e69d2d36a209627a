from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.errors import UserError
from grokkeras.tasks import TaskData, make_task
from grokkeras.tasks.parity import distinct_rows, relevant_bits
from grokkeras.tasks.splits import DRAW_STREAM, generator


def build(seed: int = 0, **more: object) -> TaskData:
    return make_task({"name": "sparse_parity", **more}, seed)


def everything(task: TaskData) -> tuple[np.ndarray, np.ndarray]:
    parts = (task.train, task.val, task.test_split())
    return np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])


@given(
    num_bits=st.sampled_from([3, 10, 20, 63, 64, 65, 130]),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_label_is_the_xor_of_the_relevant_bits(
    num_bits: int, seed: int, data: st.DataObject
) -> None:
    num_relevant = data.draw(st.integers(1, num_bits))
    count = data.draw(st.integers(6, min(40, 2**num_bits)))
    x, y = everything(build(seed, num_bits=num_bits, num_relevant=num_relevant, num_examples=count))
    relevant = relevant_bits(generator(seed, DRAW_STREAM), num_bits, num_relevant)
    assert len(set(relevant.tolist())) == num_relevant
    assert x.shape == (count, num_bits)
    for row, label in zip(x.tolist(), y.tolist(), strict=True):
        xor = 0
        for bit in relevant:
            xor ^= row[bit]
        assert xor == label
    assert len({tuple(row) for row in x.tolist()}) == count


@pytest.mark.parametrize(("num_bits", "count"), [(4, 16), (17, 2**17), (18, 2**16 - 1), (64, 3000)])
def test_rows_are_distinct_however_many_are_asked_for(num_bits: int, count: int) -> None:
    rows = distinct_rows(generator(0, 1), count, num_bits)
    assert rows.shape == (count, num_bits)
    assert len(np.unique(rows, axis=0)) == count


@pytest.mark.parametrize("num_bits", [12, 20, 40, 100])
def test_every_bit_is_set_about_half_the_time(num_bits: int) -> None:
    share = distinct_rows(generator(5, 1), 2000, num_bits).mean(axis=0)
    # 2,000 fair coins: six standard deviations are 0.067.
    assert (np.abs(share - 0.5) < 0.067).all()


def test_the_seed_decides_bits_and_rows() -> None:
    same, again, other = everything(build(1))[0], everything(build(1))[0], everything(build(2))[0]
    assert (same == again).all()
    assert (same != other).any()
    drawn = {tuple(relevant_bits(generator(s, DRAW_STREAM), 20, 3)) for s in range(10)}
    assert len(drawn) > 5


def test_facts_for_the_model() -> None:
    task = build(num_bits=5, num_relevant=2, num_examples=32)
    assert (task.vocab_size, task.length, task.num_classes) == (2, 5, 2)
    assert task.token_ranges == ((0, 2),) * 5
    assert "parity of 2 bits" in task.describe()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_relevant": 21}, r"between 1 and task.num_bits \(20\), received 21"),
        ({"num_relevant": 0}, "received 0"),
        ({"num_bits": 3, "num_examples": 9}, r"between 1 and 2\*\*3, .* received 9"),
        ({"num_bits": 30_000, "num_examples": 0}, "received 0"),
    ],
)
def test_options_that_are_refused(change: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        build(**change)
