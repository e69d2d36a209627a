"""`grokkeras show`: what a run came to."""

from __future__ import annotations

import json
from pathlib import Path

import click

from grokkeras.errors import UserError


@click.command("show")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead.")
def command(run_dir: Path, as_json: bool) -> None:
    """Tell what became of the run in RUN_DIR.

    Its phase, steps and accuracies, and the commands to go on with.

    \b
    Example:
      grokkeras show runs/quickstart-1
      grokkeras show runs/quickstart-1 --json
    """
    from grokkeras.run_folder import read_run

    record = read_run(run_dir)
    if not as_json:
        from grokkeras.logging.story import print_story

        print_story(record)
        return
    if not record.summary:
        problems = " ".join(record.problems)
        raise UserError(f"{run_dir} has no summary to print. {problems}".strip())
    click.echo(json.dumps(record.summary, indent=2))
