"""Runs that are stopped by NaN, an error or their end, and what `resume` makes of them.

Nothing here depends on the backend; PyTorch has nothing to compile, so it is the quickest.
"""

from __future__ import annotations

import functools
import resource
import tempfile
from pathlib import Path

import keras
import numpy as np
from cases_signals import CASES, CONFIG, stopped
from compare_runs import differences, events
from small import BrokenError, Listens, breaks_off, refused, steps_with_checkpoint, summary_of

import grokkeras
from grokkeras.errors import ConfigError
from grokkeras.files import DiskFullError
from grokkeras.run_folder import RunFolder
from grokkeras.runner import restore, resume, run
from grokkeras.runner.non_finite import NonFiniteError
from grokkeras.runner.outcome import save_model


def diverging(out):
    # Decoupled decay multiplies each weight by 1 - 2.5 * 1 a step, until float32 ends.
    diverges = {"optimizer__learning_rate": 2.5, "train__max_steps": 1000}
    message = stopped(out, None, NonFiniteError, **diverges)
    summary = summary_of(out)
    step = summary["steps"]
    kept = steps_with_checkpoint(out)[-1]
    assert 20 <= kept <= step < 1000
    assert "became NaN or infinite" in message
    assert f"the checkpoint of step {kept} is unharmed" in message
    config = f"grokkeras run {out / 'config.yaml'} --set optimizer.learning_rate=0.25"
    assert message.endswith(config), message
    assert NonFiniteError.exit_code == 1
    assert summary["status"] == "failed"
    assert summary["error"] == message
    checkpoint, skipped = RunFolder.open(out).checkpoints().load_newest()
    assert skipped == []
    weights = [a for name, a in checkpoint.arrays.items() if name.startswith("weights/")]
    assert all(np.isfinite(weight).all() for weight in weights)
    before = events(out)
    assert before[-1]["event"] == "non_finite"
    assert kept < before[-1]["step"] <= step

    listener = Listens()
    again = refused(lambda: resume(out, display=listener), NonFiniteError)
    assert again == message
    assert listener.notices[0] == f"The run had failed. {message}"
    assert listener.first_step == kept
    assert events(out) == before


