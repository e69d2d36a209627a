"""TensorBoard's own loader and server on event files of ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from event_parts import write

from grokkeras.detection.events import Event
from grokkeras.logging.tensorboard import TensorBoardWriter, cut_event_files

# Makes TensorBoard believe that TensorFlow is not installed.
WITHOUT_TENSORFLOW = (
    "import sys, types\nsys.modules['tensorboard.compat.notf'] = types.ModuleType('notf')\n"
)


def test_tensorboards_own_loader_reads_it(tmp_path):
    write(tmp_path, range(1, 4))
    code = WITHOUT_TENSORFLOW + (
        "import json\n"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "read = EventAccumulator(sys.argv[1]).Reload()\n"
        "tags = read.Tags()['scalars'] or read.Tags()['tensors']\n"
        "steps = [event.step for event in read.Scalars('accuracy')]\n"
        "assert 'tensorflow' not in sys.modules\n"
        "print(json.dumps([sorted(tags), steps]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "train")],
        capture_output=True,
        text=True,
        check=True,
    )
    tags, read_steps = json.loads(done.stdout)
    assert read_steps == [1, 2, 3]
    assert tags == [
        "accuracy",
        "dropout_rate",
        "learning_rate",
        "loss",
        "measures/weight_norm",
        "weight_decay",
    ]


def ask(address, path, **query):
    url = f"{address}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def until(look, server, said):
    """What `look` gives as soon as it gives something, while the server lives and for 2 minutes."""
    end = time.monotonic() + 120
    while not (found := look()):
        assert server.poll() is None, said.read_text()
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.1)
    return found


def test_the_stock_server_shows_a_resumed_run_without_a_step_twice(tmp_path):
    logdir, said = tmp_path / "run", tmp_path / "server.txt"
    write(logdir, range(1, 11))
    cut_event_files(logdir, 4)
    write(logdir, range(5, 8), first_step=4)
    writer = TensorBoardWriter(logdir, first_step=7)
    writer.event(Event(7, "grokking", {"confirmed_step": 7, "threshold": 0.95}))
    writer.close()
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0"]
    # Into a file: a pipe that nobody reads any more would stop the server once it is full.
    with (
        said.open("w") as log,
        subprocess.Popen([*command, "--reload_interval", "1"], stderr=log) as server,
    ):
        try:
            find = re.compile(r"(http://localhost:\d+)/").search
            address = until(lambda: find(said.read_text()), server, said).group(1)

            def all_tags():
                tags = ask(address, "/data/plugin/scalars/tags")
                whole = set(tags) == {"train", "validation"} and "weight_decay" in tags["train"]
                return tags if whole else None

            tags = until(all_tags, server, said)
            assert set(tags["validation"]) == {"loss", "accuracy"}
            assert set(tags["train"]) - set(tags["validation"]) == {
                "learning_rate",
                "weight_decay",
                "dropout_rate",
                "measures/weight_norm",
            }
            shown = ask(address, "/data/plugin/scalars/scalars", run="train", tag="accuracy")
            assert [step for _, step, _ in shown] == [1, 2, 3, 4, 5, 6, 7]
            (text,) = ask(address, "/data/plugin/text/text", run="train", tag="events")
            assert "grokked at step 7" in text["text"]
        finally:
            server.kill()
