"""Holds the logits of an exported form against those of the training backend."""

from __future__ import annotations

from typing import Any

import numpy as np

# Below this the two best answers are a tie, which rounding may decide either way.
TIE = 1e-4


def compare(reference: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
    """How far two sets of logits are apart.

    Args:
        reference: (n, classes) logits of the training backend.
        logits: the same of the exported form.

    Returns:
        `largest_difference` of any two logits; `argmax_agreement`, the share of rows with the same
        best class; `mismatches`, how many rows differ in it though the reference's two best logits
        are more than `TIE` apart, or are finite in one and not in the other; `first_mismatch`,
        the first such row or None.
    """
    if reference.shape != logits.shape:
        raise ValueError(f"expected logits of shape {reference.shape}, received {logits.shape}")
    reference, logits = reference.astype(np.float64), logits.astype(np.float64)
    sound = np.isfinite(reference).all(axis=1)
    same_kind = sound == np.isfinite(logits).all(axis=1)
    both = sound & same_kind
    best = np.where(np.isfinite(reference), reference, -np.inf).argmax(axis=1)
    found = np.where(np.isfinite(logits), logits, -np.inf).argmax(axis=1)
    agrees = (best == found) & same_kind
    top = np.sort(reference, axis=1)[:, -2:]
    clear = (top[:, 1] - top[:, 0] > TIE) | ~sound
    wrong = np.flatnonzero((~agrees & clear) | ~same_kind)
    return {
        "largest_difference": float(np.abs(reference[both] - logits[both]).max(initial=0.0)),
        "argmax_agreement": float(agrees.mean()),
        "mismatches": len(wrong),
        "first_mismatch": int(wrong[0]) if len(wrong) else None,
    }
