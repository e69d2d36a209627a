"""Published results run anew: `grokkeras reproduce`.

    arms = choose(["G1", "G4"])
    jobs = [job for arm in arms for job in arm.jobs(range(3), Path("runs/reproduce"), "jax")]

The numbers of the papers are in `published.yaml`, the settings in `configs/papers/`.
"""

from grokkeras.reproduction.cases import Arm, Case, all_arms, cases, choose
from grokkeras.reproduction.verdict import Gain, Result, gains

__all__ = ["Arm", "Case", "Gain", "Result", "all_arms", "cases", "choose", "gains"]
