"""Each definition of the contract as the smallest run that shows it."""

from __future__ import annotations

import json
import math

import pytest

from grokkeras.detection import Detector, Event
from grokkeras.errors import UserError

LOW, HIGH = 0.1, 1.0


def run(train, val, first=10, every=10, **settings) -> Detector:
    detector = Detector(**{"patience": 3, "min_delay": 50} | settings)
    for k, (t, v) in enumerate(zip(train, val, strict=True)):
        detector.update(first + k * every, t, v)
    return detector


def names(events: list[Event]) -> list[str]:
    return [event.event for event in events]


def test_memorization_is_the_first_of_patience_evaluations_and_is_told_by_the_last():
    detector = Detector(patience=3)
    told = [detector.update(s, t, LOW) for s, t in [(1, 0.5), (5, 0.99), (9, 0.99), (12, 1.0)]]
    assert [names(events) for events in told[:3]] == [[], [], []]
    assert told[3][0].step == 5
    assert told[3][0].detail["confirmed_step"] == told[3][0].written_at == 12
    assert detector.memorization_step == 5


def test_a_miss_while_a_candidate_is_being_confirmed_resets_it():
    detector = run([HIGH] * 7, [HIGH, HIGH, 0.94, HIGH, HIGH, HIGH, HIGH])
    assert detector.grokking_step == 40
    assert detector.events[-1].detail["confirmed_step"] == 60


def test_the_threshold_itself_reaches_and_a_hair_below_does_not():
    assert run([0.99] * 3, [LOW] * 3).memorization_step == 10
    assert run([math.nextafter(0.99, 0)] * 9, [LOW] * 9).memorization_step is None


def test_patience_one_confirms_at_once():
    detector = run([HIGH], [HIGH], patience=1)
    assert (detector.memorization_step, detector.grokking_step) == (10, 10)


@pytest.mark.parametrize(("held", "step"), [(1, None), (2, 40), (3, 30), (4, 20)])
def test_held_to_the_end_of_the_run_counts_from_two_evaluations_on(held, step):
    detector = run([LOW] * (5 - held) + [HIGH] * held, [LOW] * 5, patience=5)
    assert detector.memorization_step is None
    events = detector.finish()
    assert detector.memorization_step == step
    if step is None:
        assert events == []
    else:
        assert events[0].detail["confirmed_step"] == 50
        assert events[0].detail["end_of_run"] is True


def test_finish_twice_and_on_nothing_is_harmless():
    assert Detector().finish() == []
    detector = run([LOW, HIGH, HIGH], [LOW] * 3, patience=5)
    assert names(detector.finish()) == ["memorization"]
    assert detector.finish() == []


def test_going_on_after_finish_withdraws_what_only_the_end_had_confirmed():
    detector = run([LOW, HIGH, HIGH], [LOW] * 3, patience=5)
    detector.finish()
    assert detector.memorization_step == 20
    detector.update(40, LOW, LOW)
    assert detector.memorization_step is None
    assert detector.events == []


def test_plateau_at_the_first_evaluation_at_or_past_twice_the_memorization_step():
    # Memorized at 10, confirmed at 30; 2 * 10 lies before that, so it is told at 30.
    assert [(e.event, e.step) for e in run([HIGH] * 3, [LOW] * 3).events] == [
        ("memorization", 10),
        ("plateau", 30),
    ]
    # Memorized at 40; the first evaluation at or past 80 is 90 where evaluations are 25 apart.
    detector = run([LOW] + [HIGH] * 5, [LOW] * 6, first=15, every=25)
    assert [(e.event, e.step) for e in detector.events] == [("memorization", 40), ("plateau", 90)]
    assert detector.events[1].detail["memorization_step"] == 40
    assert detector.events[1].detail["value"] == LOW


def test_no_plateau_where_validation_has_reached_its_threshold_by_then():
    val = [LOW] * 3 + [HIGH] + [LOW] * 9
    detector = run([LOW] + [HIGH] * 12, val)  # memorized at 20, judged at 40 and never again
    assert names(detector.events) == ["memorization"]


