"""The server as the image has it: the hashed requirements and the package without dependencies."""

from __future__ import annotations

import os
import subprocess
import sys
import venv

import pytest
from helpers import REPO
from served import HEAVY, NAME, SHIPPED, serving


@pytest.mark.slow
def test_it_serves_from_an_environment_without_keras_and_backends(tmp_path):
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = str(home / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps"]
    requirements = str(REPO / "deploy" / "requirements.txt")
    subprocess.run([*pip, "--require-hashes", "-r", requirements], check=True, timeout=600)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "-w", str(tmp_path), str(REPO)], check=True, timeout=300)
    subprocess.run([*pip, str(next(tmp_path.glob("*.whl")))], check=True, timeout=300)

    code = f"import importlib.util as u; print([m for m in {HEAVY!r} if u.find_spec(m)])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "[]\n", done.stderr
    command = (str(home / "bin" / "grokkeras"),)
    environ = {"PYTHONPATH": os.devnull}
    with serving(SHIPPED, tmp_path / "log", command=command, environ=environ) as server:
        status, answer = server.post(f"/v1/models/{NAME}:solve", {"a": 12, "b": 95})
        assert (status, answer["answer"]) == (200, 10)
        assert server.get("/")[0] == 200  # the page is in the wheel
        assert server.stop() == 0
    for name, needs in (("export", "export"), ("run", "quickstart")):
        refused = subprocess.run(
            [python, "-m", "grokkeras", name, needs], capture_output=True, text=True, cwd=tmp_path
        )
        assert refused.returncode != 0  # this environment can do nothing else
