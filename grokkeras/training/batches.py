"""The order of examples: a NumPy permutation an epoch, the same on every backend.

An epoch's permutation depends on the seed and the epoch's number alone. There is no generator
state to save, and a resumed run finds its place by arithmetic.
"""

from __future__ import annotations

import numpy as np

# Distinguishes this use of the run's seed from the split's and the weights'.
_STREAM = 2


class BatchOrder:
    """Which examples each step takes.

    The last examples of an epoch that do not fill a batch are left out; every epoch shuffles anew,
    so all examples take part.

    Args:
        num_examples: size of the training split.
        batch_size: examples a step, at most `num_examples`; None: all of them, in order.
        seed: the run's seed.
    """

    def __init__(self, num_examples: int, batch_size: int | None, seed: int) -> None:
        self.num_examples = num_examples
        self.batch_size = batch_size
        self.seed = seed
        self._epoch = -1
        self._permutation = np.zeros(0, "int32")

    def indices(self, step: int, count: int) -> np.ndarray:
        """The examples of `count` steps from `step` on: (count, batch_size) int32."""
        if self.batch_size is None:
            raise ValueError("A full batch has no order: every step takes every example.")
        per_epoch = self.num_examples // self.batch_size
        rows = np.empty((count, self.batch_size), "int32")
        for row in range(count):
            epoch, place = divmod(step + row, per_epoch)
            if epoch != self._epoch:
                generator = np.random.default_rng([self.seed, _STREAM, epoch])
                self._permutation = generator.permutation(self.num_examples).astype("int32")
                self._epoch = epoch
            rows[row] = self._permutation[place * self.batch_size :][: self.batch_size]
        return rows
