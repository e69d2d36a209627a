"""Sizes and tokens of the models that the cases build."""

from __future__ import annotations

import keras
import numpy as np
from model_options import LAYOUTS

LAYOUT = {**LAYOUTS["a b ="], "length": 3, "num_classes": 7}
TOKENS = np.stack([*np.divmod(np.arange(49), 7), np.full(49, 7)], 1).astype("int32")
SIZES = {"width": 16, "num_heads": 2, "mlp_width": 32}
BACKEND = keras.backend.backend()
