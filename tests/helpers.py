"""Runs code under a Keras backend: it is chosen once a process, so each run is a process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

BACKENDS = ("jax", "tensorflow", "torch")
TESTS = Path(__file__).resolve().parent
REPO = TESTS.parent


def run_on_backend(backend: str, code: str, timeout: float = 300) -> str:
    """What `code` prints on stdout when run by a fresh Python with `backend`.

    Args:
        backend: one of `BACKENDS`.
        code: Python source; common indentation is taken off. Its asserts are the test. It can
            import what lies in `tests`, this module too.
        timeout: seconds after which the process is killed and the test fails.

    Raises:
        AssertionError: it failed or ran out of time; the message holds stdout and stderr.
    """
    assert backend in BACKENDS, backend
    paths = [str(REPO), str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env=env,
            cwd=REPO,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(
            f"{backend}: not done after {timeout} s.\n{_text(error.stdout)}\n{_text(error.stderr)}"
        ) from None
    if done.returncode != 0:
        raise AssertionError(
            f"{backend}: exit code {done.returncode}.\n"
            f"--- stdout\n{done.stdout[-4000:]}\n--- stderr\n{done.stderr[-8000:]}"
        )
    return done.stdout


def refused(call: Callable[[], object], *words: str) -> None:
    """Asserts that a call ends in a `UserError` whose message holds all words."""
    from grokkeras.errors import UserError

    try:
        call()
    except UserError as error:
        for word in words:
            assert word in str(error), (word, str(error))
    else:
        raise AssertionError("not refused")


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Looks ten times a second until `condition` holds; fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def _text(output: bytes | str | None) -> str:
    """Output cut short by a timeout arrives as bytes, whatever `text` says."""
    if isinstance(output, bytes):
        output = output.decode(errors="replace")
    return (output or "")[-4000:]
