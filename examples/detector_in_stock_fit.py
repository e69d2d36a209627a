"""Watch a stock Keras model grok under stock `fit`, on any backend.

    KERAS_BACKEND=jax python examples/detector_in_stock_fit.py

What it shows: `GrokkingDetector` on a two-layer network that is none of ours, for people who have a
Keras project already. The network learns a + b mod 23 from 70 % of all pairs: it knows its training
pairs by heart within some 100 steps, and the others only some thousand steps later.
Outcome to expect: the phase `grokking`, memorized by step 70 or 80, grokked between 1,500 and
1,800. On two cores it takes 7 seconds on JAX, 17 on PyTorch, 25 on TensorFlow.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Arrays this small gain nothing from threads; on a busy machine PyTorch loses a factor of five.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np

from grokkeras.callbacks import GrokkingDetector

MODULUS = 23
STEPS_PER_EPOCH = 10


def pairs_and_sums() -> tuple[np.ndarray, np.ndarray]:
    """All pairs as two one-hots side by side, (529, 46), and their sums, (529,)."""
    a, b = np.divmod(np.arange(MODULUS**2), MODULUS)
    one_hot = np.eye(MODULUS, dtype="float32")
    return np.concatenate([one_hot[a], one_hot[b]], axis=1), (a + b) % MODULUS


def main() -> None:
    """Trains until 200 steps past grokking, and says what happened."""
    keras.utils.set_random_seed(0)
    x, y = pairs_and_sums()
    order = np.random.default_rng(0).permutation(len(x))
    train, val = np.split(order, [int(0.7 * len(x))])

    model = keras.Sequential(
        [
            keras.Input((2 * MODULUS,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(MODULUS),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(0.003, weight_decay=1.0, beta_2=0.98),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    detector = GrokkingDetector(stop_after_grokking=200, train_data=(x[train], y[train]))
    # An epoch is an evaluation, and that costs more than a step of so small a model: ten full-batch
    # steps an epoch, the training set repeated ten times.
    model.fit(
        np.tile(x[train], (STEPS_PER_EPOCH, 1)),
        np.tile(y[train], STEPS_PER_EPOCH),
        batch_size=len(train),
        shuffle=False,
        validation_data=(x[val], y[val]),
        validation_batch_size=len(val),
        epochs=600,
        verbose=0,
        callbacks=[detector],
    )

    print(f"backend {keras.backend.backend()}: phase {detector.phase}, stage {detector.stage}")
    print(
        f"memorized at {detector.memorization_step}, grokked at {detector.grokking_step}, "
        f"delay {detector.delay_steps} steps, stable: {detector.stable}"
    )
    jump = detector.sharpness()
    if jump:
        print(
            f"the jump is centred at step {jump.center_step:.0f}, {jump.width_decades:.2f} decades "
            f"wide (r2 {jump.r_squared:.3f})"
        )


if __name__ == "__main__":
    main()
