"""Orthogonal initial weights (Saxe et al. 2014, 1312.6120).

The singular values are all 1, so that a deep linear network neither stretches nor shrinks any
direction at the start.
"""

from __future__ import annotations

import math

import keras
import numpy as np

from grokkeras.errors import UserError
from grokkeras.initializers.base import NumpyInitializer


@keras.saving.register_keras_serializable(package="grokkeras")
class NumpyOrthogonal(NumpyInitializer):
    """Orthonormal columns, or orthonormal rows where there are fewer rows than columns.

    The matrix is that of all axes but the last by the last, drawn evenly from all such matrices
    (Mezzadri 2007, math-ph/0609050).

    Args:
        seed: see `NumpyInitializer`.
        scale: factor on the matrix, which then is every singular value.
    """

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        if len(shape) < 2:
            raise UserError(
                f"Orthogonal initial weights need a matrix. Received the shape {shape}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        # QR leaves each column's sign to the library; this makes it a function of the draw.
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return (q if rows >= columns else q.T).reshape(shape)
