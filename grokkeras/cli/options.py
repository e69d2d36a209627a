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

plain_option: Callable[[Command], Command] = click.option(
    "--plain", is_flag=True, help="Print plain lines even on a terminal."
)
