"""Back to a run's newest sound checkpoint."""

from __future__ import annotations

from grokkeras.checkpoint import Checkpoint
from grokkeras.detection import Event
from grokkeras.environment import threads_fingerprint
from grokkeras.logging import Display
from grokkeras.logging.jsonl import JsonlWriter, read_jsonl
from grokkeras.run_folder import RunFolder


def restore(folder: RunFolder) -> tuple[Checkpoint | None, list[str]]:
    """Finds the checkpoint and cuts the logs back to it.

    Returns:
        The checkpoint, or None to begin again; and what to tell the user.
    """
    checkpoint, notices = folder.checkpoints().load_newest()
    step = checkpoint.step if checkpoint else 0
    offsets = checkpoint.state["offsets"] if checkpoint else None
    notices += folder.cut_to_checkpoint(step, offsets)
    events = JsonlWriter(folder.events_path)
    if checkpoint is None:
        notices.append("There is no sound checkpoint: beginning again at step 0.")
    else:
        notices.append(f"Going on from the checkpoint of step {step:,}.")
        # The event was written after the checkpoint was whole, so the cut took it away.
        saved = Event(step, "checkpoint", {"path": checkpoint.path.name})
        events.append(saved.to_dict())
        if checkpoint.state["threads"] != threads_fingerprint():
            notices.append(
                f"The checkpoint was made with other threads ({checkpoint.state['threads']}, now "
                f"{threads_fingerprint()}): the last bits may differ from an uninterrupted run."
            )
    events.append(Event(step, "resume", {"from_step": step}).to_dict())
    events.close()
    return checkpoint, notices


def show_past(folder: RunFolder, display: Display) -> None:
    """Tells the display what happened up to the checkpoint."""
    metrics, events = read_jsonl(folder.metrics_path), read_jsonl(folder.events_path)
    display.replay(metrics.records, events.records)
