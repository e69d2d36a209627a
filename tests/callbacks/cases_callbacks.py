"""Callbacks in stock `fit` of models that are not like ours, on one backend."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
from keras import ops

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "logging"), str(TESTS / "runner")]

from event_parts import points  # noqa: E402
from small import refused  # noqa: E402

from grokkeras.callbacks import (  # noqa: E402
    ExportOnGrokking,
    GrokkingDetector,
    Measures,
    TensorBoardLogger,
)
from grokkeras.keras_compat import counted_noise  # noqa: E402
from grokkeras.models import Transformer  # noqa: E402

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def main():
    return {
        "rare_validation": rare_validation,
        "listed_validation": listed_validation,
        "one_column": one_column,
        "aligned": aligned,
        "values_of_another_model": values_of_another_model,
        "vectors": vectors,
        "two_accuracies": two_accuracies,
        "no_steps": no_steps,
        "export": export,
        "seeds": seeds,
    }


def binary(loss="binary_crossentropy", width=1, **compiled):
    layers = [keras.Input((4,)), keras.layers.Dense(width, activation="sigmoid")]
    model = keras.Sequential(layers)
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss, **compiled)
    return model


def fit(model, callbacks, epochs=3, y=Y, **options):
    options = {"validation_data": (X, y), "verbose": 0, "batch_size": 32} | options
    return model.fit(X, y, epochs=epochs, callbacks=callbacks, **options).history


def curves(folder, split):
    """Points (step, value) by tag."""
    found = {}
    for step, values in points(Path(folder) / "tensorboard", split):
        for tag, value in values.items():
            found.setdefault(tag, []).append((step, value))
    return found


def rare_validation():
    with tempfile.TemporaryDirectory() as folder:
        fit(binary(), [TensorBoardLogger(folder)], 300, validation_freq=10)
        return {
            split: [step for step, _ in curves(folder, split)["loss"]]
            for split in ("train", "validation")
        }


def listed_validation():
    detector = GrokkingDetector("loss", "val_loss", 0.01, 0.01, validation_freq=[2, 3], verbose=0)
    fit(binary(), [detector], 5, validation_freq=[2, 3])
    return detector.detector.last_step


def one_column():
    model, measures = binary(), Measures(train_data=(X, Y))
    history = fit(model, [measures])
    highest = float(np.mean(ops.convert_to_numpy(model(X))))
    return sorted(history), measures.values["logit_scale"], highest


def aligned():
    """`fit` holds labels (n,) against outputs (n, 1) by themselves, not each against all."""
    norms = []
    for loss in ("binary_crossentropy", lambda y, p: ops.square(ops.cast(y, p.dtype) - p)):
        for y in (Y, Y[:, None]):
            keras.utils.set_random_seed(0)
            measures = Measures(["gradient_norm"], train_data=(X, y))
            fit(binary(loss), [measures], 1, y=y)
            norms.append(measures.values["gradient_norm"])
    return norms


def values_of_another_model():
    measures, y = Measures(["effective_rank"], costly_per_decade=1), np.eye(3, dtype="float32")[Y]
    fit(binary("mse", 3), [measures], 1, y=y, validation_data=None)
    first = dict(measures.values)
    model = binary("mse", 3)
    fit(model, [measures], 1, y=y, validation_data=None)
    again = dict(measures.values)
    fit(model, [measures], 1, y=y, validation_data=None)
    return list(first), list(again), measures.values == again


def vectors():
    compiled = {"loss": "categorical_crossentropy", "metrics": [keras.metrics.F1Score()]}
    y = np.eye(3, dtype="float32")[Y]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit(binary(width=3, **compiled), [TensorBoardLogger(folder)], 2, y=y)
        names = list(curves(folder, "train"))
    detector = GrokkingDetector("f1_score", "val_f1_score")
    message = refused(lambda: fit(binary(width=3, **compiled), [detector], 1, y=y))
    return names, [str(each.message) for each in told if "f1_score" in str(each.message)], message


def two_accuracies():
    with tempfile.TemporaryDirectory() as folder:
        model = binary(metrics=["accuracy", keras.metrics.BinaryAccuracy("binary_accuracy")])
        fit(model, [TensorBoardLogger(folder)], 1)
        return sorted(curves(folder, "train"))


def no_steps():
    """Epochs of a model that steps another optimizer than the one it was compiled with."""
    model, detector = binary(metrics=["accuracy"]), GrokkingDetector(verbose=0)
    detector.set_model(model)
    model.optimizer.build(model.trainable_variables)
    logs = {"accuracy": 1.0, "val_accuracy": 0.0}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        detector.on_train_begin()
        for epoch in range(4):
            detector.on_epoch_end(epoch, dict(logs))
    return [str(each.message) for each in told]


class Wrapped(keras.Model):
    """What Keras cannot save: an argument that is no number or text, and no get_config."""

    def __init__(self, dense):
        super().__init__()
        self.dense = dense

    def call(self, x):
        return self.dense(x)


def export():
    def made():
        model = Wrapped(keras.layers.Dense(2))
        model.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(True),
                      metrics=["accuracy"])  # fmt: skip
        return model

    detector = GrokkingDetector(train_threshold=0.01, val_threshold=0.01, patience=1, verbose=0)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        exporter = ExportOnGrokking(folder, inputs=X, detector=detector)
        history = fit(made(), [detector, exporter], 4)
        blind = refused(lambda: fit(made(), [ExportOnGrokking(folder)], 1))
    state = exporter.state_dict()
    said = [str(each.message) for each in told if "exported nothing" in str(each.message)]
    return len(history["loss"]), said, state, blind


def seeds():
    """The largest seed that a configuration may have."""
    seed = 2**32 - 1
    model = Transformer(8, 3, 7, width=8, num_heads=2, mlp_width=8, dropout=0.1, seed=seed)
    answer = model(np.zeros((2, 3), "int32"), training=True)
    noise = [
        ops.convert_to_numpy(counted_noise.normal((4,), key, ops.convert_to_tensor(1))).tolist()
        for key in (seed, 7)
    ]
    return list(answer.shape), noise
