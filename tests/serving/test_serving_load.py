"""Many requests at once: sound ones, ridiculous ones, and a new version in their midst."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import threading
from pathlib import Path

import pytest
from fuzz import fuzz
from served import NAME, SHIPPED, copy_version, serving

from grokkeras.bench.load import http_request, load


def resident_kilobytes(server):
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))


def questions(count):
    rng = random.Random(0)
    bodies = [{"instances": [[rng.randrange(97), rng.randrange(97), 97]]} for _ in range(count)]
    path = f"/v1/models/{NAME}:predict"
    return [http_request(path, json.dumps(body).encode()) for body in bodies]


def check_fuzz(tmp_path, count):
    with serving(SHIPPED, tmp_path / "log") as server:
        asyncio.run(fuzz(server.port, count // 10, seed=1))
        before = resident_kilobytes(server)
        tally = asyncio.run(fuzz(server.port, count))
        assert not tally.wrong, tally.wrong[:5]
        assert tally.good == count // 16 * 16
        assert sum(tally.statuses.values()) == tally.good
        assert tally.statuses[400] > tally.good / 4
        assert resident_kilobytes(server) - before < 12_000
        assert server.stop() == 0
        assert not [line for line in server.lines() if line["event"] == "request_failed"]


def test_fuzzed_requests_harm_neither_the_server_nor_the_good_ones(tmp_path):
    check_fuzz(tmp_path, 1_600)


@pytest.mark.slow
def test_ten_thousand_fuzzed_requests(tmp_path):
    check_fuzz(tmp_path, 10_000)


def test_new_versions_under_load_fail_no_request(tmp_path):
    """Three versions come, each pushes one out; a half-copied one lies among them."""
    copy_version(tmp_path, 1)
    options = ("--poll-seconds", "0.05", "--keep-versions", "1")
    with serving(tmp_path, tmp_path / "log", *options) as server:
        stop = threading.Event()

        def publish():
            shutil.copytree(SHIPPED / NAME / "1" / "variables", tmp_path / NAME / "9" / "variables")
            for number in (2, 3, 4):
                copy_version(tmp_path, number)
                stop.wait(0.5)

        thread = threading.Thread(target=publish)
        thread.start()
        found = asyncio.run(load("127.0.0.1", server.port, questions(200), 16, 3.0))
        thread.join()
        assert found["failed"] == 0
        assert found["requests"] > 100
        states = {
            each["version"]: each["state"]
            for each in server.get(f"/v1/models/{NAME}")[1]["model_version_status"]
        }
        assert states == {"1": "END", "2": "END", "3": "END", "4": "AVAILABLE", "9": "END"}
        assert server.stop() == 0
        skipped = [line for line in server.lines() if line["event"] == "version_skipped"]
        assert [line["version"] for line in skipped] == [9]


def test_a_full_queue_is_said_at_once(tmp_path):
    with serving(SHIPPED, tmp_path / "log", "--max-queued-rows", "50") as server:
        rows = [[1, 2, 97]] * 51
        status, answer, headers = server.request(
            "POST", f"/v1/models/{NAME}:predict", {"instances": rows}
        )
        assert (status, headers["retry-after"]) == (503, "1")
        assert "The server is busy" in answer["error"]
        assert server.post(f"/v1/models/{NAME}:predict", {"instances": rows[:50]})[0] == 200


@pytest.mark.slow
def test_memory_stays_flat_over_a_million_requests(tmp_path):
    with serving(SHIPPED, tmp_path / "log") as server:
        readings = []
        done = 0
        while done < 1_000_000:
            found = asyncio.run(load("127.0.0.1", server.port, questions(500), 32, 10.0))
            assert found["failed"] == 0
            done += found["requests"]
            readings.append(resident_kilobytes(server))
        assert readings[-1] - readings[0] < 4_000, readings
