"""The measures of a run: gathers at an evaluation what they are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grokkeras.config import RunConfig
from grokkeras.keras_compat.compiled import compiled
from grokkeras.keras_compat.gradients import gradient_function
from grokkeras.measures import MEASURES, Measure, Observed, measure_all
from grokkeras.measures.groups import Group
from grokkeras.runner.task_groups import task_group
from grokkeras.tasks import TaskData
from grokkeras.training.plan import is_evaluation
from grokkeras.training.program import Program

_ROWS = 4096
_GRADIENT_ROWS = 512


class Measuring:
    """Computes `log.measures` at the evaluations at which they are due.

    Args:
        config: the run's configuration.
        task: its data.
        program: its training state.
    """

    def __init__(self, config: RunConfig, task: TaskData, program: Program) -> None:
        self._measures: dict[str, Measure] = {
            name: MEASURES.get(name) for name in config.log.measures
        }
        self._per_decade = config.log.costly_per_decade
        self._last_step = config.train.max_steps
        self._program = program
        self._x, self._y = task.train.x, task.train.y
        self._paths = [variable.path for variable in program.model.trainable_variables]
        self._group: Group | None = task_group(config.task, task) if self._measures else None
        self._gradients: Any = None
        self._forward = compiled(
            program.model, lambda inputs: program.model(inputs, training=False)
        )

    def is_due(self, step: int) -> bool:
        """Whether what is costly is due at an evaluation."""
        return step == self._last_step or is_evaluation(step, self._per_decade)

    def values(
        self,
        step: int,
        weights: Sequence[np.ndarray],
        train: Mapping[str, float],
        val: Mapping[str, float],
    ) -> dict[str, float]:
        """One number a measure, or a part of one.

        Args:
            step: optimizer steps done.
            weights: the trainable weights.
            train, val: means over the splits.
        """
        costly = any(each.costly for each in self._measures.values()) and self.is_due(step)
        if costly:
            self._program.to_model()
        seen = Observed(
            weights=weights,
            train=train,
            val=val,
            paths=self._paths,
            group=self._group,
            logits=self._logits if costly else None,
            gradients=self._gradient if costly else None,
            num_examples=len(self._x),
        )
        return measure_all(self._measures, seen, costly)

    def _logits(self, x: np.ndarray) -> np.ndarray:
        from keras import ops

        # Parts of one length, so that one is compiled; the last shares rows with that before it.
        count = -(-len(x) // _ROWS)
        rows = -(-len(x) // count)
        starts = [min(place * rows, len(x) - rows) for place in range(count)]
        logits: np.ndarray | None = None
        for start in starts:
            part = ops.convert_to_numpy(self._forward(x[start : start + rows]))
            if logits is None:
                logits = np.empty((len(x), *part.shape[1:]), part.dtype)
            logits[start : start + rows] = part
        assert logits is not None
        return logits

    def _gradient(
        self, weights: Sequence[np.ndarray] | None, places: np.ndarray
    ) -> list[np.ndarray]:
        """The mean's gradient, by batches of one size: to compile another takes 20 steps' time."""
        if self._gradients is None:
            self._gradients = gradient_function(self._program.model, self._program.recipe.loss.call)
        rows = min(_GRADIENT_ROWS, -(-len(self._x) // 2))
        total: list[np.ndarray] = []
        for start in range(0, len(places), rows):
            batch = places[start : start + rows]
            shares = np.zeros(rows, "float32")
            shares[: len(batch)] = rows / len(places)
            batch = np.resize(batch, rows)  # what fills it up has a share of 0
            found = self._gradients(weights, self._x[batch], self._y[batch], shares)
            total = [a + b for a, b in zip(total, found, strict=True)] if total else found
        return total
