"""The circle on which a network that grokked modular arithmetic lays out the numbers.

Nanda et al. 2023 (arXiv 2301.05217, section 4): after grokking the token embedding is sparse in
the Fourier basis over Z_p; at a key frequency k token t stands at the angle 2 pi k t / p. The
strongest frequency is found here and the embedding projected onto its cosine and sine.

For a product the same holds of the discrete logarithm, t = g**n, over the p - 1 non-zero residues.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def embedding_circle(embedding: np.ndarray, order: np.ndarray) -> dict[str, Any] | None:
    """The embedding at its strongest frequency.

    Args:
        embedding: (tokens, width).
        order: tokens in the order in which the group counts them, such as 0..p-1, or the powers
            of a generator.

    Returns:
        `frequency` k; `share`, that frequency's part of the embedding's variance, 0 to 1;
        `tokens` in order and `points`, [x, y] of each, scaled to a largest radius of 1. None if
        there are fewer than three tokens, or all are embedded alike.
    """
    count = len(order)
    if count < 3:
        return None
    rows = embedding[order].astype(np.float64)
    rows = rows - rows.mean(axis=0)
    power = (np.abs(np.fft.rfft(rows, axis=0)) ** 2).sum(axis=1)
    if not np.isfinite(power).all() or power.sum() <= 0:
        return None
    # rfft holds each frequency once; all but 0 and count / 2 stand for two.
    weights = np.full(len(power), 2.0)
    weights[0] = 1.0
    if count % 2 == 0:
        weights[-1] = 1.0
    power *= weights
    candidates = power[1 : (count + 1) // 2]
    frequency = 1 + int(np.argmax(candidates))
    angle = 2 * np.pi * frequency * np.arange(count) / count
    waves = np.stack([np.cos(angle), np.sin(angle)]) * np.sqrt(2 / count)
    directions = waves @ rows  # (2, width): where the cosine and the sine live
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    points = rows @ (directions / np.where(lengths > 0, lengths, 1)).T
    points /= np.linalg.norm(points, axis=1).max()
    return {
        "frequency": frequency,
        "share": float(candidates[frequency - 1] / power.sum()),
        "tokens": [int(token) for token in order],
        "points": [[round(float(x), 4), round(float(y), 4)] for x, y in points],
    }


def counting_order(operation: str, modulus: int) -> np.ndarray:
    """Residues in the order in which the operation's group counts them.

    Args:
        operation: of `modular_arithmetic`.
        modulus: p.

    Returns:
        0..p-1; for products modulo a prime the powers of its least generator, without 0.
    """
    if operation in ("multiply", "divide"):
        for generator in range(2, modulus):
            powers = [1]
            while (following := powers[-1] * generator % modulus) not in (0, 1):
                powers.append(following)
            if len(powers) == modulus - 1:
                return np.array(powers)
    return np.arange(modulus)


def embedding_of(model: Any, tokens: int) -> np.ndarray | None:
    """The array in which a model keeps a row for each token.

    Args:
        model: a Keras model.
        tokens: how many tokens it must hold.

    Returns:
        (tokens, width), or None if the model has no such variable.
    """
    for variable in model.variables:
        name = variable.path.rsplit("/", 1)[-1]
        is_table = "embedding" in name and "position" not in name
        if is_table and len(variable.shape) == 2 and variable.shape[0] >= tokens:
            return np.array(variable.numpy(), dtype=np.float64)[:tokens]
    return None
