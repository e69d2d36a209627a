"""A two-layer network by hand, in NumPy and float64: logits, loss, gradients, optimizer steps.

`MLP(encoding="one_hot", num_layers=1, activation="quadratic")` on tokens a, b: rows of the first
kernel added, squared, then a linear head. Tokens repeat within a batch, so that gradients add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = list[np.ndarray]


def logits(weights: Arrays, x: np.ndarray) -> np.ndarray:
    """(batch, classes); weights are kernel, bias, head kernel, head bias."""
    return _forward(weights, x)[1]


def losses(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(batch,): softmax cross-entropy of (batch, classes) logits."""
    largest = scores.max(1, keepdims=True)
    total = np.log(np.exp(scores - largest).sum(1)) + largest[:, 0]
    return total - scores[np.arange(len(y)), y]


def gradients(weights: Arrays, x: np.ndarray, y: np.ndarray) -> Arrays:
    """Of the mean loss, one for each weight."""
    added, scores = _forward(weights, x)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    shares[np.arange(len(y)), y] -= 1
    shares /= len(y)
    inner = shares @ weights[2].T * 2 * added
    kernel = np.zeros_like(weights[0])
    half = len(kernel) // 2
    np.add.at(kernel, x[:, 0], inner)
    np.add.at(kernel, half + x[:, 1], inner)
    return [kernel, inner.sum(0), (added**2).T @ shares, shares.sum(0)]


def _forward(weights: Arrays, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias, head, head_bias = weights
    half = len(kernel) // 2
    added = kernel[x[:, 0]] + kernel[half + x[:, 1]] + bias
    return added, added**2 @ head + head_bias


# Each optimizer's update by its formula: (weight, gradient, state, step from 1, options).
Update = Callable[[np.ndarray, np.ndarray, dict[str, Any], int, Any], np.ndarray]


def adamw(w: np.ndarray, g: np.ndarray, state: dict[str, Any], step: int, o: Any) -> np.ndarray:
    """Keras' formula: decay first, epsilon before the bias correction."""
    w = w * (1 - o.learning_rate * o.weight_decay)
    return w - adam_move(g, state, step, o.learning_rate, o.beta_1, o.beta_2, o.epsilon)


def adam_move(
    g: np.ndarray,
    state: dict[str, Any],
    step: int,
    rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> np.ndarray:
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0) + (1 - beta_2) * g**2
    rate *= np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return rate * state["m"] / (np.sqrt(state["v"]) + epsilon)


def sgd(w: np.ndarray, g: np.ndarray, state: dict[str, Any], step: int, o: Any) -> np.ndarray:
    w = w * (1 - o.learning_rate * o.weight_decay)
    state["m"] = o.momentum * state.get("m", 0) - o.learning_rate * g
    if o.nesterov:
        return w + o.momentum * state["m"] - o.learning_rate * g
    return w + state["m"]


def lion(w: np.ndarray, g: np.ndarray, state: dict[str, Any], step: int, o: Any) -> np.ndarray:
    w = w * (1 - o.learning_rate * o.weight_decay)
    m = state.get("m", 0)
    state["m"] = o.beta_2 * m + (1 - o.beta_2) * g
    return w - o.learning_rate * np.sign(o.beta_1 * m + (1 - o.beta_1) * g)


def muon_matrix(
    w: np.ndarray, g: np.ndarray, state: dict[str, Any], step: int, o: Any
) -> np.ndarray:
    """A hidden matrix: Nesterov momentum, orthogonalised by a quintic Newton-Schulz iteration."""
    w = w * (1 - o.learning_rate * o.weight_decay)
    state["m"] = o.momentum * state.get("m", 0) + g
    move = g + o.momentum * state["m"]
    u, s, vh = np.linalg.svd(move, full_matrices=False)
    s = s / (np.linalg.norm(move) + 1e-7)
    # The iteration acts on singular values alone.
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    scale = 0.2 * np.sqrt(max(w.shape))
    return w - o.learning_rate * scale * (u * s) @ vh


def muon_rest(w: np.ndarray, g: np.ndarray, state: dict[str, Any], step: int, o: Any) -> np.ndarray:
    """All other weights: AdamW with its own learning rate and decay, and Keras' epsilon."""
    w = w * (1 - o.adam_learning_rate * o.adam_weight_decay)
    return w - adam_move(g, state, step, o.adam_learning_rate, o.beta_1, o.beta_2, 1e-7)


# For kernel, bias, head kernel, head bias.
UPDATES: dict[str, list[Update]] = {
    "adamw": [adamw] * 4,
    "adam": [adamw] * 4,
    "sgd": [sgd] * 4,
    "lion": [lion] * 4,
    "muon": [muon_matrix, muon_rest, muon_rest, muon_rest],
}


def train(
    name: str, options: Any, weights: Arrays, batches: list[tuple[np.ndarray, np.ndarray]]
) -> list[Arrays]:
    """The weights after each batch."""
    states: list[dict[str, Any]] = [{} for _ in weights]
    history = []
    weights = [w.astype("float64") for w in weights]
    for step, (x, y) in enumerate(batches, start=1):
        moves = zip(UPDATES[name], weights, gradients(weights, x, y), states, strict=True)
        weights = [update(w, g, state, step, options) for update, w, g, state in moves]
        history.append(weights)
    return history
