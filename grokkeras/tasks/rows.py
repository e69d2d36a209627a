"""Rows of an array as keys that can be compared, sorted and looked up."""

from __future__ import annotations

import numpy as np


class RowKeys:
    """Turns rows into keys: equal keys, equal rows.

    Args:
        vocab_size: of tokens; None for features.
        length: numbers a row.

    Attributes:
        count: how many keys there can be; keys are whole numbers below it. None: keys are bytes.
    """

    def __init__(self, vocab_size: int | None, length: int) -> None:
        self.count: int | None = None
        if vocab_size is not None and vocab_size**length < 2**62:
            self.count = vocab_size**length
            self._places = vocab_size ** np.arange(length, dtype=np.int64)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n,) keys of rows (n, length)."""
        if self.count is not None:
            return x.astype(np.int64) @ self._places
        plain = np.ascontiguousarray(x + 0)  # -0.0 and 0.0 are the same number
        return plain.view(f"V{plain.itemsize * plain.shape[1]}").ravel()


class SeenRows:
    """The rows met so far.

    Args:
        keys: of the task's rows.
    """

    # A table of this many booleans is quicker than searching, and still small.
    _LARGEST_TABLE = 2**27

    def __init__(self, keys: RowKeys) -> None:
        self._keys = keys
        small = keys.count is not None and keys.count <= self._LARGEST_TABLE
        self._table = np.zeros(keys.count or 0, bool) if small else None
        self._met: set[object] = set()

    def add(self, x: np.ndarray) -> np.ndarray:
        """Takes in rows; returns the places of those that were new, each row's first: (m,)."""
        distinct, first = np.unique(self._keys(x), return_index=True)
        if self._table is not None:
            new = ~self._table[distinct]
            self._table[distinct] = True
        else:
            items = distinct.tolist()
            new = np.array([item not in self._met for item in items], bool)
            self._met.update(items)
        return np.sort(first[new])
