"""`grokkeras.run` and `grokkeras.load`: the command line's work, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokkeras.config import RunConfig, load_config
from grokkeras.errors import UserError
from grokkeras.run_folder import RunFolder

if TYPE_CHECKING:
    from grokkeras.logging import Display
    from grokkeras.runner.outcome import Summary


def run(
    config: str | Path | Mapping[str, Any] | RunConfig,
    overrides: Mapping[str, object] | None = None,
    *,
    out: str | Path | None = None,
    callbacks: Sequence[Any] = (),
    display: Display | None = None,
) -> Summary:
    """Trains a configuration and leaves the same run folder as `grokkeras run`.

    Args:
        config: a path, the name of a shipped configuration, a mapping, or a checked one.
        overrides: values by dotted key, such as `{"optimizer.weight_decay": 0.3}`.
        out: the run folder itself; None takes `runs/NAME-N`.
        callbacks: stock Keras callbacks. An evaluation is an epoch's end to them; a callback with
            batch hooks is refused, since many steps run in one call.
        display: what a person sees, such as `grokkeras.logging.make_display()`; None: nothing.

    Returns:
        The summary, as `summary.json` holds it, with `run_dir`.

    Raises:
        ConfigError: the configuration was refused; lists every fault.
        GrokkerasError: the run failed; says why and what to do.
    """
    from grokkeras.runner import run as run_config

    source = config.model_dump() if isinstance(config, RunConfig) else config
    if overrides or not isinstance(config, RunConfig):
        config = load_config(source, overrides)
    return run_config(
        config, out=None if out is None else Path(out), display=display, callbacks=callbacks
    )


def load(run_dir: str | Path) -> Any:
    """The Keras model of a run, with the weights at its best validation accuracy.

    Works on every backend, whichever the run used.

    Args:
        run_dir: a run folder. Of a run that has not finished, the newest sound checkpoint's best
            weights are taken.

    Returns:
        A Keras model.

    Raises:
        UserError: there is no such run, or it has no weights yet.
    """
    folder = RunFolder.open(run_dir, require_backend=False)
    if folder.model_path.is_file():
        import keras

        import grokkeras.models  # noqa: F401  registers the classes that Keras will look for

        return keras.saving.load_model(folder.model_path)
    checkpoint, skipped = folder.checkpoints().load_newest()
    if checkpoint is None or checkpoint.best is None:
        said = "".join(f" {line}" for line in skipped)
        raise UserError(
            f"{folder.path} has neither model.keras nor a sound checkpoint with evaluated "
            f"weights.{said} Go on with it: grokkeras resume {folder.path}"
        )
    from grokkeras.runner.build import build_model
    from grokkeras.tasks import make_task

    model = build_model(folder.config, make_task(folder.config.task, folder.config.seed))
    for place, weight in enumerate(model.trainable_variables):
        weight.assign(checkpoint.best[f"weights/{place:03d}"])
    return model
