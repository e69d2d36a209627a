"""Numbers below the least normal float, taken for 0 on PyTorch.

After memorization gradients and their second moments get that small, and processors are many times
slower on them: batches of 512 fell from 163 to 65 steps a second within 1,000 steps. XLA takes such
numbers for 0 by itself. PyTorch has a switch for one thread, which threads started later inherit,
so it has to come before the first parallel operation.
"""

from __future__ import annotations

import keras


def flush_denormals() -> None:
    """Has PyTorch, where Keras runs on it, take numbers below the least normal float for 0."""
    if keras.backend.backend() == "torch":
        import torch

        torch.set_flush_denormal(True)
