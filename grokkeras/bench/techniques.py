"""What techniques cost: steps a second of plain AdamW over those with the technique.

Each is our trainer on the same workload with a few settings changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich import box
from rich.table import Table

from grokkeras.bench.suite import BACKENDS, Measurement

PLAIN = "ours"


@dataclass(frozen=True)
class Technique:
    """One technique.

    Attributes:
        settings: by dotted key, over the workload's configuration.
        bound: times plain AdamW's seconds a step that it may take on W1; None: no bound.
        workloads: where it can be had.
        stock_dropout: whether dropout is Keras' own, for comparison.
    """

    settings: Mapping[str, Any]
    bound: float | None = None
    workloads: Sequence[str] = ("W1", "W3")
    stock_dropout: bool = False


def _ramp(start: float, end: float) -> dict[str, Any]:
    return {"schedule": "cosine", "start": start, "end": end, "steps": 100_000}


def _transform(name: str, **options: Any) -> dict[str, Any]:
    return {"optimizer.transforms": [{"name": name, **options}]}


_MUON = {"name": "muon", "learning_rate": 0.02, "beta_2": 0.98}

TECHNIQUES: dict[str, Technique] = {
    "grokfast": Technique(_transform("grokfast"), 1.10),
    "grokfast_ma": Technique(_transform("grokfast_ma"), 1.25),
    "orthograd": Technique(_transform("orthograd"), 1.10),
    "egalitarian": Technique(_transform("egalitarian")),
    "gradient_noise": Technique(_transform("gradient_noise")),
    "clip_global_norm": Technique(_transform("clip_global_norm")),
    "coupled_weight_decay": Technique(_transform("coupled_weight_decay")),
    "norm_cap": Technique(_transform("norm_cap")),
    "weight_norm": Technique(_transform("weight_norm")),
    "layer_learning_rates": Technique(_transform("layer_learning_rates", rates={"embedding": 0.5})),
    # W3 has embeddings and a head alone, no hidden matrix.
    "muon": Technique({"optimizer": _MUON}, 1.6, workloads=("W1",)),
    "scheduled decay": Technique({"optimizer.weight_decay": _ramp(1.0, 0.1)}, 1.10),
    "scheduled learning rate": Technique({"optimizer.learning_rate": _ramp(1e-3, 1e-4)}, 1.10),
    "stablemax": Technique({"loss.name": "stablemax"}),
    "dropout": Technique({"dropout.rate": 0.1}, workloads=("W1",)),
    "annealed dropout": Technique({"dropout.rate": _ramp(0.2, 0.0)}, 1.10, workloads=("W1",)),
    "Keras' own dropout": Technique({"dropout.rate": 0.1}, workloads=("W1",), stock_dropout=True),
}


@dataclass(frozen=True)
class Cost:
    """One technique, measured.

    Attributes:
        loop: workload, backend and the technique's name.
        technique: what it is.
        ratio: seconds a step over those of plain AdamW.
    """

    loop: Measurement
    technique: Technique
    ratio: float

    @property
    def met(self) -> bool | None:
        """Whether it stays within its bound, which is for W1; None without one."""
        if self.technique.bound is None or self.loop.workload != "W1":
            return None
        return self.ratio <= self.technique.bound


def technique_loops(workload: str, backend: str) -> list[Measurement]:
    """Plain AdamW and every technique of a workload."""
    names = [name for name, entry in TECHNIQUES.items() if workload in entry.workloads]
    return [Measurement(workload, backend, name) for name in (PLAIN, *names)]


def costs(rates: Mapping[Measurement, Sequence[float]]) -> list[Cost]:
    """The cost of every technique that was measured."""
    rows = []
    for loop, values in rates.items():
        technique = TECHNIQUES.get(loop.kind)
        if technique is None:
            continue
        plain = median(rates[Measurement(loop.workload, loop.backend, PLAIN)])
        rows.append(Cost(loop, technique, plain / median(values)))
    return rows


def costs_table(rows: Iterable[Cost], repeats: int) -> Table:
    """A row a technique and workload, a column a backend."""
    caption = "Seconds a step over those of plain AdamW."
    title = f"What techniques cost, medians of {repeats}"
    table = Table(title=title, caption=caption, caption_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("", "technique", *BACKENDS, "at most"):
        table.add_column(heading, justify="left" if heading in ("", "technique") else "right")
    cells: dict[tuple[str, str], dict[str, Cost]] = {}
    for row in rows:
        cells.setdefault((row.loop.workload, row.loop.kind), {})[row.loop.backend] = row
    for (workload, name), by_backend in cells.items():
        bound = TECHNIQUES[name].bound if workload == "W1" else None
        texts = [_cell(by_backend[name]) if name in by_backend else "" for name in BACKENDS]
        table.add_row(workload, name, *texts, "" if bound is None else f"{bound:g}")
    return table


def as_json(rows: Iterable[Cost]) -> list[dict[str, Any]]:
    """All costs as JSON-able objects."""
    return [
        {
            "workload": row.loop.workload,
            "backend": row.loop.backend,
            "technique": row.loop.kind,
            "ratio": row.ratio,
            "bound": row.technique.bound if row.loop.workload == "W1" else None,
            "met": row.met,
        }
        for row in rows
    ]


def _cell(cost: Cost) -> str:
    text = f"{cost.ratio:.2f}"
    return f"[bold red]{text}[/]" if cost.met is False else text
