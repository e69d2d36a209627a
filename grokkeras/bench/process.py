"""The harness' end of a worker: start it, wait until it is ready, ask it for a figure, end it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from grokkeras.bench.suite import Measurement
from grokkeras.config.shipped import shipped_folder
from grokkeras.errors import GrokkerasError, UserError

# Importing a framework and compiling takes seconds; a machine that needs these has another problem.
_START_SECONDS = 300.0
_GRACE_SECONDS = 120.0


def baselines_package() -> tuple[str, Path | None]:
    """The package of the baselines, and the folder that must be on the path to import it, if any.

    Raises:
        UserError: neither the checkout nor the installed package has them.
    """
    folder = shipped_folder("benchmarks")
    if folder is None or not (folder / "data.py").is_file():
        raise UserError(
            "The baselines are missing: expected the folder benchmarks/ beside the package, or "
            "grokkeras/_benchmarks in an installed one. Install grokkeras from its wheel, or run "
            "this in a complete checkout."
        )
    if folder.name == "_benchmarks":
        return "grokkeras._benchmarks", None
    return folder.name, folder.parent


class WorkerProcess:
    """A running loop. A context manager: leaving it ends the process.

    Args:
        measurement: which loop.
        python: the interpreter.
    """

    def __init__(self, measurement: Measurement, python: str = sys.executable) -> None:
        self.measurement = measurement
        package, root = baselines_package()
        # -P: a folder called benchmarks where the user happens to stand is not ours.
        command = [python, "-P", "-m", "grokkeras.bench.worker", package]
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            [*command, measurement.module(package), measurement.workload, measurement.kind],
            env=_environment(measurement.backend, root),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait_ready(self) -> None:
        """Waits until the loop has compiled.

        Raises:
            GrokkerasError: it died, or took too long.
        """
        self._answer(_START_SECONDS)

    def measure(self, seconds: float) -> float:
        """Steps a second over at least `seconds`.

        Raises:
            GrokkerasError: it died, took too long, or its loss is no longer finite.
        """
        if self._process.stdin is None:
            raise self._failure("has no input")
        try:
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        except OSError as error:  # it died between two figures
            raise self._failure("stopped") from error
        answer = self._answer(seconds + _GRACE_SECONDS)
        if not math.isfinite(answer["loss"]):
            raise self._failure(f"diverged (loss {answer['loss']})")
        return float(answer["steps"] / answer["seconds"])

    def close(self) -> None:
        """Ends the process, by force if it does not end by itself at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._errors.close()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self, limit: float) -> dict[str, Any]:
        if self._process.stdout is None:
            raise self._failure("has no output")
        watchdog = threading.Timer(limit, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise self._failure(f"stopped, or took longer than {limit:.0f} s")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _failure(self, what: str) -> GrokkerasError:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()[-12:]
        return GrokkerasError(
            f"The loop '{self.measurement.label}' {what}. It said last:\n"
            + ("\n".join(f"  {line}" for line in said) or "  (nothing)")
        )


def _environment(backend: str, root: Path | None) -> dict[str, str]:
    paths = [str(path) for path in (root, os.environ.get("PYTHONPATH")) if path]
    return os.environ | {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "PYTHONPATH": os.pathsep.join(paths),
    }
