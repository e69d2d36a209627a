"""`bench techniques`: what is measured, against what, and the table."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from benchmarks.data import WORKLOADS
from grokkeras.bench.suite import Measurement
from grokkeras.bench.techniques import TECHNIQUES, costs, costs_table, technique_loops
from grokkeras.bench.workloads import config_of
from grokkeras.config import load_config


@pytest.mark.parametrize(
    ("workload", "name"),
    [(workload, name) for name, entry in TECHNIQUES.items() for workload in entry.workloads],
)
def test_every_technique_is_a_sound_configuration(workload, name):
    plain = load_config(config_of(WORKLOADS[workload], "jax"))
    config = load_config(config_of(WORKLOADS[workload], "jax"), TECHNIQUES[name].settings)
    assert config != plain


def test_loops_hold_all_that_costs_need():
    for workload in ("W1", "W3"):
        loops = technique_loops(workload, "jax")
        assert loops[0] == Measurement(workload, "jax", "ours")
        rows = costs({loop: [1.0] for loop in loops})
        assert len(rows) == len(loops) - 1
        assert {row.ratio for row in rows} == {1.0}


def test_a_cost_is_time_over_time():
    rates = {loop: [100.0] for loop in technique_loops("W1", "jax")}
    rates[Measurement("W1", "jax", "grokfast")] = [80.0, 50.0, 20.0]
    rates[Measurement("W1", "jax", "annealed dropout")] = [40.0]
    found = {row.loop.kind: row for row in costs(rates)}
    assert found["grokfast"].ratio == 2.0
    assert found["grokfast"].met is False
    assert found["orthograd"].met is True
    assert found["norm_cap"].met is None

    out = io.StringIO()
    Console(file=out, width=100).print(costs_table(found.values(), 3))
    lines = {line.split()[1]: line.split() for line in out.getvalue().splitlines() if "W1" in line}
    assert lines["grokfast"] == ["W1", "grokfast", "2.00", "1.1"]
    assert lines["annealed"] == ["W1", "annealed", "dropout", "2.50", "1.1"]
