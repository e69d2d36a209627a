"""Parameter counts against the models themselves, the estimate against processes that ran."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import BACKENDS, REPO, run_on_backend

from grokkeras.config import (
    TaskShape,
    available_memory,
    check_memory,
    dump_config,
    estimate_memory,
    load_config,
    memory_line,
    to_plain,
)
from grokkeras.config.parameters import count_parameters
from grokkeras.errors import UserError

BUILD = """
    import json, sys
    from grokkeras.config import load_config, task_shape
    from grokkeras.config.parameters import count_parameters
    from grokkeras.models import MLP, Transformer
    from grokkeras.tasks import make_task

    def build(config):
        data = make_task(config.task, config.seed)
        kinds = {"transformer": Transformer, "mlp": MLP}
        options = config.model.model_dump(exclude={"name"})
        return data, kinds[config.model.name](
            vocab_size=data.vocab_size, length=data.length, num_classes=data.num_classes,
            token_ranges=data.token_ranges, dropout=config.dropout.rate, **options,
        )
"""


def small(model: dict[str, Any], **task: Any) -> dict[str, Any]:
    chosen = {"name": "modular_arithmetic", "operation": "add", "modulus": 7, **task}
    return {"task": chosen, "model": model}


def every_model() -> list[dict[str, Any]]:
    """Every option that changes the number of weights, alone and where it meets another."""
    transformer = {"name": "transformer", "width": 8, "num_heads": 2, "mlp_width": 12}
    mlp = {"name": "mlp", "width": 5, "embedding_width": 3}
    configs = [
        small({**transformer, "layer_norm": norm, "biases": biases, "tied_head": tied})
        for norm in ("none", "pre", "post")
        for biases in ("all", "mlp", "none")
        for tied in (False, True)
    ]
    configs.append(small({**transformer, "num_layers": 3}, format="a op b ="))
    for layers in (0, 1, 3):
        configs.append(small({**mlp, "num_layers": layers}, operation="divide"))
        configs += [
            small(
                {
                    **mlp,
                    "num_layers": layers,
                    "encoding": "embedding",
                    "shared_embedding": shared,
                    "combine": combine,
                    "use_bias": combine == "sum",
                },
                operation="divide",
                format="a op b =",
            )
            for shared in (False, True)
            for combine in ("concat", "sum")
        ]
    parity = {"name": "sparse_parity", "num_bits": 9, "num_relevant": 2, "num_examples": 50}
    configs += [{"task": parity, "model": {**mlp, "encoding": e}} for e in ("signed", "one_hot")]
    return configs


def test_parameter_counts_are_those_of_the_models() -> None:
    code = f"""
    {BUILD}
    for source in json.loads({json.dumps(every_model())!r}):
        config = load_config(source, {{"backend": "jax"}})
        data, model = build(config)
        counted = count_parameters(config.model, task_shape(config.task))
        assert counted == model.count_params(), (counted, model.count_params(), source)
        print(counted)
    """
    counts = run_on_backend("jax", code).split()
    assert len(counts) == len(every_model())
    assert len(set(counts)) > 15


def test_features_enter_as_they_are() -> None:
    config = load_config(
        {
            "task": {"name": "arrays", "path": "x.npz"},
            "model": {"name": "mlp", "encoding": "none", "width": 5},
        }
    )
    shape = TaskShape(50, 20, 30, num_classes=3, length=4, vocab_size=None, token_ranges=None)
    assert count_parameters(config.model, shape) == 4 * 5 + 5 + 5 * 3 + 3
    assert estimate_memory(config, shape).num_parameters == 43
    with pytest.raises(ValueError, match="arrays"):
        estimate_memory(config)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_estimate_lies_above_the_peak_and_below_three_times_it(
    backend: str, tmp_path: Path
) -> None:
    model = {"name": "transformer", "num_layers": 2, "biases": "all", "layer_norm": "pre"}
    path = tmp_path / "config.yaml"
    path.write_text(
        dump_config(
            load_config({**small(model, modulus=97), "backend": backend, "train": {"max_steps": 3}})
        )
    )
    command = [sys.executable, "-m", "grokkeras", "run", path, "--plain", "--out", tmp_path / "run"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert peak <= estimate_memory(load_config(path)).total <= 3 * peak


@pytest.mark.parametrize(
    ("overrides", "available", "largest", "key"),
    [
        ({"task.modulus": 997}, 2 << 30, "training step", "train.batch_size"),
        ({"model.width": 40_000}, 5 << 30, "weights and optimizer", "model.width"),
        (
            {"model.num_heads": 3, "model.width": 30_000},
            4 << 30,
            "weights and optimizer",
            "model.width",
        ),
        (
            {"task.modulus": 9973, "task.operation": "divide", "train.batch_size": 32},
            4 << 30,
            "data",
            "task.modulus",
        ),
    ],
)
def test_what_cannot_fit_is_refused_with_what_would(
    overrides: dict[str, object], available: int, largest: str, key: str
) -> None:
    config = load_config("quickstart", overrides)
    with pytest.raises(UserError) as caught:
        check_memory(config, available)
    message = str(caught.value)
    assert f"The largest part is {largest}" in message
    suggested, value = message.rpartition("with ")[2].rstrip(".").split("=")
    assert suggested == key
    # What is suggested is sound, fits, and is no smaller than it has to be by much.
    better = load_config(to_plain(config), {key: int(value)})
    assert check_memory(better, available).total > 0.7 * available


def test_what_nothing_mends_says_so() -> None:
    with pytest.raises(UserError, match="No smaller batch, width or task alone"):
        check_memory(load_config("quickstart"), 1 << 20)


def test_what_fits_or_cannot_be_known_is_let_through() -> None:
    config = load_config("quickstart")
    estimate = check_memory(config, None)
    assert check_memory(config, estimate.total) == estimate
    line = memory_line(estimate, 8_000_000_000)
    assert "\n" not in line
    assert "222,592 parameters" in line
    assert line.endswith("8.0 GB available")


def test_the_tighter_of_machine_and_control_group_counts(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    assert available_memory(tmp_path) == 8000 * 1024
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("5000\n")
    assert available_memory(tmp_path) == 8000 * 1024
    (group / "memory.max").write_text("6000\n")
    assert available_memory(tmp_path) == 1000
    (group / "memory.stat").write_text("anon 100\ninactive_file 3000\nactive_file 500\n")
    assert available_memory(tmp_path) == 4000  # the page cache gives way
    assert (available_memory() or 0) > 0


def test_what_transforms_keep_counts() -> None:
    """One array a weight for Grokfast; for its window 103; all held twice."""
    plain = {**small({"name": "transformer"}), "optimizer": {"name": "sgd"}}
    sizes = []
    for transforms in ([], ["grokfast"], ["grokfast_ma"], ["grokfast", "grokfast_ma"]):
        config = load_config({**plain, "optimizer": {"name": "sgd", "transforms": transforms}})
        sizes.append(estimate_memory(config).weights)
    assert sizes[1] - sizes[0] == 2 * 4 * estimate_memory(load_config(plain)).num_parameters
    assert sizes[2] - sizes[0] == 103 * (sizes[1] - sizes[0])
    assert sizes[3] == sizes[1] + sizes[2] - sizes[0]
