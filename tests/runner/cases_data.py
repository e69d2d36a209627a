"""Runs with a curriculum, a teacher, a mixture, augmentation and wrong labels, on one backend."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from compare_runs import differences
from keras import backend
from small import BrokenError, Listens, breaks_off, small_config

from grokkeras.errors import UserError
from grokkeras.runner import resume, run
from grokkeras.runner.build import build_program
from grokkeras.tasks import difficulty, make_task

BATCHES = {"train__batch_size": 8}
TASK = {"name": "modular_arithmetic", "operation": "add", "modulus": 11}
CURRICULA = {
    "steps": {"by": "operand_range", "start": 0.3, "steps": 45},
    # So low and so many that stages open before the cut and after it, whatever the model learns.
    "until": {"by": "operand_range", "start": 0.2, "until": 0.01, "stages": 40},
}


def config(**settings):
    return small_config(backend.backend(), **settings)


def lines(run_dir, name):
    return [json.loads(line) for line in (run_dir / name).read_text().splitlines()]


def broken_and_resumed(chosen, folder, between=lambda: None):
    """What differs between a run in one piece and one broken off; the two run folders."""
    whole, broken = Path(folder) / "whole", Path(folder) / "broken"
    run(chosen, out=whole)
    try:
        run(chosen, out=broken, display=breaks_off(33))
    except BrokenError:
        pass
    else:
        raise AssertionError("not broken off")
    between()
    listener = Listens()
    resume(broken, display=listener)
    assert listener.first_step == 20, listener.first_step
    return differences(whole, broken), whole


def curriculum(kind):
    with tempfile.TemporaryDirectory() as folder:
        chosen = config(**BATCHES, curriculum=CURRICULA[kind])
        different, whole = broken_and_resumed(chosen, folder)
        events = [e["step"] for e in lines(whole, "events.jsonl") if e["event"] == "curriculum"]
        shares = [[r["step"], r["curriculum_share"]] for r in lines(whole, "metrics.jsonl")]
    return {"different": different, "events": events, "shares": shares}


def trained_examples():
    """The hardest example that each step's batch holds, against what is admitted then."""
    chosen = config(**BATCHES, curriculum=CURRICULA["steps"])
    task = make_task(chosen.task, chosen.seed)
    made = build_program(chosen, task)
    hardness = difficulty(task, "operand_range")
    pace = made.recipe.curriculum.pace
    bounds = [np.sort(hardness)[pace.admitted(step) - 1] for step in range(60)]
    hardest = hardness[made.order.indices(0, 60)].max(axis=1)
    return {"hardest": hardest.tolist(), "bounds": [float(bound) for bound in bounds]}


def traces():
    """How often the step of many is compiled while a curriculum moves on."""
    chosen = config(**BATCHES, curriculum=CURRICULA["until"])
    made = build_program(chosen)
    for stage in range(39):
        made.run(1 + stage % 3)
        made.recipe.curriculum.pace.tell(made.step, 1.0)
    assert made.recipe.curriculum.pace.admitted(made.step) == len(made.recipe.x)
    if backend.backend() == "jax":
        return made._many._cache_size()
    if backend.backend() == "tensorflow":
        return made._many.experimental_get_tracing_count()
    return 1  # PyTorch compiles nothing


def teacher():
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "teacher"
        task = {**TASK, "train_fraction": 0.5, "val_fraction": 0.2}
        run(config(task=task, train__max_steps=300), out=run_dir)
        pooled = {**TASK, "train_fraction": 0.2, "val_fraction": 0.3, "pool_fraction": 0.3}
        pooled["teacher"] = {"run": str(run_dir), "examples": 30}
        chosen = config(task=pooled)

        def spoil():
            """The labels are in the run folder, so a teacher that is gone since does no harm."""
            shutil.rmtree(run_dir)

        different, whole = broken_and_resumed(chosen, folder, between=spoil)
        event = next(e for e in lines(whole, "events.jsonl") if e["event"] == "teacher")
        labels = np.load(whole / "teacher_labels.npy")
        data = make_task(chosen.task, chosen.seed)
        truth = data.structure.labels(data.unlabelled)
        wrong = int((labels != truth).sum())
    return {"different": different, "detail": event["detail"], "wrong": wrong, "n": len(labels)}


def refused_teachers():
    """No run there, and a teacher of another task: told before anything is written."""
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "teacher"
        run(config(task={**TASK, "modulus": 7}, train__max_steps=2), out=run_dir)
        said = []
        for name in ("nowhere", "teacher"):
            task = {**TASK, "pool_fraction": 0.2, "teacher": {"run": str(Path(folder) / name)}}
            try:
                run(config(task=task), out=Path(folder) / "out")
            except UserError as error:
                said.append(str(error))
            assert not (Path(folder) / "out").exists()
    return said


def mixture():
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        task = {"name": "modular_mixture", "operations": ["add", "divide"], "modulus": 11}
        run(config(task=task), out=whole)
        last = lines(whole, "metrics.jsonl")[-1]
        final = json.loads((whole / "summary.json").read_text())["final"]
    return {"last": last, "final": final}


def trained_on():
    """The training split as the program holds it: the same on every backend."""
    task = {**TASK, "train_fraction": 0.3, "pool_fraction": 0.3, "label_noise": 0.2}
    made = build_program(config(task={**task, "augment": ["commute"]}))
    return {"x": made.recipe.x.tolist(), "y": made.recipe.y.tolist()}


def main(*names):
    cases = {
        **{f"curriculum {kind}": functools.partial(curriculum, kind) for kind in CURRICULA},
        "trained examples": trained_examples,
        "traces": traces,
        "teacher": teacher,
        "refused teachers": refused_teachers,
        "mixture": mixture,
        "trained on": trained_on,
    }
    return {name: cases[name] for name in names or cases}
