"""Every part that can bring grokking sooner, as settings on top of `floor.yaml`.

A test holds the list to what a configuration can name, so a new part is run as soon as it exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Stand for the folder of the part "adamw" on the same backend, and for the file that
# `real_runs.write_arrays` makes.
SOURCE, ARRAYS = "SOURCE", "ARRAYS"


@dataclass(frozen=True)
class Part:
    """One part and how it is asked for.

    Attributes:
        kind: what it is, a heading of the table.
        name: as a configuration names it.
        settings: dotted key to value.
        note: what to know of its outcome; "" where the numbers say it all.
    """

    kind: str
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    note: str = ""


RELU_LAYER = {
    "name": "mlp",
    "num_layers": 1,
    "width": 128,
    "encoding": "embedding",
    "combine": "sum",
    "use_bias": False,
}
BITS = {"name": "mlp", "num_layers": 1, "width": 200, "encoding": "signed"}
PARITY = {
    "task": {"name": "sparse_parity", "num_bits": 12, "num_relevant": 3, "num_examples": 600},
    "model": BITS,
    "optimizer": {"name": "adamw", "learning_rate": 0.01, "weight_decay": 1.0},
}
S4 = {
    "task": {
        "name": "symmetric_group",
        "degree": 4,
        "train_fraction": 0.7,
        "val_fraction": 0.2,
    },
    "model.shared_embedding": False,
    "optimizer.learning_rate": 0.01,
}
MIXTURE = {
    "task": {
        "name": "modular_mixture",
        "operations": ["add", "subtract"],
        "modulus": 31,
        "train_fraction": 0.6,
        "val_fraction": 0.2,
    },
    "model": {"name": "transformer", "width": 128, "mlp_width": 256},
    "optimizer": {"name": "adamw", "learning_rate": 0.005, "weight_decay": 2.0, "beta_2": 0.98},
}
NO_DECAY = {"optimizer.weight_decay": 0.0}
POOL = {"task.pool_fraction": 0.3, "task.train_fraction": 0.3}
BATCHES = {"train.batch_size": 512, "optimizer.learning_rate": 0.03}


def _optimizers() -> list[Part]:
    muon = {"name": "muon", "learning_rate": 0.05, "weight_decay": 2.0}
    muon |= {"adam_learning_rate": 0.05, "adam_weight_decay": 2.0}
    sgd = {"name": "sgd", "learning_rate": 10.0, "weight_decay": 0.001, "momentum": 0.9}
    options = {
        "adamw": {},
        "adam": {"optimizer": {"name": "adam", "learning_rate": 0.1, "weight_decay": 2.0}},
        "sgd": {"optimizer": sgd},
        "lion": {"optimizer": {"name": "lion", "learning_rate": 0.01, "weight_decay": 2.0}},
        "muon": {"model": RELU_LAYER, "optimizer": muon},
    }
    return [Part("optimizer", name, settings) for name, settings in options.items()]


def _transforms() -> list[Part]:
    options: dict[str, dict[str, Any]] = {
        "grokfast": {},
        "grokfast_ma": {"window": 5},
        "egalitarian": {},
        "gradient_noise": {"stddev": 1e-4},
        "clip_global_norm": {"norm": 0.1},
        "coupled_weight_decay": {"decay": 1e-4},
        "norm_cap": {"factor": 2.0},
        "weight_norm": {"scale": 2.0},
        "layer_learning_rates": {"rates": {"embeddings": 0.5, "head": 2.0}},
    }
    parts = [
        Part("gradient transform", name, {"optimizer.transforms": [{"name": name, **more}]})
        for name, more in options.items()
    ]
    without_decay = (
        "without weight decay: the gradient is orthogonal to the weights, so decay 2 makes them "
        "vanish; with it the run ends in X on all three backends."
    )
    alone = {"optimizer.transforms": ["orthograd"], **NO_DECAY}
    parts.append(Part("gradient transform", "orthograd", alone, without_decay))
    fading = {"schedule": "cosine", "start": 2.0, "end": 0.0, "steps": 20}
    chain = ["orthograd", {"name": "grokfast", "lamb": fading}, {"name": "norm_cap", "factor": 2.0}]
    several = {"optimizer.transforms": chain, **NO_DECAY}
    held = (
        "the three hold one another back: with the norms capped at twice the initial ones, 90 % of "
        "the training and 77 % of the validation pairs at step 300 (PyTorch)."
    )
    return [*parts, Part("gradient transform", "a chain", several, held)]


def _losses() -> list[Part]:
    slower = {"optimizer.learning_rate": 0.01, "optimizer.weight_decay": 0.5}
    return [
        Part("loss", "cross_entropy, float64", {"loss.dtype": "float64"}),
        Part("loss", "cross_entropy, label_smoothing", {"loss.label_smoothing": 0.1}),
        Part("loss", "stablemax", {"loss.name": "stablemax"}),
        Part("loss", "stablemax, float64", {"loss.name": "stablemax", "loss.dtype": "float64"}),
        Part("loss", "mse", {"loss.name": "mse", **slower}),
        Part("loss", "jacobian_weight", {"loss.jacobian_weight": 1e-3}),
    ]


def _schedules() -> list[Part]:
    ramp = {"start": 3.0, "end": 1.0, "steps": 20}
    decays: dict[str, dict[str, Any]] = {
        "constant": {"value": 2.0},
        "linear": ramp,
        "cosine": ramp,
        "exponential": ramp,
        "step": {"start": 3.0, "factor": 0.7, "every": 5, "end": 1.0},
        "piecewise": {"boundaries": [5, 10], "values": [1.0, 3.0, 2.0]},
        "cyclic": {"low": 1.0, "high": 3.0, "period": 10},
        "warm_up": {"steps": 10, "then": 2.0},
        "hold_norm": {"target": 12.0, "horizon": 10.0},
        "with_learning_rate": {"base": 2.0, "reference": 0.1},
    }
    parts = [
        Part("weight decay", name, {"optimizer.weight_decay": {"schedule": name, **more}})
        for name, more in decays.items()
    ]
    for event, before, after in (
        ("memorization", 0.0, 2.0),
        ("plateau", 0.0, 2.0),
        ("grokking", 2.0, 0.5),
        ("collapse", 2.0, 0.5),
    ):
        schedule = {"schedule": "on_event", "event": event, "before": before, "after": after}
        on = {"optimizer.weight_decay": schedule}
        if event in ("grokking", "collapse"):
            on["train.stop_after_grokking"] = 40
        parts.append(Part("weight decay", f"on_event {event}", on))
    groups = {"embeddings": 0.0, "head": {"schedule": "linear", **ramp}}
    parts.append(Part("weight decay", "groups", {"optimizer.weight_decay_groups": groups}))
    warm_up = {"schedule": "warm_up", "steps": 5, "then": 0.1}
    return [*parts, Part("learning rate", "warm_up", {"optimizer.learning_rate": warm_up})]


def _dropout() -> list[Part]:
    rates: dict[str, Any] = {
        "constant": 0.1,
        "linear": {"schedule": "linear", "start": 0.3, "end": 0.0, "steps": 20},
        "cyclic": {"schedule": "cyclic", "low": 0.0, "high": 0.3, "period": 10},
        "on_event memorization": {
            "schedule": "on_event",
            "event": "memorization",
            "before": 0.0,
            "after": 0.2,
        },
    }
    return [Part("dropout", name, {"dropout.rate": rate}) for name, rate in rates.items()]


def _starts() -> list[Part]:
    parts = [
        Part("initial weights", name, {"model.init": name, "model.init_scale": 0.1} | no_stddev)
        for name in ("normal", "orthogonal", "small", "sparse", "uniform")
        if (no_stddev := {"model.init_stddev": None})
    ]
    wider = {"model.embedding_width": 160}
    transfers: dict[str, dict[str, Any]] = {
        "exact, all weights": {"task.operation": "multiply"},
        "exact, by name": {"transfer.what": ["*head*"]},
        "overlap": {"transfer.method": "overlap", **wider},
        "projection": {"transfer.what": "embedding", "transfer.method": "projection", **wider},
    }
    return parts + [
        Part("transfer", name, {"transfer.run": SOURCE, **more}) for name, more in transfers.items()
    ]


def _data() -> list[Part]:
    modular = {
        "commute": "add",
        "translate": "add",
        "scale": "add",
        "negate": "add",
        "reflect": "multiply",
        "balance": "multiply",
        "other_root": "x2+xy+y2",
    }
    parts = [
        Part("augmentation", name, {"task.augment": [name], "task.operation": operation, **POOL})
        for name, operation in modular.items()
    ]
    pooled = {**S4, "task": {**S4["task"], "train_fraction": 0.5, "pool_fraction": 0.2}}
    parts += [
        Part("augmentation", name, {**pooled, "task.augment": [name]})
        for name in ("inverse", "conjugate")
    ]
    parts.append(Part("augmentation", "complement", {**PARITY, "task.augment": ["complement"]}))
    parts.append(Part("task mixing", "add and subtract", MIXTURE))
    teacher = {"run": SOURCE, "examples": 1000}
    parts.append(Part("teacher", "1,000 labels", {**POOL, "task.teacher": teacher}))
    noise = {"task.label_noise": 0.05, "detector.train_threshold": 0.9}
    return [*parts, Part("label noise", "5 %", noise)]


def _curricula() -> list[Part]:
    by_step = {"start": 0.4, "steps": 20}
    by_accuracy = {"start": 0.4, "stages": 3, "until": 0.95}
    small = {"train.batch_size": 128}
    arrays = {"name": "arrays", "path": ARRAYS, "inputs": "tokens", "train_fraction": 0.6}
    arrays |= {"val_fraction": 0.2}
    options: dict[str, dict[str, Any]] = {
        "operand_range": BATCHES,
        "operation": {**MIXTURE, **small},
        "inversions": {**S4, **small},
        "transpositions": {**S4, **small},
        "set_bits": {**PARITY, "train.batch_size": 64},
        "given": {"task": arrays, **small, "optimizer.learning_rate": 0.03},
    }
    parts = [
        Part("curriculum", f"{name}, by step", {**more, "curriculum": {"by": name, **by_step}})
        for name, more in options.items()
    ]
    driven = {**BATCHES, "curriculum": {"by": "operand_range", **by_accuracy}}
    return [*parts, Part("curriculum", "operand_range, by accuracy", driven)]


PARTS = [
    *_optimizers(),
    *_transforms(),
    *_losses(),
    *_schedules(),
    *_dropout(),
    *_starts(),
    *_data(),
    *_curricula(),
]
