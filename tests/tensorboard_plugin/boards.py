"""Starts TensorBoard as a user would, and asks the Grokking tab's data of it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from helpers import REPO

ENTRY_POINT = "grokking = grokkeras.tensorboard_plugin.plugin:GrokkingPlugin"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return int(found.getsockname()[1])


def plain_tensorboard(folder: Path, logdir: Path, port: int, *arguments: str) -> list[str]:
    """The command of a stock TensorBoard that finds the tab by the package's entry point."""
    installed = [each.name for each in metadata.entry_points(group="tensorboard_plugins")]
    if (
        "grokking" not in installed
    ):  # the package runs from its sources: what pip would have written
        info = folder / "entry_point-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: entry-point\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[tensorboard_plugins]\n{ENTRY_POINT}\n")
    code = "from tensorboard.main import run_main; run_main()"
    return [sys.executable, "-c", code, "--logdir", str(logdir), "--port", str(port), *arguments]


def without_tensorflow(folder: Path) -> None:
    """Makes `import tensorflow` fail in a process that has `folder` on its path."""
    package = folder / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('not installed')\n")


@contextlib.contextmanager
def serving(command: list[str], address: str, folder: Path | None = None) -> Iterator[str]:
    """Runs `command` until it answers at `address`, and to the end of the block.

    Args:
        command: the server.
        address: where it will be found.
        folder: put on the server's module path.
    """
    paths = [str(REPO), *([str(folder)] if folder else [])]
    server = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                fetch(f"{address}/data/plugins_listing")
                break
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise AssertionError(f"TensorBoard did not start:\n{server.communicate()[0]}")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.communicate(timeout=30)


def fetch(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as response:
        return json.loads(response.read())


def data(address: str, *names: str, **extra: str) -> Any:
    """The tab's data for the named curves."""
    query = urllib.parse.urlencode([*(("name", name) for name in names), *extra.items()])
    return fetch(f"{address}/data/plugin/grokking/data?{query}")


def until_runs(address: str, count: int, *names: str) -> Any:
    """The tab's data once TensorBoard has loaded `count` runs."""
    deadline = time.monotonic() + 60
    while True:
        answer = data(address, *names)
        if len(answer["runs"]) >= count:
            return answer
        assert time.monotonic() < deadline, [run["name"] for run in answer["runs"]]
        time.sleep(0.3)
