"""Pictures and embeddings of runs, in a process whose Keras runs on one of the backends."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

import keras
import numpy as np
from small import small_config

import grokkeras
from grokkeras.keras_compat.compiled import compiled
from grokkeras.logging.event_files import read_events
from grokkeras.models import MLP, Transformer
from grokkeras.models.inside import look_inside
from grokkeras.runner.build import build_run
from grokkeras.runner.picturing import Picturing
from grokkeras.tasks import make_task

CONFIG = functools.partial(small_config, keras.backend.backend())
TRANSFORMER = {"name": "transformer", "width": 16, "num_heads": 2, "mlp_width": 24}
TOKENS = {"length": 4, "vocab_size": 13, "token_ranges": [(0, 11), (12, 1), (0, 11), (11, 1)]}


def array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def seen_in(model, x):
    seen = compiled(model, lambda inputs: look_inside(model, inputs))(x)
    return {kind: {k: array(v) for k, v in named.items()} for kind, named in seen.items()}


def some_tokens():
    a, b = np.random.default_rng(0).integers(0, 11, (2, 9))
    return np.stack([a, 0 * a + 12, b, 0 * a + 11], axis=1).astype("int32")


def inside_is_what_the_model_answers_with():
    """The logits at its end are the model's own, whatever its options."""
    x = some_tokens()
    for options in (
        {"num_layers": 1},
        {"num_layers": 2, "layer_norm": "pre", "biases": "all", "causal": False},
        {"num_layers": 2, "layer_norm": "post", "tied_head": True},
        {"num_layers": 1, "residual": False, "activation": "gelu", "dropout": 0.5},
    ):
        model = Transformer(
            num_classes=11, width=16, num_heads=2, mlp_width=24, **TOKENS, **options
        )
        seen = seen_in(model, x)
        np.testing.assert_allclose(
            seen["answers"]["logits"], array(compiled(model, model)(x)), atol=1e-5
        )
        blocks = [f"block_{place}" for place in range(options["num_layers"])]
        assert list(seen["attention"]) == list(seen["neurons"]) == blocks
        for name in blocks:
            assert seen["attention"][name].shape == (9, 2, 4)
            np.testing.assert_allclose(seen["attention"][name].sum(-1), 1, rtol=1e-5)
            assert seen["neurons"][name].shape == (9, 24)
    for options in ({"num_layers": 2}, {"encoding": "embedding", "combine": "sum"}):
        model = MLP(num_classes=11, width=16, **TOKENS, **options)
        seen = seen_in(model, x)
        np.testing.assert_allclose(
            seen["answers"]["logits"], array(compiled(model, model)(x)), atol=1e-5
        )
        assert list(seen["neurons"]) == [layer.name for layer in model.hidden]
        assert seen["attention"] == {}


def inside_by_hand():
    """Attention and neurons of one block, computed anew from its weights."""
    model = Transformer(num_classes=11, width=16, num_heads=2, mlp_width=24, **TOKENS)
    x = some_tokens()
    seen = seen_in(model, x)
    weights = {variable.path.split("/", 1)[-1]: array(variable) for variable in model.variables}

    def named(end):
        (found,) = [weight for path, weight in weights.items() if path.endswith(end)]
        return found.astype(np.float64)

    embedded = named("token_embedding")[x] + named("position_embedding")
    query = (embedded[:, -1] @ named("query/kernel")).reshape(9, 2, 8)
    keys, values = (
        (embedded @ named(f"{name}/kernel")).reshape(9, 4, 2, 8) for name in ("key", "value")
    )
    scores = np.exp(np.einsum("bhc,blhc->bhl", query, keys) / np.sqrt(8))
    shares = scores / scores.sum(-1, keepdims=True)
    np.testing.assert_allclose(seen["attention"]["block_0"], shares, atol=1e-5)
    mixed = np.einsum("bhl,blhc->bhc", shares, values).reshape(9, 16)
    stream = embedded[:, -1] + mixed @ named("project/kernel")
    hidden = np.maximum(stream @ named("expand/kernel") + named("expand/bias"), 0)
    np.testing.assert_allclose(seen["neurons"]["block_0"], hidden, atol=1e-5)


def weights_of_the_moment():
    """A compiled look does not keep the weights that it was first called with."""
    model = MLP(num_classes=11, width=16, **TOKENS)
    look = compiled(model, lambda inputs: look_inside(model, inputs))
    before = array(look(some_tokens())["answers"]["logits"])
    model.set_weights([0 * weight for weight in model.get_weights()])
    after = array(look(some_tokens())["answers"]["logits"])
    assert np.abs(before).max() > 0
    assert np.abs(after).max() == 0


