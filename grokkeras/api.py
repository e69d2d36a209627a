"""`grokkeras.run`, `resume` and `load`: the command line's work, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokkeras.config import RunConfig, load_config
from grokkeras.errors import UserError
from grokkeras.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np

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


def resume(
    run_dir: str | Path,
    overrides: Mapping[str, object] | None = None,
    *,
    callbacks: Sequence[Any] = (),
    display: Display | None = None,
) -> Summary | None:
    """Goes on with a run from its newest sound checkpoint, as `grokkeras resume` does.

    Args:
        run_dir: the run folder.
        overrides: new values by dotted key, of `train.max_steps`, `train.stop_after_grokking` and
            `log.*`.
        callbacks: those that `run` was given, made anew. What a `GrokkingDetector` has seen is in
            the checkpoint, and so is the state of any callback with `state_dict()`, which gives
            JSON, and `load_state_dict(state)`; schedulers go on by the detector among them.
        display: as in `run`.

    Returns:
        The summary, or None where the run had finished and nothing was left to do.

    Raises:
        UserError: there is no such run, or an override may not change.
        GrokkerasError: the run failed; says why and what to do.
    """
    from grokkeras.runner import resume as resume_run

    return resume_run(Path(run_dir), overrides, display=display, callbacks=callbacks)


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
    # A run that was taken up again has a model.keras of its former end.
    if folder.read_summary()["status"] == "finished" and folder.model_path.is_file():
        return _load_keras(folder)
    checkpoint, skipped = folder.checkpoints().load_newest()
    if checkpoint is not None and checkpoint.best is not None:
        return _build(folder.config, checkpoint.best)
    said = "".join(f" {line}" for line in skipped)
    raise UserError(
        f"{folder.path} has neither model.keras nor a sound checkpoint with evaluated "
        f"weights.{said} Go on with it: grokkeras resume {folder.path}"
    )


def _load_keras(folder: RunFolder) -> Any:
    from grokkeras.runner.build import allow_float64
    from grokkeras.runner.greetings import without_greetings

    allow_float64(folder.config)
    with without_greetings():
        import keras

        import grokkeras.models  # noqa: F401  registers the classes that Keras will look for

        return keras.saving.load_model(folder.model_path, compile=False)


def _build(config: RunConfig, weights: Mapping[str, np.ndarray]) -> Any:
    from grokkeras.runner.build import allow_float64, build_model
    from grokkeras.runner.greetings import without_greetings
    from grokkeras.tasks import make_task

    allow_float64(config)
    with without_greetings():
        model = build_model(config, make_task(config.task, config.seed))
    for place, variable in enumerate(model.trainable_variables):
        variable.assign(weights[f"weights/{place:03d}"])
    return model
