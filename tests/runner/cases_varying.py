"""Schedules of a configuration, in runs on one of the backends."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops
from small import refused, small_config

import grokkeras
from grokkeras import schedules
from grokkeras.callbacks import DropoutScheduler, WeightDecayScheduler
from grokkeras.detection import Event
from grokkeras.keras_compat.dropout import holders
from grokkeras.runner import run
from grokkeras.runner.build import build_run

BACKEND = keras.backend.backend()
CONFIG = functools.partial(small_config, BACKEND)
# Memorization within 20 steps, by no means grokking.
SOON = {
    "optimizer__learning_rate": 0.01,
    "detector__train_threshold": 0.2,
    "detector__val_threshold": 1.0,
    "detector__patience": 2,
}


def constant(value):
    return {"schedule": "constant", "value": value}


def pieces(*values):
    return {"schedule": "piecewise", "boundaries": [8], "values": list(values)}


def on_event(event, before, after):
    return {"schedule": "on_event", "event": event, "before": before, "after": after}


def line(start, end, steps):
    return {"schedule": "linear", "start": start, "end": end, "steps": steps}


def metrics(folder):
    lines = (Path(folder) / "metrics.jsonl").read_text().splitlines()
    return {record["step"]: record for record in map(json.loads, lines)}


def equals_a_restart():
    """A change in the midst does what the other constant does from there on."""

    def program(rate, decay, second, dropout):
        settings = {
            "optimizer": {
                "name": "muon",
                "learning_rate": rate,
                "weight_decay": decay,
                "adam_weight_decay": second,
            },
            "model__num_layers": 2,
        }
        made, _ = build_run(CONFIG(**settings, dropout__rate=dropout))
        return made

    first = (0.02, 0.5, 0.2, 0.4)
    second = (0.01, 3.0, 0.0, 0.1)
    changing = program(*(pieces(a, b) for a, b in zip(first, second, strict=True)))
    losses = changing.run(16)
    one, other = (program(*map(constant, values)) for values in (first, second))
    # What stands for all of Muon's rates is its own at the schedule's largest value.
    before = one.run(8)
    other.load_arrays(one.arrays())
    other.step = 8
    after = other.run(8)
    ratio = 0.001 / 0.02
    assert abs(changing.optimizer.adam_lr_ratio - ratio) < 1e-9
    other_ratio = other.optimizer.adam_lr_ratio
    np.testing.assert_allclose(losses[:8], before, rtol=1e-5)
    # The other constant's ratio is that of its own largest value: twice as large.
    assert abs(other_ratio - 2 * ratio) < 1e-9
    return np.isfinite(after).all().item()


def equals_a_restart_with_adamw():
    """A change in the midst does what the other constant does from there on, to the last bit."""

    def program(rate, decay, dropout):
        made, _ = build_run(
            CONFIG(
                optimizer__learning_rate=rate, optimizer__weight_decay=decay, dropout__rate=dropout
            )
        )
        return made

    first, second = (0.02, 0.5, 0.4), (0.01, 3.0, 0.1)
    changing = program(*(pieces(a, b) for a, b in zip(first, second, strict=True)))
    losses = changing.run(16)
    one, other = (program(*map(constant, values)) for values in (first, second))
    before = one.run(8)
    other.load_arrays(one.arrays())
    other.step = 8
    after = other.run(8)
    np.testing.assert_allclose(losses, np.concatenate([before, after]), rtol=2e-6)
    for ours, theirs in zip(changing.weights(), other.weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    return np.abs(one.run(8) - after).max().item()  # or the two constants would not differ


def no_retrace():
    """How often the step's loss was traced, or run: at first, and after changes and an event."""
    made, varying = build_run(
        CONFIG(
            optimizer__learning_rate=pieces(0.02, 0.01),
            optimizer__weight_decay=on_event("memorization", line(1.0, 0.0, 50), 3.0),
            dropout__rate=on_event("memorization", 0.4, line(0.3, 0.0, 10)),
        )
    )
    loss, calls = made.recipe.loss, []
    original = loss.call

    def call(labels, logits):
        calls.append(1)
        return original(labels, logits)

    loss.call = call
    made.run(2)
    at_first = len(calls)
    made.run(8)
    varying.tell([Event(4, "memorization", {"confirmed_step": 10})], made)
    made.run(8)
    values = varying.values(made)
    return {"at first": at_first, "later": len(calls) - at_first, "values": values}


