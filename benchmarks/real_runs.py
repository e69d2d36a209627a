"""Runs every part of `parts.py` by `grokkeras run` on each backend, and writes the outcomes down.

    python -m benchmarks.real_runs                 # runs what is missing, then writes the table
    python -m benchmarks.real_runs grokfast mse    # these parts anew

One run after the other, each a process of its own. What was run stands in `runs/real/results.jsonl`
and is not run again while its settings stay the same, so a stopped session goes on where it was.
"""

from __future__ import annotations

import json
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .parts import ARRAYS, PARTS, SOURCE, Part
from .real_table import write_table

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("runs/real")
RESULTS = FOLDER / "results.jsonl"
BACKENDS = ("tensorflow", "jax", "torch")
TIME_LIMIT = 300.0  # seconds; one takes some ten


def command(part: Part, backend: str) -> list[str]:
    """The arguments of the part's `grokkeras run`, without the folder."""
    arguments = ["run", "benchmarks/floor.yaml", "--backend", backend]
    for key, value in part.settings.items():
        text = json.dumps(value)
        text = text.replace(f'"{SOURCE}"', f'"{folder(PARTS[0], backend)}"')
        text = text.replace(f'"{ARRAYS}"', f'"{FOLDER / "given.npz"}"')
        arguments += ["--set", f"{key}={text.strip(chr(34)) if isinstance(value, str) else text}"]
    return arguments


def folder(part: Part, backend: str) -> Path:
    """The run folder of a part on a backend."""
    words = "".join(c if c.isalnum() else "-" for c in f"{part.kind}-{part.name}")
    return FOLDER / f"{words}-{backend}"


def run(part: Part, backend: str) -> dict[str, Any]:
    """Runs a part; a line of the results. A run that failed has an `error`."""
    place, arguments = folder(part, backend), command(part, backend)
    shutil.rmtree(place, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [sys.executable, "-m", "grokkeras"]
    try:
        done = subprocess.run(
            [*program, *arguments, "--plain", "--out", str(place)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        error = (done.stderr or done.stdout)[-2000:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        error = f"not done after {TIME_LIMIT:g} seconds"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    line: dict[str, Any] = {
        "part": f"{part.kind}: {part.name}",
        "backend": backend,
        "command": shlex.join(["grokkeras", *arguments]),
        "cpu_seconds": round(cpu, 1),
    }
    if error:
        return {**line, "error": error}
    summary = json.loads((place / "summary.json").read_text())
    keys = ("memorization_step", "grokking_step", "phase", "steps")
    events = [json.loads(text) for text in (place / "events.jsonl").read_text().splitlines()]
    happened = sorted({event["event"] for event in events} - {"checkpoint", "resume"})
    if part is not PARTS[0]:
        shutil.rmtree(place)
    final = {name: summary["final"][name] for name in ("train_accuracy", "val_accuracy")}
    return {**line, **{key: summary[key] for key in keys}, **final, "events": happened}


def results() -> dict[tuple[str, str], dict[str, Any]]:
    """What was run: (part, backend) to the newest line."""
    if not RESULTS.is_file():
        return {}
    lines = [json.loads(text) for text in RESULTS.read_text().splitlines()]
    return {(line["part"], line["backend"]): line for line in lines}


def present_results() -> dict[tuple[str, str], dict[str, Any]]:
    """The results of what `PARTS` asks for now; those of former settings are left out."""
    found = results()
    asked = {
        (f"{part.kind}: {part.name}", backend): shlex.join(["grokkeras", *command(part, backend)])
        for part in PARTS
        for backend in BACKENDS
    }
    return {
        key: found[key] for key, text in asked.items() if found.get(key, {}).get("command") == text
    }


def write_arrays() -> None:
    """Addition modulo 31 as a user's own arrays, hard where an operand is large."""
    a, b = np.divmod(np.arange(31 * 31, dtype=np.int32), 31)
    x = np.stack([a, b], axis=1)
    np.savez(FOLDER / "given.npz", x=x, y=(a + b) % 31, difficulty=np.maximum(a, b).astype(float))


def main() -> None:
    """Runs what is missing, or what the command line names."""
    wanted = sys.argv[1:]
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_arrays()
    # Each part on one backend before any on a second, so that what is broken shows early.
    for shift in range(len(BACKENDS)):
        for place, part in enumerate(PARTS):
            backend = BACKENDS[(place + shift) % len(BACKENDS)]
            key = (f"{part.kind}: {part.name}", backend)
            old = results().get(key, {"error": ""})
            text = shlex.join(["grokkeras", *command(part, backend)])
            missing = "error" in old or old["command"] != text
            kept = part is not PARTS[0] or folder(part, backend).is_dir()
            if part.name in wanted or (not wanted and (missing or not kept)):
                line = run(part, backend)
                with RESULTS.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(line["part"], backend, line.get("grokking_step"), line.get("error", ""))
                sys.stdout.flush()
    write_table(ROOT / "docs" / "real_runs.md", PARTS, BACKENDS, present_results())


if __name__ == "__main__":
    main()
