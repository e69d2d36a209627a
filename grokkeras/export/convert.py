"""The process on the TensorFlow backend: `python -m grokkeras.export.convert JOB.json`.

It loads `model.keras` (in safe mode, which runs no code from the file), rebuilds it in float32 if
it was trained in half precision, writes the SavedModel, its ONNX twin and the card, and holds all
three against the training backend's logits.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from grokkeras.export.circle import counting_order, embedding_circle, embedding_of
from grokkeras.export.job import MODEL_FILE, REFERENCE_FILE, Job
from grokkeras.export.parity import TIE, compare
from grokkeras.export.precision import in_float32
from grokkeras.export.reference import BATCH, model_logits
from grokkeras.strict_json import dumps

EXTRA = "assets.extra"
OUTPUTS = ("logits", "class", "probability")
_OPSET = 18


def main(path: str) -> None:
    """Runs the job's second half."""
    job = Job.read(path)
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    for name in job.imports:
        importlib.import_module(name)
    model, policy = in_float32(keras.saving.load_model(job.scratch / MODEL_FILE, compile=False))
    with np.load(job.scratch / REFERENCE_FILE) as held:
        x, reference = held["x"], held["logits"]

    endpoints = make_endpoints(model, job)
    folder = job.version_folder
    write_saved_model(model, endpoints, folder)
    extra = folder / EXTRA
    extra.mkdir()
    write_onnx(endpoints["serving_default"], extra / "model.onnx")
    write_card(job, model, extra)
    write_signatures(folder)

    forms = {
        "keras": model_logits(model, x, job.from_logits),
        "saved_model": saved_model_outputs(folder, job.card["input"]["name"], x),
        "onnx": onnx_outputs(extra / "model.onnx", x),
    }
    report = {
        "backend": job.backend,
        "inputs": len(x),
        "tie": TIE,
        "rebuilt_from": policy,
        **{form: _against(reference, outputs) for form, outputs in forms.items()},
    }
    (folder / "parity.json").write_text(dumps(report, indent=2) + "\n", encoding="utf-8")


def make_endpoints(model: Any, job: Job) -> dict[str, Any]:
    """The functions that are exported: a dict of outputs each, a row of it for a row of input."""
    import tensorflow as tf

    dtype = {"INT32": tf.int32, "FP32": tf.float32}[job.card["input"]["datatype"]]
    spec = tf.TensorSpec((None, job.card["input"]["length"]), dtype, name=job.card["input"]["name"])

    def logits_of(rows: Any) -> Any:
        out = tf.cast(model(rows, training=False), tf.float32)
        return out if job.from_logits else tf.math.log(out)

    def answer(rows: Any) -> dict[str, Any]:
        logits = logits_of(rows)
        best = tf.argmax(logits, axis=-1, output_type=tf.int32)
        probability = tf.reduce_max(tf.nn.softmax(logits), axis=-1)
        return dict(zip(OUTPUTS, (logits, best, probability), strict=True))

    def classify(rows: Any) -> dict[str, Any]:
        return {"class": tf.argmax(logits_of(rows), axis=-1, output_type=tf.int32)}

    return {
        name: tf.function(function, input_signature=[spec])
        for name, function in (("serving_default", answer), ("class", classify))
    }


def write_saved_model(model: Any, endpoints: dict[str, Any], folder: Path) -> None:
    """Writes the SavedModel with one signature an endpoint."""
    import keras

    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, endpoint in endpoints.items():
        archive.add_endpoint(name, endpoint)
    archive.write_out(folder, verbose=False)


def write_onnx(endpoint: Any, path: Path) -> None:
    """Writes the ONNX twin of an endpoint; the converter names its outputs by the keys."""
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(
        endpoint, input_signature=endpoint.input_signature, opset=_OPSET
    )
    path.write_bytes(proto.SerializeToString())


def write_card(job: Job, model: Any, extra: Path) -> None:
    """Writes the task's card and the classes' names, one a line."""
    card = dict(job.card)
    if job.modulus_operation is not None:
        operation, modulus = job.modulus_operation
        embedding = embedding_of(model, modulus)
        if embedding is not None:
            card["circle"] = embedding_circle(embedding, counting_order(operation, modulus))
    (extra / "grokkeras.json").write_text(dumps(card) + "\n", encoding="utf-8")
    labels = card["labels"] or range(card["num_classes"])
    (extra / "labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")


def write_signatures(folder: Path) -> None:
    """Writes the SavedModel's signatures as TensorFlow Serving's metadata shows them."""
    from google.protobuf.json_format import MessageToDict
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    signatures = {
        name: MessageToDict(
            signature, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for name, signature in saved.meta_graphs[0].signature_def.items()
        if not name.startswith("__")
    }
    path = folder / EXTRA / "signatures.json"
    path.write_text(dumps(signatures, indent=1) + "\n", encoding="utf-8")


def saved_model_outputs(folder: Path, input_name: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """What the SavedModel's default signature answers to each row."""
    import tensorflow as tf

    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    parts = [signature(**{input_name: tf.constant(rows)}) for rows in _batches(x)]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in OUTPUTS}


def onnx_outputs(path: Path, x: np.ndarray) -> dict[str, np.ndarray]:
    """What the ONNX twin answers to each row."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [session.run(list(OUTPUTS), {name: rows}) for rows in _batches(x)]
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return dict(zip(OUTPUTS, joined, strict=True))


def _batches(x: np.ndarray) -> list[np.ndarray]:
    # One row alone first: the batch size must be free at 1 too.
    return [x[:1], *(x[start : start + BATCH] for start in range(1, len(x), BATCH))]


def _against(reference: np.ndarray, outputs: Any) -> dict[str, Any]:
    if isinstance(outputs, np.ndarray):
        return compare(reference, outputs)
    logits = outputs["logits"]
    sound = np.isfinite(logits).all(axis=1)
    agrees = outputs["class"] == logits.argmax(axis=1)
    return {
        **compare(reference, logits),
        "class_is_argmax": bool(agrees[sound].all()),
        "probability_difference": float(
            np.abs(outputs["probability"] - _best_probability(logits))[sound].max(initial=0.0)
        ),
    }


def _best_probability(logits: np.ndarray) -> np.ndarray:
    wide = logits.astype(np.float64)
    scaled = np.exp(wide - wide.max(axis=1, keepdims=True))
    return scaled.max(axis=1) / scaled.sum(axis=1)


if __name__ == "__main__":
    main(sys.argv[1])