def tags(task, model):
    config = CONFIG(task=task, model=model)
    data = make_task(config.task, 0)
    program, _ = build_run(config, data)
    paths = [variable.path for variable in program.model.trainable_variables]
    drawn = Picturing(config, data, program).pictures(
        dict(zip(paths, program.weights(), strict=True))
    )
    shapes = {tag.removeprefix("network/"): each.levels.shape for tag, each in drawn.items()}
    return sorted(shapes), shapes


def what_each_task_has():
    cyclic = {"name": "modular_arithmetic", "operation": "add", "modulus": 11}
    found, shapes = tags(cyclic, TRANSFORMER)
    assert found == ["attention/block_0", "confusion", "embedding", "neurons/block_0"]
    assert shapes["embedding"] == (10, 16)
    assert shapes["attention/block_0"] == (11, 2 * 11 + 2)
    assert shapes["neurons/block_0"] == (3 * 11 + 4, 3 * 11 + 4)
    assert shapes["confusion"] == (11, 11)
    # Multiplication: only residues other than 0 are of the group.
    product = {**cyclic, "operation": "multiply"}
    found, shapes = tags(product, {"name": "mlp", "width": 16})
    assert found == ["confusion", "embedding", "neurons/hidden_0"]
    assert shapes["neurons/hidden_0"] == (3 * 10 + 4, 3 * 10 + 4)
    # No group is known, but there are two operands; of many, 64 are shown.
    other = {**cyclic, "operation": "x3+xy", "modulus": 71, "format": "a op b ="}
    found, shapes = tags(other, {"name": "mlp", "width": 4})
    assert found == ["confusion", "neurons/hidden_0"]
    assert shapes["neurons/hidden_0"] == (2 * 64 + 2, 2 * 64 + 2)
    found, shapes = tags({"name": "symmetric_group", "degree": 4}, TRANSFORMER)
    assert found == ["attention/block_0", "confusion", "neurons/block_0"]
    # No operands: the mean attention of each position.
    parity = {"name": "sparse_parity", "num_bits": 7, "num_relevant": 2, "num_examples": 100}
    found, shapes = tags(parity, TRANSFORMER)
    assert found == ["attention/block_0", "confusion"]
    assert shapes == {"attention/block_0": (2, shapes["attention/block_0"][1]), "confusion": (2, 2)}
    found, _ = tags(parity, {"name": "mlp", "encoding": "signed", "width": 8})
    assert found == ["confusion"]
    # Too many classes for a picture.
    found, _ = tags({**cyclic, "modulus": 131}, {"name": "mlp", "width": 4})
    assert found == ["embedding", "neurons/hidden_0"]


def images_of(run):
    found = {}
    for path in sorted((run / "tensorboard" / "train").glob("*tfevents*")):
        for event in read_events(path):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "images":
                    assert value.metadata.summary_description
                    found.setdefault(value.tag, []).append(event.step)
    return found


def a_run(out):
    settings = {"log__tensorboard": True, "train__max_steps": 45}
    grokkeras.run(CONFIG(log__images=True, **settings), out=out)
    steps = [1, 2, 3, 4, 6, 10, 16, 25, 40, 45]  # five a decade, and the end
    tags = ("network/embedding", "network/neurons/hidden_0", "network/confusion")
    assert images_of(out) == dict.fromkeys(tags, steps)

    # Drawing changes nothing of the run.
    plain = out.with_name("plain")
    grokkeras.run(CONFIG(**settings), out=plain)
    assert images_of(plain) == {}
    lines = [(run / "metrics.jsonl").read_text().splitlines() for run in (out, plain)]
    drawn, undrawn = (
        [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in each]
        for each in lines
    )
    assert drawn == undrawn

    # The projector shows the best weights: those of model.keras.
    board = out / "tensorboard" / "train"
    assert "embedding at its best" in (board / "projector_config.pbtxt").read_text()
    written = np.loadtxt(board / "projector" / "best.tsv")
    model = grokkeras.load(out)
    (embedding,) = [array(v) for v in model.trainable_variables if "embedding" in v.path]
    np.testing.assert_allclose(written, embedding[:11], rtol=1e-4, atol=1e-6)
    labels = (board / "projector" / "labels.tsv").read_text().splitlines()
    names = [line.split("\t")[0] for line in labels if not line.startswith("token")]
    assert names == [str(number) for number in range(11)]


def main(*names):
    cases = {
        function.__name__.replace("_", " "): function
        for function in (
            inside_is_what_the_model_answers_with,
            inside_by_hand,
            weights_of_the_moment,
            what_each_task_has,
        )
    }

    def run_case():
        with tempfile.TemporaryDirectory() as folder:
            a_run(Path(folder) / "run")

    cases["a run"] = run_case
    return {name: cases[name] for name in names or cases}
