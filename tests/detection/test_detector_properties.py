"""Against a second reading of the definitions, and cut, replayed and continued anywhere."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.detection import Detector
from grokkeras.errors import UserError

VALUES = st.sampled_from([0.0, 0.5, 0.79, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0, 1.0, math.nan])
SETTINGS = st.fixed_dictionaries({"patience": st.integers(1, 4), "min_delay": st.integers(0, 60)})


@st.composite
def runs(draw):
    gaps = draw(st.lists(st.integers(1, 20), max_size=40))
    steps, step = [], draw(st.integers(0, 3))
    for gap in gaps:
        step += gap
        steps.append(step)
    return [(step, draw(VALUES), draw(VALUES)) for step in steps]


def first_held(steps, reached, patience):
    """The definition, word by word, over the whole run: (step, confirmed_step) or None."""
    n = len(steps)
    for i in range(n):
        if i + patience <= n and all(reached[i : i + patience]):
            return steps[i], steps[i + patience - 1]
        if n - i >= 2 and all(reached[i:]):
            return steps[i], steps[-1]
    return None


@given(runs(), SETTINGS)
def test_agrees_with_the_definitions_read_over_the_whole_run(run, settings):
    detector = Detector(**settings)
    for evaluation in run:
        detector.update(*evaluation)
    detector.finish()
    steps = [s for s, _, _ in run]
    val = [v for _, _, v in run]
    memorized = first_held(steps, [t >= 0.99 for _, t, _ in run], settings["patience"])
    grokked = first_held(steps, [v >= 0.95 for v in val], settings["patience"])
    told = {event.event: event for event in detector.events}
    assert len(told) == len(detector.events)
    for name, expected in (("memorization", memorized), ("grokking", grokked)):
        assert (name in told) == (expected is not None)
        if expected:
            assert (told[name].step, told[name].detail["confirmed_step"]) == expected
    assert detector.memorization_step == (memorized[0] if memorized else None)
    assert detector.grokking_step == (grokked[0] if grokked else None)
    collapsed = [
        s for s, v in zip(steps, val, strict=True) if grokked and s > grokked[0] and not v >= 0.8
    ]
    assert detector.collapse_step == (collapsed[0] if collapsed else None)
    assert detector.stable == (not collapsed)
    if memorized and grokked:
        assert detector.delay_steps == grokked[0] - memorized[0]
    plateau = None
    if memorized:
        # Known only once memorization is: the first evaluation that is both.
        at = (
            next(k for k, s in enumerate(steps) if s >= max(2 * memorized[0], memorized[1]))
            if steps[-1] >= max(2 * memorized[0], memorized[1])
            else None
        )
        if at is not None and not val[at] >= 0.95 and not (grokked and grokked[1] <= steps[at]):
            plateau = steps[at]
    assert (told["plateau"].step if "plateau" in told else None) == plateau


@given(runs(), SETTINGS, st.data())
def test_dumped_and_loaded_anywhere_it_goes_on_as_if_never_interrupted(run, settings, data):
    whole, parts = Detector(**settings), Detector(**settings)
    cut = data.draw(st.integers(0, len(run)))
    finished = data.draw(st.booleans())
    told = []
    for k, evaluation in enumerate(run):
        if k == cut:
            # A run that was ended, and then was given more steps, is the same run.
            if finished:
                parts.finish()
            dumped = json.dumps(parts.state_dict(), allow_nan=False)
            parts = Detector(**settings)
            parts.load_state_dict(json.loads(dumped))
            assert json.dumps(parts.state_dict()) == dumped
        expected = whole.update(*evaluation)
        told.append(parts.update(*evaluation) == expected)
    assert all(told)
    if run:
        assert whole.finish() == parts.finish() or cut == len(run)
        assert parts.state_dict() == whole.state_dict()
    assert (parts.phase, parts.stage) == (whole.phase, whole.stage)


@given(runs(), SETTINGS)
def test_a_finished_state_loads_finished_and_still_opens_again(run, settings):
    detector, loaded = Detector(**settings), Detector(**settings)
    for evaluation in run:
        detector.update(*evaluation)
    detector.finish()
    loaded.load_state_dict(json.loads(json.dumps(detector.state_dict())))
    assert loaded.finish() == []
    assert loaded.events == detector.events
    nxt = (run[-1][0] if run else 0) + 1
    assert loaded.update(nxt, 0.0, 0.0) == detector.update(nxt, 0.0, 0.0)
    assert loaded.state_dict() == detector.state_dict()


@given(runs(), SETTINGS)
def test_replayed_from_its_records_it_is_the_same_as_live(run, settings):
    live = Detector(**settings)
    for evaluation in run:
        live.update(*evaluation)
    lines = [
        # NaN stands as null in strict JSON.
        {
            "step": s,
            "train_accuracy": None if t != t else t,
            "val_accuracy": None if v != v else v,
            "seconds": 1.0,
        }
        for s, t, v in run
    ]
    open_ended = Detector.replay(lines, finish=False, **settings)
    assert open_ended.state_dict() == live.state_dict()
    live.finish()
    assert Detector.replay(iter(lines), **settings).state_dict() == live.state_dict()


@given(runs(), SETTINGS)
def test_a_loss_is_judged_as_the_accuracy_it_mirrors(run, settings):
    accuracy = Detector(**settings)
    loss = Detector(
        "loss",
        train_threshold=1 - 0.99,
        val_threshold=1 - 0.95,
        collapse_threshold=1 - 0.8,
        **settings,
    )
    for step, train, val in run:
        accuracy.update(step, train, val)
        loss.update(step, 1 - train, 1 - val)
    assert [(e.step, e.event) for e in accuracy.events] == [(e.step, e.event) for e in loss.events]
    assert (accuracy.phase, accuracy.stage) == (loss.phase, loss.stage)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


LINE = '{"step": %d, "train_accuracy": 1.0, "val_accuracy": NaN, "val_loss": 2}\n'


def test_replay_reads_a_file_and_leaves_out_a_torn_last_line(tmp_path):
    path = write(tmp_path / "metrics.jsonl", "".join(LINE % s for s in (1, 2, 3)) + "\n" + '{"ste')
    detector = Detector.replay(path, patience=3)
    assert (detector.memorization_step, detector.last_step) == (1, 3)
    assert Detector.replay(str(path), patience=3).state_dict() == detector.state_dict()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{nonsense\n" + LINE % 1, "line 1: not JSON"),
        (LINE % 1 + "\n[1, 2]\n", "line 3: expected a JSON object"),
        (LINE % 1 + '{"step": 2, "loss": 1}\n', "train_accuracy, val_accuracy missing.*step, loss"),
        (LINE % 2 + LINE % 1, "step 1 after step 2"),
    ],
)
def test_replay_says_where_a_file_is_wrong(tmp_path, text, words):
    with pytest.raises(UserError, match=words):
        Detector.replay(write(tmp_path / "metrics.jsonl", text))


def test_replay_of_no_file_is_one_message(tmp_path):
    with pytest.raises(UserError, match="Cannot read the metrics"):
        Detector.replay(tmp_path / "none.jsonl")
