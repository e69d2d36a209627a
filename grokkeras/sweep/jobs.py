"""One run of a sweep, and what became of it: told by its run folder alone.

Nothing else is kept, so a sweep that was killed knows what is missing from the folders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grokkeras.config import RunConfig, dump_config
from grokkeras.errors import UserError
from grokkeras.run_folder import RunFolder

ERROR_FILE = "error.txt"


@dataclass(frozen=True)
class Job:
    """One run to do.

    Attributes:
        folder: its run folder.
        config: its resolved configuration.
        setting: what tells it from other runs besides the seed, in words.
    """

    folder: Path
    config: RunConfig
    setting: str

    @property
    def label(self) -> str:
        """Such as `weight_decay=0.3, seed 2`."""
        return f"{self.setting}, seed {self.config.seed}"


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: the job.
        status: `finished`, `failed`, `interrupted`, or `missing` where it has not ended.
        summary: `summary.json`, or {} where there is none.
        error: why it failed; None where it did not.
    """

    job: Job
    status: str
    summary: dict[str, object]
    error: str | None = None


def find_outcome(job: Job) -> Outcome:
    """What the run folder says of a job.

    A run that a kill left half done is `missing`: it is to be gone on with.

    Raises:
        UserError: the folder holds a run of another configuration, or is unreadable.
    """
    failure = job.folder / ERROR_FILE
    if not (job.folder / "config.yaml").is_file():
        if failure.is_file():
            return Outcome(job, "failed", {}, failure.read_text(encoding="utf-8").strip())
        return Outcome(job, "missing", {})
    folder = RunFolder.open(job.folder)
    if folder.config != job.config:
        raise UserError(
            f"{job.folder} holds a run of another configuration ({_first_difference(job, folder)})."
            f" Choose another --out, or take the folder away."
        )
    summary = folder.read_summary()
    status = str(summary["status"])
    if status == "finished":  # whatever failed before; `resume` went on with it
        return Outcome(job, status, summary)
    if status == "failed":
        return Outcome(job, status, summary, str(summary.get("error") or "no message"))
    if failure.is_file():
        return Outcome(job, "failed", summary, failure.read_text(encoding="utf-8").strip())
    if status == "running":  # nobody says that it ended
        status = "missing"
    return Outcome(job, status, summary)


def _first_difference(job: Job, folder: RunFolder) -> str:
    wanted, there = (dump_config(each).splitlines() for each in (job.config, folder.config))
    pairs = zip(wanted, there, strict=False)
    ours, theirs = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
    return f"there: {theirs.strip() or 'less'}; wanted: {ours.strip() or 'less'}"
