"""The settings on which the forecast is calibrated, and those on which it is judged.

A group is a task with a model; all groups have the same variants. Whole groups are left out of the
calibration, chosen before any of these runs was made, so that the forecast is judged on tasks and
models that it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SMALL = {"name": "transformer", "width": 64, "mlp_width": 256}
EMBEDDED = {"name": "mlp", "encoding": "embedding", "embedding_width": 64}
ONE_HOT = {"name": "mlp", "encoding": "one_hot", "activation": "quadratic", "use_bias": False}
BITS = {"name": "mlp", "encoding": "signed"}
S4 = {"name": "symmetric_group", "degree": 4}


def _modular(operation: str, modulus: int) -> dict[str, Any]:
    return {"name": "modular_arithmetic", "operation": operation, "modulus": modulus}


def _parity(bits: int) -> dict[str, Any]:
    return {"name": "sparse_parity", "num_bits": bits, "num_examples": 2000}


GROUPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "add 59 transformer": (_modular("add", 59), SMALL),
    "divide 53 transformer": (_modular("divide", 53), SMALL),
    "multiply 59 prenorm": (_modular("multiply", 59), {**SMALL, "layer_norm": "pre"}),
    "x2+xy+y2 53 transformer": (_modular("x2+xy+y2", 53), SMALL),
    "S4 transformer": (S4, SMALL),
    "add 59 mlp": (_modular("add", 59), EMBEDDED),
    "subtract 67 deep mlp": (_modular("subtract", 67), {**EMBEDDED, "num_layers": 2}),
    "multiply 47 quadratic": (_modular("multiply", 47), ONE_HOT),
    "parity of 20": (_parity(20), BITS),
    "add 97 transformer": (_modular("add", 97), SMALL),
    "x2+y2 59 transformer": (_modular("x2+y2", 59), SMALL),
    "multiply 97 mlp": (_modular("multiply", 97), EMBEDDED),
    "S4 mlp": (S4, EMBEDDED),
    "parity of 30": (_parity(30), BITS),
}
LEFT_OUT = (
    "add 97 transformer",
    "x2+y2 59 transformer",
    "multiply 97 mlp",
    "S4 mlp",
    "parity of 30",
)

VARIANTS: dict[str, dict[str, Any]] = {
    "a": {"train_fraction": 0.5, "learning_rate": 0.003, "weight_decay": 1.0},
    "b": {"train_fraction": 0.4, "learning_rate": 0.003, "weight_decay": 0.5},
    "c": {"train_fraction": 0.4, "learning_rate": 0.01, "weight_decay": 0.2},
    "d": {"train_fraction": 0.3, "learning_rate": 0.003, "weight_decay": 2.0},
    "e": {"train_fraction": 0.6, "learning_rate": 0.001, "weight_decay": 1.0},
    "f": {"train_fraction": 0.4, "learning_rate": 0.002, "weight_decay": 3.0},
    "no decay": {"train_fraction": 0.4, "learning_rate": 0.003, "weight_decay": 0.0},
    "few": {"train_fraction": 0.1, "learning_rate": 0.003, "weight_decay": 1.0},
    "noise": {
        "train_fraction": 0.4,
        "learning_rate": 0.003,
        "weight_decay": 0.5,
        "label_noise": 0.9,
    },
}
# Made never to grok, at least not in these steps.
HOPELESS = ("no decay", "few", "noise")
MAX_STEPS = {"transformer": 6000, "mlp": 8000}
# Of two classes a half wrong is all noise.
_NOISE = {"sparse_parity": 0.5}


def settings() -> dict[str, dict[str, Any]]:
    """A configuration for every group and variant, by `GROUP VARIANT`."""
    return {
        f"{group} {variant}": config(task, model, options)
        for variant, options in VARIANTS.items()
        for group, (task, model) in GROUPS.items()
    }


def group_of(setting: str) -> str:
    """The group that a setting belongs to."""
    return next(group for group in GROUPS if setting.startswith(f"{group} "))


def hopeless(setting: str) -> bool:
    """Whether a setting is made never to grok."""
    return setting.removeprefix(f"{group_of(setting)} ") in HOPELESS


def config(
    task: Mapping[str, Any], model: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The configuration of one setting."""
    splits = {"train_fraction": options["train_fraction"], "val_fraction": 0.3}
    if "label_noise" in options:
        splits["label_noise"] = _NOISE.get(task["name"], options["label_noise"])
    return {
        "name": "forecast",
        "task": {**task, **splits},
        "model": dict(model),
        "optimizer": {
            "name": "adamw",
            "learning_rate": options["learning_rate"],
            "weight_decay": options["weight_decay"],
            "beta_2": 0.98,
        },
        "train": {
            "max_steps": MAX_STEPS[model["name"]],
            "batch_size": "full" if task is S4 or options["train_fraction"] < 0.2 else 512,
        },
        "log": {"measures": ["weight_norm"]},
    }
