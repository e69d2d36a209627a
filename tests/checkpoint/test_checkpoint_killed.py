"""SIGKILL at any moment of saving: the newest sound checkpoint always loads."""

from __future__ import annotations

import random
import subprocess
import sys

from grokkeras.checkpoint import CheckpointStore

# Goes on from the newest checkpoint, saving without a pause; says which steps are done.
SAVE_FOREVER = """
import sys
import numpy as np
from grokkeras.checkpoint import CheckpointStore
store = CheckpointStore(sys.argv[1])
found, skipped = store.load_newest()
step = found.step if found else 0
print("ready", flush=True)
while True:
    step += 1
    arrays = {"w": np.full((512, 512), step, np.float32), "step": np.array(step)}
    store.save(step, arrays, {"w": arrays["w"]}, {"step": step}, (step % 7, 0.0, -step))
    print(step, flush=True)
"""

# Forks once for each system call that saving makes; the child dies in the middle of that call.
KILL_AT_EVERY_CALL = """
import os, shutil, signal, sys
from pathlib import Path
import numpy as np
from grokkeras.checkpoint import CheckpointStore, load

CALLS = ("write", "fsync", "rename", "mkdir", "unlink", "rmdir")
real = {name: getattr(os, name) for name in CALLS}
done = 0

def patch(last):
    def wrap(name):
        def call(*args, **kwargs):
            global done
            done += 1
            if done == last:
                if name == "write":
                    real["write"](args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real[name](*args, **kwargs)
        return call
    for name in CALLS:
        setattr(os, name, wrap(name))

def save(store, step):
    arrays = {"w": np.full(1000, step, np.float32)}
    store.save(step, arrays, arrays, {"step": step}, (-step, 0.0, 0.0))

def check(store, least, most, after):
    found, skipped = store.load_newest()
    assert skipped == [], (after, skipped)
    assert least <= found.step <= most, (after, found.step)
    for path in store.directory.glob("step-*"):
        load(path)  # a name is given last and taken away first, so what has one is whole
    assert found.state == {"step": found.step} and (found.arrays["w"] == found.step).all(), after
    return found.step

folder, again = Path(sys.argv[1]), int(sys.argv[2])
last = 0
while True:
    last += 1
    shutil.rmtree(folder, ignore_errors=True)
    store = CheckpointStore(folder)
    for step in (1, 2, 3, 4, 5):
        save(store, step)
    pid = os.fork()
    if pid == 0:
        patch(last)
        save(store, again)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    check(store, 5, again, last)
    save(store, again + 1)
    check(store, again + 1, again + 1, last)
    assert not list(folder.glob(".*")), sorted(folder.iterdir())
    if status == 0:
        break
print(last - 1)
"""


def test_twenty_five_kills_at_random_moments(tmp_path):
    directory = tmp_path / "checkpoints"
    store = CheckpointStore(directory)
    draw = random.Random(0)
    interrupted = 0
    for kill in range(25):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOREVER, str(directory)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n"
        for _ in range(draw.randrange(3)):
            process.stdout.readline()
        try:
            process.wait(draw.uniform(0.0, 0.05))
        except subprocess.TimeoutExpired:
            process.kill()
        rest = process.communicate()[0].split()
        assert process.returncode == -9, kill
        interrupted += any(directory.glob(".tmp-*"))
        found, skipped = store.load_newest()
        assert skipped == []
        if rest:
            assert found.step >= int(rest[-1])
        if found is not None:
            assert found.state == {"step": found.step}
            assert found.arrays["step"] == found.step
            assert (found.arrays["w"] == found.step).all()
            assert (found.best["w"] == found.step).all()
    assert found.step >= 10
    assert interrupted > 0, "no kill fell into the middle of writing"


def kill_at_every_call(folder, step):
    done = subprocess.run(
        [sys.executable, "-c", KILL_AT_EVERY_CALL, str(folder), str(step)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_kill_in_any_system_call_of_a_save(tmp_path):
    assert kill_at_every_call(tmp_path / "checkpoints", 6) > 20


def test_a_kill_in_any_system_call_of_a_save_over_the_same_step(tmp_path):
    assert kill_at_every_call(tmp_path / "checkpoints", 5) > 20
