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
)


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False, metavar="[KIND]")
def command(kind: str | None) -> None:
    """List what a configuration can name.

    KIND is tasks, models, inits, optimizers, transforms, losses, schedules,
    measures or configs; without it, everything is listed.

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
        text = textwrap.fill(
            line,
            width,
            initial_indent=f"{' ' * indent}{name}".ljust(column),
            subsequent_indent=" " * column,
        )
        click.echo(text)
