"""Which weights are matrices, and which matrix a kernel of more dimensions stands for."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Layers within Keras' attention whose kernels are (inputs, heads, outputs of a head).
_PROJECTIONS = ("query", "key", "value")


def as_matrix(path: str, shape: Sequence[int]) -> tuple[int, int] | None:
    """The matrix (inputs, outputs) that a weight stands for, or None for a vector.

    The kernels of `MultiHeadAttention` are the matrices of the Dense layers that they are in other
    models: query, key and value (inputs, heads, width) as inputs x all heads, the output (heads,
    width, outputs) as all heads x outputs. Kernels of convolutions are (patch, outputs).

    Args:
        path: of the variable, its name last: `block_0/attention/query/kernel`.
        shape: of the variable.

    Returns:
        (rows, columns), whose product is the size; reshaping the weight gives that matrix. None
        for biases (the attention's have two dimensions), gains, and kernels of one row or column.
    """
    *layers, name = path.split("/")
    if len(shape) < 2 or "bias" in name:
        return None
    first_rows = len(shape) == 3 and bool(layers) and layers[-1] in _PROJECTIONS
    split = 1 if first_rows else len(shape) - 1
    rows, columns = math.prod(shape[:split]), math.prod(shape[split:])
    return (rows, columns) if min(rows, columns) > 1 else None
