"""Restricted and excluded loss: what the key frequencies alone can do, and what all else can.

Nanda et al. 2023 (arXiv 2301.05217, section 5.1). The part of the logits that depends on the sum of
the operands through the key frequencies is the algorithm; the rest is memory and noise. While a
network still memorises by its looks, restricted loss already falls and excluded loss rises.
"""

from __future__ import annotations

import numpy as np

from grokkeras.measures.spectrum import fourier_power, key_frequencies


def mean_by_sum(logits: np.ndarray) -> np.ndarray:
    """Mean of the logits over all pairs with the same sum.

    Args:
        logits: (n, n, classes), by the elements of both operands.

    Returns:
        (n, classes), by the sum modulo n.
    """
    n = len(logits)
    places = np.arange(n)
    # Row i moved by i: column s then holds the pair (i, s - i).
    moved = logits[places[:, None], (places[None, :] - places[:, None]) % n]
    return moved.mean(axis=0)


def logit_frequencies(logits: np.ndarray) -> list[int]:
    """The key frequencies of the logits as a function of the sum; see `key_frequencies`."""
    return key_frequencies(fourier_power(mean_by_sum(logits)))


def key_part(logits: np.ndarray, frequencies: list[int]) -> np.ndarray:
    """What the frequencies contribute to the logits, by the sum: (n, classes)."""
    spectrum = np.fft.rfft(mean_by_sum(logits), axis=0)
    kept = np.zeros_like(spectrum)
    kept[frequencies] = spectrum[frequencies]
    return np.fft.irfft(kept, n=len(logits), axis=0)


def restricted_and_excluded_loss(
    logits: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    seen: np.ndarray,
    frequencies: list[int] | None = None,
) -> tuple[float, float]:
    """Cross-entropy with only, and without, the key frequencies.

    Args:
        logits: (n, n, classes), by the elements of both operands.
        labels: (n, n) classes.
        train: (n, n) bool: pairs over which the excluded loss is taken.
        seen: (n, n) bool: pairs over which the restricted loss is taken.
        frequencies: the key ones; None takes those of these logits.
    """
    logits = np.asarray(logits, np.float64)
    n = len(logits)
    if frequencies is None:
        frequencies = logit_frequencies(logits)
    places = np.arange(n)
    part = key_part(logits, frequencies)[(places[:, None] + places) % n]
    restricted = logits.mean(axis=(0, 1)) + part
    return (
        cross_entropy(restricted[seen], labels[seen]),
        cross_entropy((logits - part)[train], labels[train]),
    )


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy.

    Args:
        logits: (examples, classes).
        labels: (examples,).
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, labels[:, None], axis=-1)[:, 0]
    return float(np.mean(np.log(np.exp(shifted).sum(axis=-1)) - chosen))
