"""Our trainer on a bench workload, as a run would use it but without evaluations and logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from grokkeras.bench.techniques import TECHNIQUES
from grokkeras.config import load_config
from grokkeras.runner import build_program


def config_of(workload: Any, backend: str) -> dict[str, Any]:
    """The configuration of a `Workload` of `benchmarks/data.py`."""
    transformer = workload.network == "transformer"
    model: dict[str, Any] = (
        {
            "name": "transformer",
            "num_layers": 1,
            "width": workload.width,
            "num_heads": workload.num_heads,
            "mlp_width": workload.mlp_width,
        }
        if transformer
        else {
            "name": "mlp",
            "num_layers": 0,
            "encoding": "embedding",
            "embedding_width": workload.width,
            "shared_embedding": False,
            "combine": "sum",
            "activation": "quadratic",
            "use_bias": False,
        }
    )
    return {
        "name": workload.name.lower(),
        "backend": backend,
        "task": {
            "name": "modular_arithmetic",
            "operation": "add",
            "modulus": workload.modulus,
            "format": "a b =" if transformer else "a b",
            "train_fraction": workload.train_fraction,
            "val_fraction": 0.3,
        },
        "model": model,
        "optimizer": {
            "name": "adamw",
            "learning_rate": 0.001,
            "weight_decay": 1.0,
            "beta_1": 0.9,
            "beta_2": 0.98,
        },
        "train": {"batch_size": workload.batch_size or "full"},
    }


def make_run(workload: Any, form: str) -> Callable[[int], np.ndarray]:
    """Our loop: each call makes that many steps and returns their losses.

    Args:
        workload: a `Workload` of `benchmarks/data.py`.
        form: "ours", plain AdamW, or a name in `TECHNIQUES`.
    """
    settings = {} if form == "ours" else TECHNIQUES[form].settings
    config = load_config(config_of(workload, keras.backend.backend()), settings)
    return build_program(config).run
