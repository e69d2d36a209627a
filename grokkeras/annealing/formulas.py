"""What each kind of dropout layer does in training, with a rate that is a tensor.

The formulas are Keras'; `FORMULAS` finds one by the `call` that it stands in for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.annealing.mask import BITS, drop, keep_mask, rounded

# Keras divides by 1 - rate in these two, so a rate of 1 gives infinity.
_LARGEST = 1.0 - 2.0**-BITS


def dropout(layer: Any, inputs: Any, rate: Any) -> Any:
    """Zeroes each element with probability `rate` (Srivastava et al. 2014, JMLR 15)."""
    return drop(inputs, rate, _noise_shape(layer, inputs), layer.seed_generator)


def spatial_dropout(layer: Any, inputs: Any, rate: Any) -> Any:
    """Zeroes whole feature maps (Tompson et al. 2015, 1411.4280)."""
    sizes = ops.shape(inputs)
    channel = 1 if getattr(layer, "data_format", None) == "channels_first" else len(sizes) - 1
    shape = [size if axis in (0, channel) else 1 for axis, size in enumerate(sizes)]
    return drop(inputs, rate, shape, layer.seed_generator)


def gaussian_dropout(layer: Any, inputs: Any, rate: Any) -> Any:
    """Multiplies by normal noise of mean 1 and variance rate / (1 - rate) (Srivastava 2014, 10)."""
    rate = ops.minimum(rate, _LARGEST)
    noise = keras.random.normal(ops.shape(inputs), dtype="float32", seed=layer.seed_generator)
    return inputs * ops.cast(1.0 + ops.sqrt(rate / (1.0 - rate)) * noise, inputs.dtype)


def alpha_dropout(layer: Any, inputs: Any, rate: Any) -> Any:
    """Sets elements to SELU's saturation, keeping mean and variance (1706.02515, section 3)."""
    rate = ops.minimum(rounded(rate), _LARGEST)
    keep = keep_mask(_noise_shape(layer, inputs), rate, layer.seed_generator)
    saturation = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
    gain = 1.0 / ops.sqrt((1.0 - rate) * (1.0 + rate * saturation**2))
    offset = -gain * saturation * rate
    dropped = ops.where(keep, inputs, ops.cast(saturation, inputs.dtype))
    return ops.cast(gain, inputs.dtype) * dropped + ops.cast(offset, inputs.dtype)


def _noise_shape(layer: Any, inputs: Any) -> Sequence[Any]:
    sizes = ops.shape(inputs)
    if layer.noise_shape is None:
        return sizes
    return [a if b is None else b for a, b in zip(sizes, layer.noise_shape, strict=True)]


FORMULAS = {
    keras.layers.Dropout.call: dropout,
    keras.layers.SpatialDropout1D.call: spatial_dropout,
    keras.layers.GaussianDropout.call: gaussian_dropout,
    keras.layers.AlphaDropout.call: alpha_dropout,
}
# The classes whose subclasses are dropout layers, whatever their `call` does.
KINDS = (keras.layers.Dropout, keras.layers.GaussianDropout, keras.layers.AlphaDropout)
