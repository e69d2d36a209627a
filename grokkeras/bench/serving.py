"""`bench serving`: rate, latency, memory and start of the server, beside a plain one."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from grokkeras.bench.servers import OURS, PLAIN, TENSORFLOW, RunningServer, ServerKind
from grokkeras.config.shipped import shipped_folder
from grokkeras.errors import UserError

REPEATS = 3
SECONDS = 10.0
CLIENTS = 32
_MODULUS = 97


@dataclass(frozen=True)
class Load:
    """What the clients ask for.

    Attributes:
        name: in the table.
        rows: rows a request.
        signature: which outputs are asked for.
    """

    name: str
    rows: int
    signature: str

    def bodies(self, count: int = 500) -> list[str]:
        """So many requests' bodies, the same ones each time."""
        rng = random.Random(0)
        return [
            json.dumps(
                {
                    "signature_name": self.signature,
                    "instances": [
                        [rng.randrange(_MODULUS), rng.randrange(_MODULUS), _MODULUS]
                        for _ in range(self.rows)
                    ],
                }
            )
            for _ in range(count)
        ]


ONE = Load("1 row", 1, "serving_default")
MANY = Load("64 rows, class alone", 64, "class")
MANY_LOGITS = Load("64 rows, with logits", 64, "serving_default")
LOADS = {OURS: (ONE, MANY, MANY_LOGITS), PLAIN: (ONE,), TENSORFLOW: (ONE,)}


@dataclass(frozen=True)
class Target:
    """One figure and what it should be.

    Attributes:
        name: in words.
        value: as measured.
        least, most: its bounds; None: none.
    """

    name: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        """Whether it is within them."""
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )


def models_folder() -> Path:
    """The shipped models.

    Raises:
        UserError: they are not there.
    """
    folder = shipped_folder("saved_models")
    if folder is None or not (folder / "quickstart" / "1").is_dir():
        raise UserError(
            "bench serving needs saved_models/quickstart/1 beside the package. Run it in a "
            "complete checkout."
        )
    return folder


def bench_serving(
    console: Console, repeats: int = REPEATS, seconds: float = SECONDS
) -> dict[str, Any]:
    """Measures all servers in turns, prints the tables, returns their figures."""
    kinds = [OURS, PLAIN]
    if importlib.util.find_spec("tensorflow") is not None:
        kinds.append(TENSORFLOW)
    asked = [(kind, load) for kind in kinds for load in LOADS[kind]]
    with tempfile.TemporaryDirectory() as folder:
        # The shipped version alone: the user may have exported others beside it.
        models = Path(folder)
        shutil.copytree(models_folder() / "quickstart" / "1", models / "quickstart" / "1")
        rows = measure(asked, models, repeats, seconds, console.print)
    targets = targets_of(rows)
    console.print(_rows_table(rows, repeats, seconds))
    console.print(_targets_table(targets))
    return {
        "repeats": repeats,
        "seconds": seconds,
        "clients": CLIENTS,
        "rows": rows,
        "targets": [
            {
                "name": target.name,
                "value": target.value,
                "least": target.least,
                "most": target.most,
                "met": target.met,
            }
            for target in targets
        ],
    }


def measure(
    asked: Sequence[tuple[ServerKind, Load]],
    models: Path,
    repeats: int,
    seconds: float,
    say: Callable[[str], object],
) -> list[dict[str, Any]]:
    """Medians over `repeats` turns, in each of which all servers start afresh, one by one."""
    runs: list[list[dict[str, Any]]] = [[] for _ in asked]
    for turn in range(repeats):
        for (kind, load), of_this in zip(asked, runs, strict=True):
            say(f"{kind.name}, {load.name}: turn {turn + 1} of {repeats}")
            of_this.append(_turn(kind, load, models, seconds))
    return [
        {"server": kind.name, "load": load.name, **_medians(of_this), "runs": of_this}
        for (kind, load), of_this in zip(asked, runs, strict=True)
    ]


def _turn(kind: ServerKind, load: Load, models: Path, seconds: float) -> dict[str, Any]:
    """One server, loaded for `seconds` after a warm-up."""
    bodies = load.bodies()
    with RunningServer(kind, models) as server:
        server.load(bodies, CLIENTS, min(1.0, seconds))
        found = server.load(bodies, CLIENTS, seconds)
        return {
            "requests_per_second": found["requests"] / found["seconds"],
            "rows_per_second": load.rows * found["requests"] / found["seconds"],
            "p50_ms": found["p50_ms"],
            "p99_ms": found["p99_ms"],
            "ready_seconds": server.ready_seconds,
            "memory_mb": server.memory_mb(),
        }


def _medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        key: None if value is None else statistics.median(run[key] for run in runs)
        for key, value in runs[0].items()
    }


def targets_of(rows: list[dict[str, Any]]) -> list[Target]:
    """The figures that were aimed at."""
    by_name = {(row["server"], row["load"]): row for row in rows}
    one, many = by_name[OURS.name, ONE.name], by_name[OURS.name, MANY.name]
    plain = by_name[PLAIN.name, ONE.name]
    ratio = one["requests_per_second"] / plain["requests_per_second"]
    targets = [
        Target("requests a second, 1 row", one["requests_per_second"], least=5_000),
        Target("p99 of them, ms", one["p99_ms"], most=30),
        Target("times as many as the plain server", ratio, least=2.5),
        Target("rows a second, 64 rows, class alone", many["rows_per_second"], least=100_000),
        Target("ready within, s", one["ready_seconds"], most=1.0),
    ]
    if one["memory_mb"] is not None:
        targets.append(Target("memory, MB", one["memory_mb"], most=120))
    return targets


def _rows_table(rows: list[dict[str, Any]], repeats: int, seconds: float) -> Table:
    title = f"{CLIENTS} clients, medians of {repeats} runs of {seconds:g} s"
    table = Table(title=title, box=box.SIMPLE_HEAD)
    # Servers head their own sections: in a column of their own they would not leave 80 columns
    # room for the figures.
    table.add_column("server and request")
    for name in ("requests\n/s", "rows\n/s", "p50\nms", "p99\nms", "ready\ns", "\nMB"):
        table.add_column(name, justify="right", no_wrap=True)
    server = None
    for row in rows:
        if row["server"] != server:
            server = row["server"]
            table.add_section()
            table.add_row(server)
        memory = row["memory_mb"]
        table.add_row(
            f"  {row['load']}",
            f"{row['requests_per_second']:,.0f}",
            f"{row['rows_per_second']:,.0f}",
            f"{row['p50_ms']:.1f}",
            f"{row['p99_ms']:.1f}",
            f"{row['ready_seconds']:.2f}",
            "" if memory is None else f"{memory:.0f}",
        )
    return table


def _targets_table(targets: list[Target]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("aimed at")
    table.add_column("target", justify="right")
    table.add_column("measured", justify="right")
    table.add_column("met")
    for target in targets:
        bound = f">= {target.least:,g}" if target.least is not None else f"<= {target.most:,g}"
        value = f"{target.value:,.0f}" if target.value >= 100 else f"{target.value:.2f}"
        table.add_row(target.name, bound, value, "yes" if target.met else "[bold red]no[/]")
    return table
