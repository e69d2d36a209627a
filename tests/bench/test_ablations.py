"""The ablations in `benchmarks/`: fair sides, right figures, honest tables."""

from __future__ import annotations

import math
import random

import pytest

from benchmarks.studies import ablation, ablation_page, dropout_annealing, weight_decay_schedules
from benchmarks.studies.ablation import SEEDS, SETTINGS, TUNING_SEEDS, carry_out
from benchmarks.studies.ablation_page import write_page
from benchmarks.studies.effect import compare, sign_test
from benchmarks.studies.pictures import Row, seeds_picture
from benchmarks.studies.record import Run, digest
from grokkeras.config import load_config
from grokkeras.config.shipped import find_config, shipped_configs

BOTH = (weight_decay_schedules.ABLATION, dropout_annealing.ABLATION)
PAGE = "\n".join(
    f"<!-- {name} -->\n<!-- end {name} -->" for name in ("judged", "effects", "tuning")
)


def test_a_ratio_above_1_means_sooner():
    effect = compare([50, 100, 200], [100, 300, 400])
    assert (effect.ratio, effect.sooner, effect.later) == (3.0, 3, 0)
    assert 1 < effect.low <= 3 <= effect.high
    turned = compare([100, 300, 400], [50, 100, 200])
    assert (turned.ratio, turned.sooner, turned.later) == (pytest.approx(1 / 3), 0, 3)
    assert turned.low == pytest.approx(1 / effect.high)


def test_a_seed_that_never_groks_is_later_than_all_others():
    effect = compare([100, 100, None], [200, None, None])
    assert (effect.ratio, effect.sooner, effect.later) == (math.inf, 2, 0)
    assert (compare([None, None, 5], [7, 8, 9]).ratio, compare([None], [None]).ratio) == (0, 1)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draw = random.Random(1)
    hits = 0
    for _ in range(40):
        ours, others = ([round(math.exp(draw.gauss(6, 0.3))) for _ in SEEDS] for _ in "ab")
        effect = compare(ours, others)
        hits += effect.low <= 1 <= effect.high
    assert hits >= 34  # of 40; 95 % would be 38, and the bootstrap of seven is a little short


def test_no_interval_without_pairs():
    with pytest.raises(ValueError, match="no seeds"):
        compare([], [])
    with pytest.raises(ValueError, match="shorter"):
        compare([1, 2], [1])


def test_the_sign_test():
    assert (sign_test(5, 5), sign_test(0, 0)) == (1.0, 1.0)
    assert sign_test(7, 0) == sign_test(0, 7) == pytest.approx(2 / 2**7)
    assert sign_test(6, 1) == pytest.approx(16 / 2**7)


@pytest.mark.parametrize("each", BOTH, ids=lambda each: each.study)
def test_both_sides_are_tuned_alike(each):
    assert len(each.constants) == len(each.schedules)
    assert not set(TUNING_SEEDS) & set(SEEDS)
    assert len(SEEDS) >= 5
    assert len(SETTINGS) >= 3
    digests = set()
    for setting in SETTINGS:
        for arm in (*each.constants, *each.schedules):
            config = load_config(each.config(setting, arm))
            digests.add(digest(config))
    assert len(digests) == len(SETTINGS) * 2 * len(each.constants)
    for arm in each.also:
        assert arm in {**each.constants, **each.schedules}


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_settings_can_be_run_by_themselves(setting):
    name = f"ablations/{setting}"
    assert name in shipped_configs()
    head = find_config(name).read_text().split("\n\n")[0]
    assert all(f"# {part}:" in head for part in ("Source", "Expect", "Time", "Command"))
    assert f"grokkeras run {name}" in head


def a_study(each, monkeypatch, grok):
    asked = []

    def fake(study, settings, seeds):
        asked.extend((name, seed) for name in settings for seed in seeds)
        steps = {name: [grok(name, seed) for seed in seeds] for name in settings}
        return {
            name: [
                Run(50, step or None, None, seed=seed)
                for seed, step in zip(seeds, row, strict=True)
                if step is not None
            ]
            for name, row in steps.items()
        }

    monkeypatch.setattr(ablation, "run_all", fake)
    return carry_out(each), asked


