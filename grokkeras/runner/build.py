"""The one place that turns a configuration's names into objects."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grokkeras.config import RunConfig
from grokkeras.detection import Event
from grokkeras.errors import UserError
from grokkeras.tasks import TaskData, make_task

if TYPE_CHECKING:
    from grokkeras.runner.varying import Varying
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
    from grokkeras.keras_compat.denormals import flush_denormals
    from grokkeras.models.precision import dtype_policy
    from grokkeras.runner.varying import plain_dropout_rate

    flush_denormals()
    kinds = {"transformer": models.Transformer, "mlp": models.MLP}
    options = {key: value for key, value in config.model if key != "name"}
    with dtype_policy(config.train.dtype):
        return kinds[config.model.name](
            length=task.length,
            num_classes=task.num_classes,
            vocab_size=task.vocab_size,
            token_ranges=task.token_ranges,
            dropout=plain_dropout_rate(config),
            seed=config.seed,
            **options,
        )


@dataclass(frozen=True)
class Start:
    """A model at step 0.

    Attributes:
        model: the Keras model.
        events: what to note of how it came about.
    """

    model: Any
    events: tuple[Event, ...] = ()


def start_model(config: RunConfig, task: TaskData) -> Start:
    """The model of a configuration, drawn anew or in part taken from an earlier run.

    Raises:
        UserError: the model does not fit the task, or the earlier run the model.
    """
    model = build_model(config, task)
    if config.transfer is None:
        return Start(model)
    from grokkeras.transfer import transfer

    options = config.transfer
    listing = transfer(model, options.run, options.what, options.method, seed=config.seed)
    return Start(model, (Event(0, "transfer", listing.to_dict()),))


def build_optimizer(config: RunConfig) -> Any:
    """The Keras optimizer of a configuration."""
    import keras

    from grokkeras.optimizers import make_optimizer
    from grokkeras.runner.varying import plain_optimizer_options

    optimizer = make_optimizer(plain_optimizer_options(config))
    if config.train.dtype == "mixed_float16":
        # float16 gradients underflow: Keras scales the loss up and the gradients down again.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def build_penalty(config: RunConfig, model: Any) -> Callable[[Any, Any], Any] | None:
    """What `loss.jacobian_weight` adds to a step's loss; see `Recipe.penalty`."""
    weight = config.loss.jacobian_weight
    if not weight:
        return None
    from grokkeras.losses import jacobian_penalty

    return lambda inputs, step: weight * jacobian_penalty(model, inputs, step, config.seed)


def build_program(config: RunConfig, task: TaskData | None = None, model: Any = None) -> Program:
    """The first of what `build_run` returns: all that training takes."""
    return build_run(config, task, model)[0]


def build_run(
    config: RunConfig, task: TaskData | None = None, model: Any = None
) -> tuple[Program, Varying]:
    """The program that trains a configuration, ready for its first step, and what varies in it.

    Args:
        config: a checked configuration; sets Keras' backend if Keras is not imported yet.
        task: its task if that exists already.
        model: its model if that exists already; else `start_model` makes it.
    """
    use_backend(config)
    from grokkeras.losses import make_loss
    from grokkeras.runner.curriculum import build_curriculum
    from grokkeras.runner.varying import Varying
    from grokkeras.training.program import Recipe, make_program

    task = task or make_task(config.task, config.seed)
    model = start_model(config, task).model if model is None else model
    batch_size = config.train.batch_size
    optimizer = build_optimizer(config)
    # Before the program: it takes stock of all variables.
    varying = Varying(config, model, optimizer)
    program = make_program(
        Recipe(
            model=model,
            optimizer=optimizer,
            loss=make_loss(config.loss),
            x=task.train.x,
            y=task.train.y,
            batch_size=None if batch_size == "full" else batch_size,
            seed=config.seed,
            penalty=build_penalty(config, model),
            curriculum=build_curriculum(config, task),
        )
    )
    return program, varying