def test_no_plateau_in_a_run_that_had_grokked_before_it_memorized():
    val = [HIGH] * 3 + [LOW] * 9
    detector = run([LOW] * 3 + [HIGH] * 9, val)
    assert names(detector.events) == ["grokking", "collapse", "memorization"]
    assert detector.delay_steps == -30


def test_grokking_carries_the_delay():
    detector = run([HIGH] * 10, [LOW] * 6 + [HIGH] * 4)
    assert detector.delay_steps == 60
    assert detector.events[-1] == Event(
        70,
        "grokking",
        {"confirmed_step": 90, "metric": "accuracy", "threshold": 0.95, "delay_steps": 60},
    )


@pytest.mark.parametrize(
    ("train", "val", "phase"),
    [
        ([HIGH] * 10, [LOW] * 5 + [HIGH] * 5, "grokking"),  # a delay of exactly min_delay
        ([HIGH] * 10, [LOW] * 4 + [HIGH] * 6, "comprehension"),
        ([HIGH] * 10, [HIGH] * 10, "comprehension"),
        ([HIGH] * 10, [LOW] * 10, "memorization"),
        ([LOW] * 10, [LOW] * 10, "confusion"),
        ([LOW] * 10, [HIGH] * 10, "confusion"),
    ],
)
def test_phases(train, val, phase):
    assert run(train, val).phase == phase


def test_a_run_has_grokked_whatever_its_phase():
    assert run([LOW] * 5, [HIGH] * 5).grokking_step == 10


def test_stages_follow_what_is_confirmed():
    detector = Detector(patience=2)
    seen = []
    for step, train, val in [
        (1, LOW, LOW),
        (2, HIGH, LOW),
        (3, HIGH, LOW),
        (4, HIGH, HIGH),
        (5, HIGH, HIGH),
        (6, HIGH, 0.85),
        (7, HIGH, 0.79),
        (8, HIGH, HIGH),
    ]:
        detector.update(step, train, val)
        seen.append(detector.stage)
    assert seen == ["memorizing"] * 2 + ["overfitting"] * 2 + ["grokked"] * 2 + ["collapsed"] * 2


def test_collapse_is_the_first_evaluation_below_its_threshold_and_comes_once():
    detector = run([HIGH] * 8, [HIGH] * 3 + [0.9, 0.8, 0.79, HIGH, 0.1])
    assert detector.collapse_step == 60
    assert not detector.stable
    assert names(detector.events).count("collapse") == 1
    assert detector.events[-1].detail["value"] == 0.79
    assert detector.grokking_step == 10


def test_stable_where_validation_dips_but_stays_above_the_collapse_threshold():
    assert run([HIGH] * 6, [HIGH] * 3 + [0.8] * 3).stable


def test_low_values_before_grokking_are_no_collapse():
    assert run([HIGH] * 6, [HIGH, LOW, HIGH, LOW, HIGH, LOW]).stable


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_what_is_no_number_reaches_no_threshold_and_is_a_collapse(metric, nothing):
    settings = {"metric": metric}
    good = 1.0
    if metric == "loss":
        settings |= {"train_threshold": 0.1, "val_threshold": 0.1}
        good = 0.0
    detector = run([nothing] * 9, [nothing] * 9, **settings)
    detector.finish()
    assert (detector.memorization_step, detector.grokking_step) == (None, None)
    detector = run([good] * 4, [good] * 3 + [nothing], **settings)
    assert detector.collapse_step == 40
    assert detector.events[-1].detail["value"] is None


@pytest.mark.parametrize("after", [None, 0, 15, 20, 40])
def test_should_stop_at_the_first_confirmed_evaluation_far_enough_past(after):
    detector = Detector(patience=3)
    stopped = None
    for step in range(10, 200, 10):
        detector.update(step, HIGH, LOW if step < 50 else HIGH)  # grokked at 50, confirmed at 70
        if detector.should_stop(after):
            stopped = step
            break
    assert stopped == {None: None, 0: 70, 15: 70, 20: 70, 40: 90}[after]


