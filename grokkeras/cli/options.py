"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]

set_option: Callable[[Command], Command] = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Use VALUE, read as YAML, for the dotted KEY. May be given several times.",
)

retry_option: Callable[[Command], Command] = click.option(
    "--retry", is_flag=True, help="Go on with failed runs too, from their newest checkpoint."
)

workers_option: Callable[[Command], Command] = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Runs at a time. Default: one a core.",
)

plain_option: Callable[[Command], Command] = click.option(
    "--plain", is_flag=True, help="Print plain lines even on a terminal."
)
