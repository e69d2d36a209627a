"""One sitting of a run: the loop of chunks, evaluations and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from grokkeras.config import RunConfig
from grokkeras.detection import Detector, Diagnostician, Event, Observation
from grokkeras.environment import threads_fingerprint
from grokkeras.errors import GrokkerasError
from grokkeras.logging.jsonl import JsonlLog
from grokkeras.logging.step_losses import StepLossFile
from grokkeras.logging.writer import Display, Writer
from grokkeras.measures import MEASURES, Observed
from grokkeras.run_folder import RunFolder
from grokkeras.runner.best import Best, score
from grokkeras.runner.clock import RunClock
from grokkeras.runner.hooks import CallbackHooks
from grokkeras.runner.interrupts import Interrupted, Interrupts
from grokkeras.tasks import TaskData
from grokkeras.training.plan import Plan, is_evaluation
from grokkeras.training.program import Program

# The gradient of the whole training split costs a step: only where a collapse makes it of interest,
# and then not at every evaluation.
_COLLAPSE_OF_INTEREST = 0.5
_GRADIENTS_PER_DECADE = 5


class NonFiniteError(GrokkerasError):
    """A loss or a weight became NaN or infinite."""


class Session:
    """Trains one run from where it stands to its end.

    Args:
        config: the run's configuration.
        task: its data.
        program: its model, optimizer and training state.
        folder: its folder, locked.
        display: what a person sees.
        callbacks: stock Keras callbacks, called at evaluations.

    Attributes:
        step: optimizer steps done.
        detector: what the evaluations say so far.
        last: the latest evaluation's record.
    """

    def __init__(
        self,
        config: RunConfig,
        task: TaskData,
        program: Program,
        folder: RunFolder,
        display: Display,
        callbacks: Sequence[Any] = (),
        clock: RunClock | None = None,
    ) -> None:
        self.config = config
        self.task = task
        self.program = program
        self.folder = folder
        self.display = display
        self.hooks = CallbackHooks(callbacks, program, config)
        self.clock = clock or RunClock()
        self.detector = Detector(**dict(config.detector))
        self.diagnostician = Diagnostician()
        self.best = Best()
        self.last: dict[str, Any] | None = None
        self.saved_at: int | None = None
        train = config.train
        self.plan = Plan(
            train.max_steps, train.evaluations_per_decade, train.checkpoint_every, program.max_chunk
        )
        self._log: JsonlLog | None = None
        self._step_losses: StepLossFile | None = None
        self._writers: list[Writer] = []

    @property
    def step(self) -> int:
        """Optimizer steps done."""
        return self.program.step

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        stop_after = self.config.train.stop_after_grokking
        return self.step >= self.config.train.max_steps or self.detector.should_stop(stop_after)

    def train(self) -> None:
        """Trains to the end, then confirms what only the end of the run confirms.

        Raises:
            Interrupted: a signal came; a checkpoint was written.
            NonFiniteError: a loss or weight is NaN or infinite; earlier checkpoints stand.
            DiskFullError: no space; earlier checkpoints stand.
        """
        with self._open_logs(), Interrupts() as interrupts:
            # Compiles the evaluation before the first step rather than in the midst of training.
            self._means("train")
            self.hooks.begin()
            while not self.over and not self.hooks.stopped:
                self._advance()
                if interrupts.wished:
                    self._checkpoint()
                    raise Interrupted(
                        f"Interrupted at step {self.step:,}; a checkpoint was written. "
                        f"Go on with: grokkeras resume {self.folder.path}"
                    )
            if self.saved_at != self.step:
                self._checkpoint()
            for event in self.detector.finish():
                self.write_event(event)
            self.hooks.end()

    def write_event(self, event: Event) -> None:
        """Sends an event to the logs and the display."""
        for writer in self._writers:
            writer.event(event)

    def state_dict(self) -> dict[str, Any]:
        """Everything but arrays that a checkpoint needs, JSON-able."""
        return {
            "detector": self.detector.state_dict(),
            "diagnostician": self.diagnostician.state_dict(),
            "best": self.best.state_dict(),
            "clock": self.clock.state_dict(),
            "last": self.last,
            "offsets": self._log.offsets() if self._log else None,
            "threads": threads_fingerprint(),
        }

    def load_state_dict(
        self, state: dict[str, Any], step: int, best: dict[str, np.ndarray] | None
    ) -> None:
        """Goes on from a checkpoint's state; the program's arrays are restored apart."""
        self.program.step = step
        self.saved_at = step
        self.detector.load_state_dict(state["detector"])
        self.diagnostician.load_state_dict(state["diagnostician"])
        self.best.load_state_dict(state["best"], best)
        self.clock.load_state_dict(state["clock"])
        self.last = state["last"]

    @contextmanager
    def _open_logs(self) -> Iterator[None]:
        folder = self.folder
        self._log = JsonlLog(folder.metrics_path, folder.events_path)
        self._step_losses = StepLossFile(folder.step_losses_path, self.step)
        self._writers = [self._log, self.display]
        if self.config.log.tensorboard:
            from grokkeras.logging.tensorboard import TensorBoardWriter

            self._writers.append(TensorBoardWriter(folder.tensorboard_dir, self.step))
        try:
            yield
        finally:
            for writer in self._writers:
                if writer is not self.display:
                    writer.close()
            self._step_losses.close()

    def _durable(self) -> list[Any]:
        """The logs that must be on the disk before a checkpoint that counts on them."""
        return [
            log
            for log in (*self._writers, self._step_losses)
            if log is not None and hasattr(log, "sync")
        ]

    def _advance(self) -> None:
        """One chunk, and what is due at its end."""
        start = self.step
        end = self.plan.next_boundary(start)
        with self.clock.training_call(end - start):
            losses = self.program.run(end - start)
        assert self._step_losses is not None
        self._step_losses.append(losses)
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self._fail_non_finite(start + int(bad[0]) + 1, "the training loss")
        self.display.progress(end, self.clock.steps_per_second)
        if self.plan.is_evaluation(end):
            self._evaluate()
        if self.plan.is_checkpoint(end):
            self._checkpoint()

    def _means(self, split: str) -> dict[str, float]:
        data = self.task.train if split == "train" else self.task.val
        return self.program.evaluate(split, data.x, data.y)

    def _evaluate(self) -> None:
        train, val = self._means("train"), self._means("val")
        if not math.isfinite(train["loss"]):
            self._fail_non_finite(self.step, "the training loss")
        config = self.config
        record: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.clock.wall_seconds, 4),
            "train_loss": train["loss"],
            "train_accuracy": train["accuracy"],
            "val_loss": val["loss"],
            "val_accuracy": val["accuracy"],
            "learning_rate": config.optimizer.learning_rate,
            "weight_decay": config.optimizer.weight_decay,
            "dropout_rate": config.dropout.rate,
        }
        weights = self.program.weights()
        seen = Observed(weights, train)
        record.update({name: MEASURES.get(name)(seen) for name in config.log.measures})
        self.last = record
        self.best.offer(record, lambda: self.program.arrays(("weights", "state")))
        for writer in self._writers:
            writer.evaluation(record)
        metric = config.detector.metric
        events = self.detector.update(self.step, record[f"train_{metric}"], record[f"val_{metric}"])
        for event in events + self._diagnose(train, weights):
            self.write_event(event)
        self.hooks.evaluation(record)

    def _diagnose(self, train: dict[str, float], weights: Sequence[np.ndarray]) -> list[Event]:
        share = train["softmax_collapse"] if self.config.loss.name == "cross_entropy" else None
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
                weight_norm=MEASURES.get("weight_norm")(Observed(weights, train)),
                weight_decay=self.config.optimizer.weight_decay,
                dtype=self.config.loss.dtype,
                optimizer_epsilon=getattr(self.config.optimizer, "epsilon", None),
            )
        )

    def _checkpoint(self) -> None:
        assert self._log is not None and self._step_losses is not None
        arrays = self.program.arrays()
        for name, array in arrays.items():
            if name.startswith("weights/") and not np.all(np.isfinite(array.astype("float32"))):
                self._fail_non_finite(self.step, "a weight")
        for log in self._durable():
            log.sync()
        path = self.folder.checkpoints().save(
            self.step,
            arrays,
            self.best.weights,
            self.state_dict(),
            score(self.last) if self.last else (None,),
        )
        self.saved_at = self.step
        self.write_event(Event(self.step, "checkpoint", {"path": str(path.name)}))

    def _fail_non_finite(self, step: int, what: str) -> None:
        self.write_event(Event(step, "non_finite", {"message": f"{what} is NaN or infinite"}))
        kept = "no checkpoint had been written yet"
        if self.saved_at is not None:
            kept = f"the checkpoint of step {self.saved_at:,} is unharmed"
        rate = self.config.optimizer.learning_rate
        remedies = [f"lower optimizer.learning_rate (now {rate:g})"]
        if self.config.train.dtype in ("bfloat16", "mixed_bfloat16", "mixed_float16"):
            remedies.append("set train.dtype: float32")
        raise NonFiniteError(
            f"At step {step:,} {what} became NaN or infinite, so the run was stopped; {kept}. "
            f"Try to {' or '.join(remedies)}."
        )
