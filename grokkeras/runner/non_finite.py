"""What a run says whose loss or weights became NaN or infinite."""

from __future__ import annotations

import shlex
from pathlib import Path

from grokkeras.config import RunConfig
from grokkeras.errors import GrokkerasError
from grokkeras.runner.varying import plain_optimizer_options


class NonFiniteError(GrokkerasError):
    """A loss or a weight became NaN or infinite."""


def non_finite_error(
    config: RunConfig, config_path: Path, step: int, what: str, kept: str
) -> NonFiniteError:
    """The error that ends a run, with what to try.

    Args:
        config: the run's configuration.
        config_path: the file that it stands in.
        step: at which it happened.
        what: is not finite.
        kept: says what is left of the run.
    """
    rate = plain_optimizer_options(config).learning_rate
    settings = [f"--set optimizer.learning_rate={rate / 10:g}"]
    if config.train.dtype not in ("float32", "float64"):
        settings.append("--set train.dtype=float32")
    return NonFiniteError(
        f"At step {step:,} {what} became NaN or infinite, so the run was stopped; {kept}. "
        f"Try a new run with a lower learning rate (it was {rate:g})"
        + (" or wider numbers" if len(settings) > 1 else "")
        + f": grokkeras run {shlex.quote(str(config_path))} {' '.join(settings)}"
    )
