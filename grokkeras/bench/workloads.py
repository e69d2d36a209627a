"""The bench's workloads as configurations of ours. Imports no Keras."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from grokkeras.bench.process import baselines_package


def find_workload(name: str) -> Any:
    """A `Workload` of `benchmarks/data.py` by name, such as `W1`."""
    package, root = baselines_package()
    if root is not None and str(root) not in sys.path:
        sys.path.append(str(root))
    return importlib.import_module(f"{package}.data").WORKLOADS[name]


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
