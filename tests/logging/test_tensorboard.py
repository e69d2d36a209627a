"""Event files written without TensorFlow, as TensorBoard itself reads them."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from event_parts import RECORD, files, points, protos, write

from grokkeras.detection.events import Event
from grokkeras.files import DiskFullError
from grokkeras.logging.tensorboard import TensorBoardWriter, cut_event_files


def write_record(log_dir, record):
    writer = TensorBoardWriter(log_dir, clock=lambda: 1234.5)
    writer.evaluation(record)
    writer.close()


def steps(log_dir, run="train"):
    return [step for step, _ in points(log_dir, run)]


def test_both_runs_share_tags_and_train_has_the_rest(tmp_path):
    write_record(tmp_path, RECORD)

    assert points(tmp_path, "validation") == [(10, {"loss": 2.5, "accuracy": 0.5})]
    ((step, train),) = points(tmp_path, "train")
    assert step == 10
    assert train == {
        "loss": 0.25,
        "accuracy": 0.75,
        "learning_rate": pytest.approx(1e-3),
        "weight_decay": 1.0,
        "dropout_rate": 0.0,
        "measures/weight_norm": 33.0,
    }
    assert {event.wall_time for event in protos(tmp_path, "train")} == {1234.5}


def test_nan_is_written_as_it_is_and_none_left_out(tmp_path):
    record = {"step": 3, "train_loss": math.nan, "val_loss": math.inf, "weight_norm": None}
    write_record(tmp_path, record)

    ((_, train),) = points(tmp_path, "train")
    assert list(train) == ["loss"]
    assert math.isnan(train["loss"])
    assert points(tmp_path, "validation") == [(3, {"loss": math.inf})]


def test_a_record_without_a_value_writes_no_point(tmp_path):
    write_record(tmp_path, {"step": 3, "train_loss": 1.0})
    assert points(tmp_path, "validation") == []
    assert len(protos(tmp_path, "validation")) == 1


def test_an_event_is_text_at_the_step_at_which_it_was_known(tmp_path):
    writer = TensorBoardWriter(tmp_path)
    event = Event(140, "grokking", {"confirmed_step": 160, "threshold": 0.95})
    writer.event(event)
    writer.close()

    written = protos(tmp_path, "train")[-1]
    (value,) = written.summary.value
    assert (written.step, value.tag) == (160, "events")
    assert value.metadata.plugin_data.plugin_name == "text"
    assert value.tensor.string_val == [event.describe().encode()]


def test_each_point_can_be_read_at_once(tmp_path):
    writer = TensorBoardWriter(tmp_path)
    for step in (1, 2, 3):
        writer.evaluation({**RECORD, "step": step})
        assert steps(tmp_path) == list(range(1, step + 1))
    writer.flush()
    writer.sync()
    writer.close()
    writer.close()


def test_no_space_is_one_clear_message(tmp_path):
    code = (
        "import resource, sys\n"
        "from grokkeras.errors import GrokkerasError\n"
        "from grokkeras.logging.tensorboard import TensorBoardWriter\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "writer = TensorBoardWriter(sys.argv[1])\n"
        "try:\n"
        "    for step in range(1000): writer.evaluation({'step': step, 'train_loss': 1.0})\n"
        "except GrokkerasError as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{DiskFullError.__name__} Could not write TensorBoard's event")
    assert done.stderr == ""
    assert steps(tmp_path) == list(range(len(steps(tmp_path)))) != []


@pytest.mark.parametrize("cut", [0, 1, 4, 9, 10])
def test_after_cut_and_resume_each_step_is_there_once(tmp_path, cut):
    write(tmp_path, range(1, 11))
    cut_event_files(tmp_path, cut)
    assert all(steps(tmp_path, run) == list(range(1, cut + 1)) for run in ("train", "validation"))
    write(tmp_path, range(cut + 1, 13), first_step=cut)
    assert all(steps(tmp_path, run) == list(range(1, 13)) for run in ("train", "validation"))
    assert not list(tmp_path.glob("**/.*"))


def test_a_cut_through_several_resumes(tmp_path):
    for first, last, cut in [(0, 10, 6), (6, 20, 12), (12, 30, 3), (3, 8, 5)]:
        write(tmp_path, range(first + 1, last + 1), first_step=first)
        cut_event_files(tmp_path, cut)
    assert steps(tmp_path) == [1, 2, 3, 4, 5]


def test_a_cut_that_drops_nothing_leaves_the_files_alone(tmp_path):
    write(tmp_path, range(1, 5))
    before = [path.stat().st_ino for path in files(tmp_path, "train")]
    assert cut_event_files(tmp_path, 4) == 0
    assert [path.stat().st_ino for path in files(tmp_path, "train")] == before


@pytest.mark.parametrize("lost", [1, 4, 20, 60])
def test_a_torn_last_record_is_cut(tmp_path, lost):
    write(tmp_path, range(1, 6))
    path = files(tmp_path, "validation")[0]
    path.write_bytes(path.read_bytes()[:-lost])
    whole = steps(tmp_path, "validation")
    cut_event_files(tmp_path, 5)
    write(tmp_path, [6], first_step=5)

    assert steps(tmp_path, "validation") == [*whole, 6]
    assert len(whole) in (3, 4)


def test_what_follows_an_altered_record_is_cut(tmp_path):
    write(tmp_path, range(1, 6))
    path = files(tmp_path, "validation")[0]
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    assert cut_event_files(tmp_path, 5) == 1
    assert steps(tmp_path, "validation") == [1, 2, 3, 4]


def test_a_later_file_sorts_after_the_earlier_ones(tmp_path):
    """TensorBoard reads in the order of names; here the clock was set back between resumes."""
    for count, now in enumerate([1000.7, 1000.7, 5.0], start=1):
        earlier = files(tmp_path, "train") if count > 1 else []
        write(tmp_path, [count], first_step=count - 1, now=now)
        assert files(tmp_path, "train")[:-1] == earlier


def test_a_resumed_file_tells_an_open_tensorboard_to_forget_later_steps(tmp_path):
    write(tmp_path, [6], first_step=5)
    start = protos(tmp_path, "train")[1]
    assert (start.step, start.session_log.status) == (6, start.session_log.START)


def test_a_hundred_thousand_scalars_without_tensorflow_in_little_memory(tmp_path):
    """TensorFlow alone would add some 700 MB."""
    code = (
        "import sys\n"
        "from grokkeras.logging.tensorboard import TensorBoardWriter\n"
        "writer = TensorBoardWriter(sys.argv[1])\n"
        # Not ru_maxrss: a process starts with its parent's, and pytest has grown by then.
        "def size():\n"
        "    lines = open('/proc/self/status')\n"
        "    return int(next(line for line in lines if line.startswith('VmHWM')).split()[1])\n"
        "before = size()\n"
        "for step in range(10_000):\n"
        "    writer.evaluation({'step': step, 'train_loss': .1, 'val_loss': .2,\n"
        "        'train_accuracy': .3, 'val_accuracy': .4, 'learning_rate': .5,\n"
        "        'weight_decay': .6, 'dropout_rate': .7, 'a': .8, 'b': .9, 'c': 1.})\n"
        "writer.close()\n"
        "assert not {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)\n"
        "print(before, size() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    before, growth = map(int, done.stdout.split())
    assert before < 150_000, f"{before} kB before the first point"
    assert growth < 10_000, f"{growth} kB more after 100,000 scalars"
    assert len(points(tmp_path, "train")) == 10_000
