"""Which cause is named for which run, and with which numbers."""

from __future__ import annotations

import pytest
from made_runs import evaluation, record

from grokkeras.forecast import forecast_run
from grokkeras.report.causes import explain

LONG = [10, 100, 1000, 5000, 20_000]
MEMORIZED = {"memorization": 100}


def learning():
    return [
        evaluation(step, train_loss=5 - step / 50, train_accuracy=0.2)
        for step in range(10, 210, 10)
    ]


def run(steps=LONG, events=None, config=None, **changes):
    return record([evaluation(step, **changes) for step in steps], events, config)


CASES = {
    "softmax collapse": run(events=MEMORIZED, softmax_collapse=0.97),
    "no weight decay": run(events=MEMORIZED, weight_decay=0.0),
    "few training examples": run(events=MEMORIZED, config={"task": {"train_fraction": 0.2}}),
    "not enough steps since it memorized": run([10, 100, 1000], MEMORIZED),
    "none of the known causes": run(events=MEMORIZED),
    "weight decay too strong to memorize": run(
        weight_decay=20.0, train_accuracy=0.3, train_loss=3.0
    ),
    "learning rate too small": run(learning_rate=1e-6, train_loss=4.0, train_accuracy=0.01),
    "it was stopped while it still learned": record(learning()),
    "collapse after grokking": run(
        events={"memorization": 100, "grokking": 1000, "collapse": 5000}
    ),
    "it grokked": run(events={"memorization": 100, "grokking": 1000}),
    "the training loss ran up": record(
        [evaluation(s, train_loss=3.0 * s, train_accuracy=0.1, learning_rate=30.0) for s in LONG]
    ),
    "the numbers ran away": run(events={"non_finite": 5000}, train_accuracy=0.2, train_loss=3.0),
    "no evaluation yet": record([]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_first_cause(name):
    found = explain(CASES[name])
    assert found[0].name == name, found
    assert found[0].evidence
    if name not in ("it grokked",):
        assert found[0].advice
    # One explanation, not all of them: a run that says one thing is not told another.
    assert len(found) <= 2


def test_causes_that_come_together_are_all_named():
    names = [c.name for c in explain(run(events=MEMORIZED, weight_decay=0.0, softmax_collapse=1.0))]
    assert names == ["softmax collapse", "no weight decay"]


def test_decay_through_the_gradient_is_decay():
    transforms = [{"name": "coupled_weight_decay", "decay": 0.005}]
    config = {"optimizer": {"transforms": transforms}}
    found = explain(run(events=MEMORIZED, weight_decay=0.0, config=config))
    assert [cause.name for cause in found] == ["none of the known causes"]


def test_evidence_has_the_numbers():
    cause = explain(run(events=MEMORIZED, softmax_collapse=0.97, weight_decay=0.01))[0]
    assert "97.0 %" in cause.evidence
    assert "now 0.01" in cause.advice
    assert "2501.04697" in cause.source


def test_a_run_on_its_way_is_told_when():
    steps = range(100, 2000, 20)
    metrics = [evaluation(step, val_loss=6 - step / 500) for step in steps]
    cause = explain(record(metrics, MEMORIZED))[0]
    told = forecast_run(metrics, MEMORIZED["memorization"], None)
    assert cause.name == "it was stopped on its way"
    assert told.brief() in cause.evidence
    advised = int(cause.advice.partition("train.max_steps=")[2].rstrip("."))
    assert told.high <= advised <= 1.1 * told.high


def test_a_run_that_failed_before_its_first_evaluation():
    config = {"optimizer": {"learning_rate": 100}}
    found = explain(record([], {"non_finite": 1}, config))
    assert [cause.name for cause in found] == ["the numbers ran away"]
    assert "learning rate was 100" in found[0].evidence
    assert "learning_rate below 1:" in found[0].advice
    assert "dtype" not in found[0].advice  # it computed in float32 already


def test_wide_swings_above_the_first_loss_are_no_learning():
    losses = [3.0, *([700.0, 900.0] * 10), 600.0]
    metrics = [
        evaluation(10 * k + 1, train_loss=v, train_accuracy=0.05) for k, v in enumerate(losses)
    ]
    assert [cause.name for cause in explain(record(metrics))] == ["the training loss ran up"]


def test_what_moved_before_the_jump_is_told():
    metrics = [
        evaluation(step, weight_norm=60 - step / 50, embedding_ipr=step / 1000, embedding_gini=0.3)
        for step in range(100, 1100, 100)
    ]
    cause = explain(record(metrics, {"memorization": 100, "grokking": 1000}))[0]
    assert "weight norm from 58 to 40" in cause.evidence
    assert "embedding ipr from 0.1 to 1" in cause.evidence
    assert "gini" not in cause.evidence


@pytest.mark.parametrize("broken", [None, "x", float("nan"), {"a": 1}])
def test_odd_values_are_not_judged(broken):
    keys = ("weight_decay", "learning_rate", "softmax_collapse", "val_loss", "weight_norm")
    metrics = [evaluation(step, **dict.fromkeys(keys, broken)) for step in LONG]
    assert explain(record(metrics, MEMORIZED, {"task": {"train_fraction": broken}}))
    assert explain(record(metrics, {}, {"detector": broken}))
