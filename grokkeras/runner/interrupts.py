"""Ctrl-C and SIGTERM as a wish that the loop grants at the end of a call."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from grokkeras.errors import GrokkerasError


class Interrupted(GrokkerasError):
    """The run was asked to stop, and did so after writing a checkpoint."""

    exit_code = 130


class Interrupts:
    """While entered, the first SIGINT or SIGTERM only sets `wished`; a second one raises.

    Outside the main thread signals cannot be handled, and nothing changes.
    """

    def __init__(self) -> None:
        self.wished = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
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
        if self.wished:
            raise KeyboardInterrupt
        self.wished = True
