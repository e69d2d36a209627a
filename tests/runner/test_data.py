"""Curricula, teachers, mixtures and augmentation in whole runs, on every backend."""

from __future__ import annotations

from pathlib import Path

import pytest
from backend_cases import run_everywhere
from helpers import BACKENDS


@pytest.fixture(scope="module")
def results():
    return run_everywhere(Path(__file__).with_name("cases_data.py"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["steps", "until"])
def test_a_curriculum_broken_off_and_resumed_ends_with_the_same_bits(results, backend, kind):
    found = results[backend][f"curriculum {kind}"]
    assert found["different"] == []
    shares = [share for _, share in found["shares"]]
    assert shares == sorted(shares)
    assert shares[0] < 0.35
    if kind == "steps":
        assert shares[-1] == 1.0
        assert found["events"] == []
    else:
        # Stages opened before the checkpoint that it went on from, and after it.
        assert min(found["events"]) <= 20 < max(found["events"]) < 60


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_step_trains_on_an_example_harder_than_admitted(results, backend):
    found = results[backend]["trained examples"]
    assert all(h <= b for h, b in zip(found["hardest"], found["bounds"], strict=True))
    assert found["hardest"][0] < max(found["hardest"][-15:]) == 10


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_curriculum_compiles_the_step_once(results, backend):
    assert results[backend]["traces"] == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_teacher_labels_once_and_its_errors_are_told(results, backend):
    found = results[backend]["teacher"]
    assert found["different"] == []
    assert found["n"] == found["detail"]["examples"] == 30
    assert found["detail"]["wrong"] == found["wrong"] <= 30
    assert f"{found['wrong']} of them wrong" in found["detail"]["message"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_teacher_that_does_not_fit_is_refused_before_training(results, backend):
    nowhere, other = results[backend]["refused teachers"]
    assert nowhere.startswith("task.teacher.run: ")
    assert "nowhere" in nowhere
    assert "vocab_size 8, this task has 12" in other


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mixture_is_evaluated_by_part(results, backend):
    last, final = (results[backend]["mixture"][key] for key in ("last", "final"))
    # 36 pairs of addition and 33 of division stand in validation, by 0.3 of 121 and 110.
    parts = 36 * last["val_accuracy_add"] + 33 * last["val_accuracy_divide"]
    assert parts == pytest.approx(69 * last["val_accuracy"])
    assert final["val_accuracy_add"] == last["val_accuracy_add"]
    assert {"test_accuracy_add", "test_accuracy_divide"} <= set(final)


def test_every_backend_trains_on_the_same_examples_and_wrong_labels(results):
    first, *others = (results[backend]["trained on"] for backend in BACKENDS)
    assert all(other == first for other in others)
    wrong = sum((a + b) % 11 != y for (a, b, _), y in zip(first["x"], first["y"], strict=True))
    assert wrong == round(0.2 * len(first["y"]))
