"""A wheel built from the project runs in an empty environment, away from the checkout.

The dependencies are not installed again, TensorFlow alone would take minutes: the new environment
finds this one's through a .pth file. The project itself comes from the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "KERAS_BACKEND")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=REPO)
    return next(folder.glob("grokkeras-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's programs, with the wheel installed."""
    root = tmp_path_factory.mktemp("env")
    venv.create(root, with_pip=True)
    binaries = root / "bin"
    run(binaries / "python", "-m", "pip", "install", "-q", "--no-deps", wheel, cwd=root)
    packages = next((root / "lib").glob("python*")) / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return binaries


def test_the_wheel_holds_what_the_program_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "grokkeras/_configs/quickstart.yaml" in names
    assert "grokkeras/_configs/recipes/fast.yaml" in names
    assert "grokkeras/forecast/calibration.json" in names
    assert any(name.startswith("grokkeras/_benchmarks/") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "runs/", "docs/"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_program_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    code = "import grokkeras; print(grokkeras.__file__)"
    where = run(installed / "python", "-c", code, cwd=tmp_path).stdout.strip()
    assert Path(where).is_relative_to(installed.parent)


def test_version_and_lists(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "grokkeras", "--version", cwd=tmp_path).stdout.startswith("grokkeras 0.")
    lists = run(installed / "grokkeras", "list", "configs", cwd=tmp_path).stdout
    for name in ("quickstart", "express"):
        assert f"\n{name} " in f"\n{lists}"


def test_a_shipped_configuration_is_found_and_its_faults_refused(
    installed: Path, tmp_path: Path
) -> None:
    command = [installed / "grokkeras", "run", "configs/quickstart.yaml", "--set", "seed=-1"]
    done = run(*command, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "seed: received -1" in done.stderr
    assert "_configs" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_short_run_trains(installed: Path, tmp_path: Path) -> None:
    settings = ["--set", "train.max_steps=20", "--plain", "--out", "here"]
    run(installed / "grokkeras", "run", "quickstart", *settings, cwd=tmp_path)
    assert (tmp_path / "here/model.keras").is_file()
