"""A run in MLflow, through its own package: `log.mlflow: true`.

The package's own variables say where: MLFLOW_TRACKING_URI (without it mlflow.db in the folder that
the command was given in) and MLFLOW_EXPERIMENT_NAME (grokkeras without it).
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grokkeras.detection import Event
from grokkeras.errors import UserError
from grokkeras.logging import tracked
from grokkeras.logging.tensorboard_tabs import flat_settings

# The store takes 1,000 metrics, or 100 parameters, at once. Each call is a transaction or a
# request, so metrics are gathered.
_METRICS = 1000
_PARAMETERS = 100
_SECONDS = 5.0
_STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
_FILES = ("config.yaml", "environment.json", "events.jsonl")


class MlflowTracker:
    """A `Tracker` of MLflow.

    Args:
        folder: the run folder.
        config: the resolved configuration, nested.
        state: what an earlier sitting's `state` was, for the run to go on; {} begins a new one.
        clock: seconds since 1970.

    Attributes:
        state: names the store and the run, JSON-able.
        place: where it is, in words.

    Raises:
        UserError: the run of `state` is not in the store.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        state: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._clock = clock
        # A server that is away would hold training up for minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        with _quiet():
            import mlflow
            from mlflow.entities import Metric

            self._metric = Metric
            uri = os.environ.get("MLFLOW_TRACKING_URI") or state.get("uri")
            self._client = mlflow.MlflowClient(tracking_uri=uri or mlflow.get_tracking_uri())
            self.place = self._client.tracking_uri
            self._run_id = state.get("run_id") or self._begin()
            self._resumed = "run_id" in state
            self.state = {"uri": self.place, "run_id": self._run_id}
            self._arrived = self._last_step()
            self._settings(flat_settings(config))
        self._waiting: list[Any] = []
        self._sent = clock()

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Takes one evaluation; those that arrived before a kill are passed over."""
        step = int(record["step"])
        if step <= self._arrived:
            return
        now = int(1000 * self._clock())
        self._waiting += [
            self._metric(name, value, now, step) for name, value in tracked.metrics(record).items()
        ]
        if len(self._waiting) >= _METRICS // 2 or self._clock() - self._sent > _SECONDS:
            self.flush()

    def event(self, event: Event) -> None:
        """Takes one event: the newest of each kind is a tag of the run."""
        self._client.set_tag(self._run_id, f"event.{event.event}", event.describe())

    def results(self, summary: Mapping[str, Any]) -> None:
        now, step = int(1000 * self._clock()), int(summary["steps"])
        self._waiting += [
            self._metric(name, value, now, step) for name, value in tracked.results(summary).items()
        ]
        for name, word in tracked.words(summary).items():
            self._client.set_tag(self._run_id, name, word)

    def flush(self) -> None:
        """Sends the metrics that wait."""
        for part in _parts(self._waiting, _METRICS):
            self._client.log_batch(self._run_id, metrics=part)
        self._waiting = []
        self._sent = self._clock()

    def end(self, status: str) -> None:
        self.flush()
        # The summary of a run that was broken off is written after this.
        for name in (*_FILES, *(["summary.json"] if status == "finished" else [])):
            if (self._folder / name).is_file():
                self._client.log_artifact(self._run_id, str(self._folder / name))
        self._client.set_terminated(self._run_id, _STATUS[status])

    def close(self) -> None:
        """Nothing to do: `end` closes."""

    def _begin(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "grokkeras"
        found = self._client.get_experiment_by_name(name)
        identity = found.experiment_id if found else self._client.create_experiment(name)
        tags = {"grokkeras.run_folder": str(self._folder.resolve())}
        run = self._client.create_run(identity, run_name=self._folder.name, tags=tags)
        return str(run.info.run_id)

    def _last_step(self) -> int:
        """The last step that the store has of this run; goes on with it where it was ended."""
        if not self._resumed:
            return 0
        from mlflow.exceptions import MlflowException

        try:
            self._client.update_run(self._run_id, status="RUNNING")
            history = self._client.get_metric_history(self._run_id, "train/loss")
        except MlflowException as error:
            raise UserError(
                f"log.mlflow: the run {self._run_id} of this folder is not in {self.place}. Set "
                f"MLFLOW_TRACKING_URI to the store it is in, or go on without it: "
                f"grokkeras resume {self._folder} --set log.mlflow=false"
            ) from error
        return max((metric.step for metric in history), default=0)

    def _settings(self, settings: Mapping[str, Any]) -> None:
        """The settings as parameters, which cannot change: what `resume` changed becomes a tag."""
        from mlflow.entities import Param

        known = self._client.get_run(self._run_id).data.params if self._resumed else {}
        texts = {key: "null" if value is None else str(value) for key, value in settings.items()}
        new = [Param(key, text) for key, text in texts.items() if key not in known]
        for part in _parts(new, _PARAMETERS):
            self._client.log_batch(self._run_id, params=part)
        for key, text in texts.items():
            if known.get(key, text) != text:
                self._client.set_tag(self._run_id, f"resumed.{key}", text)


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


class _quiet(warnings.catch_warnings):  # noqa: N801 (used as the function that it extends)
    """Keeps to itself what MLflow says as it opens a store: it would stand in the live view."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