def switches_where_confirmed():
    """Before and after the evaluation that confirmed an event, as metrics.jsonl has it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        after = line(2.0, 3.0, 10)
        settings = SOON | {
            "optimizer__weight_decay": on_event("memorization", 0.5, after),
            "optimizer__learning_rate": on_event("memorization", 0.01, 0.005),
            "dropout__rate": on_event("memorization", 0.2, 0.0),
        }
        run(CONFIG(**settings), out=out)
        events = map(json.loads, (out / "events.jsonl").read_text().splitlines())
        (at,) = [e["detail"]["confirmed_step"] for e in events if e["event"] == "memorization"]
        assert at < 50, at
        found = metrics(out)
        following = min(step for step in found if step > at)
        for step, record in found.items():
            told = [record[k] for k in ("weight_decay", "learning_rate", "dropout_rate")]
            if step <= at:
                assert told == [0.5, 0.01, 0.2], (step, at, record)
            else:
                expected = [2.0 + min((step - 1 - at) / 10, 1.0), 0.005, 0.0]
                np.testing.assert_allclose(told, expected, rtol=1e-6)
        model = grokkeras.load(out)
        kinds = [type(layer).__name__ for layer in model.dropouts]
        assert [layer.rate for layer in model.dropouts] == [0.2]
        return {"confirmed": at, "following": following, "dropout layers": kinds}


def holds_the_norm():
    """Feedback on the weights is recorded for the weights of the evaluation."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        hold = {"schedule": "hold_norm", "target": 3.0, "horizon": 10}
        run(CONFIG(optimizer__weight_decay=hold, log__measures=["weight_norm"]), out=out)
        records = list(metrics(out).values())
        for record in records:
            expected = max(1 - 3.0 / record["weight_norm"], 0) / (record["learning_rate"] * 10)
            np.testing.assert_allclose(record["weight_decay"], expected, rtol=1e-4)
        norms = [record["weight_norm"] for record in records]
        assert norms[-1] < norms[0]
        return [norms[0], norms[-1]]


