"""From a run folder to a model that can be served: SavedModel, ONNX twin, manifest, parity report.

    from grokkeras.export import export_run
    exported = export_run("runs/quickstart-1")     # saved_models/quickstart/1

Two processes do the heavy part, whatever backend this one has: one on the training backend
computes the logits to be held against, one on TensorFlow converts and compares. Only a version
that agrees is published, by a rename.
"""

from grokkeras.export.card import TaskCard
from grokkeras.export.from_run import export_run
from grokkeras.export.pipeline import Exported, export_model

__all__ = ["Exported", "TaskCard", "export_model", "export_run"]
