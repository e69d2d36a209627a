"""`grokkeras list`: what a configuration can name."""

from __future__ import annotations

import shutil
import textwrap

import click

KINDS = (
    "tasks",
    "models",
    "inits",
    "optimizers",
    "transforms",
    "losses",
    "schedules",
    "measures",
    "configs",
    "recipes",
)


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False, metavar="[KIND]")
def command(kind: str | None) -> None:
    """List what a configuration can name.

    KIND is tasks, models, inits, optimizers, transforms, losses, schedules,
    measures, configs or recipes; without it, everything is listed. Of each recipe
    the list tells the optimizer steps and the seconds that it took to grok.

    \b
    Example:
      grokkeras list
      grokkeras list configs
    """
    from grokkeras.config.catalog import catalog

    for index, name in enumerate(KINDS if kind is None else (kind,)):
        if kind is None:
            click.echo(f"{'' if index == 0 else chr(10)}{name}")
        _print(catalog(name), indent=0 if kind else 2)


def _print(things: dict[str, str], indent: int) -> None:
    if not things:
        click.echo(f"{' ' * indent}none in this version")
        return
    column = indent + max(len(name) for name in things) + 2
    width = max(shutil.get_terminal_size().columns, column + 40)
    for name, line in things.items():
        start = f"{' ' * indent}{name}".ljust(column)
        for part in line.splitlines():
            click.echo(
                textwrap.fill(part, width, initial_indent=start, subsequent_indent=" " * column)
            )
            start = " " * column
