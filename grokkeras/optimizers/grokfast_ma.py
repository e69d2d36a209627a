"""Grokfast with a moving average over a window of gradients.

    model.compile(optimizer=GrokfastMA(keras.optimizers.AdamW(1e-3, weight_decay=0.01)))

Reference: Lee, Kang, Kim and Lee 2024, "Grokfast: Accelerated grokking by amplifying slow
gradients" (2405.20233), algorithm 1. As in the authors' code the mean includes the present
gradient, is taken over gradients before their amplification, and is added only once the window is
full: from step `window` on.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat.transforms import read_row, write_row
from grokkeras.optimizers.sliding_sum import slide
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform, Number, cast, to_config


@TRANSFORMS.register("grokfast_ma")
@keras.saving.register_keras_serializable("grokkeras")
class GrokfastMA(GradientTransform):
    """Adds the mean of the last gradients: g <- g + lamb*mean(last `window` gradients).

    State: `window` + 3 arrays of each weight's shape, in checkpoints too.

    Args:
        inner_optimizer: see `GradientTransform`.
        window: steps, 1 or more. Default 100.
        lamb: how much of the mean is added, a number or a schedule, 0 or more. Default 5.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        window: int = 100,
        lamb: Number = 5.0,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if isinstance(window, bool) or not isinstance(window, int) or window < 1:
            raise UserError(
                f"GrokfastMA: window is a whole number, 1 or more; received {window!r}."
            )
        self.window = window
        self.lamb = self.number("lamb", lamb, least=0)

    def check_steps(self, steps: int) -> None:
        """See `GradientTransform`."""
        if self.window > steps:
            raise UserError(
                f"GrokfastMA averages over {self.window:,} steps and does nothing before, but the "
                f"run has {steps:,}. Make the window shorter or the run longer."
            )

    def build_state(self, variables: Any) -> None:
        """The gradients of the window, their sum as two floats, and how many were seen."""
        self.kept.seen = self.add_state("seen", dtype="int32")
        self.kept.rings = self.add_slots("window", variables, rows=self.window + 1)
        self.kept.sums = self.add_slots("sum_of_window", variables)
        self.kept.rests = self.add_slots("rest_of_sum", variables)

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        kept, rows = self.kept, self.window + 1
        seen = ops.convert_to_tensor(kept.seen)
        entering, leaving = seen % rows, (seen + 1) % rows
        full = ops.greater_equal(seen, self.window - 1)
        # Stays small, so that it never overflows, and above the window once it was.
        self.write(kept.seen, ops.where(full, rows + leaving, seen + 1))
        share = ops.where(full, self.value(self.lamb) / self.window, 0.0)
        slots = zip(
            *(self.of(slots, variables) for slots in (kept.rings, kept.sums, kept.rests)),
            strict=True,
        )
        amplified = []
        for gradient, (ring, total, rest) in zip(gradients, slots, strict=True):
            # Written first and read after, at another row (there is one more than the window
            # needs): XLA copies the whole ring at every step if one of its rows is read before.
            # A gradient that is only accumulated so far is overwritten by the next.
            write_row(ring, entering, gradient)
            pair = slide(total.value, rest.value, gradient, read_row(ring, leaving))
            for slot, value in zip((total, rest), pair, strict=True):
                self.write(slot, value)
            amplified.append(gradient + pair[0] * cast(share, gradient.dtype))
        return amplified

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {**super().get_config(), "window": self.window, "lamb": to_config(self.lamb)}
