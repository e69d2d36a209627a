"""What each part of a model begins with: a function of the model's seed and the part's place."""

from __future__ import annotations

from grokkeras.errors import UserError
from grokkeras.initializers import INITS, NumpyInitializer, NumpyNormal


class InitialWeights:
    """Hands out one initializer a weight, numbered in the order of asking.

    Args:
        seed: the model's seed.
        stddev: standard deviation of every weight; for `init` normal only.
        scale: factor on every weight.
        init: how matrices are drawn, a name from `grokkeras.initializers.INITS`. Embeddings, which
            are looked up and not multiplied, are always normal.
        connections: nonzero weights into each unit, for `init` sparse only.
    """

    def __init__(
        self,
        seed: int,
        stddev: float | None = None,
        scale: float = 1.0,
        init: str = "normal",
        connections: int | None = None,
    ) -> None:
        self._kind = INITS.get(init)
        if stddev is not None and init != "normal":
            raise UserError(
                f"init {init!r} has a size of its own, so init_stddev must be None; init_scale "
                f"changes it. Received init_stddev={stddev}."
            )
        if connections is not None and init != "sparse":
            raise UserError(
                f"init_connections is for init 'sparse'. Received {connections} with {init!r}."
            )
        self._options: dict[str, int] = {} if connections is None else {"connections": connections}
        self._seed = seed
        self._stddev = stddev
        self._scale = scale
        self._count = 0

    def embedding(self, stddev: float) -> NumpyNormal:
        """The next weight's initializer; `stddev` is what it takes where the model names none."""
        chosen = stddev if self._stddev is None else self._stddev
        return NumpyNormal(self._place(), chosen, self._scale)

    def matrix(self) -> NumpyInitializer:
        """The next weight's initializer, of a kernel (inputs, units)."""
        if self._kind is NumpyNormal:
            return NumpyNormal(self._place(), self._stddev, self._scale)
        return self._kind(self._place(), scale=self._scale, **self._options)

    def _place(self) -> tuple[int, int]:
        self._count += 1
        return self._seed, self._count


def mask_seed(seed: int, place: int) -> int:
    """The seed of a dropout layer's masks, which PyTorch keeps in 31 bits.

    Args:
        seed: the model's.
        place: the layer's, from 1.
    """
    return (1000 * seed + place) % 2**31
