"""Schedules in a configuration: what is taken, what it is read as, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.config import RunConfig, dump_config, load_config, to_plain
from grokkeras.config.schedule_checks import (
    VARYING,
    decay_groups_of,
    schedule_notices,
    schedules_of,
)
from grokkeras.config.schedule_options import SCHEDULE_VARIANTS
from grokkeras.errors import ConfigError
from grokkeras.schedules import EVENTS, SCHEDULES, Cosine, OnEvent, Schedule, make_schedule

COSINE = {"schedule": "cosine", "start": 1.0, "end": 0.1, "steps": 5000}
DECAY, RATE, DROPOUT = "optimizer.weight_decay", "optimizer.learning_rate", "dropout.rate"


def load(settings: dict[str, object]) -> RunConfig:
    return load_config("quickstart", {"backend": "tensorflow", **settings})


def faults(settings: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(settings)
    return [str(fault) for fault in caught.value.faults]


def test_the_options_are_the_arguments_of_the_schedules() -> None:
    assert sorted(SCHEDULE_VARIANTS) == sorted(SCHEDULES.names())
    for name, options in SCHEDULE_VARIANTS.items():
        arguments = {
            field.name: "required" if field.default is dataclasses.MISSING else field.default
            for field in dataclasses.fields(SCHEDULES.get(name))
        }
        known = {
            key: "required" if field.is_required() else field.default
            for key, field in options.model_fields.items()
            if key != "schedule"
        }
        assert known == arguments, name


NUMBERS = st.floats(0.0, 0.9)
STEPS = st.integers(1, 10_000)


def values(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schedules of steps and events whose parts are drawn from `inner`."""

    def of(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries({"schedule": st.just(name), **arguments})

    boundaries = st.lists(STEPS, min_size=1, max_size=3, unique=True).map(sorted)
    piecewise = boundaries.flatmap(
        lambda at: of(
            "piecewise",
            boundaries=st.just(at),
            values=st.lists(inner, min_size=len(at) + 1, max_size=len(at) + 1),
        )
    )
    return st.one_of(
        of("constant", value=NUMBERS),
        of("linear", start=NUMBERS, end=NUMBERS, steps=STEPS),
        of("cosine", start=NUMBERS, end=NUMBERS, steps=STEPS),
        of("exponential", start=st.floats(0.01, 0.9), end=st.floats(0.01, 0.9), steps=STEPS),
        of("step", start=NUMBERS, factor=st.floats(0.1, 1.0), every=STEPS),
        of("cyclic", low=NUMBERS, high=NUMBERS, period=st.integers(2, 100)),
        of("warm_up", steps=STEPS, then=inner, start=NUMBERS),
        of("on_event", event=st.sampled_from(EVENTS), before=inner, after=inner),
        piecewise,
    )


@given(values(st.recursive(NUMBERS, values, max_leaves=4)))
def test_every_schedule_loads_dumps_and_means_what_it_says(written: dict[str, Any]) -> None:
    config = load({DECAY: written, DROPOUT: written})
    assert load_config(to_plain(config), require_backend=False) == config
    read = schedules_of(config)
    assert read == {DECAY: Schedule.from_config(written), DROPOUT: Schedule.from_config(written)}
    assert make_schedule(read[DECAY].get_config()) == read[DECAY]


def test_the_dump_is_a_file_that_loads_equal(tmp_path: Path) -> None:
    on_event = {"schedule": "on_event", "event": "memorization", "before": 0, "after": COSINE}
    config = load({DECAY: on_event, RATE: {"schedule": "warm_up", "steps": 10, "then": 0.001}})
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(config))
    assert load_config(path, require_backend=False) == config
    assert "    schedule: on_event\n    event: memorization\n" in path.read_text()
    assert schedules_of(config)[DECAY] == OnEvent("memorization", 0.0, Cosine(1.0, 0.1, 5000))


def test_settings_reach_into_a_schedule_and_take_its_place() -> None:
    scheduled = to_plain(load({DECAY: COSINE}))
    changed = load_config(scheduled, {f"{DECAY}.end": 0.2}, require_backend=False)
    assert schedules_of(changed)[DECAY] == Cosine(1.0, 0.2, 5000)
    replaced = load_config(scheduled, {DECAY: 0.3}, require_backend=False)
    assert replaced.optimizer.weight_decay == 0.3
    assert schedules_of(replaced) == {}


def test_both_decays_of_muon_may_vary() -> None:
    settings = {"optimizer": {"name": "muon", "weight_decay": COSINE, "adam_weight_decay": COSINE}}
    assert list(schedules_of(load(settings))) == [DECAY, "optimizer.adam_weight_decay"]
    assert set(VARYING) == {RATE, DECAY, "optimizer.adam_weight_decay", DROPOUT}