def a_weight_becomes_infinite(out):
    """Found before a checkpoint is written, though no loss was computed with it yet."""

    class Poisons(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if self.model.optimizer.iterations == 40:
                weight = self.model.trainable_variables[0]
                values = np.array(weight)
                values.flat[0] = np.inf
                weight.assign(values)

    config = CONFIG(train__evaluations_per_decade=10)  # evaluates at 40, where one is due as well
    message = refused(lambda: run(config, out=out, callbacks=[Poisons()]), NonFiniteError)
    assert message.startswith("At step 40 a weight became NaN or infinite, so the run was stopped")
    assert steps_with_checkpoint(out) == [20]


def an_error_in_a_callback(out):
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if self.model.optimizer.iterations >= 30:
                raise ZeroDivisionError("in the callback")

    message = refused(lambda: run(CONFIG(), out=out, callbacks=[Fails()]), ZeroDivisionError)
    assert message == "in the callback"
    assert summary_of(out)["status"] == "failed"
    assert summary_of(out)["error"] == "in the callback"
    listener = Listens()
    assert resume(out, display=listener).status == "finished"
    assert "The run had failed. in the callback" in listener.notices
    assert any("had these callbacks: Fails" in notice for notice in listener.notices)
    assert "error" not in summary_of(out)


def finished(out):
    run(CONFIG(), out=out)
    files = sorted(path for path in out.glob("**/*") if path.is_file())
    content = {path: path.read_bytes() for path in files}
    for overrides in (
        {},
        {"train.max_steps": 60},
        {"train.max_steps": 40},
        {"train.stop_after_grokking": 5},
        {"log.tensorboard": True},
    ):
        listener = Listens()
        assert resume(out, overrides, display=listener) is None
        (notice,) = listener.notices
        assert "has finished, at step 60; nothing is left to do" in notice
        assert f"grokkeras resume {out} --set train.max_steps=120" in notice
    assert content == {path: path.read_bytes() for path in files}

    listener = Listens()
    summary = resume(out, {"train.max_steps": 90}, display=listener)
    assert summary.steps == 90
    assert listener.first_step == 60
    whole = out.with_name("whole")
    run(CONFIG(train__max_steps=90), out=whole)
    # The shorter run evaluated at its last step, which is no evaluation step of the longer one.
    assert differences_of_weights(whole, out) == []


def differences_of_weights(whole, out):
    found = differences(whole, out)
    return [line for line in found if line.startswith(("last checkpoint", "step_losses"))]


def stopped_after_grokking(out):
    """Thresholds that anything reaches: grokking is confirmed at the fifth evaluation."""
    names = ("train_threshold", "val_threshold", "collapse_threshold")
    easy = {f"detector__{name}": 1e-9 for name in names}
    summary = run(CONFIG(train__stop_after_grokking=0, **easy), out=out)
    assert summary.status == "finished"
    assert summary.grokking_step is not None
    assert summary.steps < 60
    listener = Listens()
    assert resume(out, display=listener) is None
    assert "--set train.stop_after_grokking=null" in listener.notices[0]
    longer = resume(out, {"train.stop_after_grokking": 30})
    assert longer.grokking_step + 30 <= longer.steps < 60
    assert resume(out, {"train.stop_after_grokking": None}).steps == 60
    whole = out.with_name("whole")
    run(CONFIG(**easy), out=whole)
    assert differences_of_weights(whole, out) == []


def a_setting_that_may_not_change(out):
    run(CONFIG(), out=out)
    message = refused(lambda: resume(out, {"optimizer.learning_rate": 0.1}), ConfigError)
    assert "optimizer.learning_rate" in message
    path = out / "config.yaml"
    text = path.read_text()
    path.write_text(text.replace("learning_rate: 0.001", "learning_rate: 0.01"))
    message = refused(lambda: resume(out, {"train.max_steps": 90}))
    assert "optimizer.learning_rate: was 0.001, is 0.01" in message
    path.write_text(text)
    assert resume(out, {"train.max_steps": 70}).steps == 70


def another_process_trains_here(out):
    run(CONFIG(), out=out)
    other = RunFolder.open(out)
    other.lock()
    message = refused(lambda: resume(out))
    assert "is in use by another grokkeras" in message
    other.unlock()
    assert resume(out) is None
    assert "already holds a run" in refused(lambda: run(CONFIG(), out=out))


def files_that_are_missing_or_damaged(out):
    run(CONFIG(), out=out)
    summary, config = out / "summary.json", out / "config.yaml"
    told = []
    for path, content in ((summary, "{"), (summary, None), (config, "a: ["), (config, None)):
        kept = path.read_text()
        path.unlink()
        if content is not None:
            path.write_text(content)
        told.append(refused(lambda: resume(out)))
        path.write_text(kept)
    assert "grokkeras run" in told[0]
    assert "has no summary.json" in told[1]
    assert "config.yaml" in told[2]
    assert "holds no run" in told[3]
    assert resume(out) is None


def other_threads(out):
    stopped(out, breaks_off(33), BrokenError)
    state = next((out / "checkpoints").glob("step-*")) / "state.json"
    assert '"cores"' in state.read_text()

    real = restore.threads_fingerprint
    restore.threads_fingerprint = lambda: {**real(), "cores": 999}
    try:
        listener = Listens()
        resume(out, display=listener)
    finally:
        restore.threads_fingerprint = real
    assert any("made with other threads" in notice for notice in listener.notices)


def leftovers_of_a_kill(out):
    stopped(out, breaks_off(33), BrokenError)
    (out / ".tmp-1234").write_bytes(b"half")
    (out / ".tmp-model.keras").write_bytes(b"half")
    resume(out)
    assert not list(out.glob(".tmp-*"))


def steps_and_time(out):
    run(CONFIG(), out=out)
    summary = summary_of(out)
    assert 0 < summary["training_share"] < 1
    assert summary["steps_per_second"] > 0
    assert summary["wall_seconds"] > 0


def no_room_for_the_model(out):
    """`ulimit -f` meets Keras in the midst of writing its archive."""
    run(CONFIG(), out=out)
    model, path = grokkeras.load(out), out / "model.keras"
    kept = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        message = refused(lambda: save_model(model, path), DiskFullError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert message.startswith("Could not write model.keras")
    assert path.read_bytes() == kept
    assert not list(out.glob(".tmp-*"))


def main():
    functions = (
        diverging,
        a_weight_becomes_infinite,
        an_error_in_a_callback,
        finished,
        stopped_after_grokking,
        a_setting_that_may_not_change,
        another_process_trains_here,
        files_that_are_missing_or_damaged,
        other_threads,
        leftovers_of_a_kill,
        no_room_for_the_model,
        steps_and_time,
    )
    cases = CASES | {function.__name__.replace("_", " "): function for function in functions}
    return {name: functools.partial(_in_a_folder, case) for name, case in cases.items()}


def _in_a_folder(case):
    with tempfile.TemporaryDirectory() as folder:
        case(Path(folder) / "run")
