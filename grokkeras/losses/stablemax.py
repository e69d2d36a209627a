"""Cross-entropy with StableMax in the place of softmax (Prieto et al. 2025, 2501.04697, section 4).

Softmax weighs a logit by exp(z), so a memorised example's other classes soon round to nothing
beside the answer's, and its gradient with them. StableMax weighs it by

    s(z) = z + 1 for z >= 0, 1 / (1 - z) for z < 0,

which grows slowly: the loss falls as a power of the logits, never to exactly 0, and grokking needs
no weight decay to keep them small.

    model.compile(optimizer, loss=StableMaxCrossentropy())
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from grokkeras.losses.classification import ClassificationLoss, is_answer


@keras.saving.register_keras_serializable(package="grokkeras")
class StableMaxCrossentropy(ClassificationLoss):
    """-log(s(z of the label) / sum of s(z)), of logits z and integer labels.

    The paper computes it in float64. Here it is log1p(sum of the others' s / the label's s), which
    keeps small losses in float32 too.

    Args:
        dtype: precision in which it is computed, `float32` or `float64`.
        name: as for every Keras loss.
        kwargs: as for every Keras loss.

    Call arguments:
        y_true: (batch,) or (batch, 1) integers.
        y_pred: (batch, classes) logits.

    Returns:
        The mean over the batch; `call` gives (batch,).
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = ops.cast(y_pred, self.compute_in)
        answer = is_answer(y_true, logits)
        shares = stable_weight(logits)
        nothing = ops.zeros((), self.compute_in)
        right = ops.sum(ops.where(answer, shares, nothing), axis=-1)
        wrong = ops.sum(ops.where(answer, nothing, shares), axis=-1)
        return ops.log1p(wrong / right)


def stable_weight(logits: Any) -> Any:
    """s(z) of each logit, above 0; its derivative at 0 is 1 from both sides."""
    zero = ops.zeros((), logits.dtype)
    above = logits >= 0
    # One of the two is 0, so neither branch can divide by 0 and spoil the other's gradient.
    return (1 + ops.where(above, logits, zero)) / (1 - ops.where(above, zero, logits))
