"""grokkeras: train Keras models until they grok, and see when and why they do.

    import grokkeras
    summary = grokkeras.run("quickstart", overrides={"optimizer.weight_decay": 0.3})
    model = grokkeras.load(summary.run_dir)

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokkeras.annealing import anneal_dropout
    from grokkeras.api import load, resume, run

__version__ = "0.1.0"

__all__ = ["__version__", "anneal_dropout", "load", "resume", "run"]

_MODULES = (
    "callbacks",
    "initializers",
    "losses",
    "measures",
    "models",
    "optimizers",
    "schedules",
    "tasks",
)


def __getattr__(name: str) -> Any:
    if name in ("load", "resume", "run"):
        return getattr(importlib.import_module("grokkeras.api"), name)
    if name == "anneal_dropout":
        return importlib.import_module("grokkeras.annealing").anneal_dropout
    if name in _MODULES:
        return importlib.import_module(f"grokkeras.{name}")
    raise AttributeError(f"module 'grokkeras' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
