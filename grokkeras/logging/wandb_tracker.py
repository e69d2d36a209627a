"""A run in Weights & Biases, through its own package: `log.wandb: true`.

The package's own variables say where to and how: WANDB_PROJECT (grokkeras without it),
WANDB_ENTITY, WANDB_MODE. With WANDB_MODE=offline everything stays in RUN/wandb, for `wandb sync`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grokkeras.detection import Event
from grokkeras.errors import UserError
from grokkeras.logging import tracked
from grokkeras.logging.jsonl import read_jsonl


class WandbTracker:
    """A `Tracker` of Weights & Biases.

    Args:
        folder: the run folder; the package keeps its files in `wandb` there.
        config: the resolved configuration, nested.
        state: what an earlier sitting's `state` was, for the run to go on; {} begins a new one.

    Attributes:
        state: names the run, JSON-able.
        place: where it is, in words.

    Raises:
        UserError: it would be sent away, and there is no key.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], state: Mapping[str, str]) -> None:
        import wandb

        self._folder = folder
        settings = wandb.setup().settings
        if settings.mode == "online" and not _has_key(wandb):
            raise UserError(
                "log.wandb: Weights & Biases has no key to send the run with. Run `wandb login`, "
                "or keep the run on this machine: WANDB_MODE=offline grokkeras ..."
            )
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or "grokkeras",
            id=state.get("id"),
            name=folder.name,
            group=os.environ.get("WANDB_RUN_GROUP") or str(config.get("name", "run")),
            dir=str(folder),
            resume="allow",
            config=dict(config),
            allow_val_change=True,  # `resume` may change max_steps
            # It would write into the midst of the live view.
            settings=wandb.Settings(silent=True, console="off"),
        )
        self.state = {"id": str(self._run.id)}
        offline = f"{folder / 'wandb'}, to send later with wandb sync"
        self.place = str(self._run.url) if settings.mode == "online" else offline

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Takes one evaluation; steps that arrived before a kill are passed over online."""
        self._run.log(tracked.metrics(record), step=int(record["step"]))

    def event(self, event: Event) -> None:
        """Takes one event: the newest of each kind stands in the run's summary."""
        self._run.summary[f"events/{event.event}"] = event.describe()

    def results(self, summary: Mapping[str, Any]) -> None:
        self._run.summary.update({**tracked.results(summary), **tracked.words(summary)})

    def flush(self) -> None:
        """Nothing to do: another process has every point already."""

    def end(self, status: str) -> None:
        import wandb

        table = wandb.Table(columns=["step", "event", "what"])
        for record in read_jsonl(self._folder / "events.jsonl").records:
            event = Event.from_dict(record)
            table.add_data(event.step, event.event, event.describe())
        self._run.log({"events": table})
        self._run.summary["status"] = status
        self._run.finish(exit_code=0 if status == "finished" else 1)

    def close(self) -> None:
        """Nothing to do: `end` closes."""


def _has_key(wandb: Any) -> bool:
    try:
        return bool(wandb.login(prompt=False))
    except wandb.errors.Error:
        return False
