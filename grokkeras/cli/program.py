"""The program: finds a command's file, turns errors into messages and exit codes."""

from __future__ import annotations

import errno
import importlib
import signal
from typing import IO, Any

import click

from grokkeras import __version__
from grokkeras.errors import GrokkerasError, UserError, nearest_name

_INTERRUPTED = 130
# A file or folder that is not the user's to read or write, or is not what it should be.
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR)

COMMANDS = (
    "run",
    "resume",
    "show",
    "explain",
    "report",
    "sweep",
    "reproduce",
    "list",
    "board",
    "export",
    "serve",
    "bench",
)


class Refusal(click.ClickException):
    """A message on the standard error, and the exit code of the error it stands for."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """An interruption is what the user wanted, no error."""
        if self.exit_code == _INTERRUPTED:
            click.echo(self.message, file=file, err=file is None)
        else:
            super().show(file)


class Program(click.Group):
    """A group whose commands are imported when they are used, so that `--help` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the file of a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"grokkeras.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but an unknown command is answered with the nearest one."""
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            near = nearest_name(name, COMMANDS)
            hint = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"There is no command {name!r}.{hint} Commands: {', '.join(COMMANDS)}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; errors that are no bugs lose their traceback here."""
        try:
            return super().invoke(ctx)
        except GrokkerasError as error:
            raise Refusal(str(error), error.exit_code) from error
        except OSError as error:
            if error.errno not in _REFUSED or error.filename is None:
                raise
            message = f"{error.filename} cannot be used: {error.strerror}. Choose another place, "
            raise Refusal(message + "or mend that one.", UserError.exit_code) from error
        except KeyboardInterrupt as error:
            raise Refusal("Interrupted.", _INTERRUPTED) from error


def _print_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"grokkeras {__version__}")
        ctx.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def program() -> None:
    """Trains small models until they grok.

    \b
    Example:
      grokkeras run quickstart
      grokkeras show runs/quickstart-1
    """


def main() -> None:
    """The entry point of `grokkeras` and `python -m grokkeras`."""
    try:
        program(prog_name="grokkeras")
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:
            # All is saved; another Ctrl-C would only make the exit hooks print tracebacks.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise
