"""Which framework runs under Keras, and whether what a run needs is installed. Imports none."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import get_args

from grokkeras.config.schema import Backend
from grokkeras.errors import Fault, nearest_name

BACKENDS: tuple[str, ...] = get_args(Backend)
VARIABLE = "KERAS_BACKEND"


def default_backend(environ: Mapping[str, str] | None = None) -> tuple[str, list[Fault]]:
    """The backend where neither command line nor file names one.

    Args:
        environ: the environment, by default the process's.

    Returns:
        The value of KERAS_BACKEND or else tensorflow, and a fault if that variable holds
        something else.
    """
    name = (os.environ if environ is None else environ).get(VARIABLE) or "tensorflow"
    if name in BACKENDS:
        return name, []
    near = nearest_name(name, BACKENDS)
    return "tensorflow", [Fault(VARIABLE, name, f"one of {', '.join(BACKENDS)}", near)]


def is_installed(backend: str) -> bool:
    """Whether the backend's package can be imported, judged without importing it."""
    return importlib.util.find_spec(backend) is not None


def tracker_faults(log: Mapping[str, object]) -> list[Fault]:
    """Faults that say how to install the packages behind `log.wandb` and `log.mlflow`."""
    return [
        Fault(
            f"log.{name}",
            True,
            f"false, or the package: pip install 'grokkeras[{name}]' adds it",
        )
        for name in ("wandb", "mlflow")
        if log.get(name) is True and not is_installed(name)
    ]


def installed_fault(backend: str) -> Fault | None:
    """A fault that says how to install a backend that is missing, or None."""
    if is_installed(backend):
        return None
    remedy = "pip install grokkeras"
    if backend != "tensorflow":
        remedy = f"pip install 'grokkeras[{backend}]'"
    others = [name for name in BACKENDS if name != backend and is_installed(name)]
    words = f"an installed backend; {remedy} adds this one"
    if others:
        words += f", {' and '.join(others)} can be used now"
    return Fault("backend", backend, words)
