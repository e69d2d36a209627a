"""Kills runs with SIGKILL, resumes them, and compares every bit with a run left in peace.

    python tests/runner/torture.py --backend jax --kills 20

prints a line a run and ends non-zero if any differs. Each of the random kills falls after the first
checkpoint, so that the run is resumed from a step later than 0; the moments in `torture_moments.py`
have runs of their own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(Path(__file__).parent)]

from compare_runs import differences  # noqa: E402  (found through the line above)

EVERY = 40
STEPS = {"jax": 3000, "tensorflow": 2000, "torch": 800}

# Batches, dropout and momentum: a state of every kind that a checkpoint has to hold.
SETTINGS = {
    "task.modulus": 23,
    "model.width": 32,
    "model.mlp_width": 64,
    "optimizer.learning_rate": 0.003,
    "dropout.rate": 0.1,
    "train.batch_size": 64,
    "train.stop_after_grokking": "null",
    "train.checkpoint_every": EVERY,
    "log.measures": "[weight_norm, logit_scale]",
}
# Tiny matrices: threads only cost time. The same for every process, or the last bits may differ.
THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


@dataclass
class Outcome:
    """A line of the table."""

    case: str
    killed_at: str
    resumed_from: int
    notices: list[str]
    different: list[str]


class Torture:
    """Runs, kills and resumes one configuration on one backend.

    Args:
        backend: the backend.
        folder: where the runs go.
        steps: length of a run.
        seed: of the moments.
    """

    def __init__(self, backend: str, folder: Path, steps: int | None = None, seed: int = 0) -> None:
        self.backend = backend
        self.folder = folder
        self.steps = steps or STEPS[backend]
        self.draw = random.Random(seed)
        self.reference = folder / "undisturbed"
        # From the first checkpoint to the last step of a run.
        self.seconds = 0.0

    def start(self, run: Path) -> subprocess.Popen[str]:
        """Begins a run in a process of its own."""
        settings = SETTINGS | {"train.max_steps": self.steps}
        options = [f"--set={key}={value}" for key, value in settings.items()]
        return self._process("run", "quickstart", "--backend", self.backend, "--out", run, *options)

    def resume(self, run: Path) -> list[str]:
        """Resumes a run to its end; what it said before it trained."""
        process = self._process("resume", run)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return [line for line in output.splitlines() if "heckpoint" in line]

    def leave_in_peace(self) -> None:
        """Makes the run that all others are held against."""
        process = self.start(self.reference)
        self.wait_until(process, lambda: any(checkpoints(self.reference)))
        first = time.monotonic()
        self.wait_until(process, lambda: self.steps in checkpoints(self.reference))
        self.seconds = time.monotonic() - first
        output, _ = process.communicate()
        assert process.returncode == 0, output

    def wait_until(self, process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
        """Polls as fast as it can; False if the process ended first."""
        while not condition():
            if process.poll() is not None:
                return False
            time.sleep(0.0005)
        return True

    def random_kill(self, run: Path) -> None:
        """Kills a new run at a random moment after its first checkpoint and before its last."""
        losses = run / "step_losses.f32"
        while True:
            process = self.start(run)
            # By step and not by the clock alone: on a busy machine no two runs are equally fast.
            step = self.draw.randrange(EVERY, self.steps)
            self.wait_until(process, lambda step=step: size(losses) >= 4 * step)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.draw.uniform(0, self.seconds / self.steps * EVERY))
            killed = self._kill(process, run)
            if killed and any(checkpoints(run)) and self.steps not in checkpoints(run):
                return
            shutil.rmtree(run)

    def kill_when(
        self,
        run: Path,
        condition: Callable[[], bool],
        holds: Callable[[], bool] = lambda: True,
        again: bool = False,
    ) -> None:
        """Kills a run once `condition` holds; repeats it until `holds` does after the kill.

        Args:
            again: kill a resumption of the run instead of a new one.
        """
        for _ in range(20):
            process = self._process("resume", run) if again else self.start(run)
            self.wait_until(process, condition)
            if self._kill(process, run) and holds():
                return
            shutil.rmtree(run)
        raise AssertionError("twenty runs, and none was killed at the moment that was wanted")

    def check(self, case: str, run: Path) -> Outcome:
        """Resumes a killed run to its end and compares it with the undisturbed one."""
        killed_at = size(run / "step_losses.f32") // 4
        notices = self.resume(run)
        resumed = [event for event in events_of(run) if event["event"] == "resume"]
        return Outcome(
            case,
            f"{killed_at}",
            resumed[-1]["step"],
            notices,
            differences(self.reference, run),
        )

    def _process(self, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "grokkeras", *map(str, arguments), "--plain"]
        return subprocess.Popen(
            command,
            cwd=REPO,
            env=os.environ | THREADS,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _kill(self, process: subprocess.Popen[str], run: Path) -> bool:
        """Whether the process was still training."""
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), output
        return process.returncode != 0


def checkpoints(run: Path) -> list[int]:
    """The steps that have a checkpoint."""
    found = list_names(run / "checkpoints")
    return sorted(int(name[5:]) for name in found if re.fullmatch(r"step-\d+", name))


def being_written(run: Path) -> list[str]:
    """Checkpoints that are, or were, in the midst of being written."""
    return [n for n in list_names(run / "checkpoints") if re.fullmatch(r"\.tmp-\d+", n)]


def size(path: Path) -> int:
    """Bytes in a file that may not exist yet."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def list_names(directory: Path) -> list[str]:
    """The names in a directory that may not exist yet."""
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def events_of(run: Path) -> list[dict[str, object]]:
    try:
        lines = (run / "events.jsonl").read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def main() -> int:
    from torture_moments import damaged, special_moments

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", choices=sorted(STEPS), default="jax")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failed = 0

    def show(outcome: Outcome) -> None:
        nonlocal failed
        failed += bool(outcome.different)
        verdict = "; ".join(outcome.different) or "identical"
        print(
            f"{outcome.case:46} {outcome.killed_at:>9} {outcome.resumed_from:>12}  {verdict}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        torture = Torture(arguments.backend, Path(folder), arguments.steps, arguments.seed)
        torture.leave_in_peace()
        print(
            f"{torture.backend}, {torture.steps} steps, a checkpoint every {EVERY}: "
            f"{torture.seconds:.1f} s from the first checkpoint to the last\n"
            f"{'run':46} {'killed at':>9} {'resumed from':>12}  against the undisturbed run",
            flush=True,
        )
        for number in range(arguments.kills):
            run = Path(folder) / f"run-{number}"
            torture.random_kill(run)
            outcome = torture.check(f"random moment {number + 1}", run)
            if outcome.resumed_from == 0:
                outcome.different.append("resumed from step 0")
            show(outcome)
            shutil.rmtree(run)
        for outcome in special_moments(torture, Path(folder) / "special"):
            show(outcome)
        for outcome in damaged(torture, Path(folder) / "damaged"):
            show(outcome)
    print(f"{failed} runs differ" if failed else "all identical")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
