"""Multi-head attention that computes only the positions somebody reads.

Kernels are two-dimensional (`Dense`), so that Muon and other matrix optimizers see matrices.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import keras
from keras import ops

from grokkeras.models.initial import InitialWeights
from grokkeras.models.token_table import lookup


@keras.saving.register_keras_serializable(package="grokkeras")
class Attention(keras.layers.Layer):
    """Softmax attention (Vaswani et al. 2017, 1706.03762, 3.2) on a sequence or on a table.

    Args:
        width: channels, a multiple of `num_heads`.
        num_heads: heads.
        use_bias: biases in the four projections.
        causal: a position sees itself and those before it; otherwise all.
        dropout: share of the output's channels dropped in training.
        initial: where the initial weights come from.
        seed: seed of the dropout masks.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        use_bias: bool,
        causal: bool,
        dropout: float,
        initial: InitialWeights,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.head_width = width // num_heads
        self.causal = causal
        with keras.name_scope(self.name):
            self.query, self.key, self.value, self.project = (
                projection(width, width, use_bias, initial, name)
                for name in ("query", "key", "value", "project")
            )
        self.dropout = keras.layers.Dropout(dropout, seed=seed) if dropout else None
        self.built = True

    def call(self, x: Any, last_only: bool = False, training: bool = False) -> Any:
        """Attention over a sequence.

        Args:
            x: (batch, length, width).
            last_only: compute the last position's output alone.
            training: whether dropout is on.

        Returns:
            (batch, length, width), or (batch, width) for the last position alone.
        """
        keys, values = self._heads(self.key(x)), self._heads(self.value(x))
        if last_only:
            query = self._heads(self.query(x[:, -1]))
            scores = ops.sum(ops.expand_dims(query, 1) * keys, -1)
            shares = ops.softmax(scores * self._scale, axis=1)
            mixed = ops.sum(ops.expand_dims(shares, -1) * values, 1)
            return self._finish(self._merge(mixed), training)
        queries = self._heads(self.query(x))
        scores = ops.einsum("bqhc,bkhc->bhqk", queries, keys) * self._scale
        if self.causal:
            places = ops.arange(x.shape[1])
            seen = ops.expand_dims(places, 1) >= ops.expand_dims(places, 0)
            scores = ops.where(seen, scores, ops.cast(-1e9, scores.dtype))
        mixed = ops.einsum("bhqk,bkhc->bqhc", ops.softmax(scores, axis=-1), values)
        return self._finish(self._merge(mixed), training)

    def last_from_table(self, rows: list[Any], index: list[Any], training: bool = False) -> Any:
        """The last position's output, keys and values computed once a row.

        Args:
            rows: a position each, (number of rows, width).
            index: a position each, (batch,): each example's row.
            training: whether dropout is on.

        Returns:
            (batch, width).
        """
        keys, values = self._project_rows(rows, self.key), self._project_rows(rows, self.value)
        query_rows = self.query(rows[-1])
        if query_rows.shape[0] == 1:
            # One query for every example (the "=" token): scores too belong to rows.
            scored = [
                ops.concatenate([self._score(query_rows, key), value], -1)
                for key, value in zip(keys, values, strict=True)
            ]
            found = [lookup(*pair) for pair in zip(scored, index, strict=True)]
            scores = [entry[:, : self.num_heads] for entry in found]
            values = [entry[:, self.num_heads :] for entry in found]
        else:
            query = lookup(query_rows, index[-1])
            scores = [self._score(query, lookup(*pair)) for pair in zip(keys, index, strict=True)]
            values = [lookup(*pair) for pair in zip(values, index, strict=True)]
        return self._finish(self._mix(scores, values), training)

    def all_from_table(self, rows: list[Any], index: list[Any], training: bool = False) -> Any:
        """Every position's output, projections computed once a row: (batch, length, width)."""
        projected = [
            self._project_rows(rows, layer) for layer in (self.query, self.key, self.value)
        ]
        queries, keys, values = (
            [lookup(*pair) for pair in zip(table, index, strict=True)] for table in projected
        )
        mixed = []
        for place, query in enumerate(queries):
            seen = slice(0, place + 1) if self.causal else slice(None)
            scores = [self._score(query, key) for key in keys[seen]]
            mixed.append(self._mix(scores, values[seen]))
        return self._finish(stack_positions(mixed), training)

    @property
    def _scale(self) -> float:
        return 1 / math.sqrt(self.head_width)

    def _heads(self, x: Any) -> Any:
        """(..., width) to (..., heads, head width)."""
        return ops.reshape(x, (-1, *x.shape[1:-1], self.num_heads, self.head_width))

    def _merge(self, x: Any) -> Any:
        """(..., heads, head width) to (..., width)."""
        return ops.reshape(x, (-1, *x.shape[1:-2], self.num_heads * self.head_width))

    def _score(self, query: Any, key: Any) -> Any:
        """Unscaled scores (n, heads) of n queries and n keys, both (n or 1, width)."""
        return ops.sum(self._heads(query * key), -1)

    def _mix(self, scores: list[Any], values: list[Any]) -> Any:
        """Values (n or 1, width) of each position, weighted by the softmax of their scores."""
        if len(scores) == 1:
            return values[0]
        shares = ops.softmax(stack_positions(scores) * self._scale, axis=1)
        mixed = sum(
            ops.expand_dims(shares[:, place], -1) * self._heads(value)
            for place, value in enumerate(values)
        )
        return self._merge(mixed)

    def _finish(self, mixed: Any, training: bool) -> Any:
        projected = self.project(mixed)
        return self.dropout(projected, training=training) if self.dropout else projected

    @staticmethod
    def _project_rows(rows: list[Any], layer: Any) -> list[Any]:
        """Each position's rows through `layer`, in one matrix product for all positions."""
        ends = [0]
        for entry in rows:
            ends.append(ends[-1] + entry.shape[0])
        projected = layer(ops.concatenate(rows, 0))
        return [projected[start:end] for start, end in itertools.pairwise(ends)]


def projection(
    inputs: int, outputs: int, use_bias: bool, initial: InitialWeights, name: str
) -> keras.layers.Dense:
    """A built `Dense` layer with weights from `initial` and a zero bias."""
    layer = keras.layers.Dense(
        outputs, use_bias=use_bias, kernel_initializer=initial.next(), name=name
    )
    layer.build((None, inputs))
    return layer


def stack_positions(entries: list[Any]) -> Any:
    """Positions of (batch or 1, channels) as one (batch, length, channels)."""
    largest = max(entries, key=lambda entry: 0 if entry.shape[0] == 1 else 1)
    shape = ops.shape(largest)
    return ops.stack([ops.broadcast_to(entry, shape) for entry in entries], axis=1)
