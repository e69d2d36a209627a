"""Initial weights and transfer on one backend."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
from initial_cases import draws, foreign, init_refusals, models
from transfer_parts import RANGES, numbers, refused

from grokkeras.config import load_config
from grokkeras.models import MLP, Transformer
from grokkeras.runner import resume, run
from grokkeras.runner.build import build_program
from grokkeras.transfer import transfer

TESTS = Path(__file__).resolve().parent.parent

sys.path.append(str(TESTS / "runner"))

BACKEND = keras.backend.backend()

TOKENS = np.array([[1, 2, 7], [0, 6, 7], [5, 5, 7]], "int32")


def main(folder):
    place = Path(folder) / BACKEND
    return {
        "draws": draws,
        "models": models,
        "foreign": lambda: foreign(place),
        "init_refusals": init_refusals,
        "twenty_steps": twenty_steps,
        "same_shape": same_shape,
        "widths": widths,
        "kinds": kinds,
        "keras_models": keras_models,
        "refusals": lambda: refusals(place),
        "runs": lambda: runs(place),
    }


def twenty_steps():
    """Training losses from each start, the same on every backend."""
    found = {}
    for init in ("orthogonal", "small", "sparse"):
        model = {"name": "mlp", "width": 24, "init": init}
        found[init] = build_program(config(model=model)).run(20).tolist()
    return found


def config(**sections):
    base = {
        "name": "small",
        "seed": 1,
        "backend": BACKEND,
        "task": {"name": "modular_arithmetic", "operation": "add", "modulus": 11},
        "model": {"name": "mlp", "width": 16, "encoding": "embedding", "embedding_width": 8},
        "optimizer": {"name": "adamw", "learning_rate": 0.01},
        "train": {"max_steps": 30, "checkpoint_every": 10},
        "log": {"tensorboard": False},
    }
    return load_config({**base, **sections})


def transformer(**options):
    return Transformer(8, 3, 7, RANGES, **{"width": 8, "mlp_width": 12, **options})


def values_of(model):
    return {w.path: numbers(w) for w in model.weights}


def same_shape():
    """All weights, by name; then some."""
    source, target = transformer(seed=1), transformer(seed=2)
    everything = transfer(target, source)
    equal = values_of(target).keys() == values_of(source).keys() and all(
        np.array_equal(value, values_of(source)[name]) for name, value in values_of(target).items()
    )
    other = transformer(seed=3, num_layers=2, biases="all")
    before = values_of(other)
    part = transfer(other, source, what=["block_*/attention/*", "head/kernel"])
    after, wanted = values_of(other), values_of(source)
    changed = sorted(name for name in after if not np.array_equal(after[name], before[name]))
    return {
        "equal": equal,
        "taken": len(everything.taken),
        "rest": [len(everything.left), len(everything.unused)],
        "changed": changed,
        "as_it_was": all(np.array_equal(after[name], wanted[name]) for name in changed),
        "listing": part.to_dict(),
        "text": str(part),
    }


def widths():
    """An embedding at another width, by projection and by overlap; and all the rest by overlap."""
    source = transformer(seed=1)
    table = numbers(source.table.token_embedding)
    wide, narrow = transformer(seed=2, width=20), transformer(seed=2, width=4)
    found = {}
    for name, target in (("wide", wide), ("narrow", narrow)):
        listing = transfer(target, source, "embedding", "projection", seed=9)
        found[name] = {
            "rows": numbers(target.table.token_embedding).tolist(),
            "how": [one.how for one in listing.taken],
        }
    again = transformer(seed=2, width=20)
    transfer(again, source, "embedding", "projection", seed=9)
    other_seed = transformer(seed=2, width=20)
    transfer(other_seed, source, "embedding", "projection", seed=8)
    first = numbers(wide.table.token_embedding)
    grown = transformer(seed=2, width=20)
    own = values_of(grown)
    listing = transfer(grown, source, "all", "overlap")
    after = values_of(grown)
    kernel = "block_0/attention/query/kernel"
    return {
        **found,
        "table": table.tolist(),
        "repeats": bool(np.array_equal(first, numbers(again.table.token_embedding))),
        "other_seed": bool(np.array_equal(first, numbers(other_seed.table.token_embedding))),
        "block": bool(np.array_equal(after[kernel][:8, :8], values_of(source)[kernel])),
        "outside": bool(
            np.array_equal(after[kernel][8:], own[kernel][8:])
            and np.array_equal(after[kernel][:, 8:], own[kernel][:, 8:])
        ),
        "how": next(one.how for one in listing.taken if one.name == kernel),
    }


def kinds():
    """From an MLP's embedding to a transformer's, from one-hots, and to a model for features."""
    mlp = MLP(3, 7, 8, RANGES, encoding="embedding", embedding_width=8, seed=4)
    target = transformer(seed=2)
    listing = transfer(target, mlp, what="embedding")
    one_hot, other = MLP(3, 7, 8, RANGES, width=16), MLP(3, 5, 8, RANGES, width=32, seed=1)
    rows = transfer(other, one_hot, what="embedding", method="projection")
    before, after = numbers(one_hot.hidden[0].kernel), numbers(other.hidden[0].kernel)
    renamed = transformer(seed=3)
    names = {"head/kernel": "head/kernel", "table/token_embedding": "embeddings/embedding_0"}
    by_name = transfer(
        renamed, mlp, what=["table/token_embedding"], rename={k: names[k] for k in list(names)[1:]}
    )
    first_kernels = MLP(3, 7, 8, RANGES, encoding="embedding", embedding_width=7, width=16)
    apart = transfer(first_kernels, one_hot, what=["*"])
    return {
        "apart": [one.name for one in apart.taken],
        "pairs": [[one.name, one.source_name] for one in listing.taken],
        "left": {one.name: one.why for one in listing.left},
        "equal": bool(
            np.array_equal(numbers(target.table.token_embedding), numbers(mlp.encode.embeddings[0]))
        ),
        "one_hot": [[one.name, one.how] for one in rows.taken],
        "angles": float(abs(before @ before.T - after @ after.T).max()),
        "renamed": [[one.name, one.source_name] for one in by_name.taken],
    }


def keras_models():
    """Models that are not ours: Keras' own layers, by name."""

    def model(width):
        return keras.Sequential(
            [
                keras.Input((3,), dtype="int32"),
                keras.layers.Embedding(8, width, name="words"),
                keras.layers.Flatten(name="flat"),
                keras.layers.Dense(7, name="out"),
            ]
        )

    small, same, large = model(4), model(4), model(12)
    everything = transfer(same, small)
    listing = transfer(large, small, "embedding", "projection")
    ours = transformer(seed=1, width=4)
    across = transfer(ours, small, "embedding")
    return {
        "equal": bool(
            np.array_equal(same.predict(TOKENS, verbose=0), small.predict(TOKENS, verbose=0))
        ),
        "taken": [one.name for one in everything.taken],
        "projected": [[one.name, one.how] for one in listing.taken],
        "across": [[one.name, one.source_name] for one in across.taken],
    }