def test_the_best_of_each_side_is_judged_on_fresh_seeds(monkeypatch, tmp_path):
    each = weight_decay_schedules.ABLATION

    def grok(name, seed):
        if "constant 12" in name:
            return 0 if seed % 2 else 200
        return 300 if "constant 8" in name else 250 if "to 8 over 300" in name else 900

    found, asked = a_study(each, monkeypatch, grok)
    judged = ["constant 1", "constant 8", "constant 12"]  # the second is the first of those alike
    judged += ["0, once memorised 5", "0, once memorised 12", "0 to 8 over 300 steps"]
    assert list(found["add"].judged) == judged
    fresh = {name for name, seed in asked if seed in SEEDS}
    assert fresh == {f"{setting} {arm}" for setting in SETTINGS for arm in judged}

    monkeypatch.chdir(tmp_path)
    page = tmp_path / "docs" / "ablations" / "weight_decay.md"
    page.parent.mkdir(parents=True)
    (tmp_path / "docs" / "images").mkdir()
    page.write_text(PAGE)
    write_page(each, found, "weight_decay")
    text = page.read_text()
    best = f"| {SETTINGS['add']} | 0 to 8 over 300 steps (best schedule) | 7 of 7 | 50 | 250 |"
    assert best in text
    assert (
        "| best schedule | best constant | all |  | sign test: p = 9.5e-07 | 21 of 21 | 0 of 21 |"
        in text
    )
    assert "| constant 12 | 1 of 2 |" in text
    assert (tmp_path / "docs" / "images" / "ablation-weight_decay.png").stat().st_size > 1000


def test_a_study_cut_short_says_so(monkeypatch, tmp_path):
    last = {"add": 3, "divide": 5, "parity": -1}

    def grok(name, seed):
        return None if seed in range(last[name.split()[0]] + 1, len(SEEDS)) else 100

    monkeypatch.setattr(ablation, "TUNING_SEEDS", [0])
    found, _ = a_study(BOTH[1], monkeypatch, grok)
    assert found["parity"].judged == {}
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "docs" / "ablations" / "dropout.md"
    page.parent.mkdir(parents=True)
    (tmp_path / "docs" / "images").mkdir()
    page.write_text(PAGE)
    write_page(BOTH[1], found, "dropout")
    text = page.read_text()
    assert f"| {SETTINGS['parity']} |  | not run yet |" in text
    for setting, seeds in (("add", 4), ("divide", 6)):
        assert f"{SETTINGS[setting]} | constant 0 (best constant) | {seeds} of {seeds} |" in text
    effects = text.split("<!-- effects -->")[1].split("<!-- end effects -->")[0]
    assert SETTINGS["add"] not in effects  # too few
    assert (
        f"| best constant | {SETTINGS['divide']} | 1.00 | 1.00 to 1.00 | 0 of 6 | 0 of 6 |"
        in effects
    )


def test_arms_are_held_together_seed_by_seed(monkeypatch):
    def grok(name, seed):
        if "constant 0.1" in name and seed == 2:
            return None  # its line was taken away
        return 100 * (1 + seed) + ("constant" not in name)

    found, _ = a_study(BOTH[1], monkeypatch, grok)
    add = ablation.SECOND_SCHEDULE, ablation.SECOND_CONSTANT, SETTINGS["add"]
    (line,) = (each for each in ablation_page._effects(BOTH[1], found) if (*each[:3],) == add)
    assert line[-2:] == ["0 of 6", "6 of 6"]


def test_five_seeds_of_every_setting_come_before_the_others(monkeypatch):
    _, asked = a_study(BOTH[0], monkeypatch, lambda name, seed: 100)
    settings_after = {name.split()[0] for name, seed in asked[: asked.index(("add constant 1", 5))]}
    assert settings_after == set(SETTINGS)


def test_the_picture_tells_seeds_that_never_grok():
    rows = [Row("task"), Row("one", "run-0", [100, None, 200]), Row("two", "run-1")]
    svg = seeds_picture(rows, "title").svg()
    assert (svg.count("<circle"), "1 of 3 never" in svg, "not run yet" in svg) == (4, True, True)
