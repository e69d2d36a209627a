"""Gradient accumulation around an optimizer that accumulates too.

A transform is to see the mean gradient of all accumulated batches, once an update, but the inner
optimizer takes the mean only after it was given the gradients. So they are accumulated here, and
the inner optimizer is given zeros and then, with the last batch, the number of batches times the
transformed mean: its own mean of these is the transformed mean, and its counting, learning rate
schedule and clipping go on as if nothing stood before it.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from grokkeras.keras_compat.wrapper import batches_seen


class Accumulation:
    """Sums gradients up over batches.

    Args:
        batches: how many make one update.
        slots: one variable for each weight, zeros.
    """

    def __init__(self, batches: int, slots: list[Any]) -> None:
        self.batches = batches
        self.slots = slots

    def due(self, optimizer: Any) -> Any:
        """Whether this batch is the last one of an update; a boolean scalar of the backend."""
        return ops.equal((batches_seen(optimizer) + 1) % self.batches, 0)

    def mean(self, due: Any, gradients: list[Any], sums: list[Any]) -> list[Any]:
        """The mean gradient so far; the sums start anew after the last batch."""
        totals = [total.value + gradient for gradient, total in zip(gradients, sums, strict=True)]
        for slot, total in zip(sums, totals, strict=True):
            slot.assign(ops.where(due, ops.zeros_like(total), total))
        return [total / self.batches for total in totals]

    def release(self, due: Any, gradients: list[Any]) -> list[Any]:
        """What the inner optimizer is to be given."""
        return [ops.where(due, g * self.batches, ops.zeros_like(g)) for g in gradients]
