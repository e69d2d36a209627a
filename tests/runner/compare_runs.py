"""What two run folders of the same configuration must have in common, down to the last bit."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from grokkeras.logging.event_files import read_events
from grokkeras.logging.step_losses import read_step_losses

# What tells of the clock and of the interruptions, and of nothing else.
CLOCK = ("seconds", "wall_seconds", "steps_per_second", "training_share")
INTERRUPTION = ("checkpoint", "resume")


def differences(one: Path, other: Path) -> list[str]:
    """In words, what differs between two finished runs; empty where nothing does."""
    found = []
    for what, read in READERS.items():
        first, second = read(one), read(other)
        if first != second:
            found.append(f"{what}: {_first_difference(first, second)}")
    return found


def metrics(run: Path) -> list[dict[str, object]]:
    return [_without_clock(record) for record in _lines(run / "metrics.jsonl")]


def events(run: Path) -> list[dict[str, object]]:
    lines = _lines(run / "events.jsonl")
    return [event for event in lines if event["event"] not in INTERRUPTION]


def summary(run: Path) -> dict[str, object]:
    return _without_clock(json.loads((run / "summary.json").read_text()))


def step_losses(run: Path) -> list[bytes]:
    losses = read_step_losses(run / "step_losses.f32")
    assert np.isfinite(losses).all()
    return [loss.tobytes() for loss in losses]


def final_checkpoint(run: Path) -> dict[str, bytes]:
    """All weights, optimizer and generator states at the end, and the best weights."""
    last = max((run / "checkpoints").glob("step-*"))
    files = ("arrays.safetensors", "best.safetensors")
    return {"step": last.name.encode()} | {name: (last / name).read_bytes() for name in files}


def model(run: Path) -> dict[str, bytes]:
    """The arrays in `model.keras`, by their path in it."""
    arrays = {}
    with zipfile.ZipFile(run / "model.keras") as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as file:

        def take(name: str, entry: object) -> None:
            if isinstance(entry, h5py.Dataset):
                arrays[name] = entry[()].tobytes()

        file.visititems(take)
    assert arrays
    return arrays


def tensorboard(run: Path) -> list[tuple[str, int, str, float]]:
    """Every scalar: (run, step, tag, value). A step that stands there twice is there twice."""
    return [
        (name, event.step, value.tag, value.simple_value)
        for name in ("train", "validation")
        for path in sorted((run / "tensorboard" / name).glob("*tfevents*"))
        for event in read_events(path)
        for value in event.summary.value
        if value.HasField("simple_value")
    ]


def projector(run: Path) -> dict[str, bytes]:
    """The embeddings of the Projector tab."""
    files = sorted((run / "tensorboard" / "train" / "projector").glob("*"))
    return {path.name: path.read_bytes() for path in files}


READERS = {
    "metrics.jsonl": metrics,
    "events.jsonl": events,
    "summary.json": summary,
    "step_losses.f32": step_losses,
    "last checkpoint": final_checkpoint,
    "model.keras": model,
    "tensorboard": tensorboard,
    "projector": projector,
}


def _lines(path: Path) -> Iterator[dict[str, object]]:
    return map(json.loads, path.read_text().splitlines())


def _without_clock(record: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if key not in CLOCK}


def _first_difference(first: object, second: object) -> str:
    if isinstance(first, dict) and isinstance(second, dict):
        keys = first.keys() | second.keys()
        key = min(key for key in keys if first.get(key) != second.get(key))
        return f"{key}: {str(first.get(key))[:200]} != {str(second.get(key))[:200]}"
    assert isinstance(first, list)
    assert isinstance(second, list)
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return f"entry {place}: {a} != {b}"
    return f"{len(first)} entries != {len(second)}"
