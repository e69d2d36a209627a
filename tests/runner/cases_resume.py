"""Runs of many kinds, each broken off in the middle and resumed, against the same in one piece."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from pathlib import Path

from compare_runs import differences
from keras import backend
from small import BrokenError, Listens, breaks_off, refused

from grokkeras import schedules
from grokkeras.callbacks import DropoutScheduler, GrokkingDetector, WeightDecayScheduler
from grokkeras.config import load_config
from grokkeras.detection import Detector
from grokkeras.errors import GrokkerasError, UserError
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
            *("gradient_noise", "coupled_weight_decay", "clip_global_norm", "norm_cap"),
            "weight_norm",
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
    "callbacks": {"optimizer.learning_rate": 0.02, "dropout.rate": 0.3},
}


def callbacks():
    """Schedules by events, of which one is confirmed before the checkpoint and one after it."""
    detector = GrokkingDetector(train_threshold=0.3, val_threshold=1.0, patience=2, verbose=0)
    before = schedules.Cosine(1.0, 0.1, steps=40)
    fading = schedules.Linear(0.2, 0.0, steps=20)
    return [
        WeightDecayScheduler(schedules.OnEvent("memorization", before=before, after=3.0)),
        detector,
        DropoutScheduler(schedules.OnEvent("plateau", before=0.3, after=fading)),
    ]


def seen(callbacks):
    return {event.event: event.written_at for event in callbacks[1].events}


def broken_and_resumed(settings, make_callbacks=list):
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        config = load_config("quickstart", SMALL | settings | {"backend": backend.backend()})
        in_peace, first, second = (make_callbacks() for _ in range(3))
        run(config, out=whole, callbacks=in_peace)
        try:
            run(config, out=broken, display=breaks_off(33), callbacks=first)
        except BrokenError:
            pass
        else:
            raise AssertionError("not broken off")
        listener = Listens()
        resume(broken, display=listener, callbacks=second)
        expected = 0 if config.train.checkpoint_every is None else 20
        assert listener.first_step == expected, listener.first_step
        if in_peace:
            events = seen(in_peace)
            assert events["memorization"] <= 20 < events["plateau"], events
            assert seen(second) == events
        return differences(whole, broken)


def refused_callbacks():
    """What cannot go on as it began says so: other callbacks, and a detector out of sight."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        settings = SMALL | KINDS["callbacks"] | {"backend": backend.backend()}
        with contextlib.suppress(BrokenError):
            config = load_config("quickstart", settings)
            run(config, out=out, display=breaks_off(33), callbacks=callbacks())
        apart = callbacks()
        apart[0].detector = Detector()
        return [
            refused(lambda c=given: resume(out, callbacks=c), kind)
            for given, kind in (([], GrokkerasError), (apart[::2], UserError), (apart, UserError))
        ]


def main(*kinds):
    cases = {kind: functools.partial(broken_and_resumed, each) for kind, each in KINDS.items()}
    cases["callbacks"] = functools.partial(cases["callbacks"], make_callbacks=callbacks)
    cases["refused callbacks"] = refused_callbacks
    return {kind: cases[kind] for kind in kinds or KINDS}
