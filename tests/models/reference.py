"""The plain computation of both models: every position, every one-hot, no table, no shortcut.

Functions of the weights as a list, in the order of `model.trainable_variables`, on `keras.ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: ops.maximum(x, 0),
    "gelu": lambda x: x * (1 + ops.erf(x / 2**0.5)) / 2,
    "silu": lambda x: x * ops.sigmoid(x),
    "tanh": ops.tanh,
    "quadratic": lambda x: x * x,
}


def plain_transformer(weights: list[Any], tokens: Any, options: dict[str, Any]) -> Any:
    """Logits (batch, classes): all positions computed in every block, then the last one read."""
    rest = iter(weights)
    everywhere, in_mlp = options["biases"] == "all", options["biases"] != "none"
    length, width, heads = options["length"], options["width"], options["num_heads"]
    act = ACTIVATIONS[options["activation"]]

    def dense(x: Any, bias: bool) -> Any:
        out = ops.matmul(x, next(rest))
        return out + next(rest) if bias else out

    def norm(x: Any, when: str) -> Any:
        if options["layer_norm"] != when:
            return x
        mean = ops.mean(x, -1, keepdims=True)
        variance = ops.mean((x - mean) ** 2, -1, keepdims=True)
        out = (x - mean) / ops.sqrt(variance + 1e-5) * next(rest)
        return out + next(rest) if everywhere else out

    def attention(x: Any) -> Any:
        query, key, value = (
            ops.reshape(dense(x, everywhere), (-1, length, heads, width // heads)) for _ in "qkv"
        )
        scores = ops.einsum("bqhc,bkhc->bhqk", query, key) / (width // heads) ** 0.5
        if options["causal"]:
            seen = np.tril(np.ones((length, length), bool))
            scores = ops.where(seen, scores, ops.cast(-np.inf, scores.dtype))
        mixed = ops.einsum("bhqk,bkhc->bqhc", ops.softmax(scores, -1), value)
        return dense(ops.reshape(mixed, (-1, length, width)), everywhere)

    def feed_forward(x: Any) -> Any:
        return dense(act(dense(x, in_mlp)), in_mlp)

    token_embedding = next(rest)
    x = ops.take(token_embedding, tokens, axis=0) + next(rest)
    for _ in range(options["num_layers"]):
        for part in (attention, feed_forward):
            out = part(norm(x, "pre"))
            x = norm(x + out if options["residual"] else out, "post")
    x = norm(x, "pre")[:, -1]
    if options["tied_head"]:
        logits = ops.matmul(x, ops.transpose(token_embedding[: options["num_classes"]]))
    else:
        logits = dense(x, everywhere)
    assert next(rest, None) is None, "weights left over"
    return logits


def plain_mlp(weights: list[Any], inputs: Any, options: dict[str, Any]) -> Any:
    """Logits (batch, classes): one-hots as matrices, embeddings as one-hots times a matrix."""
    rest = iter(weights)
    act = ACTIVATIONS[options["activation"]]
    bias = options["use_bias"]

    def dense(x: Any) -> Any:
        out = ops.matmul(x, next(rest))
        return out + next(rest) if bias else out

    dtype = keras.backend.standardize_dtype(weights[0].dtype)
    ranges = options["token_ranges"]
    varied = [place for place, (_, count) in enumerate(ranges or []) if count > 1]
    encoding = options["encoding"]
    if encoding == "none":
        x = ops.cast(inputs, dtype)
    elif encoding == "signed":
        columns = [2 * (inputs[:, place] - ranges[place][0]) - 1 for place in varied]
        x = ops.cast(ops.stack(columns, 1), dtype)
    elif encoding == "one_hot":
        x = ops.concatenate(
            [
                ops.one_hot(inputs[:, place] - ranges[place][0], ranges[place][1], dtype=dtype)
                for place in varied
            ],
            -1,
        )
    else:
        shared = next(rest) if options["shared_embedding"] else None
        parts = []
        for place in varied:
            first, count = ranges[place]
            if shared is None:
                one_hot = ops.one_hot(inputs[:, place] - first, count, dtype=dtype)
                parts.append(ops.matmul(one_hot, next(rest)))
            else:
                one_hot = ops.one_hot(inputs[:, place], options["vocab_size"], dtype=dtype)
                parts.append(ops.matmul(one_hot, shared))
        if options["combine"] == "sum":
            x = act(sum(parts[1:], parts[0]))
        else:
            x = ops.concatenate(parts, -1)
    for _ in range(options["num_layers"]):
        out = act(dense(x))
        x = x + out if options["residual"] and x.shape[-1] == out.shape[-1] else out
    logits = dense(x)
    assert next(rest, None) is None, "weights left over"
    return logits


def mean_loss(logits: Any, labels: np.ndarray) -> Any:
    """Mean softmax cross-entropy of (batch, classes)."""
    picked = ops.one_hot(ops.convert_to_tensor(labels), logits.shape[-1], dtype=logits.dtype)
    return ops.mean(ops.logsumexp(logits, -1) - ops.sum(picked * logits, -1))


def value_and_gradients(
    function: Callable[[list[Any]], tuple[Any, Any]], weights: list[np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Of `function(weights) -> (scalar, logits)`: the logits, and the scalar's gradients."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        differentiate = jax.jit(jax.value_and_grad(function, has_aux=True))
        (_, logits), gradients = differentiate([jax.numpy.asarray(w) for w in weights])
        return np.asarray(logits), [np.asarray(g) for g in gradients]
    if backend == "tensorflow":
        import tensorflow as tf

        tensors = [tf.constant(w) for w in weights]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            scalar, logits = function(tensors)
        gradients = tape.gradient(scalar, tensors, unconnected_gradients="zero")
        return logits.numpy(), [tf.convert_to_tensor(g).numpy() for g in gradients]
    import torch

    tensors = [ops.convert_to_tensor(w).requires_grad_() for w in weights]
    scalar, logits = function(tensors)
    gradients = torch.autograd.grad(scalar, tensors, allow_unused=True)
    return ops.convert_to_numpy(logits), [
        np.zeros_like(w) if g is None else ops.convert_to_numpy(g)
        for g, w in zip(gradients, weights, strict=True)
    ]
