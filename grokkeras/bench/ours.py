"""Our trainer on a bench workload, as a run would use it but without evaluations and logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from grokkeras.bench.techniques import TECHNIQUES
from grokkeras.bench.workloads import config_of
from grokkeras.config import load_config
from grokkeras.runner import build_program


def make_run(workload: Any, form: str) -> Callable[[int], np.ndarray]:
    """Our loop: each call makes that many steps and returns their losses.

    Args:
        workload: a `Workload` of `benchmarks/data.py`.
        form: "ours", plain AdamW, or a name in `TECHNIQUES`.
    """
    settings = {} if form == "ours" else TECHNIQUES[form].settings
    config = load_config(config_of(workload, keras.backend.backend()), settings)
    return build_program(config).run
