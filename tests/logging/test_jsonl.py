"""Lines as they are written, read and cut."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.detection.events import Event
from grokkeras.files import DiskFullError
from grokkeras.logging.jsonl import JsonlLog, JsonlWriter, cut_to_offset, cut_to_step, read_jsonl
from grokkeras.logging.step_losses import StepLossFile, cut_step_losses, read_step_losses
from grokkeras.strict_json import dumps


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def steps(path):
    return [record["step"] for record in read_jsonl(path).records]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def without_non_finite(value):
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, list):
        return [without_non_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: without_non_finite(item) for key, item in value.items()}
    return value


@given(json_values)
def test_any_value_is_strict_json_on_one_line(value):
    text = dumps(value)
    assert "\n" not in text
    assert json.loads(text, parse_constant=pytest.fail) == without_non_finite(value)


def test_numpy_values_are_plain_numbers_and_nan_is_null():
    record = {
        "loss": np.float32(0.5),
        "nan": np.float32("nan"),
        "inf": [float("inf"), 1],
        "step": np.int64(3),
        "done": np.bool_(True),
        "ratio": np.array([1.0, np.nan]),
    }
    assert json.loads(dumps(record)) == {
        "loss": 0.5,
        "nan": None,
        "inf": [None, 1],
        "step": 3,
        "done": True,
        "ratio": [1.0, None],
    }


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        dumps({"x": object()})


def test_a_follower_sees_each_line_at_once(path):
    writer = JsonlWriter(path)
    for step in (1, 2, 3):
        writer.append({"step": step})
        assert steps(path) == list(range(1, step + 1))
        assert writer.offset() == path.stat().st_size
    writer.sync()
    writer.close()
    writer.close()


def test_a_new_writer_goes_on_after_the_last_whole_line(path):
    path.write_bytes(b'{"step": 1}\n{"step": 2}\n{"ste')
    writer = JsonlWriter(path)
    writer.append({"step": 3})
    assert path.read_bytes() == b'{"step": 1}\n{"step": 2}\n{"step": 3}\n'


@pytest.mark.parametrize("length", [1, 4095, 4096, 4097, 9000])
def test_a_torn_line_of_any_length_is_cut(path, length):
    path.write_bytes(b"{}\n" + b"x" * length)
    JsonlWriter(path).close()
    assert path.read_bytes() == b"{}\n"
    path.write_bytes(b"x" * length)
    JsonlWriter(path).close()
    assert path.read_bytes() == b""


def test_one_writer_for_evaluations_and_events(tmp_path):
    log = JsonlLog(tmp_path / "metrics.jsonl", tmp_path / "events.jsonl")
    log.evaluation({"step": 1, "val_loss": float("nan")})
    log.event(Event(1, "grokking", {"confirmed_step": 4}))
    log.flush()
    log.sync()

    assert read_jsonl(tmp_path / "metrics.jsonl").records == [{"step": 1, "val_loss": None}]
    assert read_jsonl(tmp_path / "events.jsonl").records == [
        {"step": 1, "event": "grokking", "detail": {"confirmed_step": 4}}
    ]
    assert log.offsets() == {
        name: (tmp_path / name).stat().st_size for name in ("metrics.jsonl", "events.jsonl")
    }
    log.close()


def test_no_space_is_one_clear_message():
    with pytest.raises(DiskFullError, match=r"Could not write full .*the disk is full"):
        JsonlWriter("/dev/full").append({"step": 1})


def test_a_limit_on_file_size_leaves_the_whole_lines(tmp_path):
    """The line that no longer fits is torn by the system, and cut by the next writer."""
    code = (
        "import resource, sys\n"
        "from grokkeras.errors import GrokkerasError\n"
        "from grokkeras.logging.jsonl import JsonlWriter\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "writer = JsonlWriter(sys.argv[1])\n"
        "try:\n"
        "    for step in range(1000): writer.append({'step': step})\n"
        "except GrokkerasError as error: print(step, error)\n"
    )
    path = tmp_path / "metrics.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    written, message = done.stdout.split(" ", 1)
    assert "ulimit -f" in message
    assert path.stat().st_size == 1000
    assert steps(path) == list(range(int(written)))
    assert read_jsonl(path).unreadable == 1


def test_cut_to_offset(path):
    writer = JsonlWriter(path)
    offsets = [writer.offset()]
    for step in (1, 2, 3):
        writer.append({"step": step})
        offsets.append(writer.offset())
    for kept in (3, 2, 0):
        cut_to_offset(path, offsets[kept])
        assert steps(path) == list(range(1, kept + 1))
    with pytest.raises(ValueError, match="has 0 bytes, expected at least 12"):
        cut_to_offset(path, 12)


def test_cut_to_offset_inside_a_line_changes_nothing(path):
    path.write_bytes(b'{"step": 1}\n{"step": 2}\n')
    with pytest.raises(ValueError, match="no line that ends at byte 5"):
        cut_to_offset(path, 5)
    assert steps(path) == [1, 2]


def test_cuts_of_a_file_that_is_not_there(path):
    cut_to_offset(path, 0)
    assert cut_to_step(path, 10) == 0
    with pytest.raises(ValueError, match="has 0 bytes"):
        cut_to_offset(path, 1)
    assert not path.exists()


def test_cut_to_step_drops_later_torn_and_altered_lines(path):
    lines = [b'{"step": 1}\n', b'{"st\x00\r: 2}\n', b'{"step": 3}\n', b"[3]\n", b'{"step": 9}\n']
    path.write_bytes(b"".join(lines) + b'{"step": 2}')
    assert cut_to_step(path, 3) == 4
    assert path.read_bytes() == lines[0] + lines[2]
    assert cut_to_step(path, 3) == 0


def test_cut_to_step_goes_by_when_an_event_was_written(path):
    """A grokking step is confirmed, and so written, some evaluations later."""
    log = [
        Event(100, "memorization", {"confirmed_step": 130}),
        Event(140, "grokking", {"confirmed_step": 160}),
        Event(150, "checkpoint"),
    ]
    writer = JsonlWriter(path)
    for event in log:
        writer.append(event.to_dict())
    cut_to_step(path, 150)
    assert [record["event"] for record in read_jsonl(path).records] == [
        "memorization",
        "checkpoint",
    ]


def test_step_losses_lie_at_their_step(tmp_path):
    path = tmp_path / "losses"
    file = StepLossFile(path)
    file.append(np.array([1.0, 2.0], np.float64))
    file.append(np.array([], np.float32))
    file.append(np.array([np.nan, np.inf], np.float32))
    file.sync()

    assert file.steps == 4
    assert path.read_bytes() == np.array([1, 2, np.nan, np.inf], "<f4").tobytes()
    losses = read_step_losses(path)
    assert losses.dtype == np.float32
    np.testing.assert_array_equal(losses, [1, 2, np.nan, np.inf])
    file.close()
    file.close()


def test_step_losses_go_on_at_the_checkpoint(tmp_path):
    path = tmp_path / "losses"
    path.write_bytes(np.arange(1, 6, dtype="<f4").tobytes() + b"\x00\x01")
    file = StepLossFile(path, first_step=3)
    file.append(np.array([40.0], np.float32))
    assert read_step_losses(path).tolist() == [1, 2, 3, 40]


@pytest.mark.parametrize("have", [0, 1, 7])
def test_lost_step_losses_are_nan(tmp_path, have):
    path = tmp_path / "losses"
    if have:
        path.write_bytes(np.arange(2, dtype="<f4").tobytes()[:have])
    known = have // 4
    assert cut_step_losses(path, 3) == 3 - known
    losses = read_step_losses(path)
    assert losses[:known].tolist() == list(range(known))
    assert len(losses) == 3
    assert np.isnan(losses[known:]).all()


def test_without_a_file_there_are_no_step_losses(tmp_path):
    assert read_step_losses(tmp_path / "absent").shape == (0,)
    assert cut_step_losses(tmp_path / "absent", 0) == 0
    assert not (tmp_path / "absent").exists()
