"""Runs of many kinds, each broken off in the middle and resumed, against the same in one piece."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from compare_runs import differences
from keras import backend
from small import BrokenError, Listens, breaks_off

from grokkeras.config import load_config
from grokkeras.runner import resume, run

SMALL = {
    "task.modulus": 11,
    "model.width": 16,
    "model.num_heads": 2,
    "model.mlp_width": 16,
    "train.max_steps": 50,
    "train.checkpoint_every": 20,
}

KINDS = {
    "full batch": {},
    "batches and dropout": {"train.batch_size": 16, "dropout.rate": 0.2},
    "float64": {"train.dtype": "float64", "loss.dtype": "float64"},
    "bfloat16": {"train.dtype": "bfloat16"},
    "mixed_float16": {"train.dtype": "mixed_float16", "train.batch_size": 16},
    "sgd": {"optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True}},
    "lion": {"optimizer": {"name": "lion", "learning_rate": 1e-3}},
    "muon": {"optimizer": {"name": "muon"}},
    "transforms": {
        "optimizer.transforms": [
            *({"name": "grokfast_ma", "window": 5}, "grokfast", "orthograd", "egalitarian"),
            *("gradient_noise", "clip_global_norm", "norm_cap", "weight_norm"),
            {"name": "layer_learning_rates", "rates": {"head": 0.5}},
        ],
    },
    "mlp": {
        "model": {"name": "mlp", "width": 16, "encoding": "embedding", "embedding_width": 8},
        "loss.name": "mse",
    },
    # Memorization before the checkpoint that the run is resumed from, the plateau after it.
    "schedules": {
        "optimizer": {
            "name": "adam",
            "learning_rate": {
                "schedule": "warm_up",
                "steps": 5,
                "then": {
                    "schedule": "on_event",
                    "event": "plateau",
                    "before": 0.01,
                    "after": 0.003,
                },
            },
            "weight_decay": {
                "schedule": "on_event",
                "event": "memorization",
                "before": {"schedule": "cosine", "start": 1.0, "end": 0.1, "steps": 40},
                "after": 3.0,
            },
        },
        "dropout.rate": {
            "schedule": "on_event",
            "event": "plateau",
            "before": 0.3,
            "after": {"schedule": "linear", "start": 0.2, "end": 0.0, "steps": 20},
        },
        "detector.train_threshold": 0.2,
        "detector.val_threshold": 1.0,
        "detector.patience": 2,
    },
    "no checkpoint": {"train.checkpoint_every": None},
}


def broken_and_resumed(settings):
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        config = load_config("quickstart", SMALL | settings | {"backend": backend.backend()})
        run(config, out=whole)
        try:
            run(config, out=broken, display=breaks_off(33))
        except BrokenError:
            pass
        else:
            raise AssertionError("not broken off")
        listener = Listens()
        resume(broken, display=listener)
        expected = 0 if config.train.checkpoint_every is None else 20
        assert listener.first_step == expected, listener.first_step
        return differences(whole, broken)


def main(*kinds):
    return {kind: functools.partial(broken_and_resumed, KINDS[kind]) for kind in kinds or KINDS}
