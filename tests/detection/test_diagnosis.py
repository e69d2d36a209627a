"""Stalls are recognised, told once, and in the words that the numbers deserve."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from grokkeras.detection import Diagnostician, Observation, diagnose, zero_loss_share
from grokkeras.errors import UserError


def only(observation):
    (finding,) = diagnose(observation)
    return finding


def test_softmax_collapse_in_words():
    finding = only(Observation(4000, zero_loss_share=0.98, gradient_norm=0.0, weight_decay=0.0))
    assert finding.cause == "softmax_collapse"
    assert finding.message == (
        "training loss is exactly 0 in float32 for 98 % of examples; gradients are zero: raise "
        "optimizer.weight_decay (now 0) or compute the loss in float64 (loss.dtype: float64 in a "
        "configuration)."
    )


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_computes_its_loss_in_float32(dtype):
    assert "0 in float32" in only(Observation(1, zero_loss_share=1.0, dtype=dtype)).message


def test_float64_is_not_advised_to_those_who_have_it():
    message = only(Observation(1, zero_loss_share=1.0, dtype="float64")).message
    assert "loss.dtype" not in message
    assert "raise optimizer.weight_decay." in message


def test_only_all_examples_are_a_hundred_percent():
    assert "for 99.9 % of examples; they have no gradient" in (
        only(Observation(1, zero_loss_share=0.99999)).message
    )
    assert "for 100 % of examples; gradients are zero" in (
        only(Observation(1, zero_loss_share=1.0)).message
    )


@pytest.mark.parametrize("share", [None, 0.0, 0.89, math.nan])
def test_below_nine_in_ten_is_no_collapse(share):
    assert diagnose(Observation(1, zero_loss_share=share)) == []


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ({"gradient_norm": 0.0}, "exactly 0"),
        ({"gradient_norm": 1e-6, "weight_norm": 50.0}, "below what float32 resolves"),
        ({"gradient_norm": 1e-5, "weight_norm": 50.0}, None),
        ({"gradient_norm": 1e-5, "weight_norm": 50.0, "dtype": "bfloat16"}, "bfloat16"),
        ({"gradient_norm": 1e-6, "weight_norm": 50.0, "dtype": "float64"}, None),
        # Adam divides a small gradient away, until its epsilon is larger.
        ({"gradient_norm": 1e-6, "weight_norm": 50.0, "optimizer_epsilon": 1e-8}, None),
        ({"gradient_norm": 1e-9, "weight_norm": 50.0, "optimizer_epsilon": 1e-8}, "epsilon"),
        ({"gradient_norm": 1e-9}, None),
        ({"gradient_norm": math.nan, "weight_norm": 1.0}, None),
        ({"gradient_norm": math.nan, "optimizer_epsilon": 1.0}, None),
        ({}, None),
    ],
)
def test_vanished_gradients(numbers, found):
    findings = diagnose(Observation(10, weight_decay=0.1, **numbers))
    assert [f.cause for f in findings] == (["vanished_gradients"] if found else [])
    if found:
        assert found in findings[0].message
        assert "raise optimizer.weight_decay (now 0.1)" in findings[0].message


def test_an_unknown_dtype_is_refused():
    with pytest.raises(UserError, match=r"float8.*float64"):
        diagnose(Observation(1, dtype="float8"))


def test_each_cause_is_told_once_also_across_a_resume():
    first = Diagnostician()
    assert first.update(Observation(10, zero_loss_share=0.1)) == []
    (event,) = first.update(Observation(20, zero_loss_share=0.95))
    assert (event.step, event.event) == (20, "softmax_collapse")
    assert event.detail["zero_loss_share"] == 0.95
    assert "message" in event.detail
    assert "gradient_norm" not in event.detail
    assert first.update(Observation(30, zero_loss_share=0.99)) == []

    second = Diagnostician()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.update(Observation(40, zero_loss_share=1.0)) == []
    (event,) = second.update(Observation(50, gradient_norm=0.0))
    assert event.event == "vanished_gradients"
    assert second.began == {"softmax_collapse": 20, "vanished_gradients": 50}
    with pytest.raises(UserError, match="version"):
        second.load_state_dict({"version": 0})


def test_zero_loss_share_of_logits():
    # float32 rounds 1 + exp(-17) to 1, and 1 + exp(-15) to more.
    logits = [[17.0, 0.0], [15.0, 0.0], [0.0, 90.0], [0.0, 0.0]]
    assert zero_loss_share(logits, [0, 0, 1, 0]) == 0.5
    assert zero_loss_share(logits, [[0], [0], [1], [0]]) == 0.5
    assert zero_loss_share(logits, np.eye(2)[[0, 0, 1, 0]]) == 0.5
    # Wrong and certain: the loss is 90, not 0.
    assert zero_loss_share(logits, [0, 0, 0, 0]) == 0.25
    assert zero_loss_share(logits, [0, 0, 1, 0], dtype="float64") == 0.25


def test_zero_loss_share_of_probabilities():
    probabilities = [[1.0, 0.0], [0.9999, 0.0001], [0.0, 1.0]]
    assert zero_loss_share(probabilities, [0, 0, 1]) == pytest.approx(2 / 3)


def test_zero_loss_share_of_sequences_and_of_nothing():
    assert zero_loss_share(np.full((2, 3, 4), [50.0, 0, 0, 0]), np.zeros((2, 3))) == 1.0
    assert zero_loss_share(np.zeros((0, 4)), np.zeros(0)) == 0.0


@pytest.mark.parametrize(
    ("outputs", "labels", "words"),
    [
        (np.zeros((4, 1)), np.zeros(4), "two classes"),
        (np.zeros(4), np.zeros(4), "two classes"),
        (np.zeros((4, 3)), np.zeros(5), "one label an example"),
    ],
)
def test_zero_loss_share_refuses_what_is_no_classifier(outputs, labels, words):
    with pytest.raises(UserError, match=words):
        zero_loss_share(outputs, labels)
