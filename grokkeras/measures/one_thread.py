"""NumPy's linear algebra on one thread, for matrices as small as a network's.

OpenBLAS splits even a decomposition of 128 by 128 over all cores, and its threads wait for each
other in a busy loop. Beside a trainer's own threads that takes seconds instead of 20 ms (measured
on 2 cores: 3.8 s for the nine matrices of the quickstart, on one thread 0.02 s).
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager[object]:
    """A context in which BLAS and LAPACK use one thread; afterwards as many as before."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limit


@functools.cache
def _controller() -> ThreadpoolController:
    # Looks through all libraries of the process, once.
    return ThreadpoolController()
