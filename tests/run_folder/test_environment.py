"""What a run ran on is found out without importing a backend."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from importlib import metadata

import pytest

from grokkeras.environment import (
    environment,
    git_state,
    package_version,
    processor_name,
    threads_fingerprint,
)


def git(directory, *arguments):
    identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(directory), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "code.py").write_text("1")
    (tmp_path / ".gitignore").write_text(".venv/")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_all_of_it_is_there_and_json():
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC)
    found = json.loads(json.dumps(environment("jax", now=lambda: now)))

    assert found["backend"] == "jax"
    assert found["python"] == platform.python_version()
    assert found["time"] == "2026-01-02T03:04:05+00:00"
    assert found["versions"]["keras"] == metadata.version("keras")
    assert found["processor"]
    assert found["threads"]["cores"] == os.cpu_count()


def test_nothing_heavy_is_imported():
    code = (
        "import sys\n"
        "from grokkeras.environment import environment\n"
        "environment('torch')\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'jax', 'torch', 'tensorboard'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_that_is_not_installed_has_no_version():
    assert package_version("grokkeras-has-no-such-companion") is None


def test_the_fingerprint_changes_with_threads_and_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = threads_fingerprint()
    assert before == threads_fingerprint()
    assert before["usable_cores"] >= 1

    monkeypatch.setenv("OMP_NUM_THREADS", "17")
    assert threads_fingerprint()["variables"]["OMP_NUM_THREADS"] == "17"
    assert threads_fingerprint() != before


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux has affinities")
def test_the_fingerprint_counts_the_cores_that_may_be_used():
    usable = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(usable)})
        assert threads_fingerprint()["usable_cores"] == 1
    finally:
        os.sched_setaffinity(0, usable)
    assert threads_fingerprint()["usable_cores"] == len(usable)


def test_the_commit_and_whether_the_tree_differs(repository, monkeypatch):
    package = repository / "package"
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", "/absent")  # as inside a hook of another repository

    assert git_state(package) == {"commit": commit, "dirty": False}
    (package / "code.py").write_text("2")
    assert git_state(package) == {"commit": commit, "dirty": True}


def test_a_package_installed_inside_somebody_s_repository_has_no_commit(repository):
    installed = repository / ".venv" / "grokkeras"
    installed.mkdir(parents=True)
    (installed / "code.py").write_text("1")
    assert git_state(installed) is None


def test_no_repository_no_commit_and_no_git_are_none(tmp_path, monkeypatch):
    assert git_state(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", ".")
    assert git_state(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert git_state(tmp_path) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/cpuinfo")
def test_the_processor_has_the_name_its_maker_gave_it():
    assert processor_name() in subprocess.run(
        ["cat", "/proc/cpuinfo"], capture_output=True, text=True
    ).stdout or processor_name() in (platform.processor(), platform.machine())
