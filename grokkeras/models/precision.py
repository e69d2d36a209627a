"""Building layers under a given dtype policy, whatever the global one is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras


@contextmanager
def dtype_policy(policy: Any) -> Iterator[None]:
    """Layers made inside take `policy`, a Keras dtype policy or its name."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
