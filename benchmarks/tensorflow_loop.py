"""Training loops in plain TensorFlow: many steps in one XLA call, a loop over `tf.range`.

`plain` computes every position; `reduced` only what the loss reads, with scores, values and softmax
sums once per table row (the forms are explained in `jax_loop.py`). Gradients of gathered tables
arrive as IndexedSlices and are densified before AdamW, which needs the summed rows.

Tried for `reduced` (W1, one core): gathered keys with a query per example 18.5 steps/s, gathered
scores with softmax per example 23.0, one-hot products 22.8; this: 24.7.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import tensorflow as tf

from .data import (
    BETA_1,
    BETA_2,
    EPSILON,
    LEARNING_RATE,
    WEIGHT_DECAY,
    Workload,
    batch_order,
    initial_weights,
    table_rows,
    training_set,
)
from .timing import Run, main

Weights = dict[str, tf.Variable]


def dense(x: tf.Tensor, kernel: tf.Variable) -> tf.Tensor:
    """x @ kernel over the last axis. A plain `@` would copy the kernel for each example first."""
    return tf.tensordot(x, kernel, 1)


def mlp_block(w: Weights, x: tf.Tensor) -> tf.Tensor:
    """x + MLP(x), over the last axis."""
    hidden = tf.nn.relu(dense(x, w["mlp_in"]) + w["mlp_in_bias"])
    return x + dense(hidden, w["mlp_out"]) + w["mlp_out_bias"]


def plain_transformer(workload: Workload, w: Weights, x: tf.Tensor) -> tf.Tensor:
    """Logits (batch, classes) from tokens (batch, 3), every position computed."""
    length, width, num_heads = x.shape[1], workload.width, workload.num_heads
    stream = tf.gather(w["token_embedding"], x) + w["position_embedding"]

    def heads(name: str) -> tf.Tensor:
        return tf.reshape(dense(stream, w[name]), (-1, length, num_heads, width // num_heads))

    scores = tf.einsum("bqhd,bkhd->bhqk", heads("query"), heads("key"))
    scores = scores * (width // num_heads) ** -0.5
    scores = tf.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
    mixed = tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(scores), heads("value"))
    stream = stream + dense(tf.reshape(mixed, (-1, length, width)), w["output"])
    return dense(mlp_block(w, stream), w["head"])[:, -1]


def reduced_transformer(workload: Workload, w: Weights, rows: tf.Tensor) -> tf.Tensor:
    """The same logits from the table rows (batch, 2) of a and b."""
    p, width, num_heads = workload.modulus, workload.width, workload.num_heads
    head_dim = width // num_heads
    tokens, positions = w["token_embedding"], w["position_embedding"]
    table = tf.concat(
        [tokens[:p] + positions[0], tokens[:p] + positions[1], tokens[p:] + positions[2]], axis=0
    )
    last = table[-1:]
    products = tf.reshape(table @ w["key"] * (last @ w["query"]), (-1, num_heads, head_dim))
    scores = tf.reduce_sum(products, axis=-1) * head_dim**-0.5
    mass = tf.exp(scores - scores[-1])
    value = tf.reshape(table @ w["value"], (-1, num_heads, head_dim))
    weighted = tf.reshape(mass[:, :, None] * value, (-1, width))
    both = tf.concat([weighted, mass], axis=1)
    sums = tf.gather(both, rows[:, 0]) + tf.gather(both, rows[:, 1]) + both[-1]
    mixed = tf.reshape(sums[:, :width], (-1, num_heads, head_dim)) / sums[:, width:, None]
    return mlp_block(w, last + tf.reshape(mixed, (-1, width)) @ w["output"]) @ w["head"]


def quadratic_mlp(w: Weights, x: tf.Tensor) -> tf.Tensor:
    """Logits (batch, classes) from operands (batch, 2)."""
    total = tf.gather(w["embedding_a"], x[:, 0]) + tf.gather(w["embedding_b"], x[:, 1])
    return total**2 @ w["head"]


def make_run(
    workload: Workload, form: str, weights: dict[str, np.ndarray] | None = None, seed: int = 0
) -> Run:
    """A training loop with state of its own: each call trains on and returns the step losses.

    Args:
        workload: what to train.
        form: "plain" or "reduced"; the same for an MLP.
        weights: initial weights by name; default `initial_weights`.
        seed: of the split, the weights and the batch order.
    """
    x, y = training_set(workload, seed)
    logits: Callable[[Weights, tf.Tensor], tf.Tensor] = quadratic_mlp
    if workload.network == "transformer":
        reduced = {"plain": False, "reduced": True}[form]
        x = table_rows(workload, x) if reduced else x
        logits = partial(reduced_transformer if reduced else plain_transformer, workload)
    inputs, labels = tf.constant(x), tf.constant(y)
    order = None if workload.batch_size is None else batch_order(workload, seed)

    w = {k: tf.Variable(a) for k, a in (weights or initial_weights(workload, seed)).items()}
    m = {k: tf.Variable(tf.zeros_like(a)) for k, a in w.items()}
    v = {k: tf.Variable(tf.zeros_like(a)) for k, a in w.items()}
    count = tf.Variable(0.0)

    def adamw(gradients: dict[str, tf.Tensor]) -> None:
        """One AdamW update by Keras' formula: epsilon enters before the bias correction."""
        count.assign_add(1.0)
        rate = LEARNING_RATE * tf.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        for k, g in gradients.items():
            g = tf.convert_to_tensor(g)
            m[k].assign_add((g - m[k]) * (1 - BETA_1))
            v[k].assign_add((g * g - v[k]) * (1 - BETA_2))
            decayed = w[k] * (1 - LEARNING_RATE * WEIGHT_DECAY)
            w[k].assign(decayed - rate * m[k] / (tf.sqrt(v[k]) + EPSILON))

    @tf.function(jit_compile=True)
    def loop(steps: int, indices: tf.Tensor | None) -> tf.Tensor:
        losses = tf.TensorArray(tf.float32, steps)
        for i in tf.range(steps):
            batch_x, batch_y = inputs, labels
            if indices is not None:
                batch_x, batch_y = tf.gather(inputs, indices[i]), tf.gather(labels, indices[i])
            with tf.GradientTape() as tape:
                each = tf.nn.sparse_softmax_cross_entropy_with_logits(batch_y, logits(w, batch_x))
                loss = tf.reduce_mean(each)
            adamw(tape.gradient(loss, w))
            losses = losses.write(i, loss)
        return losses.stack()

    def run(steps: int) -> np.ndarray:
        # `steps` is a Python integer: one trace for each length, as the timing uses only one.
        indices = None if order is None else tf.stack([next(order) for _ in range(steps)])
        return loop(steps, indices).numpy()

    return run


if __name__ == "__main__":
    main(make_run)
