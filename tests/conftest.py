"""Puts `tests/` on the path, so that every test can `from helpers import run_on_backend`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

_TESTS = str(Path(__file__).parent)
if _TESTS not in sys.path:
    sys.path.insert(0, _TESTS)

# Programs that JAX has compiled once serve all processes that the tests start, and the next time.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(_TESTS).parent / ".pytest_cache" / "jax-programs")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# A shell ignores Ctrl-C in what it starts in the background, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes examples slow, which says nothing of the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
