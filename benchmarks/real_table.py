"""The page `docs/real_runs.md`, from what `real_runs` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .parts import Part

HEAD = """# Every part, run once on each backend

Each optimizer, gradient transform, loss, schedule, initial weights, transfer, augmentation,
mixture, teacher and curriculum, named in a configuration and run by `grokkeras run` on each
backend: one short run of seed 0 on top of [benchmarks/floor.yaml](../benchmarks/floor.yaml), which
memorises and groks addition modulo 97 in some 15 steps. One seed on so small a case shows that a
part runs and what came of it, not whether it brings grokking sooner. Settings were found by trying
a few on seed 0.

A cell: memorization step / grokking step (of at most 300 steps; - where it never came), phase (C
comprehension, M memorization, X confusion, G grokking) and the CPU seconds of the whole command,
imports and compilation included. Made by `python -m benchmarks.real_runs`, which runs what is
missing; "not run": it has not come to that yet.
"""
NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
PHASES = {"comprehension": "C", "memorization": "M", "confusion": "X", "grokking": "G"}


def write_table(
    path: Path,
    parts: Sequence[Part],
    backends: Sequence[str],
    results: Mapping[tuple[str, str], Mapping[str, Any]],
) -> None:
    """Writes the page: one table a kind, the notes under it, all commands at the end."""
    lines, commands = [HEAD], []
    for kind in dict.fromkeys(part.kind for part in parts):
        mine = [part for part in parts if part.kind == kind]
        heads = [NAMES[backend] for backend in backends]
        lines += [f"## {kind[0].upper()}{kind[1:]}\n", f"| | {' | '.join(heads)} |"]
        lines.append("| --- " * (len(heads) + 1) + "|")
        for part in mine:
            found = [results.get((f"{kind}: {part.name}", backend)) for backend in backends]
            lines.append(f"| {part.name} | {' | '.join(map(_cell, found))} |")
            text = next((line["command"] for line in found if line is not None), None)
            if text is not None:
                for backend in backends:
                    text = text.replace(f"--backend {backend}", "--backend NAME")
                    text = text.replace(f"adamw-{backend}", "adamw-NAME")
                commands.append(f"# {kind}: {part.name}\n{text}")
        lines.append("")
        lines += [f"- {part.name}: {part.note}" for part in mine if part.note]
        lines += [""] if any(part.note for part in mine) else []
    lines += [
        "## Commands\n",
        "`NAME` is tensorflow, jax or torch. The teacher and the source of a",
    ]
    lines += ["transfer is the run of `adamw` on the same backend.\n", "```sh"]
    path.write_text("\n".join([*lines, *commands, "```", ""]), encoding="utf-8")


def _cell(line: Mapping[str, Any] | None) -> str:
    if line is None:
        return "not run"
    if "error" in line:
        return "failed"
    steps = (line[key] for key in ("memorization_step", "grokking_step"))
    both = " / ".join("-" if step is None else f"{step}" for step in steps)
    return f"{both} {PHASES[line['phase']]}, {line['cpu_seconds']:.0f} s"
