"""How a loop is timed: one warm-up call, then whole calls until the clock has run long enough."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from .data import WORKLOADS, Workload

# Trains at least this many steps and returns the loss of each step done.
Run = Callable[[int], np.ndarray]


def time_steps(run: Run, chunk: int, seconds: float) -> tuple[int, float, float]:
    """Steps done, seconds taken and last loss, in calls of `chunk` steps for at least `seconds`.

    The losses come back as NumPy in every call, so nothing is left running when the clock stops.
    """
    steps, loss, start = 0, float("nan"), time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        losses = run(chunk)
        steps, loss = steps + len(losses), float(losses[-1])
    return steps, elapsed, loss


def main(make_run: Callable[[Workload, str], Run]) -> None:
    """`python -m benchmarks.FILE WORKLOAD FORM`: prints one loop's steps a second."""
    if len(sys.argv) != 3 or sys.argv[1] not in WORKLOADS:
        raise SystemExit(f"usage: python -m benchmarks.FILE {{{','.join(WORKLOADS)}}} FORM")
    workload = WORKLOADS[sys.argv[1]]
    run = make_run(workload, sys.argv[2])
    losses = run(workload.chunk)
    steps, elapsed, loss = time_steps(run, workload.chunk, 3.0)
    print(f"{steps / elapsed:.1f} steps/s, loss {losses[0]:.4f} to {loss:.4f}")
