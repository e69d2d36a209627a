"""Where a run's numbers go: the terminal, `metrics.jsonl` and `events.jsonl`, TensorBoard.

Each destination is a `Writer`; the terminal's are `Display`s besides. Importing this package loads
neither rich nor NumPy, so that a refused command stays quick.
"""

from __future__ import annotations

from grokkeras.logging.writer import Display, QuietDisplay, Writer, make_display

__all__ = ["Display", "QuietDisplay", "Writer", "make_display"]
