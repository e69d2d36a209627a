"""Augmentation, task mixing, a teacher's labels, transfer and curriculum, each beside none.

`python -m benchmarks.studies.data` tunes AdamW for none on two seeds of its own, then runs every
technique with that AdamW, on five fresh seeds and two tasks, and writes `docs/data_techniques.md`.
The small network that transfer takes from has an AdamW of its own, tuned alike.
All have as many training examples as none:

augmentation  fewer true examples, filled up by swapping the operands.
mixing        half of the examples are of the inverse operation; judged on the own one.
teacher       fewer true examples, filled up by labels of a run that had only those.
transfer      the embedding of a run of a quarter of the width, same examples, comes first.
curriculum    batches from the small operands first, all admitted by step 200.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.studies.record import Run
from benchmarks.studies.runs import FOLDER, folder_of, records, run_all, summarize, tune
from benchmarks.studies.tables import share, steps, write_table
from grokkeras.detection import Detector

MODULUS = 59
PAIRS = MODULUS**2
FRACTION, FEWER, POOL = 0.4, 0.3, 0.35
EXAMPLES = round(FRACTION * PAIRS)
SEEDS, TUNING_SEEDS = range(5), (100, 101)
# Learning rate, weight decay.
GRID = [
    *((0.005, 1.0), (0.005, 2.0), (0.005, 4.0)),
    *((0.01, 0.5), (0.01, 1.0), (0.01, 2.0)),
    *((0.02, 0.5), (0.02, 1.0)),
]
# An operation, and the one that it is mixed with.
TASKS = {"add": "subtract", "multiply": "divide"}
# Rows of the table; the last two are what others start from.
TECHNIQUES = {
    "none": "none",
    "augmentation": "augmentation",
    "mixing": "mixing",
    "teacher": "teacher",
    "transfer": "transfer",
    "curriculum": "curriculum",
    "fewer": "none, 30 % of the pairs",
    "small": "the network of width 32 that transfer takes from",
}
# A run whose folder another one reads, and that other.
READ_BY = {"fewer": "teacher", "small": "transfer"}
STUDY = "data"


def config(operation: str, adamw: tuple[float, float], **sections: Any) -> dict[str, Any]:
    """The configuration of none, with sections of it changed key by key."""
    base: dict[str, dict[str, Any]] = {
        "task": {
            "name": "modular_arithmetic",
            "operation": operation,
            "modulus": MODULUS,
            "train_fraction": FRACTION,
            "val_fraction": 0.3,
        },
        "model": {"name": "transformer", "mlp_width": 256},
        "optimizer": {
            "name": "adamw",
            "learning_rate": adamw[0],
            "weight_decay": adamw[1],
            "beta_2": 0.98,
        },
        "train": {"max_steps": 1500, "batch_size": 512},
    }
    return {"name": STUDY, **base, **{k: {**base.get(k, {}), **v} for k, v in sections.items()}}


def small(operation: str, adamw: tuple[float, float]) -> dict[str, Any]:
    """The network that transfer takes from."""
    return config(operation, adamw, model={"width": 32}, train={"max_steps": 400})


def settings(
    operation: str, adamw: tuple[float, float], for_small: tuple[float, float], seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The runs of one seed in an order in which each finds those that it needs.

    The first word of a name is the technique's. The small network's has its AdamW too, and so has
    the folder that transfer reads: of another AdamW, both are runs of their own.
    """
    fewer = {"train_fraction": FEWER, "pool_fraction": POOL}
    yield "none", config(operation, adamw)
    yield "fewer", config(operation, adamw, task=fewer)
    of_small = "small {:g} {:g}".format(*for_small)
    yield of_small, small(operation, for_small)
    yield "augmentation", config(operation, adamw, task=_augmented(operation, seed))
    # Nothing can be divided by 0.
    others = PAIRS - MODULUS if TASKS[operation] == "divide" else PAIRS
    # Both operations together may get there before the own one, so the run goes on for a while.
    mixed = config(operation, adamw, train={"stop_after_grokking": 300})
    mixed["task"] = {
        "name": "modular_mixture",
        "operations": [operation, TASKS[operation]],
        "modulus": MODULUS,
        "train_fraction": EXAMPLES / (PAIRS + others),
        "val_fraction": 0.3,
    }
    yield "mixing", mixed
    labels = {
        "run": str(folder_of(STUDY, f"{operation} fewer", seed)),
        "examples": EXAMPLES - round(FEWER * PAIRS),
    }
    yield "teacher", config(operation, adamw, task={**fewer, "teacher": labels})
    source = str(folder_of(STUDY, f"{operation} {of_small}", seed))
    embedding = {"run": source, "what": "embedding", "method": "projection"}
    yield "transfer", config(operation, adamw, transfer=embedding)
    easy_first = {"by": "operand_range", "start": 0.4, "steps": 200}
    yield "curriculum", config(operation, adamw, curriculum=easy_first)


