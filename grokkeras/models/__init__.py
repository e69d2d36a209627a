"""Models that grok, as plain Keras models: they save, load and train in stock `fit`.

Importing this module registers them with Keras, so that `keras.saving.load_model` finds them.
"""

from grokkeras.models.mlp import MLP
from grokkeras.models.transformer import Transformer

__all__ = ["MLP", "Transformer"]
