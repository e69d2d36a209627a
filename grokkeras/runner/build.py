"""The one place that turns a configuration's names into objects."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from grokkeras.config import RunConfig
from grokkeras.errors import UserError
from grokkeras.tasks import TaskData, make_task

if TYPE_CHECKING:
    from grokkeras.training.program import Program


def use_backend(config: RunConfig) -> None:
    """Chooses Keras' backend before Keras is imported.

    Raises:
        UserError: Keras runs already, on another backend.
    """
    if "keras" in sys.modules:
        running = sys.modules["keras"].backend.backend()
        if running != config.backend:
            raise UserError(
                f"The configuration asks for backend {config.backend!r}, but Keras is already "
                f"running on {running!r} in this process. Start a new process, or set "
                f"backend: {running}."
            )
    os.environ["KERAS_BACKEND"] = config.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if config.backend == "jax":
        allow_float64(config)


def allow_float64(config: RunConfig) -> None:
    """Lets JAX have float64 where the configuration uses it; by itself it makes float32 of it."""
    if "float64" not in (config.train.dtype, config.loss.dtype):
        return
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", True)
    else:
        os.environ["JAX_ENABLE_X64"] = "1"


def build_model(config: RunConfig, task: TaskData) -> Any:
    """The Keras model of a configuration, for a task's shapes, in `train.dtype`.

    Raises:
        UserError: the model does not fit the task.
    """
    from grokkeras import models
    from grokkeras.models.precision import dtype_policy

    kinds = {"transformer": models.Transformer, "mlp": models.MLP}
    options = {key: value for key, value in config.model if key != "name"}
    with dtype_policy(config.train.dtype):
        return kinds[config.model.name](
            length=task.length,
            num_classes=task.num_classes,
            vocab_size=task.vocab_size,
            token_ranges=task.token_ranges,
            dropout=config.dropout.rate,
            seed=config.seed,
            **options,
        )


def build_optimizer(config: RunConfig) -> Any:
    """The Keras optimizer of a configuration."""
    import keras

    from grokkeras.optimizers import make_optimizer

    optimizer = make_optimizer(config.optimizer)
    if config.train.dtype == "mixed_float16":
        # float16 gradients underflow: Keras scales the loss up and the gradients down again.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def build_program(config: RunConfig, task: TaskData | None = None) -> Program:
    """The program that trains a configuration, ready for its first step.

    Args:
        config: a checked configuration; sets Keras' backend if Keras is not imported yet.
        task: its task if that exists already.
    """
    use_backend(config)
    from grokkeras.losses import make_loss
    from grokkeras.training.program import Recipe, make_program

    task = task or make_task(config.task, config.seed)
    batch_size = config.train.batch_size
    return make_program(
        Recipe(
            model=build_model(config, task),
            optimizer=build_optimizer(config),
            loss=make_loss(config.loss),
            x=task.train.x,
            y=task.train.y,
            batch_size=None if batch_size == "full" else batch_size,
            seed=config.seed,
        )
    )
