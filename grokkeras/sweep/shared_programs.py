"""The runs of a pool compile each program once: JAX's persistent cache, in a folder of the pool's.

Runs that differ in their seed alone compile the same programs, which takes half of a short run's
processor time. A program from the cache gives the same bits as one compiled anew. The folder goes
with the pool: such programs are for the processor that they were compiled on, and a folder that
several machines share would hand them to another.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping

_FOLDER = "JAX_COMPILATION_CACHE_DIR"


@contextlib.contextmanager
def shared_programs(base: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment of processes that share what they compile, for as long as it is entered.

    Args:
        base: the environment they would have. If it names a cache already, that one is used.
    """
    if base.get(_FOLDER):
        yield {**base}
        return
    with tempfile.TemporaryDirectory(prefix="grokkeras-", ignore_cleanup_errors=True) as folder:
        # By itself JAX keeps only what took a second or more to compile.
        everything = {
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        yield {**base, _FOLDER: folder, **everything}
