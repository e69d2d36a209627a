"""What does the jobs of a sweep: so far processes on this machine, one core each.

An engine is told of jobs and tells outcomes. Another one, for a cluster, is a class with the same
`run`, registered here under the name that `--engine` takes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass
from types import FrameType
from typing import IO, Any, Protocol

from grokkeras.config import dump_config
from grokkeras.errors import GrokkerasError, UserError
from grokkeras.files import write_atomic
from grokkeras.registry import Registry
from grokkeras.sweep.jobs import ERROR_FILE, Job, Outcome, find_outcome
from grokkeras.sweep.one_core import one_core_environment, usable_cores
from grokkeras.sweep.shared_programs import shared_programs
from grokkeras.sweep.worker import END

_POLL_SECONDS = 0.05
# How long a run may take over its last checkpoint.
_STOP_SECONDS = 60.0


class Engine(Protocol):
    """Does jobs, in any order, several at a time."""

    def run(
        self,
        jobs: Sequence[Job],
        tell: Callable[[Outcome], object],
        started: Callable[[Job], object] = lambda job: None,
    ) -> bool:
        """Does the jobs.

        Args:
            jobs: those to do; a folder with half a run is gone on with.
            tell: called with each outcome as it comes, in the caller's thread.
            started: called with each job as it begins.

        Returns:
            Whether all jobs ended by themselves; False after Ctrl-C or SIGTERM, when running
            jobs have stopped with a checkpoint.
        """


ENGINES: Registry[Callable[[int], Engine]] = Registry("engine")


@ENGINES.register("process")
class ProcessEngine:
    """A pool of processes on this machine, one core and one run each.

    Args:
        workers: processes at a time; more than there are cores share them.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._stop = 0

    def run(
        self,
        jobs: Sequence[Job],
        tell: Callable[[Outcome], object],
        started: Callable[[Job], object] = lambda job: None,
    ) -> bool:
        """See `Engine.run`."""
        waiting = list(jobs)
        cores = usable_cores()
        free = [cores[place % len(cores)] for place in range(self.workers)]
        busy: list[_Process] = []
        with self._signals(), shared_programs(os.environ) as environment:
            try:
                while busy or (waiting and not self._stop):
                    while waiting and free and not self._stop:
                        job = waiting.pop(0)
                        started(job)
                        try:
                            busy.append(_Process(job, free[0], environment))
                        except OSError as error:
                            tell(Outcome(job, "failed", {}, f"It did not start: {error}"))
                        else:
                            del free[0]
                    for process in [each for each in busy if each.ended]:
                        busy.remove(process)
                        free.append(process.core)
                        tell(process.outcome())
                    self._pass_on_signals(busy)
                    time.sleep(_POLL_SECONDS)
            finally:
                for process in busy:  # left behind by an error of ours only
                    process.stop()
        return not self._stop

    def _pass_on_signals(self, busy: Sequence[_Process]) -> None:
        for process in busy:
            process.signal_up_to(self._stop)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def wish(number: int, frame: FrameType | None) -> None:
            self._stop += 1

        before: dict[int, Any] = {}
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            before[number] = signal.signal(number, wish) or signal.SIG_DFL
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass
class _Process:
    """A worker and the job it does; it starts when the object is made."""

    job: Job
    core: int
    environment: InitVar[Mapping[str, str]]

    def __post_init__(self, environment: Mapping[str, str]) -> None:
        (self.job.folder / ERROR_FILE).unlink(missing_ok=True)
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `outcome`
        self._signalled = 0
        # A session of its own: Ctrl-C in the terminal reaches the pool, which passes it on once.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grokkeras.sweep.worker", *self._arguments()],
            env=one_core_environment(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        with contextlib.suppress(OSError):  # it died at once; its exit code tells
            assert self._process.stdin is not None
            self._process.stdin.write(f"{dump_config(self.job.config)}{END}\n")
            self._process.stdin.flush()

    def _arguments(self) -> list[str]:
        return [str(self.job.folder), str(self.core)]

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    def signal_up_to(self, wishes: int) -> None:
        """The first wish writes a checkpoint, the second one stops at once."""
        while self._signalled < min(wishes, 2) and not self.ended:
            self._signalled += 1
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ends the process: with a checkpoint, or, where that takes too long, without."""
        self.signal_up_to(1)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def outcome(self) -> Outcome:
        """What became of the job; a failure that the run folder does not tell is written there."""
        code = self._process.returncode
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        self._close()
        try:
            found = find_outcome(self.job)
        except (UserError, OSError) as refused:  # not this job's any more; leave it alone
            return Outcome(self.job, "failed", {}, str(refused))
        if code == 0 or found.status in ("finished", "failed"):
            return found
        if self._signalled and code in (130, -15):
            return Outcome(self.job, "interrupted", found.summary)
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        last = "\n".join(said.splitlines()[-12:])
        error = (last if code in (1, 2) and last else f"The worker ended {how}. {last}").strip()
        # On a full disk or a folder of somebody else's it is told now, and done again next time.
        with contextlib.suppress(OSError, GrokkerasError):
            self.job.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self.job.folder / ERROR_FILE, f"{error}\n".encode())
        return Outcome(self.job, "failed", found.summary, error)

    def _close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._errors.close()
