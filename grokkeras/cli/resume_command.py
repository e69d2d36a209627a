"""`grokkeras resume`: goes on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path

import click

from grokkeras.cli.options import plain_option, set_option


@click.command("resume")
@click.argument("run_dir", type=click.Path(path_type=Path))
@set_option
@plain_option
def command(run_dir: Path, settings: tuple[str, ...], plain: bool) -> None:
    """Go on with the run in RUN_DIR from its newest sound checkpoint.

    Only train.max_steps, train.stop_after_grokking and log.* may be changed with --set.

    \b
    Example:
      grokkeras resume runs/quickstart-1
      grokkeras resume runs/quickstart-1 --set train.max_steps=20000
    """
    from grokkeras.config import parse_settings

    overrides = parse_settings(settings)

    from grokkeras.logging import make_display
    from grokkeras.runner import resume

    resume(run_dir, overrides, display=make_display(plain or None))
