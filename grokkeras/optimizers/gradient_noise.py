"""Annealed noise on the gradients.

    model.compile(optimizer=GradientNoise(keras.optimizers.AdamW(1e-3), stddev=0.1))

Reference: Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks"
(1511.06807): variance eta / (1 + t)^gamma with gamma 0.55 and eta among 0.01, 0.3 and 1.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat.counted_noise import normal
from grokkeras.optimizers.transform import TRANSFORMS, GradientTransform, Number, to_config

# Keys of one seed lie this far apart, so that no two weights of neighbouring seeds share noise.
_SEED_STRIDE = 65_537


@TRANSFORMS.register("gradient_noise")
@keras.saving.register_keras_serializable("grokkeras")
class GradientNoise(GradientTransform):
    """Adds normal noise: g <- g + stddev / (1 + t)^(decay/2) * N(0, 1), t = `iterations`.

    The noise depends on `seed`, step and weight alone: it is the same on every backend, and after a
    resume. It has no state.

    Args:
        inner_optimizer: see `GradientTransform`.
        stddev: standard deviation at the first step, a number or a schedule, 0 or more.
            Default 0.1 (the paper's eta 0.01).
        decay: how fast the variance falls, 0 or more; 0: never. Default 0.55.
        seed: a whole number, 0 to 10,000. Default 0.
        name: of the optimizer.

    Raises:
        UserError: an argument is out of range.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str,
        stddev: Number = 0.1,
        decay: float = 0.55,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if not decay >= 0:
            raise UserError(f"GradientNoise: decay is 0 or more; received {decay!r}.")
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= 10_000:
            raise UserError(f"GradientNoise: seed is a whole number to 10,000; received {seed!r}.")
        self.stddev = self.number("stddev", stddev, least=0)
        self.decay = float(decay)
        self.seed = seed

    def build_state(self, variables: Any) -> None:
        """Nothing to keep; gives each weight noise of its own."""
        first = self.seed * _SEED_STRIDE
        self.kept.keys = list(range(first, first + len(variables)))

    def transform(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """See the class."""
        step = ops.convert_to_tensor(self.iterations)
        annealed = (1.0 + ops.cast(step, "float32")) ** (-self.decay / 2)
        stddev = annealed * self.value(self.stddev)
        keys = self.of(self.kept.keys, variables)
        return [
            gradient + ops.cast(stddev * normal(tuple(gradient.shape), key, step), gradient.dtype)
            for gradient, key in zip(gradients, keys, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        """See `OptimizerWrapper`."""
        return {
            **super().get_config(),
            "stddev": to_config(self.stddev),
            "decay": self.decay,
            "seed": self.seed,
        }
