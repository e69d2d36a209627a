"""`grokkeras export` on a run folder: refused until it may, then published, served and right."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import BACKENDS, REPO, run_on_backend

from grokkeras.cli import program
from grokkeras.serving.card import OUTPUTS
from grokkeras.serving.version import load_engine

# Whatever it has learnt after so few steps, a wrong answer is as good as a right one to compare.
TRAIN = """
import grokkeras
grokkeras.run(
    "quickstart",
    {{
        "task.modulus": 7, "model.width": 16, "model.num_heads": 2, "model.mlp_width": 16,
        "train.max_steps": 40, "log.tensorboard": False, "backend": {backend!r},
        "train.dtype": {dtype!r},
    }},
    out={out!r},
)
"""


def export(*arguments):
    return CliRunner().invoke(program, ["export", *map(str, arguments)], prog_name="grokkeras")


SLOWER = [(backend, "float32", 1e-5) for backend in BACKENDS if backend != "jax"] + [
    ("jax", "bfloat16", 0.05),
    ("tensorflow", "mixed_bfloat16", 0.05),
    ("torch", "mixed_float16", 0.01),
]


@pytest.mark.parametrize(
    ("backend", "dtype", "tolerance"),
    [("jax", "float32", 1e-5), *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOWER)],
)
def test_a_run_of_every_backend_is_exported_and_agrees(tmp_path, backend, dtype, tolerance):
    run, out = tmp_path / "run", tmp_path / "saved"
    run_on_backend(backend, TRAIN.format(backend=backend, dtype=dtype, out=str(run)))

    refused = export(run, "--out", out)
    assert refused.exit_code == 2
    assert "has not grokked" in refused.output
    assert "--allow-ungrokked" in refused.output
    assert not out.exists()

    done = export(run, "--out", out, "--name", "seven", "--allow-ungrokked")
    assert done.exit_code == 0, done.output
    version = out / "seven" / "1"
    parity = json.loads((version / "parity.json").read_text())
    assert (parity["backend"], parity["inputs"]) == (backend, 49)
    for form in ("keras", "saved_model", "onnx"):
        assert parity[form]["argmax_agreement"] == 1.0
        assert parity[form]["largest_difference"] < tolerance
    assert parity["rebuilt_from"] == (None if dtype == "float32" else dtype)
    manifest = json.loads((version / "manifest.json").read_text())
    summary = json.loads((run / "summary.json").read_text())
    assert manifest["test_accuracy"] == summary["best"]["test_accuracy"]
    assert manifest["best_step"] == summary["best"]["step"]
    assert (manifest["run"], manifest["has_grokked"]) == ("run", False)
    assert manifest["phase"] == summary["phase"]
    assert manifest["config"]["backend"] == backend

    # What the server computes is what the user's own model computes.
    card, _, engine = load_engine(version, "onnx")
    rows = np.array([[a, b, 7] for a in range(7) for b in range(7)], np.int32)
    found = engine.run(rows, OUTPUTS)
    code = f"""
    import grokkeras, json, numpy
    model = grokkeras.load({str(run)!r})
    import keras
    logits = keras.ops.cast(model(numpy.array({rows.tolist()})), "float32")
    print(json.dumps(keras.ops.convert_to_numpy(logits).tolist()))
    """
    logits = np.array(json.loads(run_on_backend(backend, code).splitlines()[-1]))
    assert np.allclose(found["logits"], logits, atol=max(tolerance, 1e-4))
    assert found["class"].tolist() == logits.argmax(axis=1).tolist()
    assert card.formula == "a + b mod 7"

    taken = export(run, "--out", out, "--name", "seven", "--allow-ungrokked", "--version", "1")
    assert taken.exit_code == 2
    assert "is there already" in taken.output
    assert sorted(path.name for path in out.iterdir()) == ["seven"]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_callback_exports_from_our_own_loop(tmp_path, dtype):
    """Which knows a model's rows by itself; the thresholds are met soon."""
    code = f"""
    import grokkeras
    from grokkeras.callbacks import ExportOnGrokking, GrokkingDetector
    detector = GrokkingDetector(
        train_threshold=0.01, val_threshold=0.01, collapse_threshold=0, patience=1, verbose=0
    )
    export = ExportOnGrokking({str(tmp_path / "saved")!r}, "early", detector=detector)
    grokkeras.run(
        "quickstart",
        {{
            "task.modulus": 7, "model.width": 16, "model.num_heads": 2, "model.mlp_width": 16,
            "train.max_steps": 200, "optimizer.learning_rate": 0.01, "backend": "torch",
            "train.dtype": {dtype!r}, "log.tensorboard": False,
        }},
        out={str(tmp_path / "run")!r},
        callbacks=[detector, export],
    )
    parity = export.exported.parity
    assert parity["inputs"] == 49, parity
    assert parity["onnx"]["mismatches"] == 0, parity
    assert export.exported.manifest["grokking_step"] == detector.grokking_step
    """
    run_on_backend("torch", code)
    card, _, engine = load_engine(tmp_path / "saved" / "early" / "1", "onnx")
    assert (card.length, card.num_classes) == (3, 7)
    assert engine.run(np.array([[1, 2, 7]], np.int32), ("class",))["class"].shape == (1,)


@pytest.mark.slow
def test_tensorflow_serves_the_same_answers_from_the_saved_model(tmp_path):
    """In a process of its own, since TensorFlow would stay in this one."""
    code = """
import itertools, sys
import numpy as np
from pathlib import Path
from grokkeras.serving.card import OUTPUTS
from grokkeras.serving.version import load_engine
version = Path("saved_models/quickstart/1")
rows = np.array([[a, b, 97] for a, b in itertools.product(range(97), repeat=2)], np.int32)
answers = {}
for name in ("onnx", "tensorflow"):
    engine = load_engine(version, name)[2]
    answers[name] = engine.run(rows, OUTPUTS)
    assert engine.run(rows[:1], ("class",))["class"].tolist() == [0]
assert np.abs(answers["onnx"]["logits"] - answers["tensorflow"]["logits"]).max() < 1e-3
assert (answers["onnx"]["class"] == answers["tensorflow"]["class"]).all()
assert (answers["tensorflow"]["class"] == rows[:, :2].sum(axis=1) % 97).all()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO, timeout=300)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "There is no folder nosuch"),
        ([str(REPO / "docs")], "holds no run"),
    ],
)
def test_what_is_no_run_is_refused(arguments, said):
    result = export(*arguments)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 101, "a b"])
def test_a_name_that_is_no_name_is_refused(name):
    from grokkeras.errors import UserError
    from grokkeras.export.publish import check_name

    with pytest.raises(UserError, match="--name"):
        check_name(name)
