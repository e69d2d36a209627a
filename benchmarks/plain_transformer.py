"""A decoder transformer of ordinary Keras layers that computes every position.

What a Keras user writes who does not think about cost, and the yardstick for grokkeras' own
transformer: the same options, the same equations, the same order of weights, so that
`plain.set_weights(ours.get_weights())` makes the two comparable to rounding.

Order: token embedding, position embedding; for each block query, key, value, output (kernel, then
bias), mlp_in, mlp_out; the final norm of `pre`; the head. A norm (gamma, then beta) comes before
its sublayer's weights with `pre`, after them with `post`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

EPSILON = 1e-5


class Attention(layers.Layer):
    """Multi-head self-attention over (batch, length, width), from four Dense layers."""

    def __init__(
        self, width: int, num_heads: int, causal: bool, use_bias: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.causal = num_heads, causal
        self.query = layers.Dense(width, use_bias=use_bias, name="query")
        self.key = layers.Dense(width, use_bias=use_bias, name="key")
        self.value = layers.Dense(width, use_bias=use_bias, name="value")
        self.out = layers.Dense(width, use_bias=use_bias, name="output")

    def build(self, input_shape: tuple) -> None:
        for projection in (self.query, self.key, self.value, self.out):
            projection.build(input_shape)

    def call(self, x: Any) -> Any:
        length, width = x.shape[1], x.shape[2]
        head_dim = width // self.num_heads

        def heads(projection: layers.Dense) -> Any:
            split = ops.reshape(projection(x), (-1, length, self.num_heads, head_dim))
            return ops.transpose(split, (0, 2, 1, 3))

        keys = ops.transpose(heads(self.key), (0, 1, 3, 2))
        scores = ops.matmul(heads(self.query), keys) * head_dim**-0.5
        if self.causal:
            scores = ops.where(ops.tril(ops.ones((length, length), "bool")), scores, -1e9)
        mixed = ops.matmul(ops.softmax(scores), heads(self.value))
        joined = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, length, width))
        return self.out(joined)


class TiedHead(layers.Layer):
    """Logits from the transposed token embedding: x @ embedding[:num_classes].T."""

    def __init__(self, embedding: layers.Embedding, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding, self.num_classes = embedding, num_classes

    def call(self, x: Any) -> Any:
        kernel = ops.convert_to_tensor(self.embedding.embeddings)[: self.num_classes]
        return ops.matmul(x, ops.transpose(kernel))


class PositionEmbedding(layers.Layer):
    """Adds a learned (length, width) embedding."""

    def build(self, input_shape: tuple) -> None:
        self.embedding = self.add_weight(
            shape=input_shape[1:], initializer="random_normal", name="embeddings"
        )

    def call(self, x: Any) -> Any:
        return x + self.embedding


def plain_transformer(
    vocab_size: int,
    length: int,
    num_classes: int,
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
) -> keras.Model:
    """int32 tokens (batch, length) -> logits (batch, num_classes) at the last position.

    Args:
        vocab_size: number of tokens.
        length: tokens an example.
        num_classes: number of logits; with `tied_head` at most `vocab_size`.
        num_layers: number of blocks.
        width: of the residual stream.
        num_heads: attention heads; divides `width`.
        mlp_width: hidden units of each MLP.
        activation: any Keras activation, or "quadratic".
        layer_norm: "none", "pre" (with a final norm) or "post".
        biases: "all", "mlp" or "none"; norms have an offset with "all" alone.
        causal: whether a position sees only those before it.
        tied_head: whether the head is the token embedding.
        residual: whether sublayers are added to the stream.
    """
    act = ops.square if activation == "quadratic" else activation
    all_biases, mlp_biases = biases == "all", biases in ("all", "mlp")

    def norm(name: str) -> layers.LayerNormalization:
        return layers.LayerNormalization(epsilon=EPSILON, center=all_biases, name=name)

    def sublayer(x: Any, name: str, function: list) -> Any:
        inner = norm(f"{name}_norm")(x) if layer_norm == "pre" else x
        for layer in function:
            inner = layer(inner)
        x = layers.Add(name=f"{name}_add")([x, inner]) if residual else inner
        return norm(f"{name}_norm")(x) if layer_norm == "post" else x

    tokens = keras.Input((length,), dtype="int32", name="tokens")
    embedding = layers.Embedding(vocab_size, width, name="token_embedding")
    x = PositionEmbedding(name="position_embedding")(embedding(tokens))
    for i in range(num_layers):
        attention = Attention(width, num_heads, causal, all_biases, name=f"attention_{i}")
        x = sublayer(x, f"attention_{i}", [attention])
        mlp_in = layers.Dense(mlp_width, activation=act, use_bias=mlp_biases, name=f"mlp_in_{i}")
        mlp_out = layers.Dense(width, use_bias=mlp_biases, name=f"mlp_out_{i}")
        x = sublayer(x, f"mlp_{i}", [mlp_in, mlp_out])
    if layer_norm == "pre":
        x = norm("final_norm")(x)
    if tied_head:
        logits = TiedHead(embedding, num_classes, name="head")(x)
    else:
        logits = layers.Dense(num_classes, use_bias=all_biases, name="head")(x)
    return keras.Model(tokens, logits[:, -1], name="plain_transformer")
