"""Runs one half of an export in a process of its own, on the backend that it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from grokkeras.errors import GrokkerasError

# A model that takes longer to convert has another problem.
_LIMIT_SECONDS = 900.0


def run_worker(module: str, job_file: Path, backend: str) -> None:
    """Runs `python -m MODULE JOB_FILE` on a backend and waits for it.

    Args:
        module: `grokkeras.export.reference` or `grokkeras.export.convert`.
        job_file: what to do.
        backend: Keras' backend there.

    Raises:
        GrokkerasError: it failed; holds the last lines of what it said.
    """
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
    # The job's process finds this package, and a user's own classes, where this one found them.
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, str(job_file)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise GrokkerasError(
            f"The export on {backend} was not done after {_LIMIT_SECONDS:.0f} s and was stopped."
        ) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-8:]
        said = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
        raise GrokkerasError(
            f"The export failed in its part on {backend} (exit code {done.returncode}). "
            f"It said last:\n{said}"
        )
