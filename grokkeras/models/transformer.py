"""The transformer of the grokking literature: tokens in, one answer at the last position out.

Power et al. 2022 (2201.02177) and Nanda et al. 2023 (2301.05217) train small decoders on
equations such as `a b =`; only the last position's logits enter the loss. So the last block is
computed at the last position alone, and the first block's projections once a (token, position)
(`token_table.py`). Values and gradients are those of the plain computation; a test holds them to
it for every option.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.models.activations import get_activation
from grokkeras.models.attention import Attention, projection, stack_positions
from grokkeras.models.initial import InitialWeights
from grokkeras.models.token_table import TokenTable, check_token_ranges, lookup, poison


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
        self.expand = projection(width, mlp_width, use_bias, initial, "expand")
        self.contract = projection(mlp_width, width, use_bias, initial, "contract")
        self.dropout = keras.layers.Dropout(dropout, seed=seed) if dropout else None
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        hidden = self.activation(self.expand(x))
        if self.dropout:
            hidden = self.dropout(hidden, training=training)
        return self.contract(hidden)


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
            self.attention_norm = norm(width, center_norm)
        self.attention = Attention(**attention)
        if layer_norm == "pre":
            self.feed_forward_norm = norm(width, center_norm)
        elif layer_norm == "post":
            self.attention_norm = norm(width, center_norm)
        self.feed_forward = FeedForward(**feed_forward)
        if layer_norm == "post":
            self.feed_forward_norm = norm(width, center_norm)
        self.built = True

    def call(self, x: Any, last_only: bool = False, training: bool = False) -> Any:
        """(batch, length, width) to the same, or to (batch, width) for the last position alone."""
        attended = self.attention(self._before_attention(x), last_only=last_only, training=training)
        return self._after_attention(x[:, -1] if last_only else x, attended, training)

    def from_table(
        self, rows: list[Any], index: list[Any], last_only: bool, training: bool = False
    ) -> Any:
        """As `call`, for a sequence given as rows by position (see `TokenTable`)."""
        normed = [self._before_attention(entry) for entry in rows]
        if last_only:
            attended = self.attention.last_from_table(normed, index, training)
            return self._after_attention(lookup(rows[-1], index[-1]), attended, training)
        attended = self.attention.all_from_table(normed, index, training)
        x = stack_positions([lookup(*pair) for pair in zip(rows, index, strict=True)])
        return self._after_attention(x, attended, training)

    def _before_attention(self, x: Any) -> Any:
        return self.attention_norm(x) if self.layer_norm == "pre" else x

    def _after_attention(self, x: Any, attended: Any, training: bool) -> Any:
        x = x + attended if self.residual else attended
        if self.layer_norm == "post":
            x = self.attention_norm(x)
        into = self.feed_forward_norm(x) if self.layer_norm == "pre" else x
        out = self.feed_forward(into, training=training)
        x = x + out if self.residual else out
        return self.feed_forward_norm(x) if self.layer_norm == "post" else x


def norm(width: int, center: bool) -> keras.layers.LayerNormalization:
    """A built LayerNorm over the last axis."""
    layer = keras.layers.LayerNormalization(epsilon=1e-5, center=center)
    layer.build((None, width))
    return layer


@keras.saving.register_keras_serializable(package="grokkeras")
class Transformer(keras.Model):
    """A small transformer that answers at the last position.

    Args:
        vocab_size: number of tokens.
        length: tokens an example.
        num_classes: answers.
        token_ranges: a position each, (first token, number of tokens) that may stand there;
            None: the whole vocabulary everywhere. Narrow ranges make the first block cheaper. An
            example with a token outside its range gets logits of NaN.
        num_layers: blocks.
        width: channels of the residual stream, a multiple of `num_heads`.
        num_heads: attention heads.
        mlp_width: channels inside the feed-forward part.
        activation: a name from `activations.ACTIVATIONS`.
        layer_norm: `none`, `pre` (with a final one before the head) or `post`.
        biases: `none`, `mlp` (the feed-forward part alone) or `all`.
        causal: a position sees only itself and those before it.
        tied_head: logits from the token embedding, whose first tokens are then the answers.
        residual: residual connections.
        dropout: share dropped of the attention output and of the feed-forward part's hidden
            channels in training.
        init_scale: factor on all initial weight matrices and embeddings.
        init_stddev: their standard deviation; None means 1 / sqrt(fan in).
        seed: seed of the initial weights (the same on every backend) and of the dropout masks.

    Call arguments:
        tokens: (batch, length) int32.

    Returns:
        Logits (batch, num_classes).

    Example:
        >>> model = Transformer(vocab_size=98, length=3, num_classes=97)
        >>> model(numpy.array([[12, 95, 97]], "int32")).shape
        (1, 97)
    """

    def __init__(
        self,
        vocab_size: int,
        length: int,
        num_classes: int,
        token_ranges: Sequence[Sequence[int]] | None = None,
        num_layers: int = 1,
        width: int = 128,
        num_heads: int = 4,
        mlp_width: int = 512,
        activation: str = "relu",
        layer_norm: str = "none",
        biases: str = "mlp",
        causal: bool = True,
        tied_head: bool = False,
        residual: bool = True,
        dropout: float = 0.0,
        init_scale: float = 1.0,
        init_stddev: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        ranges = check_token_ranges(token_ranges, vocab_size, length)
        check_options(locals())
        self._options = {
            "vocab_size": vocab_size,
            "length": length,
            "num_classes": num_classes,
            "token_ranges": [list(pair) for pair in ranges],
            "num_layers": num_layers,
            "width": width,
            "num_heads": num_heads,
            "mlp_width": mlp_width,
            "activation": activation,
            "layer_norm": layer_norm,
            "biases": biases,
            "causal": causal,
            "tied_head": tied_head,
            "residual": residual,
            "dropout": dropout,
            "init_scale": init_scale,
            "init_stddev": init_stddev,
            "seed": seed,
        }
        self.num_classes = num_classes
        initial = InitialWeights(seed, init_stddev, init_scale)
        self.table = TokenTable(vocab_size, width, ranges, initial, name="table")
        self.blocks = []
        for place in range(num_layers):
            attention = {
                "width": width,
                "num_heads": num_heads,
                "use_bias": biases == "all",
                "causal": causal,
                "dropout": dropout,
                "initial": initial,
                "seed": 2 * place + 1 + 1000 * seed,
            }
            feed_forward = {
                "width": width,
                "mlp_width": mlp_width,
                "activation": activation,
                "use_bias": biases != "none",
                "dropout": dropout,
                "initial": initial,
                "seed": 2 * place + 2 + 1000 * seed,
            }
            self.blocks.append(
                Block(
                    attention, feed_forward, layer_norm, biases == "all", residual,
                    name=f"block_{place}",
                )
            )
        self.final_norm = norm(width, biases == "all") if layer_norm == "pre" else None
        self.head = (
            None
            if tied_head
            else projection(width, num_classes, biases == "all", initial, "head")
        )
        self.built = True

    def call(self, tokens: Any, training: bool = False) -> Any:
        rows, index, valid = self.table(tokens)
        first, *others = self.blocks
        x = first.from_table(rows, index, last_only=not others, training=training)
        for block in others:
            x = block(x, last_only=block is others[-1], training=training)
        if self.final_norm is not None:
            x = self.final_norm(x)
        if self.head is not None:
            logits = self.head(x)
        else:
            answers = ops.convert_to_tensor(self.table.token_embedding)[: self.num_classes]
            logits = ops.matmul(x, ops.transpose(ops.cast(answers, x.dtype)))
        return poison(logits, valid)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._options}


def check_options(options: dict[str, Any]) -> None:
    """Refuses sizes that do not fit together, in the user's terms."""
    for name in ("num_layers", "width", "num_heads", "mlp_width", "num_classes"):
        if options[name] < 1:
            raise UserError(f"{name} must be at least 1. Received {options[name]}.")
    if options["width"] % options["num_heads"]:
        raise UserError(
            f"num_heads must divide width. Received num_heads={options['num_heads']}, "
            f"width={options['width']}."
        )
    for name, known in (("layer_norm", ("none", "pre", "post")), ("biases", ("none", "mlp", "all"))):
        if options[name] not in known:
            raise UserError(f"{name} must be one of {', '.join(known)}. Received {options[name]!r}.")
    if options["tied_head"] and options["num_classes"] > options["vocab_size"]:
        raise UserError(
            f"tied_head takes the answers from the token embedding, so num_classes must not exceed "
            f"vocab_size. Received {options['num_classes']} and {options['vocab_size']}."
        )
