"""Training loops in plain PyTorch with fused AdamW.

`plain` computes every position with `nn.functional.scaled_dot_product_attention`; `reduced` only
what the loss reads, with scores, values and softmax sums once per table row (the forms are
explained in `jax_loop.py`). Losses stay on the device until a call ends.

Tried for `reduced` (W1 / W2, one core): gathered keys with a query per example 13 / 88 steps/s,
gathered scores with softmax per example 20.0 / 112, one-hot products 19.0 / 116, `index_select`
20.0 / 112, one-hot in the backward pass alone 19.6 / 131; this: 20.8 / 137.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - what everybody calls it

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

Weights = dict[str, torch.Tensor]


def mlp_block(w: Weights, x: torch.Tensor) -> torch.Tensor:
    """x + MLP(x), over the last axis."""
    hidden = F.relu(F.linear(x, w["mlp_in"].T, w["mlp_in_bias"]), inplace=True)
    return x + F.linear(hidden, w["mlp_out"].T, w["mlp_out_bias"])


def plain_transformer(workload: Workload, w: Weights, x: torch.Tensor) -> torch.Tensor:
    """Logits (batch, classes) from tokens (batch, 3), every position computed."""
    batch, length = x.shape
    stream = F.embedding(x, w["token_embedding"]) + w["position_embedding"]

    def heads(name: str) -> torch.Tensor:
        return (stream @ w[name]).view(batch, length, workload.num_heads, -1).transpose(1, 2)

    mixed = F.scaled_dot_product_attention(
        heads("query"), heads("key"), heads("value"), is_causal=True
    )
    stream = stream + mixed.transpose(1, 2).reshape(stream.shape) @ w["output"]
    return (mlp_block(w, stream) @ w["head"])[:, -1]


def reduced_transformer(workload: Workload, w: Weights, rows: torch.Tensor) -> torch.Tensor:
    """The same logits from the table rows (batch, 3) of a, b and "="."""
    p, width, num_heads = workload.modulus, workload.width, workload.num_heads
    head_dim = width // num_heads
    tokens, positions = w["token_embedding"], w["position_embedding"]
    table = torch.cat(
        [tokens[:p] + positions[0], tokens[:p] + positions[1], tokens[p:] + positions[2]]
    )
    last = table[-1]
    products = table @ w["key"] * (last @ w["query"])
    scores = products.view(-1, num_heads, head_dim).sum(-1) * head_dim**-0.5
    mass = torch.exp(scores - scores[-1])
    value = (table @ w["value"]).view(-1, num_heads, head_dim)
    weighted = (mass[:, :, None] * value).view(-1, width)
    sums = F.embedding_bag(rows, torch.cat([weighted, mass], dim=1), mode="sum")
    mixed = sums[:, :width].unflatten(1, (num_heads, head_dim)) / sums[:, width:, None]
    return mlp_block(w, torch.addmm(last, mixed.flatten(1), w["output"])) @ w["head"]


def quadratic_mlp(w: Weights, x: torch.Tensor) -> torch.Tensor:
    """Logits (batch, classes) from operands (batch, 2)."""
    total = F.embedding(x[:, 0], w["embedding_a"]) + F.embedding(x[:, 1], w["embedding_b"])
    return total.square() @ w["head"]


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
    if form == "reduced":
        # What is compared with this loop is overhead; see grokkeras.keras_compat.denormals.
        torch.set_flush_denormal(True)
    x, y = training_set(workload, seed)
    logits: Callable[[Weights, torch.Tensor], torch.Tensor] = quadratic_mlp
    if workload.network == "transformer":
        if {"plain": False, "reduced": True}[form]:
            last = np.full((len(x), 1), 2 * workload.modulus)
            x = np.concatenate([table_rows(workload, x), last], axis=1)
            logits = partial(reduced_transformer, workload)
        else:
            logits = partial(plain_transformer, workload)
    inputs, labels = torch.from_numpy(x).long(), torch.from_numpy(y).long()
    order = None if workload.batch_size is None else batch_order(workload, seed)

    start = weights or initial_weights(workload, seed)
    w = {name: torch.tensor(array, requires_grad=True) for name, array in start.items()}
    optimizer = torch.optim.AdamW(
        w.values(),
        lr=LEARNING_RATE,
        betas=(BETA_1, BETA_2),
        eps=EPSILON,
        weight_decay=WEIGHT_DECAY,
        fused=True,
    )

    def run(steps: int) -> np.ndarray:
        losses = []
        for _ in range(steps):
            batch_x, batch_y = inputs, labels
            if order is not None:
                index = torch.from_numpy(next(order))
                batch_x, batch_y = inputs[index], labels[index]
            loss = F.cross_entropy(logits(w, batch_x), batch_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    return run


if __name__ == "__main__":
    main(make_run)
