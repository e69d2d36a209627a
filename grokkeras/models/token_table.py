"""Token and position embeddings as a table of rows, one a (position, token) that can occur.

Before any mixing between positions, whatever a network computes from a token depends on (token,
position) alone. For modular addition mod 113 that is 2 * 113 + 1 rows where a full batch of 3,830
examples has 11,490 tokens: computing first-layer keys and values on the rows and looking them up
for each example gives the same numbers for a fraction of the arithmetic.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from grokkeras.errors import UserError
from grokkeras.models.initial import InitialWeights


def lookup(rows: Any, index: Any) -> Any:
    """The rows that the examples name.

    Args:
        rows: (number of rows, channels).
        index: (batch,) integers below the number of rows, or one Python int for all examples.

    Returns:
        (batch, channels); for one int (1, channels), which broadcasts against any batch.
    """
    if isinstance(index, int):
        return rows[index : index + 1]
    return ops.take(rows, index, axis=0)


def check_token_ranges(
    token_ranges: Sequence[Sequence[int]] | None, vocab_size: int, length: int
) -> list[tuple[int, int]]:
    """The ranges as a list of (first token, number of tokens), the whole vocabulary by default.

    Raises:
        UserError: their number is not `length`, or one leaves the vocabulary.
    """
    if token_ranges is None:
        return [(0, vocab_size)] * length
    ranges = [(int(first), int(count)) for first, count in token_ranges]
    if len(ranges) != length:
        raise UserError(
            f"token_ranges must name one (first token, number of tokens) for each of the "
            f"{length} positions. Received {len(ranges)}: {ranges}."
        )
    for first, count in ranges:
        if first < 0 or count < 1 or first + count > vocab_size:
            raise UserError(
                f"A token range must lie within 0 to {vocab_size - 1}, the vocabulary. "
                f"Received first token {first}, {count} tokens."
            )
    return ranges


@keras.saving.register_keras_serializable(package="grokkeras")
class TokenTable(keras.layers.Layer):
    """Learned token embedding plus learned position embedding, as rows by position.

    Args:
        vocab_size: number of tokens.
        width: channels of a row.
        token_ranges: a position each, (first token, number of tokens) that may stand there.
        initial: where the initial weights come from.

    Call arguments:
        tokens: (batch, length) integers.

    Returns:
        rows: (rows, width), position after position, a row for each token that may stand there.
        index: as `table_index` gives it.
        valid: (batch,) booleans, False where a token stands outside its position's range.
    """

    def __init__(
        self,
        vocab_size: int,
        width: int,
        token_ranges: Sequence[tuple[int, int]],
        initial: InitialWeights,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.token_ranges = list(token_ranges)
        self.token_embedding = self.add_weight(
            shape=(vocab_size, width),
            initializer=initial.embedding(width**-0.5),
            name="token_embedding",
        )
        self.position_embedding = self.add_weight(
            shape=(len(self.token_ranges), width),
            initializer=initial.embedding(width**-0.5),
            name="position_embedding",
        )
        self.built = True

    def call(self, tokens: Any) -> tuple[Any, list[Any], Any]:
        embedded = ops.convert_to_tensor(self.token_embedding)
        positions = ops.convert_to_tensor(self.position_embedding)
        rows = [
            embedded[first : first + count] + positions[place]
            for place, (first, count) in enumerate(self.token_ranges)
        ]
        starts = [0, *itertools.accumulate(count for _, count in self.token_ranges)]
        return ops.concatenate(rows, 0), *table_index(tokens, self.token_ranges, starts[:-1])


def table_index(
    tokens: Any, token_ranges: Sequence[tuple[int, int]], starts: Sequence[int]
) -> tuple[list[Any], Any]:
    """Each example's row at each position, and whether all its tokens lie in their ranges.

    A lookup outside a table reads a wrong row, or none, without a word, so the index is clipped
    and models turn the answers of such examples into NaN (`poison`).

    Args:
        tokens: (batch, length) integers.
        token_ranges: a position each, (first token, number of tokens).
        starts: a position each, the row of its first token.

    Returns:
        A list, one entry a position: (batch,) integers, or a Python int where only one token may
        stand; and (batch,) booleans.
    """
    columns = np.array([(*pair, start) for pair, start in zip(token_ranges, starts, strict=True)])
    first, count, start = columns.T.astype("int32")
    tokens = ops.cast(tokens, "int32")
    # Few operations: on PyTorch, which fuses nothing, each costs as much as an embedding.
    within = ops.clip(tokens, first, first + count - 1)
    rows = within + ops.convert_to_tensor(start - first)
    index = [
        int(columns[place, 2]) if columns[place, 1] == 1 else rows[:, place]
        for place in range(len(columns))
    ]
    return index, ops.all(ops.equal(tokens, within), axis=-1)


def poison(logits: Any, valid: Any) -> Any:
    """`logits` (batch, classes), all NaN for the examples that are not `valid` (batch,)."""
    # Added, not selected: so the backward pass has nothing to do.
    penalty = ops.where(valid, 0.0, float("nan"))
    return logits + ops.cast(ops.expand_dims(penalty, -1), logits.dtype)
