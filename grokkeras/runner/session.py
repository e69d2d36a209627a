"""One sitting of a run: the loop of chunks, evaluations and checkpoints."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from grokkeras.checkpoint import Checkpoint
from grokkeras.config import RunConfig, to_plain
from grokkeras.detection import Detector, Diagnostician, Event, Observation
from grokkeras.environment import threads_fingerprint
from grokkeras.logging import Display
from grokkeras.measures import weight_norm
from grokkeras.run_folder import RunFolder
from grokkeras.runner.best import Best, score
from grokkeras.runner.clock import RunClock
from grokkeras.runner.curriculum import admitted_share, tell_curriculum
from grokkeras.runner.hooks import CallbackHooks
from grokkeras.runner.interrupts import Interrupted, Interrupts
from grokkeras.runner.logs import RunLogs
from grokkeras.runner.measuring import Measuring
from grokkeras.runner.non_finite import non_finite_error
from grokkeras.runner.over import is_over
from grokkeras.runner.restore import load_arrays, load_what_is_there
from grokkeras.runner.tracking import Tracking
from grokkeras.runner.varying import Varying
from grokkeras.runner.views import Views
from grokkeras.tasks import TaskData
from grokkeras.training.plan import Plan, is_evaluation
from grokkeras.training.program import Program

# The gradient of the whole training split costs a step: only where a collapse makes it of interest,
# and then not at every evaluation.
_COLLAPSE_OF_INTEREST = 0.5
_GRADIENTS_PER_DECADE = 5


class Session:
    """Trains one run from where it stands to its end.

    Args:
        config: the run's configuration.
        task: its data.
        program: its model, optimizer and training state.
        varying: what follows a schedule in them.
        folder: its folder, locked.
        display: what a person sees.
        callbacks: stock Keras callbacks, called at evaluations.
        clock: adds up the time.
        opening: events to note first, of how the model came about.
        tracking: what hands evaluations and events on to other services.

    Attributes:
        step: optimizer steps done.
        detector: what the evaluations say so far.
        last: the latest evaluation's record.
        saved_at: the step of the newest checkpoint; None before the first.
    """

    def __init__(
        self,
        config: RunConfig,
        task: TaskData,
        program: Program,
        varying: Varying,
        folder: RunFolder,
        display: Display,
        callbacks: Sequence[Any] = (),
        clock: RunClock | None = None,
        opening: Sequence[Event] = (),
        tracking: Tracking | None = None,
        data: str | None = None,
    ) -> None:
        self.config = config
        self.task = task
        self.program = program
        self.varying = varying
        self.folder = folder
        self.display = display
        self.hooks = CallbackHooks(callbacks, program, config.train.max_steps)
        self.clock = clock or RunClock()
        self.detector = Detector(**dict(config.detector))
        self.diagnostician = Diagnostician()
        self.best = Best()
        self._data = data or task.fingerprint()
        self._opening = opening
        self._tracking = tracking
        self._measuring = Measuring(config, task, program)
        self._views = Views(config, task, program)
        self._val_parts = task.by_part(task.val)
        self.last: dict[str, Any] | None = None
        self.saved_at: int | None = None
        self._checkpoint_of_callbacks: Checkpoint | None = None
        train = config.train
        self.plan = Plan(
            train.max_steps, train.evaluations_per_decade, train.checkpoint_every, program.max_chunk
        )

    @property
    def step(self) -> int:
        """Optimizer steps done."""
        return self.program.step

    def train(self, interrupts: Interrupts) -> None:
        """Trains to the end, then confirms what only the end of the run confirms.

        Raises:
            Interrupted: a signal came; a checkpoint was written.
            NonFiniteError: a loss or weight is NaN or infinite; earlier checkpoints stand.
            DiskFullError: no space; earlier checkpoints stand.
        """
        interrupts.be_patient()
        config = self.config
        with RunLogs(
            self.folder, self.display, self.step, config.log.tensorboard, self._tracking
        ) as logs:
            for event in self._opening:
                logs.event(event)
            # Before the step is compiled: callbacks may change what it is.
            self.hooks.begin()
            if self._checkpoint_of_callbacks is not None:
                load_arrays(self.program, self._checkpoint_of_callbacks, self.folder)
                self._checkpoint_of_callbacks = None
            # Before the first step rather than in the midst of training.
            splits = {"train": self.task.train, "val": self.task.val}
            self.program.prepare({name: (split.x, split.y) for name, split in splits.items()})
            while not is_over(config, self.step, self.detector) and not self.hooks.stopped:
                self._advance(logs)
                if interrupts.wished:
                    self._checkpoint(logs)
                    raise Interrupted(
                        f"Interrupted at step {self.step:,}; a checkpoint was written. "
                        f"Go on with: grokkeras resume {shlex.quote(str(self.folder.path))}"
                    )
            if self.last is not None and self.last["step"] != self.step:
                self._evaluate(logs)  # an interrupted run that has no step to make any more
            self._views.write(logs)
            self._checkpoint(logs)
            for event in self.detector.finish():
                logs.event(event)
            self.hooks.end()

    def state_dict(self, offsets: dict[str, int]) -> dict[str, Any]:
        """Everything but arrays that a checkpoint needs, JSON-able.

        Args:
            offsets: how long the logs are.
        """
        curriculum = self.program.recipe.curriculum
        return {
            "config": to_plain(self.config),
            "data": self._data,
            "detector": self.detector.state_dict(),
            "diagnostician": self.diagnostician.state_dict(),
            "best": self.best.state_dict(),
            "clock": self.clock.state_dict(),
            "last": self.last,
            "evaluations": self.hooks.epoch,
            "curriculum": curriculum.pace.state_dict() if curriculum else {},
            "callbacks": self.hooks.names,
            "callback_states": self.hooks.states(),
            "offsets": offsets,
            "threads": threads_fingerprint(),
        }

    def load(self, checkpoint: Checkpoint) -> None:
        """Goes on from a checkpoint.

        Raises:
            GrokkerasError: its arrays are not this model's and optimizer's.
        """
        state = checkpoint.state
        if self.hooks.names:
            # The rest once callbacks have added their variables, as they do when training begins.
            self._checkpoint_of_callbacks = checkpoint
            load_what_is_there(self.program, checkpoint)
            self.hooks.load_states(state["callbacks"], state.get("callback_states", ()))
        else:
            load_arrays(self.program, checkpoint, self.folder)
        self.program.to_model()
        self.program.step = self.saved_at = checkpoint.step
        self.detector.load_state_dict(state["detector"])
        self.diagnostician.load_state_dict(state["diagnostician"])
        self.best.load_state_dict(state["best"], checkpoint.best)
        self.clock.load_state_dict(state["clock"])
        self.last = state["last"]
        self.hooks.epoch = state["evaluations"]
        if self.program.recipe.curriculum is not None:
            self.program.recipe.curriculum.pace.load_state_dict(state["curriculum"])
        self.varying.tell(self.detector.events, self.program)

    def _advance(self, logs: RunLogs) -> None:
        """One chunk, and what is due at its end."""
        self.hooks.before_steps()
        start = self.step
        end = self.plan.next_boundary(start)
        with self.clock.training_call(end - start):
            losses = self.program.run(end - start)
        logs.step_losses(losses)
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self._fail_non_finite(logs, start + int(bad[0]) + 1, "the training loss")
        self.display.progress(end, self.clock.steps_per_second)
        if self.plan.is_evaluation(end):
            self._evaluate(logs)
        if self.plan.is_checkpoint(end):
            self._checkpoint(logs)

    def _means(self, split: str) -> dict[str, float]:
        data = self.task.train if split == "train" else self.task.val
        return self.program.evaluate(split, data.x, data.y)

    def _evaluate(self, logs: RunLogs) -> None:
        train, val = self._means("train"), self._means("val")
        if not math.isfinite(train["loss"]):
            self._fail_non_finite(logs, self.step, "the training loss")
        config = self.config
        record: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.clock.wall_seconds, 4),
            "train_loss": train["loss"],
            "train_accuracy": train["accuracy"],
            "val_loss": val["loss"],
            "val_accuracy": val["accuracy"],
            **self.varying.values(self.program),
            **admitted_share(self.program, self.step),
        }
        for part, split in self._val_parts.items():
            means = self.program.evaluate(f"val {part}", split.x, split.y)
            record[f"val_accuracy_{part}"] = means["accuracy"]
        weights = self.program.weights()
        record.update(self._measuring.values(self.step, weights, train, val))
        if self._measuring.is_due(self.step):
            self._views.write(logs)
        self.last = record
        # Without the state: generators of random masks, and what schedules and callbacks put beside
        # them, which the finished model does not have.
        self.best.offer(record, lambda: self.program.arrays(("weights",)))
        logs.evaluation(record)
        metric = config.detector.metric
        events = self.detector.update(self.step, record[f"train_{metric}"], record[f"val_{metric}"])
        events += self._diagnose(train, weights) + tell_curriculum(self.program, self.step)
        for event in events:
            logs.event(event)
        self.varying.tell(self.detector.events, self.program)
        self.hooks.evaluation(record)

    def _diagnose(self, train: dict[str, float], weights: Sequence[np.ndarray]) -> list[Event]:
        loss = self.config.loss
        # With smoothed labels, or without softmax, a gradient is left where softmax rounds to 1.
        collapses = loss.name == "cross_entropy" and not loss.label_smoothing
        share = train["softmax_collapse"] if collapses else None
        gradient = None
        if (share or 0) >= _COLLAPSE_OF_INTEREST and is_evaluation(
            self.step, _GRADIENTS_PER_DECADE
        ):
            gradient = self.program.gradient_norm()
        return self.diagnostician.update(
            Observation(
                step=self.step,
                zero_loss_share=share,
                gradient_norm=gradient,
                weight_norm=weight_norm(weights),
                weight_decay=self.last["weight_decay"] if self.last else None,
                dtype=self.config.loss.dtype,
                optimizer_epsilon=getattr(self.config.optimizer, "epsilon", None),
            )
        )

    def _checkpoint(self, logs: RunLogs) -> None:
        if self.saved_at == self.step:
            return
        arrays = self.program.arrays()
        for name, array in arrays.items():
            if name.startswith("weights/") and not np.isfinite(array).all():
                self._fail_non_finite(logs, self.step, "a weight")
        logs.sync()
        path = self.folder.checkpoints().save(
            self.step,
            arrays,
            self.best.weights,
            self.state_dict(logs.offsets()),
            score(self.last) if self.last else (None,),
        )
        self.saved_at = self.step
        logs.event(Event(self.step, "checkpoint", {"path": path.name}))

    def _fail_non_finite(self, logs: RunLogs, step: int, what: str) -> None:
        logs.event(Event(step, "non_finite", {"message": f"{what} is NaN or infinite"}))
        kept = "no checkpoint had been written yet"
        if self.saved_at is not None:
            kept = f"the checkpoint of step {self.saved_at:,} is unharmed"
        raise non_finite_error(self.config, self.folder.config_path, step, what, kept)
