"""A run's trackers: Weights & Biases and MLflow, opened before training and ended with the run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from grokkeras.config import to_plain
from grokkeras.detection import Event
from grokkeras.errors import GrokkerasError, UserError
from grokkeras.files import write_atomic
from grokkeras.logging import Display
from grokkeras.logging.tracked import Tracker
from grokkeras.run_folder import RunFolder
from grokkeras.runner.interrupts import Interrupted
from grokkeras.strict_json import dumps

_TITLES = {"wandb": "Weights & Biases", "mlflow": "MLflow"}


class Tracking:
    """A writer (see `grokkeras.logging`) behind which stand those trackers that are switched on.

    A service that cannot be reached as the run begins is an error. One that fails later is told
    once and given up: the run and its folder are worth more.

    Args:
        folder: the run folder.
        display: what a person sees.
    """

    def __init__(self, folder: RunFolder, display: Display) -> None:
        self._folder = folder
        self._display = display
        self._trackers: dict[str, Tracker] = {}

    def __enter__(self) -> Tracking:
        log = self._folder.config.log
        chosen = [name for name, on in (("wandb", log.wandb), ("mlflow", log.mlflow)) if on]
        if chosen:
            states = self._read_states()
            for name in chosen:
                self._open(name, states)
            write_atomic(self._states_path, (dumps(states, indent=2) + "\n").encode())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        ended = "finished" if error is None else "interrupted" if stopped else "failed"
        self._each(lambda tracker: tracker.end(ended))
        self._trackers = {}

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Hands on one evaluation."""
        self._each(lambda tracker: tracker.evaluation(record))

    def event(self, event: Event) -> None:
        """Hands on one event."""
        self._each(lambda tracker: tracker.event(event))

    def results(self, summary: Mapping[str, Any]) -> None:
        """Hands on the summary of a run that has ended."""
        self._each(lambda tracker: tracker.results(summary))

    def flush(self) -> None:
        """Hands everything on."""
        self._each(lambda tracker: tracker.flush())

    def sync(self) -> None:
        """As `flush`: before a checkpoint."""
        self.flush()

    def close(self) -> None:
        """Nothing to do: leaving ends the trackers."""

    def _open(self, name: str, states: dict[str, dict[str, str]]) -> None:
        config, path = to_plain(self._folder.config), self._folder.path
        try:
            tracker = _make(name)(path, config, states.get(name, {}))
        except GrokkerasError:
            raise
        except Exception as error:
            without = f"grokkeras resume {shlex.quote(str(path))} --set log.{name}=false"
            raise UserError(
                f"log.{name}: {_TITLES[name]} cannot take the run: {_line(error)} "
                f"To go on without it: {without}"
            ) from error
        self._trackers[name] = tracker
        states[name] = tracker.state
        self._display.notice(f"{_TITLES[name]}: {tracker.place}")

    def _each(self, call: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                call(tracker)
            except Exception as error:
                del self._trackers[name]
                self._display.notice(
                    f"{_TITLES[name]} gets nothing more of this run: {_line(error)} "
                    f"All of it is in {self._folder.path}."
                )

    @property
    def _states_path(self) -> Any:
        return self._folder.path / "trackers.json"

    def _read_states(self) -> dict[str, dict[str, str]]:
        try:
            states = json.loads(self._states_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        known = states if isinstance(states, dict) else {}
        return {name: state for name, state in known.items() if isinstance(state, dict)}


def _make(name: str) -> Any:
    if name == "wandb":
        from grokkeras.logging.wandb_tracker import WandbTracker

        return WandbTracker
    from grokkeras.logging.mlflow_tracker import MlflowTracker

    return MlflowTracker


def _line(error: Exception) -> str:
    """The first line of an error, as a sentence."""
    line = (str(error) or type(error).__name__).strip().splitlines()[0][:300]
    return line if line.endswith((".", "!")) else f"{line}."
