"""How much memory a long run adds: `python -m grokkeras.bench.memory BACKEND FOLDER STEPS`.

Trains a small network and prints, as JSON, the resident bytes of its process by step. Linux only:
elsewhere nothing in the standard library tells them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

SMALL_RUN: dict[str, Any] = {
    "name": "memory",
    "task": {"name": "modular_arithmetic", "operation": "add", "modulus": 11},
    "model": {"name": "mlp", "width": 16},
    "optimizer": {"name": "adamw"},
    "train": {"stop_after_grokking": None, "evaluations_per_decade": 20},
}


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def resident_bytes_by_step(backend: str, folder: Path, steps: int) -> dict[int, int]:
    """Trains `SMALL_RUN`; resident bytes of this process at each evaluation."""
    import grokkeras
    from grokkeras.runner.build import use_backend

    settings = {"backend": backend, "train.max_steps": steps}
    use_backend(grokkeras.config.load_config(SMALL_RUN, settings))
    import keras

    found: dict[int, int] = {}

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            found[int(self.model.optimizer.iterations)] = resident_bytes()

    grokkeras.run(SMALL_RUN, overrides=settings, out=folder, callbacks=[Watch()])
    return found


if __name__ == "__main__":
    backend, folder, steps = sys.argv[1:]
    print(json.dumps(resident_bytes_by_step(backend, Path(folder), int(steps))))