def callbacks_vary():
    """Schedules that callbacks bring along drive the run and are recorded; not so callables."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        added = [
            WeightDecayScheduler(schedules.Linear(1.0, 0.0, steps=60)),
            DropoutScheduler(schedules.Linear(0.5, 0.0, steps=60)),
        ]
        run(CONFIG(dropout__rate=0.2), out=out, callbacks=added)
        for step, record in metrics(out).items():
            share = (step - 1) / 60
            np.testing.assert_allclose(record["weight_decay"], 1 - share, rtol=1e-5)
            np.testing.assert_allclose(record["dropout_rate"], 0.5 - 0.5 * share, rtol=1e-5)
        # What is recorded is also what was done: the configuration's schedules do the same.
        same = {"optimizer__weight_decay": line(1.0, 0.0, 60), "dropout__rate": line(0.5, 0.0, 60)}
        run(CONFIG(**same), out=Path(folder) / "same")
        ours, theirs = (
            [r["train_loss"] for r in metrics(f).values()] for f in (out, out.with_name("same"))
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
        return [
            refused(lambda c=c: run(CONFIG(dropout__rate=0.2), out=out / "no", callbacks=[c]))
            for c in (WeightDecayScheduler(lambda step: 0.1), DropoutScheduler(lambda step: 0.1))
        ] + [
            refused(lambda c=c: run(CONFIG(**c), out=out / "no", callbacks=added[:1]))
            for c in (
                {"optimizer__weight_decay": line(1.0, 0.0, 60)},
                {"optimizer__weight_decay_groups": {"embedding": 0.0}},
            )
        ]


def constant_rate_is_a_constant_schedule():
    """Both have our masks, and the same; without hidden layers there is no dropout to have."""
    losses = []
    for rate in (0.3, constant(0.3)):
        made, varying = build_run(CONFIG(dropout__rate=rate))
        losses.append(made.run(5).tolist())
        assert varying.values(made)["dropout_rate"] == 0.3
        assert len(holders(made.model)) == len(made.model.dropouts) > 0
    bare = CONFIG(dropout__rate=0.3, model__num_layers=0)
    return {"losses": losses, "bare": len(holders(build_run(bare)[0].model))}


def every_optimizer_and_dtype():
    """What the optimizer is wrapped in, or whether it decays by itself, makes no difference."""
    found = {}
    for name, settings in {
        "sgd": {"optimizer": {"name": "sgd", "learning_rate": line(0.1, 0.0, 20)}},
        "lion": {"optimizer": {"name": "lion", "learning_rate": line(0.01, 0.0, 20)}},
        "adam in float16": {
            "optimizer": {"name": "adam", "learning_rate": line(0.01, 0.0, 20)},
            "train__dtype": "mixed_float16",
        },
        "grokfast": {
            "optimizer": {
                "name": "adamw",
                "transforms": ["grokfast"],
                "learning_rate": line(0.01, 0.0, 20),
            }
        },
    }.items():
        settings = {
            **settings,
            "optimizer": {**settings["optimizer"], "weight_decay": pieces(0, 2)},
        }
        made, varying = build_run(CONFIG(**settings, dropout__rate=line(0.5, 0.0, 20)))
        losses = made.run(20)
        assert np.isfinite(losses).all(), name
        stands = made.weights()[0].copy()
        made.run(4)  # at a learning rate of 0
        moved = np.abs(ops.convert_to_numpy(made.weights()[0]) - stands).max()
        # Under mixed precision a step may have been skipped, and the clock with it.
        found[name] = {"moved": float(moved), "values": varying.values(made)}
    return found


def groups_decay_for_themselves():
    """One step of SGD with and without decay differ by the decay of each weight's own group."""

    def weights(groups, decay):
        sgd = {"name": "sgd", "learning_rate": 0.1, "weight_decay": decay}
        made, varying = build_run(CONFIG(optimizer={**sgd, "weight_decay_groups": groups}))
        paths = [variable.path for variable in made.model.trainable_variables]
        start = [ops.convert_to_numpy(w).copy() for w in made.weights()]
        made.run(3)
        return paths, start, [ops.convert_to_numpy(w) for w in made.weights()], varying, made

    groups = {"embedding": 0.0, "bias": line(0.0, 3.0, 2), "head": pieces(4.0, 0.0)}
    paths, start, plain, _, _ = weights({}, 0.0)
    # A decay so small that gradients stay what they were to the digits that are looked at.
    small = {"embedding": 0.0, "bias": 1e-3, "head": constant(2e-3)}
    _, _, decayed, varying, made = weights(small, 3e-3)
    shares = {}
    for path, w0, one, other in zip(paths, start, plain, decayed, strict=True):
        if np.abs(w0).max() > 0:
            shares[path] = float(np.median((one - other) / (0.1 * 3 * w0)))
    everything = {".": 1.0}
    weights(everything, 0.5)  # leaves nothing for optimizer.weight_decay, which is no fault
    _, _, _, varied, program = weights(groups, 0.5)
    said = refused(lambda: weights({"no_such_weight": 1.0}, 0.5))
    values = varying.values(made)["weight_decay"], varied.values(program)["weight_decay"]
    return {"shares": shares, "recorded": values, "refused": said}


CASES = {
    "groups": groups_decay_for_themselves,
    "equals a restart": equals_a_restart_with_adamw,
    "muon": equals_a_restart,
    "no retrace": no_retrace,
    "switches where confirmed": switches_where_confirmed,
    "holds the norm": holds_the_norm,
    "callbacks": callbacks_vary,
    "constant dropout": constant_rate_is_a_constant_schedule,
    "every optimizer": every_optimizer_and_dtype,
}


def main(*names):
    return {name: CASES[name] for name in names or CASES}
