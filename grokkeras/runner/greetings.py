"""Keeps what TensorFlow says whenever it is imported off the terminal, and nothing else.

TensorFlow writes four lines to the standard error before any setting can reach its logger, and on
JAX and PyTorch too, where Keras imports it to save a model. They would stand in the midst of the
live view. For the moment of such an import the standard error goes through a small process that
leaves out the lines listed here. It is a process of its own so that nothing is lost when this one
crashes: what the crash said is in the pipe by then, and the other side still reads it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

# A line that holds one of these says nothing that a user could act on.
HARMLESS = (
    "All log messages before absl::InitializeLog() is called are written to STDERR",
    "oneDNN custom operations are on. You may see slightly different numerical results",
    "Could not find cuda drivers on your machine, GPU will not be used.",
    # 303: there is no CUDA library. A driver that fails has another number.
    "failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)",
)

_FILTER = """
import sys
harmless = [text.encode() for text in sys.argv[1:]]
for line in sys.stdin.buffer:
    if not any(text in line for text in harmless):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
"""


@contextlib.contextmanager
def without_greetings() -> Iterator[None]:
    """While entered, the standard error of this process lacks the lines of `HARMLESS`."""
    try:
        reader = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _FILTER, *HARMLESS],
            stdin=subprocess.PIPE,
            stdout=2,
            start_new_session=True,  # Ctrl-C is for the run
        )
        saved = os.dup(2)
    except OSError:  # no standard error, or no room for a process: then unfiltered
        yield
        return
    assert reader.stdin is not None
    _flush()
    os.dup2(reader.stdin.fileno(), 2)
    try:
        yield
    finally:
        _flush()
        os.dup2(saved, 2)
        os.close(saved)
        reader.stdin.close()
        # A process started meanwhile may hold the pipe open for as long as it likes.
        with contextlib.suppress(subprocess.TimeoutExpired):
            reader.wait(timeout=2)


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
