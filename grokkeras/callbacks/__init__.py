"""Callbacks for stock `keras.Model.fit`, on any model and all three backends."""

from __future__ import annotations

from grokkeras.callbacks.detector import GrokkingDetector

__all__ = ["GrokkingDetector"]
