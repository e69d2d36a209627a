"""Everything that a run writes as it goes, behind one object."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from grokkeras.config import to_plain
from grokkeras.detection import Event
from grokkeras.errors import GrokkerasError
from grokkeras.logging.jsonl import JsonlLog
from grokkeras.logging.step_losses import StepLossFile
from grokkeras.logging.writer import Display, Writer
from grokkeras.run_folder import RunFolder

if TYPE_CHECKING:
    from grokkeras.logging.pictures import Picture
    from grokkeras.logging.tensorboard import TensorBoardWriter
    from grokkeras.runner.tracking import Tracking


class RunLogs:
    """`metrics.jsonl`, `events.jsonl`, `step_losses.f32`, `tensorboard/` and the display.

    Open while entered; every call goes to all of them.

    Args:
        folder: the run folder, its logs cut back to `first_step`.
        display: what a person sees; it is not closed here.
        first_step: optimizer steps done.
        tensorboard: whether to write event files.
        tracking: what hands on to other services; it is not closed here.
    """

    def __init__(
        self,
        folder: RunFolder,
        display: Display,
        first_step: int,
        tensorboard: bool,
        tracking: Tracking | None = None,
    ) -> None:
        self._folder = folder
        self._display = display
        self._first_step = first_step
        self._tensorboard = tensorboard
        self._tracking = tracking
        self._board: TensorBoardWriter | None = None

    def __enter__(self) -> RunLogs:
        folder = self._folder
        with contextlib.ExitStack() as opened:
            self._lines = JsonlLog(folder.metrics_path, folder.events_path)
            opened.callback(self._lines.close)
            self._losses = StepLossFile(folder.step_losses_path, self._first_step)
            opened.callback(self._losses.close)
            self._files: list[Any] = [self._lines, self._losses]
            self._writers: list[Writer] = [self._lines, self._display]
            if self._tensorboard:
                from grokkeras.logging.tensorboard import TensorBoardWriter, write_settings

                write_settings(folder.tensorboard_dir, to_plain(folder.config))
                board = TensorBoardWriter(folder.tensorboard_dir, self._first_step)
                opened.callback(board.close)
                self._board = board
                self._files.append(board)
                self._writers.append(board)
            if self._tracking is not None:
                self._files.append(self._tracking)
                self._writers.append(self._tracking)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._opened.close()
        except GrokkerasError:
            # On a full disk closing fails as well; what failed first is what the user must hear.
            if error is None:
                raise

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Writes one evaluation."""
        for writer in self._writers:
            writer.evaluation(record)

    def event(self, event: Event) -> None:
        """Writes one event."""
        for writer in self._writers:
            writer.event(event)

    def histograms(self, step: int, named: Mapping[str, np.ndarray]) -> None:
        """Writes histograms of the weights, where event files are written."""
        if self._board is not None:
            self._board.histograms(step, named)

    def images(self, step: int, named: Mapping[str, Picture]) -> None:
        """Writes pictures of the network, where event files are written."""
        if self._board is not None:
            self._board.images(step, named)

    def step_losses(self, losses: np.ndarray) -> None:
        """Writes the losses of the next steps."""
        self._losses.append(losses)

    def offsets(self) -> dict[str, int]:
        """How long the JSON-lines files are, for a checkpoint."""
        return self._lines.offsets()

    def sync(self) -> None:
        """Brings all to the disk, before a checkpoint counts on it."""
        for file in self._files:
            file.sync()
