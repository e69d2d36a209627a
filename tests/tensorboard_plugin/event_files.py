"""Event files of runs that grok at known steps, and of runs that are odd."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from grokkeras.logging.tensorboard import TensorBoardWriter

# A name that would be trouble as markup, as a path in an address, or in a shell.
NASTY = "<img src=x onerror=alert(1)> & 'quotes' \"x\" #1"
STEPS = range(10, 1010, 10)


def record(step: int, memorized: int = 100, grokked: int = 600, **changes: Any) -> dict[str, Any]:
    """An evaluation of a run that memorizes and groks at once at the given steps."""
    fitted, found = step >= memorized, step >= grokked
    values = {
        "train_loss": 0.01 if fitted else 4.0,
        "train_accuracy": 1.0 if fitted else 0.3,
        "val_loss": 0.02 if found else 5.0,
        "val_accuracy": 0.99 if found else 0.1,
        "learning_rate": 0.001,
        "weight_decay": 1.0,
        "dropout_rate": 0.0,
        "weight_norm": 30.0,
    }
    return {"step": step, "seconds": 0.0, **values, **changes}


def write(run: Path, records: Iterable[dict[str, Any]], first_step: int = 0) -> None:
    writer = TensorBoardWriter(run / "tensorboard", first_step)
    for each in records:
        writer.evaluation(each)
    writer.close()


def odd_runs(root: Path) -> None:
    """What bad luck and users leave in a log directory, one sound run among it."""
    write(root / "sound", [record(step) for step in STEPS])
    write(root / NASTY, [record(step) for step in STEPS])
    nan = float("nan")
    write(root / "nan", [record(s, train_loss=nan if s > 500 else 1.0) for s in STEPS])
    write(root / "infinite", [record(s, val_loss=float("inf")) for s in STEPS])
    write(root / "one point", [record(1)])
    write(root / "resumed", [record(step) for step in STEPS])
    write(root / "resumed", [record(s, val_accuracy=0.5) for s in range(510, 1110, 10)], 500)
    torn = root / "torn"
    write(torn, [record(step) for step in STEPS])
    file = next((torn / "tensorboard" / "train").iterdir())
    file.write_bytes(file.read_bytes()[:-7])
    (torn / "summary.json").write_text("{broken")
    (torn / "config.yaml").write_text("name: <script>alert(2)</script>\n")
    (torn / "events.jsonl").write_text(
        '{"step": 100, "event": "memorization", "detail": {}}\n'
        '{"step": "x", "event": "grokking"}\n'
        '{"step": 70, "event": "<b>", "detail": {"message": "<img src=x onerror=alert(4)>"}}\n'
    )
    for name, content in (("damaged", b"\x00garbage" * 50), ("empty", b"")):
        folder = root / name / "tensorboard" / "train"
        folder.mkdir(parents=True)
        (folder / "events.out.tfevents.1700000000.host.1.0").write_bytes(content)
    # Event files of something else, without one of our curves.
    foreign = EventFileWriter(str(root / "foreign"))
    for step in range(50):
        value = Summary.Value(tag="episode/reward", simple_value=float(step))
        foreign.add_event(Event(step=step, wall_time=1.7e9, summary=Summary(value=[value])))
    foreign.close()
    # A run folder of which only the curves and the configuration are left.
    write(root / "half", [record(step) for step in STEPS])
    (root / "half" / "config.yaml").write_text("name: half\ndetector: {val_threshold: 0.95}\n")
