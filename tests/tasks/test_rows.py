"""Keys of rows: equal exactly for equal rows."""

from __future__ import annotations

import numpy as np
import pytest
from parts_of import keys

from grokkeras.tasks.rows import RowKeys, SeenRows


@pytest.mark.parametrize("vocab_size", [5, 2**31 - 2, None])
def test_keys_are_equal_exactly_for_equal_rows(vocab_size: int | None) -> None:
    rng = np.random.default_rng(0)
    dtype = np.int32 if vocab_size else np.float32
    x = rng.integers(0, 3, size=(400, 4)).astype(dtype)
    made = RowKeys(vocab_size, 4)(x)
    distinct = len({row.tobytes() for row in x})
    assert len(np.unique(made)) == distinct < 400
    seen = SeenRows(RowKeys(vocab_size, 4))
    first = seen.add(x[:200])
    assert len(first) == len(keys(x[:200]))
    assert keys(x[:200][first]) == keys(x[:200])
    assert keys(x[200:][seen.add(x[200:])]) == keys(x[200:]) - keys(x[:200])
    assert len(seen.add(x)) == 0


def test_minus_zero_is_zero() -> None:
    made = RowKeys(None, 2)(np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32))
    assert made[0] == made[1]
