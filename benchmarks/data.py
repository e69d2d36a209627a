"""The three workloads: (a + b) mod p, its seeded split, the initial weights, the batch order.

W1: one-layer transformer on tokens (a, b, =), p = 113, full batch of 30 % of the table.
W2: the same network, p = 97, batches of 512 from 50 % of the table.
W3: sum of two embeddings, squared, then a linear head; p = 97, batches of 512.

All three: AdamW, learning rate 1e-3, weight decay 1, betas 0.9 and 0.98, float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1.0
BETA_1 = 0.9
BETA_2 = 0.98
EPSILON = 1e-8


@dataclass(frozen=True)
class Workload:
    """What is trained.

    Attributes:
        name: "W1", "W2", "W3", or anything in a test.
        network: "transformer" or "mlp".
        modulus: p; operands and answers are 0..p-1, token p is "=".
        train_fraction: share of the p * p table that is trained on.
        batch_size: examples a step; None: all of them.
        width: of the residual stream, or of the MLP's embeddings.
        num_heads: attention heads (transformer).
        mlp_width: hidden units of the transformer's MLP.
        chunk: steps in one compiled call, where a loop has one.
    """

    name: str
    network: str
    modulus: int
    train_fraction: float
    batch_size: int | None
    width: int
    num_heads: int = 4
    mlp_width: int = 512
    chunk: int = 25

    @property
    def num_train(self) -> int:
        """Number of training examples."""
        return int(self.modulus**2 * self.train_fraction)


WORKLOADS = {
    "W1": Workload("W1", "transformer", 113, 0.3, None, 128, chunk=10),
    "W2": Workload("W2", "transformer", 97, 0.5, 512, 128, chunk=50),
    "W3": Workload("W3", "mlp", 97, 0.5, 512, 256, chunk=500),
}


def training_set(workload: Workload, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The training split.

    Returns:
        x: (num_train, 3) int32 tokens a, b, = (transformer) or (num_train, 2) a, b (mlp).
        y: (num_train,) int32, (a + b) mod p.
    """
    p = workload.modulus
    order = np.random.default_rng(seed).permutation(p * p)[: workload.num_train]
    a, b = np.divmod(order, p)
    columns = [a, b, np.full_like(a, p)] if workload.network == "transformer" else [a, b]
    return np.stack(columns, axis=1).astype(np.int32), ((a + b) % p).astype(np.int32)


def initial_weights(workload: Workload, seed: int = 0) -> dict[str, np.ndarray]:
    """Float32 weights by name, N(0, 1/sqrt(fan_in)); embeddings 1/sqrt(width), biases zero.

    The order is the order of the Keras models in `plain_transformer.py` and `plain_mlp.py`, so
    `model.set_weights(list(initial_weights(w).values()))` gives all loops the same start.
    """
    rng = np.random.default_rng([seed, 1])
    p, width, hidden = workload.modulus, workload.width, workload.mlp_width

    def normal(rows: int, columns: int, fan_in: int) -> np.ndarray:
        return (rng.standard_normal((rows, columns)) / np.sqrt(fan_in)).astype(np.float32)

    if workload.network == "mlp":
        return {
            "embedding_a": normal(p, width, width),
            "embedding_b": normal(p, width, width),
            "head": normal(width, p, width),
        }
    return {
        "token_embedding": normal(p + 1, width, width),
        "position_embedding": normal(3, width, width),
        "query": normal(width, width, width),
        "key": normal(width, width, width),
        "value": normal(width, width, width),
        "output": normal(width, width, width),
        "mlp_in": normal(width, hidden, width),
        "mlp_in_bias": np.zeros(hidden, np.float32),
        "mlp_out": normal(hidden, width, hidden),
        "mlp_out_bias": np.zeros(width, np.float32),
        "head": normal(width, p, width),
    }


def table_rows(workload: Workload, x: np.ndarray) -> np.ndarray:
    """Row of each (token, position) in a table of all that occur, for the reduced loops.

    Rows 0..p-1 are a, p..2p-1 are b, 2p is "=". Returns (num_train, 2) int32: the rows of a and b;
    "=" is the same row for every example.
    """
    return (x[:, :2] + np.array([0, workload.modulus])).astype(np.int32)


def batch_order(workload: Workload, seed: int = 0) -> Iterator[np.ndarray]:
    """Endless (batch_size,) int32 indices: a fresh permutation an epoch, the remainder dropped.

    A batch_size of None is a full-batch workload, which needs no order: a ValueError.
    """
    size = workload.batch_size
    if size is None:
        raise ValueError("A full-batch workload has no batch order.")
    rng = np.random.default_rng([seed, 2])
    while True:
        order = rng.permutation(workload.num_train).astype(np.int32)
        for start in range(0, workload.num_train - size + 1, size):
            yield order[start : start + size]
