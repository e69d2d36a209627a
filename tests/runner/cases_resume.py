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
    "mlp": {
        "model": {"name": "mlp", "width": 16, "encoding": "embedding", "embedding_width": 8},
        "loss.name": "mse",
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
