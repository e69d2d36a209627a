"""A stock `fit` of a model that is not ours, exported by the callback at the moment it groks."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import keras
import numpy as np

from grokkeras.callbacks import ExportOnGrokking, GrokkingDetector
from grokkeras.errors import UserError
from grokkeras.export.from_model import rows_of
from grokkeras.export.precision import in_float32
from grokkeras.export.reference import model_logits
from grokkeras.models import Transformer
from grokkeras.models.precision import dtype_policy


def foreign_model(softmax):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,), dtype="int32")
    x = keras.layers.Flatten()(keras.layers.Embedding(7, 8)(inputs))
    x = keras.layers.Dense(32, activation="relu")(x)
    outputs = keras.layers.Dense(7, activation="softmax" if softmax else None)(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.AdamW(0.02),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=not softmax),
        metrics=["accuracy"],
    )
    return model


def fitted(folder, **options):
    """Trains on all of a table, so that validation comes with training, and exports."""
    x = np.array([[a, b] for a in range(7) for b in range(7)], "int32")
    y = x.sum(axis=1) % 7
    model = foreign_model(options.pop("softmax", False))
    detector = GrokkingDetector(verbose=0, patience=2, stop_after_grokking=0)
    export = ExportOnGrokking(folder, "mine", inputs=x, detector=detector, **options)
    model.fit(
        x, y, batch_size=49, epochs=400, verbose=0, validation_data=(x, y),
        callbacks=[detector, export],
    )  # fmt: skip
    return detector, export


def case_callback():
    with tempfile.TemporaryDirectory() as folder:
        detector, export = fitted(Path(folder), softmax=True, from_logits=False)
        exported = export.exported
        card = json.loads((exported.path / "assets.extra" / "grokkeras.json").read_text())
        return {
            "grokked": detector.grokking_step,
            "manifest": exported.manifest,
            "parity": exported.parity,
            "path": str(exported.path.relative_to(folder)),
            "card": card,
            "left": sorted(path.name for path in Path(folder).iterdir()),
        }


def case_ungrokked_and_failing():
    """Nothing is exported before grokking, and a failure does not end the training."""
    import warnings

    import grokkeras.callbacks.export_on_grokking as module

    x = np.zeros((4, 2), "int32")
    model = foreign_model(False)
    export = ExportOnGrokking("nowhere", "mine", inputs=x)
    model.fit(x, x[:, 0], epochs=3, verbose=0, validation_data=(x, x[:, 0] + 1), callbacks=[export])
    before = (export.exported, Path("nowhere").exists())

    def fails(*arguments, **options):
        raise UserError("no room")

    kept, module.export_keras_model = module.export_keras_model, fails
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            detector, export = fitted(Path("nowhere"))
    finally:
        module.export_keras_model = kept
    said = [str(each.message) for each in caught if "ExportOnGrokking" in str(each.message)]
    return {"before": before, "said": said, "steps": detector.detector.last_step}


def case_inputs():
    """A model of this package knows its rows; another must be given some, before training."""
    model = Transformer(
        vocab_size=6, length=3, num_classes=5, token_ranges=[[0, 5], [1, 4], [5, 1]],
        width=8, num_heads=2, mlp_width=8,
    )  # fmt: skip
    rows = rows_of(model)
    large = rows_of(
        Transformer(vocab_size=400, length=4, num_classes=5, width=8, num_heads=2, mlp_width=8)
    )
    x = np.zeros((2, 2), "int32")
    try:
        foreign_model(False).fit(x, x[:, 0], verbose=0, callbacks=[ExportOnGrokking()])
    except UserError as error:
        refused = str(error)
    return {
        "rows": rows.tolist(),
        "large": [large.shape, large.min(0).tolist(), large.max(0).tolist()],
        "refused": refused,
    }


def case_half_precision():
    """Rebuilt in float32: the same weights, logits as near as half precision comes."""
    x = np.array([[a, b] for a in range(7) for b in range(7)], "int32")
    found = {}
    for policy in ("float32", "bfloat16", "mixed_float16"):
        with dtype_policy(policy):
            models = {
                "foreign": foreign_model(False),
                "ours": Transformer(7, 2, 7, width=16, num_heads=2, mlp_width=16, layer_norm="pre"),
            }
        for name, model in models.items():
            rebuilt, replaced = in_float32(model)
            found[f"{policy} {name}"] = {
                "replaced": replaced,
                "same": rebuilt is model,
                "dtypes": sorted({str(each.compute_dtype) for each in rebuilt.layers}),
                "weights": all(
                    np.array_equal(*(keras.ops.convert_to_numpy(keras.ops.cast(w, "float32"))
                                     for w in pair))
                    for pair in zip(rebuilt.weights, model.weights, strict=True)
                ),
                "apart": float(np.abs(model_logits(rebuilt, x) - model_logits(model, x)).max()),
            }  # fmt: skip
    return found


def main():
    return {
        "callback": case_callback,
        "ungrokked": case_ungrokked_and_failing,
        "inputs": case_inputs,
        "half precision": case_half_precision,
    }
