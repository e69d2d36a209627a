"""`grokkeras show`: what a run came to."""

from __future__ import annotations

import json
from pathlib import Path

import click

from grokkeras.errors import UserError


@click.command("show")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option(
    "--json", "as_json", is_flag=True, help="Print summary.json and the forecast instead."
)
def command(run_dir: Path, as_json: bool) -> None:
    """Tell what became of the run in RUN_DIR.

    Its phase, steps and accuracies, while it waits when it is likely to grok, and the commands to
    go on with.

    \b
    Example:
      grokkeras show runs/quickstart-1
      grokkeras show runs/quickstart-1 --json
    """
    from grokkeras.logging.story import forecast, print_story
    from grokkeras.run_folder import read_run

    record = read_run(run_dir)
    if not as_json:
        print_story(record)
        return
    if not record.summary:
        problems = " ".join(record.problems)
        raise UserError(f"{run_dir} has no summary to print. {problems}".strip())
    told = forecast(record)
    shown = {**record.summary, "forecast": None if told is None else told.to_dict()}
    click.echo(json.dumps(shown, indent=2))