def damaged(place):
    """A model of which the disk has lost a byte."""
    path = place / "damaged.keras"
    path.parent.mkdir(parents=True, exist_ok=True)
    transformer(seed=1).save(path)
    data = path.read_bytes()
    spoilt = data.replace(b'"class_name"', b'"class name"')
    if spoilt == data:  # compressed
        name = data.index(b"config.json") + len(b"config.json")
        spoilt = data[:name] + bytes([data[name] ^ 255]) + data[name + 1 :]
    path.write_bytes(spoilt)
    return path


def refusals(place):
    source = transformer(seed=1)
    wide = transformer(seed=2, width=20)
    before = values_of(wide)
    unbuilt = keras.Sequential([keras.layers.Dense(3)])
    features = MLP(4, 2, encoding="none")
    other_words = Transformer(9, 3, 8, [(0, 8), (0, 8), (8, 1)], width=8, mlp_width=12)
    said = refused(
        widths=lambda: transfer(wide, source),
        embedding=lambda: transfer(wide, source, "embedding"),
        vocabulary=lambda: transfer(other_words, source, "embedding", "projection"),
        overlap_vocabulary=lambda: transfer(other_words, source, "all", "overlap"),
        nothing=lambda: transfer(source, features, ["block_*"]),
        pattern=lambda: transfer(wide, source, ["hed/kernel"]),
        no_embedding=lambda: transfer(features, source, "embedding"),
        method=lambda: transfer(wide, source, method="copy"),
        projection=lambda: transfer(wide, source, "all", "projection"),
        unbuilt=lambda: transfer(unbuilt, source),
        rename=lambda: transfer(wide, source, rename={"head/kernel": "foot/kernel"}),
        no_run=lambda: transfer(wide, "runs/nowhere"),
        no_file=lambda: transfer(wide, "nowhere.keras"),
        no_model=lambda: transfer(wide, __file__),
        damaged=lambda: transfer(wide, damaged(place)),
    )
    said["unchanged"] = all(np.array_equal(v, before[n]) for n, v in values_of(wide).items())
    return said


def events(folder):
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def runs(place):
    """`grokkeras.run` with a transfer: recorded once, resumed without the source, repeated."""
    first = run(config(), out=place / "first")
    section = {"run": str(place / "first"), "what": "embedding", "method": "projection"}
    model = {"name": "mlp", "width": 16, "encoding": "embedding", "embedding_width": 24}
    multiply = {"name": "modular_arithmetic", "operation": "multiply", "modulus": 11}
    second = config(model=model, transfer=section, task=multiply, seed=2)
    started = build_program(second)
    plain = build_program(config(model=model, task=multiply, seed=2))
    done = run(second, out=place / "second")
    repeated = run(load_config(place / "second" / "config.yaml"), out=place / "third")
    found = {
        "first": first.steps,
        "events": [one for one in events(place / "second") if one["event"] == "transfer"],
        "moved": not np.array_equal(started.weights()[0], plain.weights()[0]),
        "others": all(
            np.array_equal(a, b)
            for a, b in zip(started.weights()[1:], plain.weights()[1:], strict=True)
        ),
        "losses": np.fromfile(place / "second" / "step_losses.f32", "<f4")[:3].tolist(),
        "expected": started.run(3).tolist(),
        "repeated": repeated.final == done.final,
    }
    (place / "first").rename(place / "moved")  # resume does without it
    resumed = resume(place / "second", {"train.max_steps": 40})
    found["resumed"] = [resumed.steps, len(transfers(place / "second"))]
    found["refused"] = refused(
        gone=lambda: run(second, out=place / "fourth"),
        shapes=lambda: run(
            config(model=model, transfer={"run": str(place / "moved")}), out=place / "fifth"
        ),
        unfinished=lambda: transfer(started.model, unfinished(place)),
    )
    found["folders"] = [(place / name).exists() for name in ("fourth", "fifth")]
    return found


def transfers(folder):
    return [one for one in events(folder) if one["event"] == "transfer"]


def unfinished(place):
    folder = place / "unfinished"
    (place / "third").rename(folder)
    (folder / "model.keras").unlink()
    return folder
