"""Ctrl-C and SIGTERM as a wish that the loop grants at the end of a call."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from grokkeras.errors import GrokkerasError


class Interrupted(GrokkerasError):  # noqa: N818 (nothing went wrong)
    """The run was asked to stop and did; the message says how to go on."""

    exit_code = 130


class Interrupts:
    """Handles SIGINT and SIGTERM while it is entered.

    During start-up there is nothing to save, so the first signal raises `KeyboardInterrupt` at
    once. After `be_patient` the first one only sets `wished`, and the second one raises. Later ones
    do nothing, so that whoever cleans up is left in peace.

    Outside the main thread signals cannot be handled, and nothing changes.

    Attributes:
        wished: a signal came.
        raised: one of them raised. Code that was being imported may have turned that into
            another error, or swallowed it.
    """

    def __init__(self) -> None:
        self.wished = False
        self.raised = False
        self._patient = False
        self._before: dict[int, Any] = {}

    def be_patient(self) -> None:
        """From now on somebody looks at `wished`."""
        self._patient = True

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # None: a handler that C code had set, which Python cannot put back.
                self._before[number] = signal.signal(number, self._handle) or signal.SIG_DFL
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        at_once = self.wished or not self._patient
        self.wished = True
        if at_once and not self.raised:
            self.raised = True
            raise KeyboardInterrupt
