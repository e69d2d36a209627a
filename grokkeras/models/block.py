"""A transformer block, on a sequence or on the rows of a token table."""

from __future__ import annotations

from typing import Any

import keras

from grokkeras.models.activations import get_activation
from grokkeras.models.attention import Attention, projection, stack_positions
from grokkeras.models.initial import InitialWeights
from grokkeras.models.token_table import lookup


@keras.saving.register_keras_serializable(package="grokkeras")
class FeedForward(keras.layers.Layer):
    """Two dense layers with an activation between (Vaswani et al. 2017, 3.3).

    Args:
        width: channels in and out.
        mlp_width: channels between.
        activation: a name from `activations.ACTIVATIONS`.
        use_bias: biases in both layers.
        dropout: share of the channels between that are dropped in training.
        initial: where the initial weights come from.
        seed: seed of the dropout masks.
    """

    def __init__(
        self,
        width: int,
        mlp_width: int,
        activation: str,
        use_bias: bool,
        dropout: float,
        initial: InitialWeights,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = get_activation(activation)
        with keras.name_scope(self.name):
            self.expand = projection(width, mlp_width, use_bias, initial, "expand")
            self.contract = projection(mlp_width, width, use_bias, initial, "contract")
        self.dropout = keras.layers.Dropout(dropout, seed=seed) if dropout else None
        self.built = True

    def hidden(self, x: Any) -> Any:
        """What the channels between hold: (..., mlp_width)."""
        return self.activation(self.expand.call(x))

    def call(self, x: Any, training: bool = False) -> Any:
        hidden = self.hidden(x)
        if self.dropout:
            hidden = self.dropout.call(hidden, training=training)
        return self.contract.call(hidden)


@keras.saving.register_keras_serializable(package="grokkeras")
class Block(keras.layers.Layer):
    """Attention and feed-forward, each with its residual connection and LayerNorm.

    Args:
        attention: the attention layer's arguments.
        feed_forward: the feed-forward layer's arguments.
        layer_norm: `none`, `pre` (on the way into each part) or `post` (after each sum).
        center_norm: whether a LayerNorm has an offset as well as a scale.
        residual: whether each part is added to its input or replaces it.
    """

    def __init__(
        self,
        attention: dict[str, Any],
        feed_forward: dict[str, Any],
        layer_norm: str,
        center_norm: bool,
        residual: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        width = feed_forward["width"]
        self.layer_norm = layer_norm
        self.residual = residual
        # Attributes in the order in which the norms stand, which is the order of the weights.
        self.attention_norm: Any = None
        self.feed_forward_norm: Any = None
        if layer_norm == "pre":
            self.attention_norm = norm(width, center_norm, "attention_norm")
        self.attention = Attention(**attention, name="attention")
        if layer_norm == "pre":
            self.feed_forward_norm = norm(width, center_norm, "feed_forward_norm")
        elif layer_norm == "post":
            self.attention_norm = norm(width, center_norm, "attention_norm")
        self.feed_forward = FeedForward(**feed_forward, name="feed_forward")
        if layer_norm == "post":
            self.feed_forward_norm = norm(width, center_norm, "feed_forward_norm")
        self.built = True

    def call(self, x: Any, last_only: bool = False, training: bool = False) -> Any:
        """(batch, length, width) to the same, or to (batch, width) for the last position alone."""
        attended = self.attention.call(self._before_attention(x), last_only, training)
        return self._after_attention(x[:, -1] if last_only else x, attended, training)

    def from_table(
        self, rows: Any, index: list[Any], last_only: bool, training: bool = False
    ) -> Any:
        """As `call`, for a sequence given as rows by position (see `TokenTable`)."""
        normed = self._before_attention(rows)
        if last_only:
            attended = self.attention.last_from_table(normed, index, training)
            return self._after_attention(lookup(rows, index[-1]), attended, training)
        attended = self.attention.all_from_table(normed, index, training)
        x = stack_positions([lookup(rows, place) for place in index])
        return self._after_attention(x, attended, training)

    def look(self, x: Any, last_only: bool = False) -> tuple[Any, Any, Any]:
        """What goes on at the last position, and what `call` gives, in inference mode.

        Args:
            x: (batch, length, width).
            last_only: as in `call`.

        Returns:
            The attention (batch, heads, length) that the last position gives to each, the
            feed-forward part's hidden channels there (batch, mlp_width), and `call(x, last_only)`.
        """
        normed = self._before_attention(x)
        attended = self.attention.call(normed, last_only)
        kept = x[:, -1] if last_only else x
        hidden = self.feed_forward.hidden(self._before_feed_forward(self._add(kept, attended)))
        neurons = hidden if last_only else hidden[:, -1]
        return self.attention.shares(normed), neurons, self._after_attention(kept, attended, False)

    def _before_attention(self, x: Any) -> Any:
        return self.attention_norm.call(x) if self.layer_norm == "pre" else x

    def _add(self, x: Any, attended: Any) -> Any:
        x = x + attended if self.residual else attended
        return self.attention_norm.call(x) if self.layer_norm == "post" else x

    def _before_feed_forward(self, x: Any) -> Any:
        return self.feed_forward_norm.call(x) if self.layer_norm == "pre" else x

    def _after_attention(self, x: Any, attended: Any, training: bool) -> Any:
        x = self._add(x, attended)
        out = self.feed_forward.call(self._before_feed_forward(x), training)
        x = x + out if self.residual else out
        return self.feed_forward_norm.call(x) if self.layer_norm == "post" else x


def norm(width: int, center: bool, name: str) -> keras.layers.LayerNormalization:
    """A built LayerNorm over the last axis."""
    layer = keras.layers.LayerNormalization(epsilon=1e-5, center=center, name=name)
    layer.build((None, width))
    return layer
