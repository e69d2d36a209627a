"""What the folders hold of all arms, whichever were run now."""

from __future__ import annotations

import re
from pathlib import Path

from grokkeras.errors import UserError
from grokkeras.reproduction.cases import all_arms
from grokkeras.sweep import Outcome, find_outcome


def find_all(root: Path, backend: str | None) -> tuple[dict[str, list[Outcome]], list[str]]:
    """The outcomes of every arm, of every seed that has a folder.

    Args:
        root: the folder of all arms.
        backend: of the runs; None: the environment's, or TensorFlow.

    Returns:
        Outcomes by arm, in the order of the seeds; and what was left out, such as runs of another
        configuration or backend, in words.
    """
    found: dict[str, list[Outcome]] = {}
    left_out: list[str] = []
    for arm in all_arms():
        names = [
            re.fullmatch(r"seed-(\d+)", each.name) for each in (root / arm.name).glob("seed-*")
        ]
        seeds = sorted(int(match[1]) for match in names if match)
        outcomes = []
        for job in arm.jobs(seeds, root, backend) if seeds else []:
            try:
                outcomes.append(find_outcome(job))
            except UserError as error:
                left_out.append(f"Left out: {error}")
        found[arm.name] = outcomes
    return found, left_out
