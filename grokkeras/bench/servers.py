"""Servers in processes of their own, for `bench serving`, and the load on them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from grokkeras.bench.process import baselines_package
from grokkeras.errors import GrokkerasError

_START_SECONDS = 60.0


@dataclass(frozen=True)
class ServerKind:
    """A server that is measured.

    Attributes:
        name: in the table.
        health: a path that answers 200 once it is ready.
        predict: the path of predictions.
    """

    name: str
    health: str
    predict: str


OURS = ServerKind("grokkeras", "/v2/health/ready", "/v1/models/quickstart:predict")
TENSORFLOW = ServerKind("grokkeras, --engine tensorflow", OURS.health, OURS.predict)
PLAIN = ServerKind("plain server", "/health", "/predict")


class RunningServer:
    """One server. A context manager: leaving it ends the process.

    Args:
        kind: which.
        models: the folder of exported models; `quickstart` is served.

    Attributes:
        ready_seconds: from the start of the process to the first answer that it is ready.

    Raises:
        GrokkerasError: it does not start.
    """

    def __init__(self, kind: ServerKind, models: Path) -> None:
        self.kind = kind
        self.port = _free_port()
        package, root = baselines_package()
        paths = [str(path) for path in (root, os.environ.get("PYTHONPATH")) if path]
        began = time.perf_counter()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `__exit__`
        self._process = subprocess.Popen(
            [sys.executable, *_command(kind, models, package, self.port)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        try:
            self._wait_ready(began + _START_SECONDS)
        except BaseException:
            self.close()
            raise
        self.ready_seconds = time.perf_counter() - began

    def load(self, bodies: list[str], clients: int, seconds: float) -> dict[str, Any]:
        """Loads it from another process; see `grokkeras.bench.load.load`.

        Raises:
            GrokkerasError: a request failed, or the load generator did.
        """
        order = {
            "host": "127.0.0.1",
            "port": self.port,
            "path": self.kind.predict,
            "bodies": bodies,
            "clients": clients,
            "seconds": seconds,
        }
        done = subprocess.run(
            [sys.executable, "-m", "grokkeras.bench.load"],
            input=json.dumps(order) + "\n",
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
        if done.returncode:
            raise GrokkerasError(f"The load generator failed: {done.stderr.strip()[-500:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        if found["failed"]:
            raise GrokkerasError(
                f"{self.kind.name} failed {found['failed']} of {found['requests']} requests."
            )
        return found

    def memory_mb(self) -> float | None:
        """Its resident memory, in units of 10**6 bytes; None where the system does not say."""
        try:
            text = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return None
        line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6

    def close(self) -> None:
        """Ends it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait_ready(self, until: float) -> None:
        while time.perf_counter() < until:
            if self._process.poll() is not None:
                break
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with (
                contextlib.closing(connection),
                contextlib.suppress(OSError, http.client.HTTPException),
            ):
                connection.request("GET", self.kind.health)
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.005)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()[-800:]
        raise GrokkerasError(f"{self.kind.name} does not start. It said last:\n{said}")


def _command(kind: ServerKind, models: Path, package: str, port: int) -> list[str]:
    if kind is PLAIN:
        version = str(models / "quickstart" / "1")
        return ["-P", "-m", f"{package}.plain_server", version, str(port)]
    engine = "tensorflow" if kind is TENSORFLOW else "onnx"
    return ["-m", "grokkeras", "serve", str(models), "--port", str(port), "--engine", engine]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
