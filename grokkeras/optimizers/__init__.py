"""Optimizers by name, as Keras optimizers.

Stock classes, built as they are: a subclass loses PyTorch's multi-tensor path and is three times
as slow there.
"""

from __future__ import annotations

from typing import Any

import keras

from grokkeras.optimizers.stock import OPTIMIZERS


def make_optimizer(options: Any) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration's `optimizer` section describes."""
    return OPTIMIZERS.get(options.name)(options)


__all__ = ["OPTIMIZERS", "make_optimizer"]
