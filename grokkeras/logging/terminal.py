"""The terminal: a console that prints names literally, in colours, and survives a closed pipe."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from grokkeras.logging.curve import Line

STYLES = {
    "headline": "bold",
    "text": "",
    "dim": "dim",
    "axis": "dim",
    "train": "cyan",
    "validation": "yellow",
    "warning": "yellow",
    "command": "bold",
    "path": "dim",
    "memorizing": "bold cyan",
    "overfitting": "bold yellow",
    "grokked": "bold green",
    "collapsed": "bold red",
}
"""What the roles of a line's pieces look like; the stages are roles too."""

_UNBROKEN = ("command", "path")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """A reader that went away, as in `grokkeras run ... | head`, must not end the run."""
        self.quiet = True
        _point_at_nothing(self.file)


def _point_at_nothing(stream: Any) -> None:
    """Sends what is still buffered for a closed pipe to nowhere, so that exit does not complain."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def make_console(stream: TextIO | None = None, **options: Any) -> Console:
    """A console that prints names literally: no markup, no emoji codes, no guessed colours.

    Args:
        stream: where to write; default the standard output.
        **options: further ones of `rich.console.Console`.
    """
    stream = sys.stdout if stream is None else stream
    # A file name may hold what the terminal's encoding has no letter for.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return _Console(file=stream, markup=False, emoji=False, highlight=False, **options)


def as_text(line: Line) -> Text:
    """A line in its colours."""
    return Text.assemble(*((text, STYLES.get(role, "")) for text, role in line))


def print_lines(console: Console, lines: Iterable[Line]) -> None:
    """Prints lines, wrapped between words on a terminal; what holds a path is never broken up."""
    for line in lines:
        whole = not console.is_terminal or any(role in _UNBROKEN for _, role in line)
        console.print(as_text(line), soft_wrap=whole)


@contextlib.contextmanager
def unless_closed(console: Console) -> Iterator[None]:
    """A terminal that has gone away silences the display and leaves the run alone."""
    try:
        yield
    except (OSError, ValueError) as error:
        # Python reports a closed stream as a ValueError; any other would be a mistake of ours.
        if isinstance(error, ValueError) and not console.file.closed:
            raise
        console.quiet = True
        _point_at_nothing(console.file)
