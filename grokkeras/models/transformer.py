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
from grokkeras.keras_compat.float64 import keep_float64
from grokkeras.models.attention import projection
from grokkeras.models.block import Block, norm
from grokkeras.models.initial import InitialWeights, mask_seed
from grokkeras.models.precision import dtype_policy
from grokkeras.models.token_table import TokenTable, check_token_ranges, lookup, poison


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
        init: how matrices are drawn, a name from `grokkeras.initializers.INITS`.
        init_connections: nonzero weights into each unit for `init` sparse; None means 15.
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
        init: str = "normal",
        init_connections: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep_float64(self.compute_dtype)
        ranges = check_token_ranges(token_ranges, vocab_size, length)
        check_options(locals())
        self._options: dict[str, Any] = {
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
            "init": init,
            "init_connections": init_connections,
            "seed": seed,
        }
        self.num_classes = num_classes
        # A loaded model is built anew: its layers too take the precision it was saved with.
        with dtype_policy(self.dtype_policy):
            self._make_layers(ranges, **self._options)
        self.built = True

    def _make_layers(
        self,
        ranges: list[tuple[int, int]],
        *,
        width: int,
        num_heads: int,
        mlp_width: int,
        activation: str,
        layer_norm: str,
        biases: str,
        causal: bool,
        residual: bool,
        dropout: float,
        seed: int,
        **options: Any,
    ) -> None:
        initial = InitialWeights(
            seed,
            options["init_stddev"],
            options["init_scale"],
            options["init"],
            options["init_connections"],
        )
        center = biases == "all"
        self.table = TokenTable(options["vocab_size"], width, ranges, initial, name="table")
        self.blocks = []
        for place in range(options["num_layers"]):
            attention = {
                "width": width,
                "num_heads": num_heads,
                "use_bias": center,
                "causal": causal,
                "dropout": dropout,
                "initial": initial,
                "seed": mask_seed(seed, 2 * place + 1),
            }
            feed_forward = {
                "width": width,
                "mlp_width": mlp_width,
                "activation": activation,
                "use_bias": biases != "none",
                "dropout": dropout,
                "initial": initial,
                "seed": mask_seed(seed, 2 * place + 2),
            }
            name = f"block_{place}"
            with keras.name_scope(name):
                block = Block(attention, feed_forward, layer_norm, center, residual, name=name)
            self.blocks.append(block)
        self.final_norm = norm(width, center, "final_norm") if layer_norm == "pre" else None
        self.head = None
        if not options["tied_head"]:
            self.head = projection(width, options["num_classes"], center, initial, "head")

    def call(self, tokens: Any, training: bool = False) -> Any:
        rows, index, valid = self.table.call(tokens)
        first, *others = self.blocks
        x = first.from_table(rows, index, last_only=not others, training=training)
        for block in others:
            x = block.call(x, last_only=block is others[-1], training=training)
        return poison(self.answer(x), valid)

    def embed(self, tokens: Any) -> Any:
        """Token and position embedding of each position, (batch, length, width)."""
        rows, index, _ = self.table.call(tokens)
        shape = (ops.shape(tokens)[0], rows.shape[-1])
        found = [ops.broadcast_to(lookup(rows, place), shape) for place in index]
        return ops.stack(found, axis=1)

    def call_embedded(self, embedded: Any, training: bool = False) -> Any:
        """The logits of what `embed` gave: to differentiate by an example's own embeddings."""
        x = embedded
        for block in self.blocks:
            x = block.call(x, last_only=block is self.blocks[-1], training=training)
        return self.answer(x)

    def answer(self, x: Any) -> Any:
        """Logits from the last position's channels (batch, width)."""
        if self.final_norm is not None:
            x = self.final_norm.call(x)
        if self.head is not None:
            return self.head.call(x)
        answers = ops.convert_to_tensor(self.table.token_embedding)[: self.num_classes]
        return ops.matmul(x, ops.transpose(ops.cast(answers, x.dtype)))

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
    for name, known in (
        ("layer_norm", ("none", "pre", "post")),
        ("biases", ("none", "mlp", "all")),
    ):
        if options[name] not in known:
            raise UserError(
                f"{name} must be one of {', '.join(known)}. Received {options[name]!r}."
            )
    if options["tied_head"] and options["num_classes"] > options["vocab_size"]:
        raise UserError(
            f"tied_head takes the answers from the token embedding, so num_classes must not exceed "
            f"vocab_size. Received {options['num_classes']} and {options['vocab_size']}."
        )
