"""`bench grok`: medians beside their bounds, and the watch on a real process."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from grokkeras.bench import grok
from grokkeras.bench.grok import Grokked, medians, time_to_grok
from grokkeras.config import load_config
from grokkeras.errors import GrokkerasError


def test_medians_are_beside_the_bound_of_their_configuration():
    runs = [Grokked("express", "jax", seed, s, 1.0, 60, 150) for seed, s in enumerate((9, 19, 40))]
    runs += [Grokked("fastest", "jax", 0, 7.5, 0.1, 20, 27)]
    express, fastest = medians(runs)
    assert (express.value, express.bound, express.met) == (19, 18, False)
    assert (fastest.value, fastest.bound, fastest.met) == (7.5, 8, True)


@pytest.mark.parametrize("name", grok.BOUNDS)
def test_what_is_timed_stops_once_grokking_is_confirmed(name):
    config = load_config(name)
    assert config.train.stop_after_grokking == 0
    assert (config.detector.val_threshold, config.detector.metric) == (0.95, "accuracy")


def test_a_real_run_is_timed_from_the_start_of_its_process():
    said = []
    start = time.perf_counter()
    run = time_to_grok("fastest", "jax", 0, said.append)
    assert 1 < run.seconds < time.perf_counter() - start
    assert run.training_seconds < run.seconds
    assert 10 < run.grokking_step < 100
    assert said == [f"fastest, jax, seed 0: {run.seconds:.1f} s, grokked at {run.grokking_step}"]


def test_a_run_that_does_not_grok_is_told():
    with pytest.raises(GrokkerasError, match="did not grok"):
        time_to_grok("no such configuration", "jax", 0, print)


def test_the_event_is_timed_when_it_is_written_and_not_at_the_end(tmp_path):
    events = tmp_path / "events.jsonl"
    code = f"""
import time
time.sleep(0.3)
file = open({str(events)!r}, "a", buffering=1)
file.write('{{"event": "memorization", "step": 1}}\\n')
time.sleep(0.3)
file.write('{{"event": "grokking", "step": 2}}\\n')
time.sleep(0.6)
"""
    start = time.perf_counter()
    seconds = grok._watch(subprocess.Popen([sys.executable, "-c", code]), events, start)
    ended = time.perf_counter() - start
    assert seconds is not None
    assert 0.6 <= seconds <= ended - 0.5
