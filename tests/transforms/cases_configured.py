"""Every transform and Muon by name in a configuration, in the trainer of the backend it runs on."""

from __future__ import annotations

import keras
import numpy as np
from small_programs import config, equal, program

from grokkeras.detection import Event
from grokkeras.optimizers import TRANSFORMS, muon_groups
from grokkeras.runner.build import build_run

ADAMW = {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.5, "beta_2": 0.98}

# Options with which 20 steps differ from those without the transform.
TRANSFORM_OPTIONS = {
    "clip_global_norm": {"norm": 0.2},
    # At 1e-6 it raises directions that are rounding noise: a change of the last bit of the weights
    # moves the 20th loss by 1e-4; here by 1e-7.
    "egalitarian": {"layers": ["hidden_0/kernel"], "epsilon": 1e-4},
    "gradient_noise": {"stddev": 0.02, "seed": 3},
    "grokfast": {"alpha": 0.9, "lamb": 3.0},
    "grokfast_ma": {"window": 7},
    "layer_learning_rates": {"rates": {"embedding": 0.25, "head/": 2.0}},
    "norm_cap": {"factor": 0.9},
    "orthograd": {},
    "coupled_weight_decay": {"decay": 0.1},
    "weight_norm": {"scale": 0.9},
}
ALL = [{"name": name, **options} for name, options in TRANSFORM_OPTIONS.items()]
CHAIN = [
    {**entry, "layers": "query/kernel"} if entry["name"] == "egalitarian" else entry
    for entry in ALL
]
# Quick to compile: what the transforms do to a model with attention is the chain's and Muon's case.
MLP = {"name": "mlp", "width": 24, "encoding": "embedding", "embedding_width": 8}
TRANSFORMER = {"name": "transformer", "width": 16, "num_heads": 2, "mlp_width": 32}
# Not behind Adam, which makes a full step of the rounding of a gradient near 0.
SGD = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}


def main(kind):
    if kind == "singles":
        chosen = {"adamw": []} | {entry["name"]: [entry] for entry in ALL}
        return {
            name: lambda transforms=transforms: trained({**ADAMW, "transforms": transforms})
            for name, transforms in chosen.items()
        }
    return {
        "names": TRANSFORMS.names,
        "chain": lambda: trained({**SGD, "transforms": CHAIN}, TRANSFORMER),
        "muon": lambda: trained(
            {"name": "muon", "transforms": ["grokfast", "norm_cap"]}, TRANSFORMER
        ),
        "order": order,
        "event": event,
        "rules": rules,
        "float16": float16,
        "same as apply": same_as_apply if keras.backend.backend() == "torch" else lambda: None,
    }


def trained(optimizer, model=MLP):
    """20 losses, and whether the last ten come out with the same bits from a saved state."""
    made = program(model=model, optimizer=optimizer, train={"batch_size": 20})
    losses = made.run(10)
    middle = made.arrays()
    rest = made.run(10)
    end = made.arrays()
    made.load_arrays(middle)
    made.step = 10
    again = made.run(10)
    return {
        "losses": np.concatenate([losses, rest]).astype("float64").tolist(),
        "resumed": bool((again == rest).all()) and equal(made.arrays(), end),
        "fused": getattr(getattr(made.optimizer, "kept", None), "update", None) is not None,
    }


def order():
    """The first of the list is the outermost, which sees the gradients first."""
    made = program(
        model=MLP, optimizer={**ADAMW, "transforms": ["grokfast", "orthograd", "norm_cap"]}
    )
    base = made.optimizer.base_optimizer()
    return [type(part).__name__ for part in made.optimizer.chain()] + [type(base).__name__]


def event():
    """Losses where Grokfast waits for memorization, which comes after 10 steps; losses without."""
    waits = {"schedule": "on_event", "event": "memorization", "before": 0.0, "after": 20.0}
    curves = []
    for transforms in ([{"name": "grokfast", "lamb": waits}], []):
        chosen = config(model=MLP, optimizer={**ADAMW, "transforms": transforms})
        made, varying = build_run(chosen)
        losses = made.run(10)
        varying.tell([Event(5, "memorization", {"confirmed_step": 10})], made)
        curves.append(np.concatenate([losses, made.run(10)]).astype("float64").tolist())
    return curves


def rules():
    """Without a head no hidden matrix is taken for one."""
    found = {}
    for name, is_tied in (("tied", True), ("untied", False)):
        made = program(model={**TRANSFORMER, "tied_head": is_tied}, optimizer={"name": "muon"})
        groups = muon_groups(made.model, made.optimizer)
        found[name] = {group.path: group.rule for group in groups}
    return found


def float16():
    """Loss scaling goes around the transforms."""
    optimizer = {**ADAMW, "transforms": ["grokfast"]}
    made = program(model=MLP, optimizer=optimizer, train={"dtype": "mixed_float16"})
    losses = made.run(20)
    assert isinstance(made.optimizer, keras.optimizers.LossScaleOptimizer)
    return [type(made.optimizer.inner_optimizer).__name__, float(losses[0]), float(losses[-1])]


def same_as_apply():
    """Losses of the trainer's own way to update, and of the inner optimizer's `apply`."""
    curves = []
    optimizer = {**ADAMW, "transforms": ["grokfast", "norm_cap"]}
    for forbid in (False, True):
        made = program(model=MLP, optimizer=optimizer)
        assert made.optimizer.kept.update is not None
        if forbid:
            made.optimizer.update_by(None)
        curves.append(made.run(20).astype("float64").tolist())
    return curves
