"""Multi-head attention that computes only the positions somebody reads.

Kernels are two-dimensional (`Dense`), so that Muon and other matrix optimizers see matrices. Inner
layers are asked through `call`: the checks of Keras' own `__call__`, which the model's has made
already, cost a tenth of a millisecond a layer on PyTorch.
"""

from __future__ import annotations

import functools
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
        keys, values = self._heads(self.key.call(x)), self._heads(self.value.call(x))
        if last_only:
            shares = self._last_shares(x, keys)
            mixed = ops.sum(ops.expand_dims(shares, -1) * values, 1)
            return self._finish(self._merge(mixed), training)
        queries = self._heads(self.query.call(x))
        scores = ops.einsum("bqhc,bkhc->bhqk", queries, keys) * self._scale
        if self.causal:
            places = ops.arange(x.shape[1])
            seen = ops.expand_dims(places, 1) >= ops.expand_dims(places, 0)
            scores = ops.where(seen, scores, ops.cast(-1e9, scores.dtype))
        mixed = ops.einsum("bhqk,bkhc->bqhc", ops.softmax(scores, axis=-1), values)
        return self._finish(self._merge(mixed), training)

    def shares(self, x: Any) -> Any:
        """Attention that the last position gives to each: (batch, heads, length), sums of 1.

        Args:
            x: (batch, length, width).
        """
        return ops.transpose(self._last_shares(x, self._heads(self.key.call(x))), (0, 2, 1))

    def _last_shares(self, x: Any, keys: Any) -> Any:
        """(batch, length, heads) of the keys (batch, length, heads, head width)."""
        query = self._heads(self.query.call(x[:, -1]))
        scores = ops.sum(ops.expand_dims(query, 1) * keys, -1)
        return ops.softmax(scores * self._scale, axis=1)

    def last_from_table(self, rows: Any, index: list[Any], training: bool = False) -> Any:
        """The last position's output, keys and values computed once a row.

        Args:
            rows: (rows, width); see `TokenTable`.
            index: a position each, the examples' rows.
            training: whether dropout is on.

        Returns:
            (batch, width).
        """
        keys, values = self.key.call(rows), self.value.call(rows)
        if isinstance(index[-1], int):
            # One query for every example (the "=" token): scores too belong to rows.
            query = self.query.call(lookup(rows, index[-1]))
            mixed = self._mix_rows(self._score(query, keys), values, index)
        else:
            query = self.query.call(lookup(rows, index[-1]))
            scores = [self._score(query, lookup(keys, place)) for place in index]
            mixed = self._mix(scores, [lookup(values, place) for place in index])
        return self._finish(mixed, training)

    def all_from_table(self, rows: Any, index: list[Any], training: bool = False) -> Any:
        """Every position's output, projections computed once a row: (batch, length, width)."""
        queries, keys, values = (
            [lookup(layer.call(rows), place) for place in index]
            for layer in (self.query, self.key, self.value)
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
        return reshape(x, (-1, *x.shape[1:-1], self.num_heads, self.head_width))

    def _merge(self, x: Any) -> Any:
        """(..., heads, head width) to (..., width)."""
        return reshape(x, (-1, *x.shape[1:-2], self.num_heads * self.head_width))

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

    def _mix_rows(self, scores: Any, values: Any, index: list[Any]) -> Any:
        """As `_mix`, where every example asks the same query, so that scores belong to rows too.

        The softmax is a ratio of sums of exp(score) * value and exp(score). Each exponential is
        split in two: exp(score - held) of a row, where `held` is the score without its gradient,
        is 1 and carries the gradient; exp(held - top), `top` being the example's largest score, is
        at most 1 and a constant of the backward pass. So scores of any size are right, gradients
        too, while all that has a gradient is computed once a row. (Split at one constant for all
        examples, the ratio loses its gradient where scores lie 44 apart.)

        Args:
            scores: (rows, heads), unscaled.
            values: (rows, width).
            index: a position each, the examples' rows.

        Returns:
            (batch, width).
        """
        scores = scores * self._scale
        held = ops.stop_gradient(scores)
        ones = ops.exp(scores - held)
        weighted = self._merge(ops.expand_dims(ones, -1) * self._heads(values))
        at = [lookup(held, place) for place in index]
        top = functools.reduce(ops.maximum, at)
        above, below = [], []
        for score, place in zip(at, index, strict=True):
            share = ops.exp(score - top)
            above.append(ops.expand_dims(share, -1) * self._heads(lookup(weighted, place)))
            below.append(share * lookup(ones, place))
        total, norm = sum(above[1:], above[0]), sum(below[1:], below[0])
        return self._merge(total / ops.expand_dims(norm, -1))

    def _finish(self, mixed: Any, training: bool) -> Any:
        projected = self.project.call(mixed)
        return self.dropout.call(projected, training=training) if self.dropout else projected


def projection(
    inputs: int, outputs: int, use_bias: bool, initial: InitialWeights, name: str
) -> keras.layers.Dense:
    """A built `Dense` layer with weights from `initial` and a zero bias."""
    layer = keras.layers.Dense(
        outputs, use_bias=use_bias, kernel_initializer=initial.matrix(), name=name
    )
    layer.build((None, inputs))
    return layer


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """`ops.reshape`, by the tensor's own method where it has one.

    On PyTorch `ops.reshape` walks the shape as a tree, which takes longer than all else it does.
    """
    return x.reshape(shape) if hasattr(x, "reshape") else ops.reshape(x, shape)


def stack_positions(entries: list[Any]) -> Any:
    """Positions of (batch or 1, channels) as one (batch, length, channels)."""
    largest = max(entries, key=lambda entry: 0 if entry.shape[0] == 1 else 1)
    shape = ops.shape(largest)
    return ops.stack([ops.broadcast_to(entry, shape) for entry in entries], axis=1)
