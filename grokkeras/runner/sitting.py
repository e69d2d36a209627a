"""What holds while a process works on a run, and what it leaves behind however it ends."""

from __future__ import annotations

import contextlib
import shlex
from types import TracebackType
from typing import TYPE_CHECKING

from grokkeras.errors import GrokkerasError
from grokkeras.logging import Display
from grokkeras.run_folder import RunFolder
from grokkeras.runner.interrupts import Interrupted, Interrupts

if TYPE_CHECKING:
    from grokkeras.runner.session import Session


class Sitting:
    """From the first slow import to the last line of a run.

    On the way out the terminal is clean, the folder is unlocked, and `summary.json` says
    `interrupted` or `failed` if the work did not end well.

    Args:
        folder: the run folder, locked.
        display: what a person sees.
        interrupts: entered already.

    Attributes:
        session: set once it exists.
    """

    def __init__(self, folder: RunFolder, display: Display, interrupts: Interrupts) -> None:
        self.folder = folder
        self.display = display
        self.interrupts = interrupts
        self.session: Session | None = None

    def __enter__(self) -> Sitting:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                return
            # An import that a signal broke off may have made another error of it.
            broken_off = isinstance(error, KeyboardInterrupt) or (
                self.interrupts.raised and not isinstance(error, GrokkerasError)
            )
            stopped = broken_off or isinstance(error, Interrupted)
            # The disk may be full: what went wrong first is what the user has to hear.
            with contextlib.suppress(Exception):
                self._record(None if stopped else str(error) or type(error).__name__)
            if broken_off:
                raise Interrupted(self._broken_off()) from error
        finally:
            self.display.stop()
            self.folder.unlock()

    def _record(self, reason: str | None) -> None:
        status = "interrupted" if reason is None else "failed"
        values = {**self.folder.read_summary(), "status": status}
        if self.session is not None:
            from grokkeras.runner.outcome import summarize

            values = summarize(self.session, status).to_dict()
        values.pop("error", None)
        self.folder.write_summary(values if reason is None else {**values, "error": reason})

    def _broken_off(self) -> str:
        step = self.session.step if self.session else 0
        saved = self.session.saved_at if self.session else None
        where = f"Stopped at once, at step {step:,}" if step else "Stopped before the first step"
        start = "the start" if saved is None else f"the checkpoint of step {saved:,}"
        path = shlex.quote(str(self.folder.path))
        return f"{where}. To go on from {start}: grokkeras resume {path}"
