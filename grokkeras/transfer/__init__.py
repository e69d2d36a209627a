"""Initial weights from an earlier run: across operations, widths and kinds of model.

    from grokkeras.transfer import transfer
    print(transfer(model, "runs/small-1", what="embedding", method="projection"))

Names are loaded when they are first used, so that a run that is not there is refused without Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokkeras.transfer.listing import Left, Taken, Transfer
    from grokkeras.transfer.weights import transfer

__all__ = ["Left", "Taken", "Transfer", "transfer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'grokkeras.transfer' has no attribute {name!r}")
    module = "weights" if name == "transfer" else "listing"
    return getattr(importlib.import_module(f"grokkeras.transfer.{module}"), name)
