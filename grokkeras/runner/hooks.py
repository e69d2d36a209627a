"""Stock Keras callbacks inside our loop.

An evaluation is to them what an epoch's end is in `fit`. Batch hooks cannot be called, since many
steps run in one call; a callback that has one is refused before the run begins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokkeras.errors import UserError

if TYPE_CHECKING:
    from grokkeras.config import RunConfig
    from grokkeras.training.program import Program

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


def check_callbacks(callbacks: Sequence[Any], config: RunConfig) -> None:
    """Refuses callbacks that cannot be called at evaluations alone.

    Raises:
        UserError: one is no Keras callback, has a batch hook, runs Python before each step, or
            schedules what the configuration schedules as well.
    """
    if not callbacks:
        return
    import keras

    from grokkeras.callbacks import WeightDecayScheduler

    decay = getattr(config.optimizer, "weight_decay", 0.0)
    groups = getattr(config.optimizer, "weight_decay_groups", {})
    for callback in callbacks:
        name = type(callback).__name__
        if not isinstance(callback, keras.callbacks.Callback):
            raise UserError(
                f"callbacks: expected objects of keras.callbacks.Callback, received {callback!r}."
            )
        if hasattr(callback, "check_many_steps"):
            callback.check_many_steps()
        if isinstance(callback, WeightDecayScheduler) and (groups or not _is_number(decay)):
            raise UserError(
                "WeightDecayScheduler and the configuration both vary the weight decay: leave the "
                "callback out, or give optimizer.weight_decay as a number and no "
                "optimizer.weight_decay_groups."
            )
        for hook in _BATCH_HOOKS:
            method = getattr(callback, hook)
            # `LambdaCallback` sets its hooks on the object, so the class does not tell.
            if getattr(method, "__func__", method) is not getattr(keras.callbacks.Callback, hook):
                raise UserError(
                    f"{name} has {hook}, but `grokkeras.run` makes many steps in one call. Use "
                    f"on_epoch_end, which is called at every evaluation, or train with stock "
                    f"model.fit."
                )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


class CallbackHooks:
    """Calls Keras callbacks at the moments of a run.

    While they are called the training state is in the Keras model and optimizer; what they change
    there is taken over. With no callbacks nothing costs anything.

    Args:
        callbacks: those that `check_callbacks` let pass.
        program: the run's program.
        max_steps: the run's last step.

    Attributes:
        epoch: evaluations made, over all sittings of the run.
    """

    def __init__(self, callbacks: Sequence[Any], program: Program, max_steps: int) -> None:
        self.epoch = 0
        self._program = program
        self._callbacks = list(callbacks)
        self._list: Any = None
        self._epoch_begun = False
        if callbacks:
            import keras

            program.model.compile(
                optimizer=program.optimizer, loss=program.recipe.loss, metrics=["accuracy"]
            )
            self._list = keras.callbacks.CallbackList(
                self._callbacks, model=program.model, verbose=0, epochs=None, steps=max_steps
            )

    @property
    def names(self) -> list[str]:
        """The callbacks' classes."""
        return [type(callback).__name__ for callback in self._callbacks]

    def states(self) -> list[dict[str, Any] | None]:
        """The state of each callback that has `state_dict` and `load_state_dict`, else None.

        Raises:
            UserError: a callback's state is no JSON.
        """
        return [_state(callback) for callback in self._callbacks]

    def load_states(self, names: Sequence[str], states: Sequence[Any]) -> None:
        """Gives callbacks the states of a checkpoint, before `begin`.

        Args:
            names: the classes of the callbacks that the states are of.
            states: what `states` gave.

        Raises:
            UserError: a scheduler follows a detector whose state no checkpoint holds.
        """
        from grokkeras.callbacks import DropoutScheduler, GrokkingDetector, WeightDecayScheduler

        detectors = [c for c in self._callbacks if isinstance(c, GrokkingDetector)]
        held = [None, *detectors, *(callback.detector for callback in detectors)]
        for callback in self._callbacks:
            schedules = isinstance(callback, (WeightDecayScheduler, DropoutScheduler))
            if schedules and not any(callback.detector is each for each in held):
                raise UserError(
                    f"{type(callback).__name__} follows a detector that is not among the "
                    f"callbacks, so no checkpoint holds what it has seen, and the run cannot go "
                    f"on as it began. Put the GrokkingDetector into the callbacks, beside the "
                    f"scheduler, and start a new run."
                )
        if states and self.names == list(names):
            for callback, state in zip(self._callbacks, states, strict=True):
                if state is not None:
                    callback.load_state_dict(state)

    @property
    def stopped(self) -> bool:
        """Whether a callback set `model.stop_training`."""
        return self._list is not None and bool(self._program.model.stop_training)

    def begin(self) -> None:
        """Training begins, or goes on."""
        if self._list is not None:
            self._program.model.stop_training = False
            self._call(("on_train_begin",))

    def before_steps(self) -> None:
        """Steps are about to be made: the first after an evaluation begin an epoch."""
        if self._list is not None and not self._epoch_begun:
            self._call(("on_epoch_begin", self.epoch))
            self._epoch_begun = True

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """An evaluation was made; `record` is a line of metrics.jsonl."""
        if self._list is not None:
            train, val = (
                {name: record[f"{split}_{name}"] for name in ("loss", "accuracy")}
                for split in ("train", "val")
            )
            logs = train | {f"val_{name}": value for name, value in val.items()}
            self._call(("on_test_begin",), ("on_test_end", val), ("on_epoch_end", self.epoch, logs))
            self._epoch_begun = False
        self.epoch += 1

    def end(self) -> None:
        """Training has ended."""
        if self._list is not None:
            self._call(("on_train_end",))

    def _call(self, *calls: tuple[Any, ...]) -> None:
        self._program.to_model()
        for hook, *arguments in calls:
            getattr(self._list, hook)(*arguments)
        self._program.from_model()


def _state(callback: Any) -> dict[str, Any] | None:
    if not (hasattr(callback, "state_dict") and hasattr(callback, "load_state_dict")):
        return None
    state = callback.state_dict()
    try:
        json.dumps(state)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{type(callback).__name__}.state_dict() goes into the checkpoint's state.json, so it "
            f"must be JSON: {error}."
        ) from None
    return state
