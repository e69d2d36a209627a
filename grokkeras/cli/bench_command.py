"""`grokkeras bench`: how fast this machine trains, beside hand-written loops."""

from __future__ import annotations

from pathlib import Path

import click

BENCHES = ("steps", "techniques", "runs", "grok", "logging", "serving", "sweep")


@click.command("bench")
@click.argument(
    "names",
    nargs=-1,
    type=click.Choice(BENCHES),
    metavar="[steps|techniques|runs|grok|logging|serving|sweep]...",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the figures to FILE too.",
)
def command(names: tuple[str, ...], json_path: Path | None) -> None:
    """Measure how fast this machine trains.

    steps: optimizer steps a second beside hand-written loops. techniques: what transforms,
    schedules and other optimizers cost a step. runs: what a run costs around its steps, its memory,
    and how fast the program answers. grok: seconds from the start of the process until grokking is
    confirmed. logging: what measures and logs cost, the size of event files, and how fast the tab
    draws. serving: requests a second. sweep: a pool of one-core processes beside one run after
    another. Each takes some minutes.

    \b
    Example:
      grokkeras bench steps
      grokkeras bench serving --json serving.json
    """
    from grokkeras.bench import run_benches

    run_benches(list(names or BENCHES), json_path)
