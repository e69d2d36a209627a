"""What keeps a process on one core: its affinity, and what each library reads before it starts.

Affinity alone would leave the libraries with as many threads as the machine has cores, which then
take turns on one; the variables alone would leave threads that wander. A run goes on bit by bit
only with the number of threads it began with, so the same variables are set every time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",  # XLA's own pool, in JAX
}
_XLA = "--xla_cpu_multi_thread_eigen=false"


def one_core_environment(base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that is to compute on one core.

    Args:
        base: the environment it would have.
    """
    flags = base.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        flags = f"{flags} {_XLA}".strip()
    return {**base, **_ONE_THREAD, "XLA_FLAGS": flags}


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def stay_on(core: int) -> None:
    """Keeps this process and the threads it starts on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):  # a container may forbid it; the variables still hold
            os.sched_setaffinity(0, {core})
