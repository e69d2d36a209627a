"""`ExportOnGrokking`: the model as something to serve, from the moment it has grokked.

    export = ExportOnGrokking("saved_models", "mine", inputs=x)
    model.fit(x, y, validation_data=(xv, yv), callbacks=[export])

Works in stock `fit` on any classifier with one input of rows, on every backend, and in
`grokkeras.run`. What is written is described in docs/serving.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from grokkeras.callbacks.detector import GrokkingDetector
from grokkeras.errors import UserError
from grokkeras.export.from_model import export_keras_model, rows_of
from grokkeras.export.pipeline import Exported, require_packages
from grokkeras.export.publish import check_name


class ExportOnGrokking(keras.callbacks.Callback):
    """Exports the model once, at the evaluation that confirms grokking.

    Training waits for it, some ten seconds. If the export fails, training goes on and a warning
    says why: hours of training are worth more than a file.

    Args:
        out: the folder of all models.
        name: of this one; the version is the next free number.
        inputs: (n, length) rows such as those trained on, to hold the exported model against this
            one. May be left out for token models of this package.
        detector: the `GrokkingDetector` that decides, which must stand before this callback in
            the list. None: one of its own, with the defaults of `GrokkingDetector`.
        from_logits: whether the model gives logits; False if it ends in a softmax.
        imports: modules that register the custom classes of the model.

    Attributes:
        exported: the `grokkeras.export.Exported`, or None so far.

    Raises:
        UserError: in `fit`, before the first step: a package is missing, the name is no name, or
            inputs are needed.
    """

    def __init__(
        self,
        out: str | Path = "saved_models",
        name: str = "model",
        *,
        inputs: np.ndarray | None = None,
        detector: GrokkingDetector | None = None,
        from_logits: bool = True,
        imports: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.out = Path(out)
        self.name = check_name(name)
        self.inputs = inputs
        self.from_logits = from_logits
        self.imports = tuple(imports)
        self.exported: Exported | None = None
        self._own = GrokkingDetector(verbose=0) if detector is None else None
        self._detector = detector or self._own
        self._done = False
        self._fitted: Any = None

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint of `grokkeras.run` holds of it, JSON-able."""
        return {"done": self._done, "own": self._own.state_dict() if self._own else None}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave, before the run that goes on."""
        self._done = state["done"]
        if self._own is not None and state["own"] is not None:
            self._own.load_state_dict(state["own"])

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Hands the parameters on to a detector of its own."""
        super().set_params(params)
        if self._own is not None:
            self._own.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hands the model on to a detector of its own."""
        super().set_model(model)
        if self._own is not None:
            self._own.set_model(model)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Refuses now what could not be exported after hours."""
        require_packages()
        if self._fitted is not None and self._fitted is not self.model:
            self._done, self.exported = False, None
        self._fitted = self.model
        if self.inputs is None:
            try:
                rows_of(self.model)
            except NotImplementedError as error:  # Keras', of a model without get_config
                raise UserError(
                    f"ExportOnGrokking needs inputs=x, rows such as those trained on: "
                    f"{type(self.model).__name__} does not tell what it takes. Keras says: {error}"
                ) from error
        if self._own is not None:
            self._own.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Exports at the evaluation that confirms grokking."""
        if self._own is not None:
            self._own.on_epoch_end(epoch, logs)
        self._export_if_grokked()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Exports what is confirmed by the end of training alone."""
        if self._own is not None:
            self._own.on_train_end(logs)
        self._export_if_grokked()

    def _export_if_grokked(self) -> None:
        detector = self._detector
        assert detector is not None
        if self._done or detector.grokking_step is None:
            return
        self._done = True
        try:
            self.exported = export_keras_model(
                self.model,
                self.out,
                self.name,
                inputs=self.inputs,
                from_logits=self.from_logits,
                imports=self.imports,
                provenance=_provenance(detector),
            )
        except Exception as error:  # whatever it is, training goes on
            said = str(error) or type(error).__name__
            warnings.warn(f"ExportOnGrokking exported nothing: {said}", stacklevel=2)


def _provenance(detector: GrokkingDetector) -> dict[str, Any]:
    return {
        "run": None,
        "task": None,
        "phase": detector.phase,
        "has_grokked": True,
        "steps": detector.detector.last_step,
        "memorization_step": detector.memorization_step,
        "grokking_step": detector.grokking_step,
        "delay_steps": detector.delay_steps,
        "test_accuracy": None,
        "backend": keras.backend.backend(),
    }
