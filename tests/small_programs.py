"""Small programs for tests: addition mod 11 on the backend that Keras runs on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from grokkeras.config import RunConfig, load_config
from grokkeras.runner.build import build_program
from grokkeras.training.program import Program

TRANSFORMER = {"name": "transformer", "width": 16, "num_heads": 2, "mlp_width": 32}
# What `numpy_mlp` computes by hand.
MLP = {"name": "mlp", "num_layers": 1, "width": 24, "activation": "quadratic"}


def config(**sections: Any) -> RunConfig:
    """A configuration; each section given replaces the default's keys."""
    base: dict[str, Any] = {
        "name": "small",
        "seed": 1,
        "backend": keras.backend.backend(),
        "task": {
            "name": "modular_arithmetic",
            "operation": "add",
            "modulus": 11,
            "train_fraction": 0.5,
            "val_fraction": 0.2,
        },
        "model": TRANSFORMER,
        "optimizer": {"name": "adamw", "learning_rate": 0.01},
        "train": {"max_steps": 1000},
        "dropout": {"rate": 0.0},
        "loss": {"name": "cross_entropy"},
    }
    merged = {
        **base,
        **{
            name: {**base[name], **value} if name in ("train", "task", "loss") else value
            for name, value in sections.items()
        },
    }
    return load_config(merged)


def program(**sections: Any) -> Program:
    """A program ready for its first step."""
    return build_program(config(**sections))


def equal(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    """Whether two states are the same bits."""
    return one.keys() == two.keys() and all(
        a.dtype == b.dtype and a.tobytes() == b.tobytes()
        for a, b in ((one[name], two[name]) for name in one)
    )


def in_chunks(made: Program, start: dict[str, np.ndarray], chunks: list[int]) -> tuple[Any, Any]:
    """Losses and state after calls of these lengths from step 0 and state `start`."""
    made.load_arrays(start)
    made.step = 0
    losses = np.concatenate([made.run(count) for count in chunks])
    return losses, made.arrays()
