"""`grokkeras.run` and `grokkeras.load` in a process whose Keras runs on one of the backends."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import shutil
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
from small import BrokenError, breaks_off, small_config, steps_with_checkpoint

import grokkeras
from grokkeras.callbacks import GrokkingDetector
from grokkeras.config import load_config
from grokkeras.errors import UserError
from grokkeras.tasks import make_task

CONFIG = functools.partial(small_config, keras.backend.backend())


def metrics(run):
    """`metrics.jsonl` apart from the clock."""
    lines = (Path(run) / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def refused(*arguments, **options):
    try:
        grokkeras.run(*arguments, **options)
    except UserError as error:
        return str(error)
    raise AssertionError("not refused")


class Notes(keras.callbacks.Callback):
    """Writes down every call."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append(("train_begin", int(self.model.optimizer.iterations)))

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch_begin", epoch))

    def on_test_end(self, logs=None):
        self.calls.append(("test_end", dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch_end", epoch, int(self.model.optimizer.iterations), dict(logs)))

    def on_train_end(self, logs=None):
        self.calls.append(("train_end", int(self.model.optimizer.iterations)))


def callbacks_are_called(out):
    notes = Notes()
    summary = grokkeras.run(CONFIG(), out=out, callbacks=[notes])
    assert summary.run_dir == out
    assert summary.status == "finished"
    expected = [("train_begin", 0)]
    for epoch, record in enumerate(metrics(out)):
        val = {"loss": record["val_loss"], "accuracy": record["val_accuracy"]}
        logs = {
            "loss": record["train_loss"],
            "accuracy": record["train_accuracy"],
            "val_loss": record["val_loss"],
            "val_accuracy": record["val_accuracy"],
        }
        expected += [
            ("epoch_begin", epoch),
            ("test_end", val),
            ("epoch_end", epoch, record["step"], logs),
        ]
    assert notes.calls == [*expected, ("train_end", 60)]
    assert notes.params["steps"] == 60

    # They change nothing: the same run without them.
    plain = out.with_name("plain")
    grokkeras.run(CONFIG(), out=plain)
    assert metrics(plain) == metrics(out)


def callbacks_of_a_resumed_run(out):
    with contextlib.suppress(BrokenError):
        grokkeras.run(CONFIG(), out=out, callbacks=[Notes()], display=breaks_off(33))
    notes = Notes()
    grokkeras.resume(out, callbacks=[notes])
    by_step = {record["step"]: epoch for epoch, record in enumerate(metrics(out))}
    assert notes.calls[0] == ("train_begin", 20)
    ends = [call for call in notes.calls if call[0] == "epoch_end"]
    assert [call[2] for call in ends] == [step for step in by_step if step > 20]
    assert [call[1] for call in ends] == [by_step[call[2]] for call in ends]


def stop_training(out):
    class Stops(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if self.model.optimizer.iterations >= 25:
                self.model.stop_training = True

    summary = grokkeras.run(CONFIG(), out=out, callbacks=[Stops()])
    assert (summary.status, summary.steps) == ("finished", 25)
    assert metrics(out)[-1]["step"] == 25
    assert steps_with_checkpoint(out)[-1] == 25


def a_new_learning_rate(out):
    """At rate 0 neither gradient nor decoupled decay moves a weight."""

    class Freezes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if self.model.optimizer.iterations >= 25:
                self.model.optimizer.learning_rate = 0.0

    grokkeras.run(CONFIG(), out=out, callbacks=[Freezes()])
    records = metrics(out)
    norms = {record["step"]: record["weight_norm"] for record in records}
    assert norms[24] != norms[25]
    assert {norm for step, norm in norms.items() if step >= 25} == {norms[25]}
    assert {r["learning_rate"] for r in records if r["step"] <= 25} == {0.001}
    assert {r["learning_rate"] for r in records if r["step"] > 25} == {0.0}


def new_weights(out):
    """With all weights at 0, and a rate that leaves them there, each class is as likely."""

    class Empties(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.optimizer.learning_rate = 0.0
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    grokkeras.run(CONFIG(), out=out, callbacks=[Empties()])
    for record in metrics(out):
        assert record["weight_norm"] == 0
        assert math.isclose(record["train_loss"], math.log(11), rel_tol=1e-6)


def the_detector_agrees(out):
    thresholds = {"train_threshold": 0.3, "val_threshold": 0.02, "collapse_threshold": 0.01}
    settings = {**thresholds, "patience": 3, "min_delay": 10}
    detector = GrokkingDetector(**settings, verbose=0)
    options = {f"detector__{key}": value for key, value in settings.items()}
    summary = grokkeras.run(CONFIG(train__max_steps=400, **options), out=out, callbacks=[detector])
    assert summary.memorization_step is not None
    assert summary.grokking_step is not None
    for name in ("memorization_step", "grokking_step", "delay_steps", "phase", "stable"):
        assert getattr(detector, name) == getattr(summary, name), name
    stored = json.loads((out / "summary.json").read_text())
    assert stored == {"schema_version": 1, **json.loads(json.dumps(summary.to_dict()))}
    # Callbacks are given a compiled model; what is saved needs no loss or optimizer to be loaded.
    with zipfile.ZipFile(out / "model.keras") as archive:
        saved = json.loads(archive.read("config.json"))
    assert not saved.get("compile_config")


def what_is_refused_leaves_nothing(out):
    class Batches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    hooks = [Batches(), keras.callbacks.LambdaCallback(on_train_batch_begin=lambda *a: None)]
    for callback in hooks:
        message = refused(CONFIG(), out=out, callbacks=[callback])
        assert f"{type(callback).__name__} has on_train_batch_" in message
        assert "on_epoch_end" in message
    assert "received 3" in refused(CONFIG(), out=out, callbacks=[3])
    other = "torch" if keras.backend.backend() != "torch" else "jax"
    message = refused(CONFIG(), {"backend": other}, out=out)
    assert f"already running on {keras.backend.backend()!r}" in message
    assert not out.exists()


def other_dtypes_in_one_process(out):
    first, wide, again = (out.with_name(name) for name in ("first", "wide", "again"))
    grokkeras.run(CONFIG(), out=first)
    grokkeras.run(CONFIG(train__dtype="float64", loss__dtype="float64"), out=wide)
    grokkeras.run(CONFIG(), out=again)
    assert metrics(again) == metrics(first)
    assert metrics(wide) != metrics(first)
    dtypes = {str(weight.dtype) for weight in grokkeras.load(wide).get_weights()}
    assert dtypes == {"float64"}
    near = zip(metrics(wide), metrics(first), strict=True)
    assert all(math.isclose(w["train_loss"], f["train_loss"], rel_tol=1e-3) for w, f in near)


def config_yaml_repeats_the_run(out):
    summary = grokkeras.run(CONFIG(train__batch_size=16), out=out)
    again = grokkeras.run(out / "config.yaml", out=out.with_name("again"))
    assert metrics(again.run_dir) == metrics(summary.run_dir)
    assert again.final == summary.final
    assert again.best == summary.best


def load_a_finished_run(out):
    summary = grokkeras.run(CONFIG(), out=out)
    check_loaded(grokkeras.load(out), load_config(out / "config.yaml"), summary.best)


def load_an_unfinished_run(out):
    grokkeras.run(CONFIG(train__max_steps=2), out=out)
    finished = grokkeras.load(out).get_weights()
    with contextlib.suppress(BrokenError):
        # Taken up again, it has a model.keras of its former end.
        grokkeras.resume(out, {"train.max_steps": 200}, display=breaks_off(150))
    newest = out / "checkpoints" / f"step-{steps_with_checkpoint(out)[-1]:08d}"
    best = json.loads((newest / "state.json").read_text())["best"]
    (record,) = (r for r in metrics(out) if r["step"] == best["step"])
    check_loaded(grokkeras.load(out), load_config(out / "config.yaml"), record)
    weights = grokkeras.load(out).get_weights()
    assert any((a != b).any() for a, b in zip(weights, finished, strict=True))

    shutil.rmtree(out / "checkpoints")
    try:
        grokkeras.load(out)
    except UserError as error:
        assert f"grokkeras resume {out}" in str(error)
    else:
        raise AssertionError("not refused")


def check_loaded(model, config, expected):
    """The loaded weights have the accuracies that the run noted."""
    task = make_task(config.task, config.seed)
    for name, split in (("train", task.train), ("val", task.val)):
        logits = np.asarray(model.predict(split.x, verbose=0))
        assert np.mean(logits.argmax(-1) == split.y) == expected[f"{name}_accuracy"]


def a_run_of_another_backend(run):
    config = load_config(Path(run) / "config.yaml", require_backend=False)
    summary = json.loads((Path(run) / "summary.json").read_text())
    assert config.backend != keras.backend.backend()
    check_loaded(grokkeras.load(run), config, summary["best"])


def main(run_of_another_backend, *names):
    functions = (
        callbacks_are_called,
        callbacks_of_a_resumed_run,
        stop_training,
        a_new_learning_rate,
        new_weights,
        the_detector_agrees,
        what_is_refused_leaves_nothing,
        other_dtypes_in_one_process,
        config_yaml_repeats_the_run,
        load_a_finished_run,
        load_an_unfinished_run,
    )
    cases = {
        function.__name__.replace("_", " "): functools.partial(_in_a_folder, function)
        for function in functions
    }
    cases["a run of another backend"] = functools.partial(
        a_run_of_another_backend, run_of_another_backend
    )
    return {name: cases[name] for name in names or cases}


def _in_a_folder(case):
    with tempfile.TemporaryDirectory() as folder:
        case(Path(folder) / "run")