@pytest.mark.parametrize(
    ("key", "written", "expected"),
    [
        (
            DECAY,
            COSINE | {"schedule": "cosin"},
            [f"{DECAY}.schedule: received 'cosin'", "'cosine'"],
        ),
        (DECAY, {"start": 1}, [f"{DECAY}.schedule: received nothing, expected one of constant"]),
        (DECAY, COSINE | {"ends": 1}, [f"{DECAY}.ends: received 1", "did you mean 'end'"]),
        (DECAY, COSINE | {"end": "x"}, [f"{DECAY}.end: received 'x', expected a number"]),
        (DECAY, COSINE | {"end": -1}, [f"{DECAY}: received a schedule with values from -1 to 1"]),
        (
            DECAY,
            {"schedule": "on_event", "event": "memorisation", "before": 0, "after": 1},
            [f"{DECAY}.event: received 'memorisation'", "did you mean 'memorization'"],
        ),
        (
            DECAY,
            {"schedule": "piecewise", "boundaries": [10], "values": [1, COSINE | {"steps": 0}]},
            [f"{DECAY}.values.1.steps: received 0, expected a whole number"],
        ),
        (
            DECAY,
            {"schedule": "piecewise", "boundaries": [10, 5], "values": [1, 2, 3]},
            [f"{DECAY}: received the schedule piecewise, expected sound arguments", "rise"],
        ),
        (
            DECAY,
            {"schedule": "step", "start": 1, "factor": 2, "every": 5},
            [f"{DECAY}: received the schedule step", "grows without end"],
        ),
        (DECAY, "cosine", [f"{DECAY}: received 'cosine', expected a number, 0 or more, or a sche"]),
        (RATE, {"schedule": "constant", "value": 0}, [f"{RATE}: received a schedule with values"]),
        (RATE, {"schedule": "hold_norm", "target": 3}, [f"{RATE}: ", "only a weight decay"]),
        (DROPOUT, COSINE, [f"{DROPOUT}: ", "values from 0.1 to 1", "from 0 to below 1"]),
        (
            DROPOUT,
            {"schedule": "with_learning_rate", "base": 0.1, "reference": 0.001},
            [f"{DROPOUT}: ", "only a weight decay can follow the learning rate"],
        ),
        ("train.max_steps", COSINE, ["train.max_steps: ", "a schedule may not stand here"]),
    ],
)
def test_what_is_refused(key: str, written: object, expected: list[str]) -> None:
    (fault,) = faults({key: written})
    for phrase in expected:
        assert phrase in fault


def test_every_fault_in_a_schedule_is_told() -> None:
    after = {"schedule": "linear", "start": "a", "steps": 1.5}
    found = faults({DECAY: {"schedule": "on_event", "event": "x", "before": -1, "after": after}})
    keys = [fault.split(":")[0] for fault in found]
    assert keys == [
        f"{DECAY}.{key}" for key in ("event", "after.start", "after.end", "after.steps")
    ]


def test_dropout_cannot_vary_where_there_is_none() -> None:
    model = {"name": "mlp", "num_layers": 0}
    (fault,) = faults({"model": model, DROPOUT: COSINE | {"start": 0.5}})
    assert fault.startswith(f"{DROPOUT}: received a schedule, expected 0, since an mlp with")
    assert load({"model": {"name": "mlp"}, DROPOUT: COSINE | {"start": 0.5}})


@pytest.mark.parametrize(
    ("written", "last"),
    [
        (COSINE, 5000),
        ({"schedule": "warm_up", "steps": 60, "then": COSINE}, 5060),
        ({"schedule": "piecewise", "boundaries": [9, 70], "values": [1, COSINE, 2]}, 70),
        ({"schedule": "on_event", "event": "grokking", "before": COSINE, "after": 1}, 5000),
        ({"schedule": "cyclic", "low": 0, "high": 1, "period": 500}, None),
        (COSINE | {"steps": 50}, None),
    ],
)
def test_a_schedule_longer_than_the_run_is_pointed_out(
    written: dict[str, object], last: int | None
) -> None:
    notices = schedule_notices(load({DECAY: written, "train.max_steps": 50}))
    words = f"{DECAY}: its schedule goes on to step {last or 0:,}, beyond train.max_steps 50."
    assert notices == ([] if last is None else [words])


GROUPS = "optimizer.weight_decay_groups"


def test_decay_groups_take_numbers_and_schedules() -> None:
    config = load({GROUPS: {"embedding": 0, "head": COSINE}})
    groups = decay_groups_of(config)
    assert groups == {"embedding": 0.0, "head": Cosine(1.0, 0.1, steps=5000)}
    assert load_config(to_plain(config)) == config
    (notice,) = schedule_notices(load({GROUPS: {"head": COSINE}, "train.max_steps": 100}))
    assert notice.startswith(f"{GROUPS}.head: its schedule goes on to step 5,000")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"(": 1.0}, "a mapping from regular expressions"),
        ({"head": -1.0}, "a mapping from regular expressions"),
        ({"head": {**COSINE, "end": -1.0}}, "one whose values stay at 0 or more"),
        ({"head": {**COSINE, "schedule": "exponential", "end": 0.0}}, "a mapping from regular"),
    ],
)
def test_bad_decay_groups_are_one_fault(groups: dict[str, Any], expected: str) -> None:
    (fault,) = faults({GROUPS: groups})
    assert expected in fault
