"""Arithmetic in float64 where a model asks for it.

Keras' type promotion makes float32 of float64 on JAX and PyTorch, so that `ops.add` of two float64
tensors is rounded to seven digits without a word (keras/src/backend/common/dtypes.py, to agree with
JAX's default). Weights stay float64, which hides it.

Private to Keras: `BIT64_TO_BIT32_DTYPE`.
"""

from __future__ import annotations

from keras.src.backend.common import dtypes


def keep_float64(dtype: str) -> None:
    """Lets Keras promote to float64 from now on, in this process, if `dtype` is float64.

    JAX must have its 64-bit mode on to hold such numbers at all (`JAX_ENABLE_X64=1`).
    """
    if dtype == "float64":
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
