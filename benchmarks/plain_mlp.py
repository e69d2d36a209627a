"""The quadratic network of Gromov (2023), "Grokking modular arithmetic", of ordinary Keras layers.

Two embeddings, summed and squared, then a linear head; without biases:

    logits = (A[a] + B[b])**2 @ head
"""

from __future__ import annotations

import keras
from keras import layers, ops


def plain_mlp(modulus: int, width: int = 256, num_classes: int | None = None) -> keras.Model:
    """int32 operands (batch, 2) -> logits (batch, num_classes).

    Args:
        modulus: number of values of each operand.
        width: of the embeddings, that is, of the hidden layer.
        num_classes: number of logits; default `modulus`.

    Weights in order: (modulus, width) for a, the same for b, (width, num_classes) for the head.
    """
    operands = keras.Input((2,), dtype="int32", name="tokens")
    a = layers.Embedding(modulus, width, name="embedding_a")(operands[:, 0])
    b = layers.Embedding(modulus, width, name="embedding_b")(operands[:, 1])
    hidden = ops.square(layers.Add(name="sum")([a, b]))
    head = layers.Dense(num_classes or modulus, use_bias=False, name="head")
    return keras.Model(operands, head(hidden), name="plain_mlp")
