"""Takes a run's logs back to a checkpoint, so that `resume` writes every step exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def cut_lines(path: Path, step: int, offset: int | None) -> list[str]:
    """Cuts a JSON-lines file to the checkpoint's offset, or by step where that does not fit.

    Returns:
        In words, what was not as expected.
    """
    from grokkeras.logging.jsonl import cut_to_offset, cut_to_step

    reason = None
    try:
        if offset is not None:
            cut_to_offset(path, offset)
    except ValueError as error:
        reason = str(error)
    dropped = cut_to_step(path, step)  # after a cut to the right offset, nothing
    if reason is None and offset is not None and dropped:
        reason = f"{path.name} has later steps before byte {offset}"
    if reason is None:
        return []
    return [
        f"{reason}: it changed since the checkpoint. Kept its whole lines up to step {step}; "
        f"earlier ones may be missing."
    ]


def cut_logs(
    step: int,
    offsets: Mapping[str, int] | None,
    lines: tuple[Path, ...],
    step_losses: Path,
    tensorboard: Path,
) -> list[str]:
    """Applies every cut; see `RunFolder.cut_to_checkpoint`."""
    from grokkeras.logging.step_losses import cut_step_losses

    known = dict.fromkeys((path.name for path in lines), 0) if step == 0 else dict(offsets or {})
    messages = []
    for path in lines:
        messages += cut_lines(path, step, known.get(path.name))
    if step_losses.exists():
        lost = cut_step_losses(step_losses, step)
        if lost:
            messages.append(f"{step_losses.name} lost the losses of {lost} steps; they are NaN.")
    if tensorboard.is_dir():
        from grokkeras.logging.tensorboard import cut_event_files

        cut_event_files(tensorboard, step)
    return messages
