"""First layers of an MLP on tokens: a kernel on one-hots, and embeddings.

A one-hot times a kernel is one of the kernel's rows, so it is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.models.initial import InitialWeights
from grokkeras.models.token_table import lookup


@keras.saving.register_keras_serializable(package="grokkeras")
class OneHotDense(keras.layers.Layer):
    """Dense layer on the concatenated one-hots of the positions, as a sum of kernel rows.

    Args:
        units: channels out.
        rows: rows of the kernel: the number of tokens that may stand at all positions together.
        use_bias: whether a bias is added.
        initial: where the initial weights come from.

    Call arguments:
        index: a position each, (batch,): its row of the kernel; or the one-hots themselves,
            (batch, rows).

    Returns:
        (batch, units).
    """

    def __init__(
        self,
        units: int,
        rows: int,
        use_bias: bool,
        initial: InitialWeights,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel = self.add_weight(
            shape=(rows, units), initializer=initial.matrix(), name="kernel"
        )
        self.bias = (
            self.add_weight(shape=(units,), initializer="zeros", name="bias") if use_bias else None
        )
        self.built = True

    def call(self, index: Any) -> Any:
        kernel = ops.convert_to_tensor(self.kernel)
        if isinstance(index, list):
            first, *others = (lookup(kernel, place) for place in index)
            total = sum(others, first)
        else:
            total = ops.matmul(index, kernel)
        return total if self.bias is None else total + self.bias


@keras.saving.register_keras_serializable(package="grokkeras")
class Embeddings(keras.layers.Layer):
    """One embedding for all positions, or one each, concatenated or summed.

    Args:
        width: channels of an embedding.
        sizes: rows of each embedding; one entry is shared by all positions.
        combine: `concat` or `sum`.
        initial: where the initial weights come from.

    Call arguments:
        index: a position each, (batch,): its row of its embedding.

    Returns:
        (batch, positions * width) for `concat`, (batch, width) for `sum`.
    """

    def __init__(
        self,
        width: int,
        sizes: Sequence[int],
        combine: str,
        initial: InitialWeights,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.combine = combine
        self.embeddings = [
            self.add_weight(
                shape=(size, width), initializer=initial.embedding(1.0), name=f"embedding_{place}"
            )
            for place, size in enumerate(sizes)
        ]
        self.built = True

    def call(self, index: list[Any]) -> Any:
        tables = [ops.convert_to_tensor(embedding) for embedding in self.embeddings]
        if len(tables) == 1:
            tables *= len(index)
        found = [lookup(*pair) for pair in zip(tables, index, strict=True)]
        return sum(found[1:], found[0]) if self.combine == "sum" else ops.concatenate(found, -1)
