"""Puts `tests/` on the path, so that every test can `from helpers import run_on_backend`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

_TESTS = str(Path(__file__).parent)
if _TESTS not in sys.path:
    sys.path.insert(0, _TESTS)

# A shell ignores Ctrl-C in what it starts in the background, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
