"""Initial weights drawn by NumPy, as Keras initializers for any model.

    keras.layers.Dense(64, kernel_initializer=NumpyOrthogonal(seed=1))

Importing this module registers them with Keras, so that saved layers find them.
"""

from grokkeras.initializers.base import NumpyInitializer
from grokkeras.initializers.normal import NumpyNormal
from grokkeras.initializers.orthogonal import NumpyOrthogonal
from grokkeras.initializers.small import NumpySmall
from grokkeras.initializers.sparse import NumpySparse
from grokkeras.initializers.uniform import NumpyUniform
from grokkeras.registry import Registry

INITS: Registry[type[NumpyInitializer]] = Registry("init")
INITS.register("normal")(NumpyNormal)
INITS.register("orthogonal")(NumpyOrthogonal)
INITS.register("small")(NumpySmall)
INITS.register("sparse")(NumpySparse)
INITS.register("uniform")(NumpyUniform)

__all__ = [
    "INITS",
    "NumpyInitializer",
    "NumpyNormal",
    "NumpyOrthogonal",
    "NumpySmall",
    "NumpySparse",
    "NumpyUniform",
]
