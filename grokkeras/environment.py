"""What a run ran on: versions, processor, threads, commit. Written to `environment.json`.

Nothing is imported to find out its version, so this runs before the backend is loaded.
"""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from grokkeras import __version__

_PACKAGES = (
    "grokkeras",
    "keras",
    "tensorflow",
    "jax",
    "jaxlib",
    "torch",
    "numpy",
    "ml-dtypes",
    "tensorboard",
)

# What changes how many threads a sum is split over, and with it the order of its terms.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",
    "XLA_FLAGS",
)


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def environment(backend: str, now: Callable[[], datetime.datetime] = _utc_now) -> dict[str, object]:
    """Describes this process and machine.

    Args:
        backend: the Keras backend the run uses.
        now: the clock.

    Returns:
        A JSON-able dict with `backend`, `versions` (package to version, None where it is not
        installed), `python`, `platform`, `processor`, `threads` (see `threads_fingerprint`),
        `git` and `time` (UTC).
    """
    return {
        "backend": backend,
        "versions": {name: package_version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor_name(),
        "threads": threads_fingerprint(),
        "git": git_state(Path(__file__).resolve().parent),
        "time": now().isoformat(timespec="seconds"),
    }


def threads_fingerprint() -> dict[str, object]:
    """What decides the number of threads; where it differs, the last bits of a run may too.

    Returns:
        `cores` of the machine, `usable_cores` by this process' affinity, and `variables`, the
        environment variables that are set.
    """
    return {
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "variables": {name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
    }


def _usable_cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def package_version(name: str) -> str | None:
    """The installed version of a package, or None; the package is not imported."""
    if name == "grokkeras":  # which may run from its sources, uninstalled
        return __version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def processor_name() -> str:
    """The processor's name as its maker writes it, or its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        brand = _output(["sysctl", "-n", "machdep.cpu.brand_string"])
        if brand:
            return brand
    return platform.processor() or platform.machine()


def git_state(directory: Path) -> dict[str, object] | None:
    """The commit of the working tree that `directory` is checked out from.

    Returns:
        `commit` and `dirty` (whether the tree differs from it), or None without git, without a
        commit, or where `directory` is not part of a repository, such as an installed package in
        a virtual environment that lies inside somebody's repository.
    """
    git = ["git", "-C", str(directory)]
    tracked = _output([*git, "ls-files", "--", "."])
    commit = _output([*git, "rev-parse", "HEAD"]) if tracked else None
    if not commit:
        return None
    status = _output([*git, "status", "--porcelain"])
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def _output(command: list[str]) -> str | None:
    """What a command prints, or None if it cannot run, fails or hangs."""
    # Inside a git hook GIT_DIR and others name another repository; and status takes no lock.
    cleared = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            command,
            env={**cleared, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
