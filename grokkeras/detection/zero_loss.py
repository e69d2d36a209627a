"""The share of examples whose cross-entropy is exactly 0 in float32: softmax collapse, measured.

Prieto et al. 2025, "Grokking at the Edge of Numerical Stability" (arXiv 2501.04697, section 3):
when the largest logit leads by so much that sum exp(z - max z) rounds to 1, the loss is 0, and so
is the gradient: the example teaches nothing any more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from grokkeras.errors import UserError

# Keras clips probabilities to 1 - 1e-7 before it takes their log, where the gradient ends too.
_CLIPPED = 1e-7


def zero_loss_share(outputs: ArrayLike, labels: ArrayLike, dtype: str = "float32") -> float:
    """Share of the examples, 0 to 1, that are right with a loss that rounds to 0.

    Args:
        outputs: (..., classes) logits, or probabilities (told by their rows, which sum to 1).
        labels: (...) or (..., 1) whole numbers, or (..., classes) one-hot.
        dtype: NumPy name of the type in which the loss is computed. Default float32.

    Raises:
        UserError: the shapes are not those of a classifier with two classes or more.
    """
    z = np.asarray(outputs).astype(dtype)
    y = np.asarray(labels)
    if z.ndim < 2 or z.shape[-1] < 2:
        raise UserError(
            f"Softmax collapse is measured on outputs of shape (examples, classes), two classes "
            f"or more; received {z.shape}."
        )
    if y.shape == z.shape:
        y = y.argmax(axis=-1)
    elif y.shape == (*z.shape[:-1], 1):
        y = y[..., 0]
    if y.shape != z.shape[:-1]:
        raise UserError(
            f"Softmax collapse is measured with one label an example; received labels of shape "
            f"{y.shape} for outputs of shape {z.shape}."
        )
    right = z.argmax(axis=-1) == y
    if z.min(initial=0.0) >= 0 and np.allclose(z.sum(axis=-1), 1, atol=1e-3):
        exact = z.max(axis=-1) >= 1 - _CLIPPED
    else:
        shifted = z - z.max(axis=-1, keepdims=True)
        exact = np.exp(shifted).sum(axis=-1) == 1
    return float(np.mean(right & exact)) if y.size else 0.0
