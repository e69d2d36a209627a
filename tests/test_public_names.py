"""The names that the README and users' code rely on, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from helpers import REPO, run_on_backend

HEAVY = ("keras", "numpy", "tensorflow", "jax", "torch", "rich", "pydantic")


def in_a_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_heavy():
    code = f"import sys, grokkeras; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert in_a_process(code).strip() == "[]"


def test_importing_tasks_needs_no_backend():
    code = (
        "import sys; from grokkeras import tasks; tasks.TASKS; "
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    assert in_a_process(code).strip() == "[]"


def test_dir_and_unknown_names():
    import grokkeras

    for name in ("callbacks", "load", "losses", "models", "optimizers", "run", "tasks"):
        assert name in dir(grokkeras)
    assert grokkeras.__version__
    with pytest.raises(AttributeError, match="no attribute 'grok'"):
        grokkeras.grok  # noqa: B018


def test_documented_names():
    """What docs and README import, as they write it."""
    run_on_backend(
        "jax",
        """
        import inspect
        import grokkeras
        from grokkeras import anneal_dropout, load, run, schedules, tasks
        from grokkeras.callbacks import DropoutScheduler, GrokkingDetector, WeightDecayScheduler
        from grokkeras.models import MLP, Transformer
        from grokkeras.optimizers import Grokfast, Muon, OrthoGrad

        import keras
        for kind in (DropoutScheduler, GrokkingDetector, WeightDecayScheduler):
            assert issubclass(kind, keras.callbacks.Callback)
        assert callable(anneal_dropout) and schedules.Cosine(1.0, 0.1, steps=5000).steps == 5000
        for optimizer in (Grokfast, Muon, OrthoGrad):
            assert issubclass(optimizer, keras.optimizers.Optimizer)
        assert issubclass(MLP, keras.Model) and issubclass(Transformer, keras.Model)
        assert grokkeras.models.Transformer is Transformer
        assert grokkeras.run is run and grokkeras.load is load
        assert callable(tasks.make_task)

        detector = GrokkingDetector(train_metric="accuracy", val_metric="val_accuracy",
                                    train_threshold=0.99, val_threshold=0.95, patience=5,
                                    min_delay=1000)
        for name in ("phase", "memorization_step", "grokking_step", "delay_steps", "stage"):
            getattr(detector, name)
        arguments = inspect.signature(run).parameters
        assert list(arguments)[:2] == ["config", "overrides"] and "callbacks" in arguments
        assert list(inspect.signature(load).parameters) == ["run_dir"]
        # Every public name is there and says what it is.
        for module in (grokkeras.callbacks, grokkeras.losses, grokkeras.measures,
                       grokkeras.models, grokkeras.optimizers, tasks):
            assert module.__doc__, module
            for name in getattr(module, "__all__", ()):
                assert getattr(module, name) is not None, (module, name)
        """,
    )
