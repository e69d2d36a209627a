"""`grokkeras serve` as a command: what it needs, where its settings come from, what it refuses."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from helpers import REPO
from served import HEAVY, NAME, SHIPPED, copy_version, serving


def test_it_serves_where_neither_keras_nor_a_backend_can_be_imported(tmp_path):
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}:
            raise ImportError(name + " is not to be imported")
sys.meta_path.insert(0, Absent())
from grokkeras.cli import main
main()
"""
    command = (sys.executable, "-c", code)
    with serving(SHIPPED, tmp_path / "log", command=command) as server:
        assert server.post(f"/v1/models/{NAME}:solve", {"a": 12, "b": 95})[1]["answer"] == 10


def test_settings_come_from_the_environment(tmp_path):
    for name in ("one", "two"):
        copy_version(tmp_path, 1, name=name)
    environ = {"MODEL_NAME": "two", "ACCESS_LOG": "1", "KEEP_VERSIONS": "1"}
    with serving(tmp_path, tmp_path / "log", environ=environ) as server:
        assert server.get("/v1/models")[1] == {"models": ["two"]}
        server.post("/v1/models/two:solve", {"a": 1, "b": 2})
        logged = [line for line in server.lines() if line["event"] == "request"]
        assert [(line["route"], line["model"], line["status"]) for line in logged] == [
            ("solve", "two", 200)
        ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "there is no folder nosuch"),
        ([".", "--port", "70000"], "70000 is not in the range"),
        ([".", "--engine", "pickle"], "'pickle' is not one of"),
        ([".", "--model-name", "../x"], "is no name of a model"),
        (["saved_models/quickstart"], "one model's own folder"),
        ([".", "--host", "256.0.0.1"], "Port 8501 on 256.0.0.1 cannot be opened"),
    ],
)
def test_what_the_command_refuses(arguments, said):
    done = subprocess.run(
        [sys.executable, "-m", "grokkeras", "serve", *arguments],
        capture_output=True,
        text=True,
        cwd=REPO,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "grokkeras", "serve", str(SHIPPED), "--port",
             str(taken.getsockname()[1])],
            capture_output=True, text=True, cwd=REPO, timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert "in use by another program" in done.stderr


def test_nothing_to_serve_is_said(tmp_path):
    with serving(SHIPPED, tmp_path / "log", "--model-name", "quikstart") as server:
        (line,) = [line for line in server.lines() if line["event"] == "nothing_to_serve"]
        assert line["model"] == "quikstart"
        assert server.get("/v2/health/ready") == (503, {"ready": False})
