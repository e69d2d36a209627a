"""`keras.ops`, imported when a schedule is first evaluated.

A configuration builds schedules to check their arguments, which must not cost the import of Keras.
"""

from __future__ import annotations

import importlib
from typing import Any


class _LazyOps:
    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("keras").ops, name)


ops = _LazyOps()
