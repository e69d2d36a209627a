"""The evidence for every recipe: steps and seconds to grok on four tasks, beside a tuned AdamW.

`python -m benchmarks.studies.recipes` tunes AdamW on a seed of its own for every task, runs every
recipe and the tuned AdamW on three fresh seeds, and writes `configs/recipes/evidence.json` and the
table of `docs/recipes.md`.

The AdamW trains the transformer of `fast`, on the bits of a parity an MLP, and is the best of
`GRID` or `GRIDS`. Seconds are those of the run, compilation included and imports not, on one
core, until grokking was confirmed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.studies.runs import run_all, summarize, tune
from benchmarks.studies.tables import share, steps, write_table
from grokkeras.config.recipes import recipe_files
from grokkeras.environment import environment

SEEDS, TUNING_SEEDS = range(3), (100,)
EVIDENCE = Path("configs") / "recipes" / "evidence.json"
STUDY = "recipes"

MODULAR = {"name": "modular_arithmetic", "modulus": 97}
TASKS: dict[str, dict[str, Any]] = {
    "add mod 97": {**MODULAR, "operation": "add", "train_fraction": 0.4},
    "divide mod 97": {
        **MODULAR,
        "operation": "divide",
        "train_fraction": 0.5,
        "val_fraction": 0.25,
    },
    "composition in S5": {
        "name": "symmetric_group",
        "degree": 5,
        "train_fraction": 0.5,
        "val_fraction": 0.25,
    },
    "parity of 3 in 20 bits": {
        "name": "sparse_parity",
        "num_examples": 2500,
        "train_fraction": 0.4,
    },
}
TRANSFORMER = {"name": "transformer", "mlp_width": 256}
BITS = {"name": "mlp", "encoding": "signed"}
# Learning rate, weight decay, batch size.
Cell = tuple[float, float, int | str]
GRID: list[Cell] = [
    *((0.005, 1.7, "full"), (0.01, 1.0, "full")),
    *((0.003, 1.0, 512), (0.005, 2.0, 512), (0.01, 1.0, 512)),
]
# On the full batch of 7,200 examples a run takes minutes, and did not grok within 500 steps.
GRIDS: dict[str, list[Cell]] = {
    "composition in S5": [(0.003, 1.0, 512), (0.005, 1.0, 512), (0.005, 2.0, 512)]
}
MAX_STEPS = {task: 4000 if task == "composition in S5" else 1200 for task in TASKS}


def adamw(task: str, cell: Cell) -> dict[str, Any]:
    """A plain AdamW on a task."""
    rate, decay, batch_size = cell
    options = {"learning_rate": rate, "weight_decay": decay, "beta_2": 0.98}
    return {
        "name": "adamw",
        "task": TASKS[task],
        "model": BITS if TASKS[task]["name"] == "sparse_parity" else TRANSFORMER,
        "optimizer": {"name": "adamw", **options},
        "train": {"max_steps": MAX_STEPS[task], "batch_size": batch_size},
    }


def recipe(task: str, name: str) -> dict[str, Any]:
    """A recipe on a task."""
    train = {"max_steps": MAX_STEPS[task]}
    return {"name": "recipe", "recipe": name, "task": TASKS[task], "train": train}


def evidence_of(task: str) -> dict[str, Mapping[str, Any]]:
    """What every recipe and the tuned AdamW did on a task."""
    tried = GRIDS.get(task, GRID)
    cells = {" ".join([task, "adamw", *map(str, cell)]): cell for cell in tried}
    grid = {key: adamw(task, cell) for key, cell in cells.items()}
    tuned = tune(STUDY, grid, TUNING_SEEDS)
    settings = {tuned: grid[tuned]}
    settings |= {f"{task} {name}": recipe(task, name) for name in recipe_files()}
    found = {key: summarize(runs) for key, runs in run_all(STUDY, settings, SEEDS).items()}
    rows: dict[str, Mapping[str, Any]] = {
        "adamw": {
            **found.pop(tuned),
            **dict(zip(("learning_rate", "weight_decay", "batch_size"), cells[tuned], strict=True)),
        }
    }
    rows |= {key.removeprefix(f"{task} "): row for key, row in found.items()}
    return {name: row for name, row in rows.items() if row["seeds"]}


def main() -> None:
    """Runs what is missing and writes the evidence."""
    found = {task: rows for task in TASKS if (rows := evidence_of(task))}
    written = {"environment": environment("jax"), "max_steps": MAX_STEPS, "tasks": found}
    EVIDENCE.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    names = {"adamw": "tuned AdamW", **{name: f"`{name}`" for name in recipe_files()}}
    lines = [
        [
            task,
            name,
            share(rows[key]),
            steps(rows[key], "memorized"),
            steps(rows[key]),
            _took(rows[key]),
        ]
        for task, rows in found.items()
        for key, name in names.items()
        if key in rows
    ]
    headings = ["task", "recipe", "seeds that grok", "memorised", "grokked", "seconds"]
    write_table(Path("docs") / "recipes.md", "table", headings, lines)
    print(f"Written to {EVIDENCE} and docs/recipes.md.")


def _took(row: Mapping[str, Any]) -> str:
    return "" if row["seconds"] is None else f"{row['seconds']:.1f}"


if __name__ == "__main__":
    main()