def test_loss_thresholds_are_upper_bounds():
    detector = run(
        [1.0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01],
        [9.0, 9.0, 0.1, 0.1, 0.1, 1.0, 1.01, 0.1],
        metric="loss",
        train_threshold=0.01,
        val_threshold=0.1,
    )
    assert detector.settings.collapse_threshold == 1.0
    assert (detector.memorization_step, detector.grokking_step) == (20, 30)
    assert detector.collapse_step == 70


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"metric": "acc"}, "accuracy, loss"),
        ({"metric": "loss"}, "train_threshold has no default"),
        ({"metric": "loss", "train_threshold": 0.1}, "val_threshold has no default"),
        (
            # What a configuration hands over when only the metric was changed in it.
            {
                "metric": "loss",
                "train_threshold": 0.99,
                "val_threshold": 0.95,
                "collapse_threshold": 0.8,
            },
            "upper bounds",
        ),
        ({"metric": "loss", "train_threshold": 0, "val_threshold": 0}, "collapse_threshold"),
        ({"train_threshold": 99}, "at most 1"),
        ({"val_threshold": 0}, "above 0"),
        ({"val_threshold": 0.5, "collapse_threshold": 0.8}, "from 0 to val_threshold"),
        ({"collapse_threshold": -0.1}, "from 0 to val_threshold"),
        ({"collapse_threshold": math.nan}, "finite"),
        ({"train_threshold": "0.9"}, "finite"),
        ({"patience": 0}, "1 or more"),
        ({"patience": 2.5}, "whole"),
        ({"min_delay": -1}, "0 or more"),
        ({"patience": True}, "whole"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(settings, words):
    with pytest.raises(UserError, match=words):
        Detector(**settings)


def test_a_collapse_never_lies_above_grokking():
    assert Detector(val_threshold=0.5).settings.collapse_threshold == 0.5
    assert Detector(val_threshold=0.9).settings.collapse_threshold == 0.8


def test_a_plateau_that_only_the_end_confirms_says_so():
    detector = Detector()
    for step, train in ((100, 0.5), (200, 0.995), (300, 0.997), (400, 0.998)):
        detector.update(step, train, LOW)
    events = detector.finish()
    assert [event.event for event in events] == ["memorization", "plateau"]
    assert all(event.detail["end_of_run"] for event in events)


@pytest.mark.parametrize("step", [10, 9, 0])
def test_steps_must_grow(step):
    detector = Detector()
    detector.update(10, LOW, LOW)
    with pytest.raises(UserError, match=f"step {step} after step 10"):
        detector.update(step, LOW, LOW)
    detector.update(11, LOW, LOW)


def test_a_negative_or_fractional_step_is_refused():
    with pytest.raises(UserError, match="-1"):
        Detector().update(-1, LOW, LOW)
    with pytest.raises(TypeError):
        Detector().update(1.5, LOW, LOW)


def test_a_step_of_zero_is_an_evaluation():
    assert run([HIGH] * 3, [LOW] * 3, first=0).memorization_step == 0


def test_state_of_other_settings_or_versions_is_refused():
    state = Detector(patience=3).state_dict()
    with pytest.raises(UserError, match="patience 3 there, 5 here"):
        Detector().load_state_dict(state)
    with pytest.raises(UserError, match="version"):
        Detector(patience=3).load_state_dict(state | {"version": 99})


def test_events_describe_themselves():
    detector = run([HIGH] * 9, [LOW] * 5 + [HIGH] * 3 + [0.5])
    lines = [event.describe() for event in detector.events]
    assert lines[0].startswith("memorized at step 10 (training accuracy >= 0.99")
    assert "plateau at step 30" in lines[1]
    assert "accuracy is 0.1" in lines[1]
    assert lines[2].startswith("grokked at step 60, 50 steps after memorization")
    assert lines[3].startswith("collapsed at step 90: validation accuracy is 0.5")
    assert Event(5, "softmax_collapse", {"message": "why"}).describe() == (
        "softmax collapse at step 5: why"
    )
    assert Event(7, "resume", {"from_step": 5}).describe() == "resume at step 7 (from_step 5)"
    assert (
        Event.from_dict(json.loads(json.dumps(detector.events[0].to_dict())))
        == (detector.events[0])
    )