def _augmented(operation: str, seed: int) -> dict[str, Any]:
    """Fractions with which examples and images together are `EXAMPLES` for this seed."""
    from grokkeras.config import load_config
    from grokkeras.tasks import make_task

    low, high = FRACTION / 2, FRACTION
    for _ in range(20):
        middle = (low + high) / 2
        task = {"augment": ["commute"], "pool_fraction": 0.2, "train_fraction": middle}
        made = config(operation, GRID[0], task=task)
        count = len(make_task(load_config(made).task, seed).train.x)
        if count == EXAMPLES:
            break
        low, high = (middle, high) if count < EXAMPLES else (low, middle)
    return task


def judged_on(operation: str, folder: Path) -> int | None:
    """The grokking step by the validation accuracy of the own operation alone."""
    rows = records(folder / "metrics.jsonl")
    own = [{**row, "val_accuracy": row[f"val_accuracy_{operation}"]} for row in rows]
    return Detector.replay(own).grokking_step


def tuned(what: str, made: Callable[[tuple[float, float]], dict[str, Any]]) -> tuple[float, float]:
    """The best AdamW of the grid for what `made` makes of it."""
    cells = {f"{what} {rate:g} {decay:g}": (rate, decay) for rate, decay in GRID}
    return cells[tune(STUDY, {name: made(cell) for name, cell in cells.items()}, TUNING_SEEDS)]


def study(
    operation: str,
) -> tuple[tuple[float, float], tuple[float, float], dict[str, list[Run]]]:
    """The tuned AdamW, that of the small network, and the runs of every technique."""
    adamw = tuned(f"{operation} tune", partial(config, operation))
    for_small = tuned(f"{operation} small tune", partial(small, operation))
    found: dict[str, list[Run]] = {}
    for seed in SEEDS:
        made = {
            f"{operation} {key}": value
            for key, value in settings(operation, adamw, for_small, seed)
        }
        for full, each in made.items():
            name = full.removeprefix(f"{operation} ").split()[0]
            judge = partial(judged_on, operation) if name == "mixing" else None
            wanted = name in READ_BY and not _has_ended(made, f"{operation} {READ_BY[name]}", seed)
            runs = run_all(STUDY, {full: each}, [seed], judge=judge, folders=wanted)[full]
            found.setdefault(name, []).extend(runs)
    return adamw, for_small, found


def _has_ended(made: Mapping[str, Mapping[str, Any]], name: str, seed: int) -> bool:
    return bool(run_all(STUDY, {name: made[name]}, [seed], workers=0)[name])


def main() -> None:
    """Runs what is missing and writes the table."""
    lines = []
    for operation in TASKS:
        adamw, for_small, found = study(operation)
        for name, title in TECHNIQUES.items():
            runs = found.get(name, [])
            rows: Mapping[str, Any] = summarize(runs)
            seen = [run.grokked for run in runs if run.grokked is not None]
            ends = f"{min(seen):,} to {max(seen):,}" if seen else ""
            rate, decay = for_small if name == "small" else adamw
            numbers = f"learning rate {rate:g}, decay {decay:g}"
            lines.append([f"{operation} ({numbers})", title, share(rows), steps(rows), ends])
    headings = ["task (tuned AdamW)", "technique", "seeds that grok", "median step", "range"]
    write_table(Path("docs") / "data_techniques.md", "table", headings, lines)
    print(f"The runs are in {FOLDER / STUDY}.")


if __name__ == "__main__":
    main()
