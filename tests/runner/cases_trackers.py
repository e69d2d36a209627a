"""Runs that go to Weights & Biases (offline) and MLflow (a local store), with the real packages."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import tempfile
from pathlib import Path

import keras
import mlflow
from mlflow import MlflowClient
from small import BrokenError, Listens, breaks_off, refused, sends, small_config, summary_of
from wandb_files import read_runs

import grokkeras
from grokkeras.detection import Event
from grokkeras.logging import mlflow_tracker
from grokkeras.logging.mlflow_tracker import MlflowTracker
from grokkeras.run_folder import RunFolder
from grokkeras.runner import Interrupted, run
from grokkeras.runner.tracking import Tracking

CONFIG = functools.partial(small_config, keras.backend.backend())
BOTH = functools.partial(CONFIG, log__wandb=True, log__mlflow=True)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def stored(run):
    """The run in MLflow, and the history of a metric as {step: value}."""
    client = MlflowClient()
    identity = json.loads((run / "trackers.json").read_text())["mlflow"]["run_id"]

    def history(name):
        found = [
            (metric.step, metric.value) for metric in client.get_metric_history(identity, name)
        ]
        assert len(dict(found)) == len(found), f"{name}: a step twice"
        return dict(sorted(found))

    return client.get_run(identity), history, client.list_artifacts(identity)


def a_finished_run(out):
    grokkeras.run(BOTH(), out=out)
    records, summary = lines(out / "metrics.jsonl"), summary_of(out)
    norms = {record["step"]: record["weight_norm"] for record in records}
    accuracies = {record["step"]: record["val_accuracy"] for record in records}
    kinds = {record["event"] for record in lines(out / "events.jsonl")}

    kept, history, artifacts = stored(out)
    assert kept.info.status == "FINISHED"
    assert kept.info.run_name == out.name
    assert MlflowClient().get_experiment(kept.info.experiment_id).name == "grokkeras"
    assert history("measures/weight_norm") == norms
    assert history("validation/accuracy") == accuracies
    assert kept.data.params["optimizer.weight_decay"] == "1.0"
    assert kept.data.params["task.modulus"] == "11"
    assert kept.data.metrics["final/val_accuracy"] == summary["final"]["val_accuracy"]
    assert kept.data.metrics["results/steps"] == 60
    assert kept.data.tags["phase"] == summary["phase"]
    assert {f"event.{kind}" for kind in kinds} <= set(kept.data.tags)
    names = {artifact.path for artifact in artifacts}
    assert names == {"config.yaml", "environment.json", "events.jsonl", "summary.json"}

    (sent,) = read_runs(out)
    assert sent["project"] == "grokkeras"
    rows = [row for row in sent["history"] if "train/loss" in row]
    assert {row["_step"]: row["measures/weight_norm"] for row in rows} == norms
    assert {row["_step"]: row["validation/accuracy"] for row in rows} == accuracies
    assert sent["config"]["optimizer"]["weight_decay"] == 1.0
    assert sent["summary"]["final/val_accuracy"] == summary["final"]["val_accuracy"]
    assert sent["summary"]["status"] == "finished"
    assert {f"events/{kind}" for kind in kinds} <= set(sent["summary"])
    assert sent["exit"] == 0
    (table,) = out.glob("wandb/offline-run-*/files/media/table/events*.json")
    told = [row[1] for row in json.loads(table.read_text())["data"]]
    assert told == [record["event"] for record in lines(out / "events.jsonl")]


def a_resumed_run(out):
    """Interrupted once, killed in its midst once: one run, each step once."""
    with contextlib.suppress(Interrupted):
        grokkeras.run(BOTH(), out=out, display=sends(12, signal.SIGINT))
    identity = json.loads((out / "trackers.json").read_text())
    assert stored(out)[0].info.status == "KILLED"
    (first,) = read_runs(out)
    assert (first["exit"], first["summary"]["status"]) == (1, "interrupted")
    stopped = first["history"][-1]["_step"]
    with contextlib.suppress(BrokenError):
        grokkeras.resume(out, display=breaks_off(33))
    assert stored(out)[0].info.status == "FAILED"
    grokkeras.resume(out, {"train.max_steps": 70})
    assert json.loads((out / "trackers.json").read_text()) == identity
    losses = {record["step"]: record["train_loss"] for record in lines(out / "metrics.jsonl")}
    kept, history, _ = stored(out)
    assert kept.info.status == "FINISHED"
    assert history("train/loss") == losses
    assert kept.data.params["train.max_steps"] == "60"
    assert kept.data.tags["resumed.train.max_steps"] == "70"
    sittings = read_runs(out)
    assert {each["id"] for each in sittings} == {identity["wandb"]["id"]}
    assert [each["exit"] for each in sittings] == [1, 1, 0]
    steps = {row["_step"] for each in sittings for row in each["history"] if "train/loss" in row}
    assert steps == set(losses)
    assert min(row["_step"] for row in sittings[1]["history"]) > stopped


def a_service_that_fails_on_the_way(out):
    """The run goes on without it; a person is told once."""

    class Fails(MlflowTracker):
        def evaluation(self, record):
            if record["step"] >= 7:
                raise ConnectionError("gone\nfor good")
            super().evaluation(record)

    listens = Listens()
    before, mlflow_tracker.MlflowTracker = MlflowTracker, Fails
    try:
        assert run(CONFIG(log__mlflow=True), out=out, display=listens).status == "finished"
    finally:
        mlflow_tracker.MlflowTracker = before
    opened, told = listens.notices
    assert opened == f"MLflow: {mlflow.get_tracking_uri()}"
    assert told == f"MLflow gets nothing more of this run: gone. All of it is in {out}."


def a_service_that_is_not_there(out):
    """An error before the first step, which names the way on."""
    before = os.environ.pop("MLFLOW_TRACKING_URI")
    try:
        os.environ["MLFLOW_TRACKING_URI"] = "http://localhost:9"
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        message = refused(lambda: grokkeras.run(CONFIG(log__mlflow=True), out=out))
    finally:
        os.environ["MLFLOW_TRACKING_URI"] = before
    assert "log.mlflow: MLflow cannot take the run: " in message
    assert f"grokkeras resume {out} --set log.mlflow=false" in message
    assert summary_of(out)["status"] == "failed"
    assert not (out / "metrics.jsonl").exists()
    grokkeras.resume(out, {"log.mlflow": False})
    assert summary_of(out)["status"] == "finished"


def a_store_without_the_run(out):
    grokkeras.run(CONFIG(log__mlflow=True, train__max_steps=5), out=out)
    states = json.loads((out / "trackers.json").read_text())
    states["mlflow"]["run_id"] = "0" * 32
    (out / "trackers.json").write_text(json.dumps(states))
    message = refused(lambda: grokkeras.resume(out, {"train.max_steps": 9}))
    assert f"the run {'0' * 32} of this folder is not in {mlflow.get_tracking_uri()}" in message
    # A damaged file is as none: a new run begins.
    (out / "trackers.json").write_text("{")
    grokkeras.resume(out, {"train.max_steps": 9})
    assert set(stored(out)[1]("train/loss")) == {6, 7, 8, 9}


def without_a_key(out):
    import wandb

    wandb.teardown()
    os.environ["WANDB_MODE"] = "online"
    try:
        message = refused(lambda: grokkeras.run(CONFIG(log__wandb=True), out=out))
    finally:
        os.environ["WANDB_MODE"] = "offline"
        wandb.teardown()
    assert "wandb login" in message
    assert "WANDB_MODE=offline" in message


def values_that_are_no_numbers(out):
    """NaN and infinity arrive, or are passed over, but break nothing."""
    grokkeras.run(BOTH(train__max_steps=3), out=out)
    folder = RunFolder.open(out)
    listens = Listens()
    with Tracking(folder, listens) as tracking:
        tracking.evaluation({"step": 4, "val_loss": float("nan"), "train_loss": float("inf")})
        tracking.event(Event(4, "an event", {"message": "a | `b` <script> \u2028 " + 9000 * "x"}))
    assert len(listens.notices) == 2, listens.notices


def main(folder):
    os.environ |= {
        "WANDB_MODE": "offline",
        "WANDB_API_KEY": "",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "HOME": folder,
        "NETRC": f"{folder}/netrc",
    }
    os.chdir(folder)  # MLflow keeps files where a command was given
    functions = (
        a_finished_run,
        a_resumed_run,
        a_service_that_fails_on_the_way,
        a_service_that_is_not_there,
        a_store_without_the_run,
        values_that_are_no_numbers,
        without_a_key,
    )
    return {
        function.__name__.replace("_", " "): functools.partial(_in_a_folder, function)
        for function in functions
    }


def _in_a_folder(case):
    with tempfile.TemporaryDirectory() as folder:
        case(Path(folder) / "run")
