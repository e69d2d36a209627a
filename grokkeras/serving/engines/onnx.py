"""ONNX Runtime on `assets.extra/model.onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from grokkeras.serving.card import EXTRA, OUTPUTS, Card
from grokkeras.serving.errors import UnsoundVersionError

ONNX_FILE = f"{EXTRA}/model.onnx"


class OnnxEngine:
    """One version's ONNX graph.

    Args:
        version: the version's folder.
        card: what it takes.

    Raises:
        UnsoundVersionError: the file is missing, damaged, or has other inputs and outputs.
    """

    platform = "onnxruntime_onnx"

    def __init__(self, version: Path, card: Card) -> None:
        options = onnxruntime.SessionOptions()
        # The models are small: a second thread costs more than it brings, and spinning threads
        # would take the processor from the event loop.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # What an arena has taken for one large batch it never gives back.
        options.enable_cpu_mem_arena = False
        path = version / ONNX_FILE
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except FileNotFoundError:
            raise UnsoundVersionError(f"{ONNX_FILE} is missing") from None
        except Exception as error:  # its own exceptions have no common base
            raise UnsoundVersionError(f"{ONNX_FILE} cannot be loaded ({error})") from error
        outputs = {output.name for output in self._session.get_outputs()}
        inputs = [given.name for given in self._session.get_inputs()]
        if inputs != [card.input_name] or not outputs.issuperset(OUTPUTS):
            raise UnsoundVersionError(
                f"{ONNX_FILE} takes {inputs} and gives {sorted(outputs)}; expected "
                f"[{card.input_name!r}] and {sorted(OUTPUTS)}"
            )
        self._input = card.input_name

    def run(self, rows: np.ndarray, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """See `Engine`."""
        return dict(
            zip(outputs, self._session.run(list(outputs), {self._input: rows}), strict=True)
        )
