"""After a cut, the logs are those of a run that had just reached the checkpoint."""

from __future__ import annotations

import numpy as np
import pytest

from grokkeras.config import load_config
from grokkeras.detection.events import Event
from grokkeras.logging.jsonl import JsonlLog, read_jsonl
from grokkeras.logging.step_losses import StepLossFile, read_step_losses
from grokkeras.logging.tensorboard import TensorBoardWriter
from grokkeras.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    config = load_config(
        {"name": "x", "task": {"name": "sparse_parity"}, "model": {"name": "mlp"}},
    )
    return RunFolder.create(tmp_path / "run", config)


def train(folder, steps, first_step=0):
    """Logs the steps (first_step, steps]; returns the offsets as they were at each step."""
    log = JsonlLog(folder.metrics_path, folder.events_path)
    losses = StepLossFile(folder.step_losses_path, first_step)
    board = TensorBoardWriter(folder.tensorboard_dir, first_step, clock=lambda: 1000.0)
    offsets = {0: log.offsets()}
    for step in range(first_step + 1, steps + 1):
        losses.append(np.array([step], np.float32))
        record = {"step": step, "train_loss": 1.0 / step, "val_loss": 2.0}
        for writer in (log, board):
            writer.evaluation(record)
        if step % 3 == 0:
            confirmed = {"confirmed_step": step, "threshold": 0.9}
            for writer in (log, board):
                writer.event(Event(step - 2, "memorization", confirmed))
        offsets[step] = log.offsets()
    for writer in (log, losses, board):
        writer.close()
    return offsets


def content(folder):
    return (
        folder.metrics_path.read_bytes(),
        folder.events_path.read_bytes(),
        read_step_losses(folder.step_losses_path).tolist(),
    )


@pytest.mark.parametrize("with_offsets", [True, False])
@pytest.mark.parametrize("step", [0, 1, 4, 6, 10])
def test_a_cut_run_that_goes_on_equals_one_never_interrupted(folder, step, with_offsets):
    offsets = train(folder, 10)
    undisturbed = content(folder)

    assert folder.cut_to_checkpoint(step, offsets[step] if with_offsets else None) == []
    assert [r["step"] for r in read_jsonl(folder.metrics_path).records] == list(range(1, step + 1))
    train(folder, 10, first_step=step)
    assert content(folder) == undisturbed


def test_torn_last_lines_and_values_are_cut(folder):
    offsets = train(folder, 10)
    undisturbed = content(folder)
    with folder.metrics_path.open("ab") as file:
        file.write(b'{"step": 11, "tr')
    with folder.step_losses_path.open("ab") as file:
        file.write(b"\x01\x02")

    assert folder.cut_to_checkpoint(10, offsets[10]) == []
    assert content(folder) == undisturbed


def test_offsets_that_do_not_fit_are_reported_and_lines_cut_by_step(folder):
    offsets = train(folder, 10)
    lines = folder.metrics_path.read_bytes().splitlines(keepends=True)
    folder.metrics_path.write_bytes(b"".join([*lines[:2], b'{"step": 3}\n', *lines[3:]]))
    folder.events_path.write_bytes(b"")

    messages = folder.cut_to_checkpoint(8, offsets[8])
    assert [r["step"] for r in read_jsonl(folder.metrics_path).records] == list(range(1, 9))
    assert len(messages) == 2
    assert "metrics.jsonl has no line that ends at byte" in messages[0]
    assert "Kept its whole lines up to step 8" in messages[0]
    assert "events.jsonl has 0 bytes, expected at least" in messages[1]


def test_an_offset_that_fits_by_chance_is_found_out_by_the_steps(folder):
    """One line was taken out and all are of one length, so the offset is at the end of a line."""
    offsets = train(folder, 9)
    lines = [f'{{"step": {step}, "x": 0}}\n' for step in (1, 2, 4, 5, 6, 7, 8, 9)]
    folder.metrics_path.write_text("".join(lines))
    offset = len("".join(lines[:7]))

    (message,) = folder.cut_to_checkpoint(7, {**offsets[7], "metrics.jsonl": offset})
    assert f"metrics.jsonl has later steps before byte {offset}" in message
    records = read_jsonl(folder.metrics_path).records
    assert [record["step"] for record in records] == [1, 2, 4, 5, 6, 7]


def test_lost_step_losses_are_nan_and_reported(folder):
    offsets = train(folder, 10)
    folder.step_losses_path.write_bytes(folder.step_losses_path.read_bytes()[:-10])

    messages = folder.cut_to_checkpoint(10, offsets[10])
    assert messages == ["step_losses.f32 lost the losses of 3 steps; they are NaN."]
    losses = read_step_losses(folder.step_losses_path)
    assert losses[:7].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert len(losses) == 10
    assert np.isnan(losses[7:]).all()


def test_a_run_killed_before_it_logged_anything_is_cut_to_nothing(folder):
    assert folder.cut_to_checkpoint(0) == []
    assert not folder.metrics_path.exists()
