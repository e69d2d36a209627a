"""Stock Keras callbacks inside our loop.

An evaluation is to them what an epoch's end is in `fit`. Batch hooks cannot be called, since many
steps run in one call; a callback that has one is refused before training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grokkeras.config import RunConfig
from grokkeras.errors import UserError
from grokkeras.training.program import Program

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


class CallbackHooks:
    """Calls Keras callbacks at the moments of a run.

    Args:
        callbacks: `keras.callbacks.Callback`s; with none, nothing costs anything.
        program: the run's program; its state is in the model while a callback looks.
        config: the run's configuration.

    Raises:
        UserError: a callback has a batch hook.
    """

    def __init__(self, callbacks: Sequence[Any], program: Program, config: RunConfig) -> None:
        self.callbacks = list(callbacks)
        self.program = program
        self._epoch = 0
        if not self.callbacks:
            return
        import keras

        for callback in self.callbacks:
            for hook in _BATCH_HOOKS:
                method = getattr(type(callback), hook, None)
                if method is not None and method is not getattr(keras.callbacks.Callback, hook):
                    raise UserError(
                        f"{type(callback).__name__} has {hook}, but `grokkeras.run` makes many "
                        f"steps in one call. Use on_epoch_end, which is called at every "
                        f"evaluation, or train with stock model.fit."
                    )
        program.model.compile(
            optimizer=program.optimizer, loss=program.recipe.loss, metrics=["accuracy"]
        )
        for callback in self.callbacks:
            callback.set_model(program.model)
            callback.set_params({"verbose": 0, "epochs": None, "steps": config.train.max_steps})

    @property
    def stopped(self) -> bool:
        """Whether a callback set `model.stop_training`."""
        return bool(self.callbacks) and bool(self.program.model.stop_training)

    def begin(self) -> None:
        """Training begins, or goes on."""
        self._call("on_train_begin", None)

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """An evaluation was made; `record` is a line of metrics.jsonl."""
        if not self.callbacks:
            return
        logs = {
            "loss": record["train_loss"],
            "accuracy": record["train_accuracy"],
            "val_loss": record["val_loss"],
            "val_accuracy": record["val_accuracy"],
        }
        self._call("on_epoch_begin", self._epoch)
        self._call("on_epoch_end", self._epoch, logs)
        self._epoch += 1

    def end(self) -> None:
        """Training has ended."""
        self._call("on_train_end", None)

    def _call(self, hook: str, *arguments: Any) -> None:
        if not self.callbacks:
            return
        self.program.to_model()
        for callback in self.callbacks:
            getattr(callback, hook)(*(a for a in arguments if a is not None))
        self.program.from_model()
