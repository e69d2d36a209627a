"""What is drawn of a network at few steps of a run: histograms of its weights, pictures."""

from __future__ import annotations

from grokkeras.config import RunConfig
from grokkeras.runner.logs import RunLogs
from grokkeras.runner.picturing import Picturing
from grokkeras.tasks import TaskData
from grokkeras.training.program import Program


class Views:
    """Writes `log.histograms` and `log.images`, once a step.

    Args:
        config: the run's configuration.
        task: its data.
        program: its training state.
    """

    def __init__(self, config: RunConfig, task: TaskData, program: Program) -> None:
        self._program = program
        written = config.log.tensorboard
        self._histograms = written and config.log.histograms
        self._picturing = (
            Picturing(config, task, program) if written and config.log.images else None
        )
        self._written_at: int | None = None

    def write(self, logs: RunLogs) -> None:
        """Writes what is switched on, of the weights as they are."""
        step = self._program.step
        if self._written_at == step or not (self._histograms or self._picturing):
            return
        self._written_at = step
        paths = [variable.path for variable in self._program.model.trainable_variables]
        named = dict(zip(paths, self._program.weights(), strict=True))
        if self._histograms:
            logs.histograms(step, named)
        if self._picturing is not None:
            logs.images(step, self._picturing.pictures(named))
