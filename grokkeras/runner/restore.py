"""Back to a run's newest sound checkpoint."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokkeras.checkpoint import Checkpoint
from grokkeras.config import RunConfig, to_plain
from grokkeras.config.resume import CHANGEABLE
from grokkeras.detection import Event
from grokkeras.environment import threads_fingerprint
from grokkeras.errors import GrokkerasError, UserError
from grokkeras.logging import Display
from grokkeras.logging.jsonl import JsonlWriter, read_jsonl
from grokkeras.run_folder import RunFolder

if TYPE_CHECKING:
    from grokkeras.tasks import TaskData
    from grokkeras.training.program import Program


def find_checkpoint(folder: RunFolder) -> tuple[Checkpoint | None, list[str]]:
    """The newest sound checkpoint, and what to say of those that were skipped.

    Raises:
        UserError: `config.yaml` is no longer the one that the checkpoint was made with.
    """
    checkpoint, skipped = folder.checkpoints().load_newest()
    if checkpoint is not None:
        _check_same(folder, checkpoint)
    return checkpoint, skipped


def check_goes_on(config: RunConfig, checkpoint: Checkpoint) -> None:
    """Refuses a last step that lies before the checkpoint's.

    Raises:
        UserError: it does.
    """
    if config.train.max_steps < checkpoint.step:
        raise UserError(
            f"train.max_steps: received {config.train.max_steps:,}, but the run stands at step "
            f"{checkpoint.step:,} already; expected that or more."
        )


def check_data_is_the_same(task: TaskData, checkpoint: Checkpoint) -> None:
    """Refuses data other than the run began with: training examples would come into the test.

    Raises:
        UserError: an example is not what it was, or not where it was.
    """
    begun = checkpoint.state.get("data")
    if begun is not None and begun != task.fingerprint():
        raise UserError(
            f"The data of the task {task.name} is not what the run began with (step "
            f"{checkpoint.step:,}). Put the file back as it was, and resume in the folder in which "
            f"the run was started; or start a new run."
        )


def cut_back(
    folder: RunFolder, checkpoint: Checkpoint | None, callbacks: Sequence[Any]
) -> list[str]:
    """Cuts the logs back to the checkpoint, or empties them, and notes the resumption.

    Returns:
        What to tell the user.
    """
    for leftover in folder.path.glob(".tmp-*"):  # of a process that was killed while writing
        leftover.unlink(missing_ok=True)
    step = checkpoint.step if checkpoint else 0
    notices = folder.cut_to_checkpoint(step, checkpoint.state["offsets"] if checkpoint else None)
    events = JsonlWriter(folder.events_path)
    if checkpoint is None:
        notices.append("There is no sound checkpoint: beginning at step 0.")
    else:
        notices.append(f"Going on from the checkpoint of step {step:,}.")
        notices += _differences(checkpoint.state, callbacks)
        # The event was written after the checkpoint was whole, so the cut took it away.
        events.append(Event(step, "checkpoint", {"path": checkpoint.path.name}).to_dict())
    events.append(Event(step, "resume", {"from_step": step}).to_dict())
    events.close()
    return notices


def show_past(folder: RunFolder, display: Display) -> None:
    """Tells the display what happened up to the checkpoint."""
    metrics, events = read_jsonl(folder.metrics_path), read_jsonl(folder.events_path)
    display.replay(metrics.records, events.records)


def load_arrays(program: Program, checkpoint: Checkpoint, folder: RunFolder) -> None:
    """Puts all of a checkpoint's arrays into a program.

    Raises:
        GrokkerasError: they are not those of this model, optimizer and callbacks.
    """
    known = {name: array.shape for name, array in program.arrays().items()}
    if known != {name: array.shape for name, array in checkpoint.arrays.items()}:
        began = ", ".join(checkpoint.state["callbacks"]) or "none"
        raise GrokkerasError(
            f"The arrays in {checkpoint.path} are not those of this configuration's model, "
            f"optimizer and callbacks. Resume the run with the callbacks that it began with "
            f"({began}) and the versions in {folder.environment_path}."
        )
    program.load_arrays(checkpoint.arrays)


def load_what_is_there(program: Program, checkpoint: Checkpoint) -> None:
    """Puts those of a checkpoint's weights and optimizer arrays back that the program has so far.

    Callbacks may add variables when training begins. Optimizers append them, so that what is there
    keeps its number; among a model's state they may stand anywhere, so that has to wait.
    """
    present = program.arrays(("weights", "optimizer"))
    saved = checkpoint.arrays
    program.load_arrays(
        {k: saved[k] for k, a in present.items() if k in saved and saved[k].shape == a.shape}
    )


def _differences(state: Mapping[str, Any], callbacks: Sequence[Any]) -> Iterator[str]:
    """What may make this sitting go another way than the one before."""
    threads = threads_fingerprint()
    if state["threads"] != threads:
        yield (
            f"The checkpoint was made with other threads ({state['threads']}, now {threads}): "
            f"the last bits may differ from an uninterrupted run."
        )
    if state["callbacks"] != [type(callback).__name__ for callback in callbacks]:
        yield (
            f"The run had these callbacks: {', '.join(state['callbacks']) or 'none'}. "
            f"With others it may go another way."
        )


def _check_same(folder: RunFolder, checkpoint: Checkpoint) -> None:
    before, after = checkpoint.state["config"], to_plain(folder.config)
    begun, now = _fixed(before), _fixed(after)
    changed = [
        f"{key}: was {begun[key]!r}, is {now[key]!r}"
        for key in begun.keys() & now.keys()
        if begun[key] != now[key]
    ]
    changed += [
        f"{key}: was {before.get(key)!r}, is {after.get(key)!r}"
        for key in ("curriculum", "transfer")
        if (key in before) != (key in after)
    ]
    if changed:
        config = shlex.quote(str(folder.config_path))
        raise UserError(
            f"{folder.config_path} was changed after the checkpoint of step {checkpoint.step:,}:\n"
            + "\n".join(f"  {line}" for line in sorted(changed))
            + f"\nA run goes on with what it began with. Put that back, or start a new run: "
            f"grokkeras run {config}"
        )


def _fixed(config: Mapping[str, Any]) -> dict[str, Any]:
    """What `resume` may not change, by dotted key."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        section = value if isinstance(value, Mapping) else None
        flat |= {f"{key}.{k}": v for k, v in section.items()} if section else {key: value}
    return {key: value for key, value in flat.items() if key not in CHANGEABLE}
