"""Training loops in plain JAX.

`plain` computes every position and calls one jitted step a time from Python: the loop that most
people write. `reduced` computes only what the loss reads, in `lax.scan`:

- the output projection, the MLP and the head at the last position alone;
- keys and values once per (token, position), 2p + 1 rows, instead of once per example;
- the query once, since "=" stands last in every example, so a score belongs to a table row too.
  Softmax is then a ratio of sums over rows: exp(score) * value and exp(score) are computed per
  row, gathered, added and divided.

Tried and slower for `reduced` (W1): gathered keys with a query per example 31 steps/s, gathered
scores with softmax per example 41 to 43, one-hot products instead of gathers 39, features-first
layout 42, a jitted step per call 31 (its temporaries are allocated anew in each call); this: 44.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

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

Weights = dict[str, jax.Array]


def cross_entropy(logits: jax.Array, y: jax.Array) -> jax.Array:
    """Mean cross entropy of (batch, classes) logits."""
    picked = jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - picked)


def mlp_block(w: Weights, x: jax.Array) -> jax.Array:
    """x + MLP(x), over the last axis."""
    hidden = jax.nn.relu(x @ w["mlp_in"] + w["mlp_in_bias"])
    return x + hidden @ w["mlp_out"] + w["mlp_out_bias"]


def plain_transformer(workload: Workload, w: Weights, x: jax.Array) -> jax.Array:
    """Logits (batch, classes) from tokens (batch, 3), every position computed."""
    batch, length = x.shape
    head_dim = workload.width // workload.num_heads
    stream = w["token_embedding"][x] + w["position_embedding"]

    def heads(name: str) -> jax.Array:
        return (stream @ w[name]).reshape(batch, length, workload.num_heads, head_dim)

    scores = jnp.einsum("bqhd,bkhd->bhqk", heads("query"), heads("key")) / np.sqrt(head_dim)
    scores = jnp.where(jnp.tril(jnp.ones((length, length), bool)), scores, -jnp.inf)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), heads("value"))
    stream = stream + mixed.reshape(stream.shape) @ w["output"]
    return (mlp_block(w, stream) @ w["head"])[:, -1]


def reduced_transformer(workload: Workload, w: Weights, rows: jax.Array) -> jax.Array:
    """The same logits from the table rows (batch, 2) of a and b.

    Scores are taken relative to that of "=", which keeps the exponentials in range as long as no
    score exceeds it by 88.
    """
    p, width, num_heads = workload.modulus, workload.width, workload.num_heads
    head_dim = width // num_heads
    tokens, positions = w["token_embedding"], w["position_embedding"]
    table = jnp.concatenate(
        [tokens[:p] + positions[0], tokens[:p] + positions[1], tokens[p:] + positions[2]]
    )
    last = table[-1]
    query = last @ w["query"]
    scores = (table @ w["key"] * query).reshape(-1, num_heads, head_dim).sum(-1) / np.sqrt(head_dim)
    mass = jnp.exp(scores - scores[-1])
    value = (table @ w["value"]).reshape(-1, num_heads, head_dim)
    weighted = (mass[:, :, None] * value).reshape(-1, width)
    both = jnp.concatenate([weighted, mass], axis=1)
    sums = both[rows[:, 0]] + both[rows[:, 1]] + both[-1]
    mixed = sums[:, :width].reshape(-1, num_heads, head_dim) / sums[:, width:, None]
    return mlp_block(w, last + mixed.reshape(-1, width) @ w["output"]) @ w["head"]


def quadratic_mlp(w: Weights, x: jax.Array) -> jax.Array:
    """Logits (batch, classes) from operands (batch, 2)."""
    return (w["embedding_a"][x[:, 0]] + w["embedding_b"][x[:, 1]]) ** 2 @ w["head"]


def adamw(w: Weights, gradients: Weights, m: Weights, v: Weights, step: jax.Array) -> tuple:
    """One AdamW update by Keras' formula: epsilon enters before the bias correction."""
    step = step + 1
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    m = jax.tree.map(lambda m, g: m + (g - m) * (1 - BETA_1), m, gradients)
    v = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - BETA_2), v, gradients)

    def move(w: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
        return w * (1 - LEARNING_RATE * WEIGHT_DECAY) - rate * m / (jnp.sqrt(v) + EPSILON)

    return jax.tree.map(move, w, m, v), m, v, step


def make_run(
    workload: Workload, form: str, weights: dict[str, np.ndarray] | None = None, seed: int = 0
) -> Run:
    """A training loop with state of its own: each call trains on and returns the step losses.

    Args:
        workload: what to train.
        form: "plain" or "reduced"; an MLP has nothing to reduce, so it differs in the loop alone.
        weights: initial weights by name; default `initial_weights`.
        seed: of the split, the weights and the batch order.
    """
    x, y = training_set(workload, seed)
    logits: Callable[[Weights, jax.Array], jax.Array] = quadratic_mlp
    if workload.network == "transformer":
        reduced = form == "reduced"
        x = table_rows(workload, x) if reduced else x
        logits = partial(reduced_transformer if reduced else plain_transformer, workload)
    inputs, labels = jnp.asarray(x), jnp.asarray(y)
    full_batch = workload.batch_size is None

    def step(state: tuple, index: jax.Array | None) -> tuple[tuple, jax.Array]:
        batch_x, batch_y = (inputs, labels) if full_batch else (inputs[index], labels[index])
        loss, gradients = jax.value_and_grad(lambda w: cross_entropy(logits(w, batch_x), batch_y))(
            state[0]
        )
        return adamw(state[0], gradients, *state[1:]), loss

    start = jax.tree.map(jnp.asarray, weights or initial_weights(workload, seed))
    zeros = jax.tree.map(jnp.zeros_like, start)
    state: Any = (start, zeros, jax.tree.map(jnp.copy, zeros), jnp.float32(0))
    order = None if full_batch else batch_order(workload, seed)
    jitted = jax.jit(step, donate_argnums=0)
    scan = jax.jit(partial(jax.lax.scan, step), static_argnames="length", donate_argnums=0)

    def run_plain(steps: int) -> np.ndarray:
        nonlocal state
        losses = []
        for _ in range(steps):
            state, loss = jitted(state, None if order is None else next(order))
            losses.append(loss)
        return np.asarray(jnp.stack(losses))

    def run_scan(steps: int) -> np.ndarray:
        nonlocal state
        indices = None if order is None else np.stack([next(order) for _ in range(steps)])
        state, losses = scan(state, indices, length=steps)
        return np.asarray(losses)

    return {"plain": run_plain, "reduced": run_scan}[form]


if __name__ == "__main__":
    main(make_run)
