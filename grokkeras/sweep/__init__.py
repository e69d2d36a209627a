"""Many runs: a configuration over settings and seeds, on a pool of one-core processes.

    jobs = plan_sweep("quickstart", range(8), grid={"optimizer.weight_decay": [0.3, 1.0]}, out=out)
    outcomes = ProcessEngine(workers=2).run(jobs, print)

Every run is an ordinary run folder, OUT/SETTING/seed-N, so that `grokkeras board OUT`, `report`
and `resume` read it. Nothing here imports Keras; the processes do.
"""

from __future__ import annotations

from grokkeras.sweep.carry_out import Progress, carry_out
from grokkeras.sweep.engines import ENGINES, Engine, ProcessEngine
from grokkeras.sweep.jobs import Job, Outcome, find_outcome
from grokkeras.sweep.plan import plan_sweep, read_grid, read_seeds

__all__ = [
    "ENGINES",
    "Engine",
    "Job",
    "Outcome",
    "ProcessEngine",
    "Progress",
    "carry_out",
    "find_outcome",
    "plan_sweep",
    "read_grid",
    "read_seeds",
]
