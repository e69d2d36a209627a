"""All the parts at once, under stock `fit`, on a model that is none of ours.

    KERAS_BACKEND=jax python examples/third_party_model.py

What it shows: a subclassed Keras model as anybody might have written it, with dropout in three
places (inside `MultiHeadAttention`, in a layer of its own, in the model). Unchanged, it is trained
in stock `fit` with `Grokfast` around AdamW, a weight decay that rises when the model has memorized
(`WeightDecayScheduler`), a dropout that fades out (`DropoutScheduler`) and a `GrokkingDetector`,
whose events the weight decay follows. It learns a + b mod 23 from 80 % of all pairs.
Outcome to expect: it memorizes at step 240 and groks at 720 on JAX, at 250 and 520 on TensorFlow,
at 250 and 580 on PyTorch, in some 15 to 30 seconds. Backends draw other weights and masks.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Arrays this small gain nothing from threads; on a busy machine PyTorch loses a factor of five.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np

from grokkeras import schedules
from grokkeras.callbacks import DropoutScheduler, GrokkingDetector, WeightDecayScheduler
from grokkeras.optimizers import Grokfast

MODULUS = 23
STEPS_PER_EPOCH = 10


class FeedForward(keras.layers.Layer):
    """A layer with layers inside, dropout among them."""

    def __init__(self, units: int, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.expand = keras.layers.Dense(units, activation="relu")
        self.drop = keras.layers.Dropout(rate)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.drop(self.expand(x), training=training)


class PairClassifier(keras.Model):
    """Two tokens attend to each other, and a network reads both."""

    def __init__(self, num_tokens: int, num_classes: int, rate: float) -> None:
        super().__init__()
        self.embed = keras.layers.Embedding(2 * num_tokens, 64)
        self.attend = keras.layers.MultiHeadAttention(2, 32, dropout=rate)
        self.flatten = keras.layers.Flatten()
        self.read = FeedForward(256, rate)
        self.drop = keras.layers.Dropout(rate)
        self.head = keras.layers.Dense(num_classes)

    def call(self, tokens: Any, training: bool = False) -> Any:
        x = self.embed(tokens)
        x = self.flatten(x + self.attend(x, x, training=training))
        return self.head(self.drop(self.read(x, training=training), training=training))


def main(epochs: int = 300) -> tuple[GrokkingDetector, dict[str, list[float]]]:
    """Trains until 200 steps past grokking, and says what happened.

    Args:
        epochs: at most so many, of ten steps each.

    Returns:
        The detector, and the history of `fit`.
    """
    keras.utils.set_random_seed(0)
    a, b = np.divmod(np.arange(MODULUS**2), MODULUS)
    x, y = np.stack([a, b + MODULUS], axis=1).astype("int32"), (a + b) % MODULUS
    order = np.random.default_rng(0).permutation(len(x))
    train, val = np.split(order, [int(0.8 * len(x))])

    model = PairClassifier(MODULUS, MODULUS, rate=0.1)
    model.compile(
        optimizer=Grokfast(keras.optimizers.AdamW(0.003, weight_decay=0.0), lamb=0.5),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    detector = GrokkingDetector(stop_after_grokking=200, min_delay=100)
    decay = schedules.OnEvent("memorization", before=0.2, after=schedules.WarmUp(50, 2.0, 0.2))
    dropout = DropoutScheduler(schedules.Linear(0.3, 0.0, steps=500))
    # An epoch is an evaluation: ten full-batch steps, the training set repeated ten times.
    history = model.fit(
        np.tile(x[train], (STEPS_PER_EPOCH, 1)),
        np.tile(y[train], STEPS_PER_EPOCH),
        batch_size=len(train),
        shuffle=False,
        validation_data=(x[val], y[val]),
        validation_batch_size=len(val),
        epochs=epochs,
        verbose=0,
        callbacks=[detector, WeightDecayScheduler(decay), dropout],
    ).history

    print(f"backend {keras.backend.backend()}: phase {detector.phase}, stage {detector.stage}")
    print(f"memorized at {detector.memorization_step}, grokked at {detector.grokking_step}")
    print(dropout.annealed)
    print("   step  train  validation  weight decay  dropout")
    for epoch in sorted({min(round(10 ** (k / 4)), len(history["loss"])) for k in range(12)}):
        values = {key: entries[epoch - 1] for key, entries in history.items()}
        print(
            f"{epoch * STEPS_PER_EPOCH:7,}{values['accuracy']:7.2f}{values['val_accuracy']:12.2f}"
            f"{values['weight_decay']:14.3f}{values['dropout_rate']:9.3f}"
        )
    return detector, history


if __name__ == "__main__":
    main()
