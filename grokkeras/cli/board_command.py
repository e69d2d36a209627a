"""`grokkeras board`: TensorBoard on one run or many."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any

import click

from grokkeras.errors import GrokkerasError, UserError

# TensorBoard would keep 10 images a tag, chosen by chance; a run of a million steps has 31.
_SAMPLES = ("--samples_per_plugin", "images=100")


@click.command("board")
@click.argument("logdir", type=click.Path(path_type=Path), default="runs")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port to serve on. Default: 6006, or the next free one.",
)
def command(logdir: Path, port: int | None) -> None:
    """Start TensorBoard on LOGDIR, by default the folder runs. Ctrl-C ends it.

    \b
    Example:
      grokkeras board
      grokkeras board runs/quickstart-1 --port 6007
    """
    check_logdir(logdir)
    if port is not None:
        check_port(port)
    sys.exit(serve(logdir, port))


def check_logdir(logdir: Path) -> None:
    """Refuses a folder in which TensorBoard would show nothing."""
    if not logdir.is_dir():
        start = " Start a run first: grokkeras run quickstart." if logdir == Path("runs") else ""
        raise UserError(f"Expected a folder of runs, but there is no folder {logdir}.{start}")
    if next(logdir.rglob("*tfevents*"), None) is None:
        raise UserError(
            f"{logdir} holds no TensorBoard event files. Runs write them with log.tensorboard: "
            "true, the default."
        )


def check_port(port: int) -> None:
    """Refuses a port that another program listens on, or that this user may not open."""
    try:
        with socket.create_server(("localhost", port), reuse_port=False):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} is in use by another program. Choose another --port, or leave it "
                "out to take the next free one."
            ) from error
        raise UserError(
            f"Port {port} cannot be opened: {os.strerror(error.errno or 0)}."
        ) from error


def plugins() -> list[Any]:
    """TensorBoard's plugins with the Grokking tab first, which is then the one that opens.

    The tab is there also where the package runs from its sources, not installed.
    """
    from tensorboard import default

    from grokkeras.tensorboard_plugin.plugin import GrokkingPlugin

    core, *others = default.get_plugins()
    return [core, GrokkingPlugin, *(each for each in others if each is not GrokkingPlugin)]


def serve(logdir: Path, port: int | None) -> int:
    """Runs TensorBoard in this process until Ctrl-C, which is its normal end."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorboard import program
    from tensorboard.plugins.base_plugin import FlagsError

    board = program.TensorBoard(plugins=plugins())
    arguments = ["grokkeras board", "--logdir", str(logdir), *_SAMPLES]
    try:
        board.configure(arguments if port is None else [*arguments, "--port", str(port)])
    except FlagsError as error:
        raise UserError(f"TensorBoard refused to start: {error}") from error
    try:
        code: int = board.main()
    except KeyboardInterrupt:  # before it serves; from then on it catches that itself
        code = 0
    if code:
        raise GrokkerasError("TensorBoard could not start; its own message stands above.")
    return code
