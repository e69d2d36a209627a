"""What writing scalars takes: `python -m grokkeras.bench.scalars FOLDER COUNT`.

Writes them as a run on JAX does and prints, as JSON, the seconds, the resident bytes that the
writer and its files added, and whether TensorFlow was loaded. Linux only.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from grokkeras.bench.memory import resident_bytes

# What the quickstart writes at an evaluation with default settings.
_EVALUATION = {
    "train_loss": 0.5,
    "train_accuracy": 1.0,
    "val_loss": 4.5,
    "val_accuracy": 0.1,
    "learning_rate": 0.001,
    "weight_decay": 1.0,
    "dropout_rate": 0.0,
    "weight_norm": 30.0,
    "generalization_gap": 4.0,
    "logit_scale": 10.0,
}


def write_scalars(folder: Path, count: int) -> dict[str, Any]:
    """Writes at least `count` scalars into event files beneath `folder`.

    Returns:
        `scalars`, `seconds`, `bytes` (resident, the writer's import included), `tensorflow`
        (whether it is loaded).
    """
    import keras  # noqa: F401 - a run has it loaded before its writer

    before = resident_bytes()
    start = time.perf_counter()
    from grokkeras.logging.tensorboard import TensorBoardWriter

    writer = TensorBoardWriter(folder)
    rounds = -(-count // len(_EVALUATION))
    for step in range(1, rounds + 1):
        writer.evaluation({"step": step, **_EVALUATION})
    writer.close()
    return {
        "scalars": rounds * len(_EVALUATION),
        "seconds": time.perf_counter() - start,
        "bytes": resident_bytes() - before,
        "tensorflow": "tensorflow" in sys.modules,
    }


if __name__ == "__main__":
    print(json.dumps(write_scalars(Path(sys.argv[1]), int(sys.argv[2]))))
