"""What became of every run of a study, kept in the repository: run folders go with their machine.

`benchmarks/studies/results/STUDY.json` has a line a run. A run counts as done if its line has the
digest of the configuration that is asked for; to do one anew, take its line away.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grokkeras.config import digest
from grokkeras.files import write_atomic
from grokkeras.sweep import Job

RESULTS = Path("benchmarks") / "studies" / "results"
_LONGEST_ERROR = 200


@dataclass(frozen=True)
class Run:
    """One run that has ended.

    Attributes:
        memorized: the memorization step; None: not in time.
        grokked: the grokking step; None: not in time.
        seconds: from the beginning of the run, compilation included and imports not, to the
            evaluation that confirmed grokking; one core. None if it did not grok.
        steps: optimizer steps made; None if it failed.
        error: why it failed, in a line; None if it did not.
        seed: its seed.
    """

    memorized: int | None
    grokked: int | None
    seconds: float | None
    steps: int | None = None
    error: str | None = None
    seed: int = 0


class Record:
    """The ended runs of a study by setting and seed.

    Args:
        study: names the file.
    """

    def __init__(self, study: str) -> None:
        self._path = RESULTS / f"{study}.json"
        self._lines: dict[tuple[str, int], dict[str, Any]] = {}
        if self._path.is_file():
            for line in json.loads(self._path.read_text(encoding="utf-8")):
                self._lines[line["setting"], line["seed"]] = line

    def find(self, job: Job) -> Run | None:
        """The run of a job, or None where the record has none of this configuration."""
        line = self._lines.get(_key(job))
        if line is None or line["config"] != digest(job.config):
            return None
        return Run(**{key: line[key] for key in Run.__dataclass_fields__})

    def keep(self, job: Job, run: Run) -> None:
        """Writes a run down, in place of one of another configuration."""
        setting, seed = _key(job)
        line = {"setting": setting, "seed": seed, "config": digest(job.config)} | asdict(run)
        if run.error is not None:
            line["error"] = run.error.strip().splitlines()[0][:_LONGEST_ERROR]
        if self._lines.get((setting, seed)) == line:
            return
        self._lines[setting, seed] = line
        rows = ",\n".join(json.dumps(self._lines[key]) for key in sorted(self._lines))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._path, f"[\n{rows}\n]\n".encode())


def _key(job: Job) -> tuple[str, int]:
    return job.setting, job.config.seed
