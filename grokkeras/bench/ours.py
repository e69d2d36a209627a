"""Our trainer on a bench workload, as a run would use it but without evaluations and logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from grokkeras.bench.techniques import TECHNIQUES, Technique
from grokkeras.bench.workloads import config_of
from grokkeras.config import load_config
from grokkeras.keras_compat.dropout import holders
from grokkeras.runner import build_program


def make_run(workload: Any, form: str) -> Callable[[int], np.ndarray]:
    """Our loop: each call makes that many steps and returns their losses.

    Args:
        workload: a `Workload` of `benchmarks/data.py`.
        form: "ours", plain AdamW, or a name in `TECHNIQUES`.
    """
    technique = TECHNIQUES.get(form, Technique({}))
    config = load_config(config_of(workload, keras.backend.backend()), technique.settings)
    program = build_program(config)
    if technique.stock_dropout:
        for annealed in holders(program.model):
            annealed.detach()
    return program.run
