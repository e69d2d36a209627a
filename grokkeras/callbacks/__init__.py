"""Callbacks for stock `keras.Model.fit`, on any model and all three backends."""

from __future__ import annotations

from grokkeras.callbacks.detector import GrokkingDetector
from grokkeras.callbacks.dropout import DropoutScheduler
from grokkeras.callbacks.export_on_grokking import ExportOnGrokking
from grokkeras.callbacks.measures import Measures
from grokkeras.callbacks.tensorboard_logger import TensorBoardLogger
from grokkeras.callbacks.weight_decay import WeightDecayScheduler

__all__ = [
    "DropoutScheduler",
    "ExportOnGrokking",
    "GrokkingDetector",
    "Measures",
    "TensorBoardLogger",
    "WeightDecayScheduler",
]
