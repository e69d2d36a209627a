"""Why a run is stuck, or went well: the known causes, each with its evidence and what to change.

`grokkeras explain RUN` and the report tell the same. Only what the run folder holds is judged;
a number that is missing rules a cause neither in nor out.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from grokkeras.forecast import forecast_run
from grokkeras.logging.words import loss as loss_words
from grokkeras.logging.words import percent
from grokkeras.report.cause import Cause
from grokkeras.report.facts import Facts
from grokkeras.run_folder import RunRecord
from grokkeras.strict_json import number

# Below these shares of all pairs, modular addition groks after very many steps or never: Nanda et
# al. 2023 (arXiv 2301.05217) report 7,930 steps at 0.3 and 440 at 0.6.
_FEW_EXAMPLES = 0.3
_COLLAPSED_SHARE = 0.5
_STRONG_DECAY = 5.0
_STILL_FALLING = 0.9
_RUN_UP = 3.0


def explain(record: RunRecord) -> list[Cause]:
    """The causes that fit, the likeliest first; never empty."""
    facts = Facts(record)
    found = list(_failure(facts))
    if not facts.metrics:
        return found or [
            Cause(
                "no evaluation yet",
                "metrics.jsonl holds no evaluation, so there is nothing to judge.",
                "Start it, or go on with it: grokkeras resume.",
            )
        ]
    if facts.step_of("grokking") is not None:
        found += [*_collapse(facts), *_success(facts)]
    elif facts.step_of("memorization") is not None:
        for cause in (_softmax, _no_decay, _few_examples, _too_early):
            found += cause(facts)
        if not found:
            found.append(_unknown(facts))
    else:
        for cause in (_ran_up, _strong_decay, _small_rate, _still_learning):
            found += cause(facts)
        if not found:
            found.append(_unknown(facts))
    return found


def _failure(facts: Facts) -> Iterator[Cause]:
    event = facts.event("non_finite")
    if event is not None:
        narrow = facts.setting("train.dtype") not in (None, "float32", "float64")
        yield Cause(
            "the numbers ran away",
            f"At step {event.get('step')} {(event.get('detail') or {}).get('message', 'a number')}"
            f"; the learning rate was {_shown(facts.rate())}.",
            _lower_rate(facts) + (" Or compute with train.dtype: float32." if narrow else ""),
        )


def _lower_rate(facts: Facts) -> str:
    lower = (
        "optimizer.learning_rate below 1"
        if (facts.rate() or 0) > 1
        else "a tenth of optimizer.learning_rate"
    )
    return f"Start again with {lower}: 0.001 suits most of these models with AdamW, 0.1 with SGD."


def _ran_up(facts: Facts) -> Iterator[Cause]:
    losses = [value for _, value in facts.values("train_loss")]
    late = losses[-(len(losses) // 4 or 1) :]
    if facts.event("non_finite") or len(losses) < 2:
        return
    if statistics.median(late) < _RUN_UP * min(losses):
        return
    yield Cause(
        "the training loss ran up",
        f"It was {loss_words(min(losses))} at its lowest and {loss_words(losses[-1])} at the end: "
        f"the steps are too long. The learning rate is {_shown(facts.rate())}.",
        _lower_rate(facts),
    )


def _softmax(facts: Facts) -> Iterator[Cause]:
    shares = facts.values("softmax_collapse")
    event = facts.event("softmax_collapse")
    share = shares[-1][1] if shares else None
    if event is None and (share is None or share < _COLLAPSED_SHARE):
        return
    since = f" It was noticed at step {event.get('step'):,}." if event else ""
    told = "most" if share is None else percent(share)
    yield Cause(
        "softmax collapse",
        f"The softmax of {told} of the training examples rounds to exactly 1, so they have no "
        f"gradient and nothing pulls towards a general solution.{since}",
        f"Raise optimizer.weight_decay (now {_shown(facts.decay())}), set loss.dtype: float64, or "
        f"use a loss that does not collapse (StableMax).",
        "Prieto et al. 2025, arXiv 2501.04697",
    )


def _no_decay(facts: Facts) -> Iterator[Cause]:
    if facts.decay() != 0 or facts.has_transform("coupled_weight_decay"):
        return
    norms = facts.values("weight_norm")
    grown = ""
    if norms:
        grown = f" The weights' L2 norm went from {norms[0][1]:.4g} to {norms[-1][1]:.4g}."
    yield Cause(
        "no weight decay",
        f"optimizer.weight_decay is 0, so nothing makes a memorized solution give way to a simpler "
        f"one. Grokking may still come, but late and unpredictably: at 2,225 to 9,300 steps in "
        f"published runs on modular addition; this run made {facts.steps:,}.{grown}",
        f"Set optimizer.weight_decay: 1.0 (AdamW) and train.max_steps: "
        f"{_round_up(max(10_000, 2 * facts.steps))}. Modular addition, 40 % of the pairs, learning "
        f"rate 0.001, then groks 2,000 to 3,200 steps after the start.",
        "Liu et al. 2022, arXiv 2210.01117 (decay and the norm); Fu 2026 (the steps without it); "
        "Nanda et al. 2023, arXiv 2301.05217, and the quickstart (the steps with it)",
    )


def _few_examples(facts: Facts) -> Iterator[Cause]:
    fraction = number(facts.setting("task.train_fraction"))
    if fraction is None or fraction >= _FEW_EXAMPLES:
        return
    yield Cause(
        "few training examples",
        f"task.train_fraction is {fraction:g}. For modular addition the steps to grok grow without "
        f"bound as it falls: 440 at 0.6, 3,109 at 0.4, 7,930 at 0.3.",
        "Raise task.train_fraction to 0.4, or allow many more steps.",
        "Nanda et al. 2023, arXiv 2301.05217, data of its fraction sweep",
    )


def _too_early(facts: Facts) -> Iterator[Cause]:
    memorized = facts.step_of("memorization")
    rate, decay = facts.rate(), facts.decay()
    forecast = forecast_run(facts.metrics, memorized, None)
    if forecast is not None and forecast.high is not None:
        yield Cause(
            "it was stopped on its way",
            f"Validation loss was {loss_words(facts.last.get('val_loss'))} at step "
            f"{facts.steps:,}. Forecast: it {forecast.sentence()}.",
            f"Train on: --set train.max_steps={_round_up(forecast.high)}.",
            "measured here on runs of other tasks and models: docs/forecast.md",
        )
        return
    if rate and decay and memorized is not None:
        scale = 1 / (rate * decay)
        spent = facts.steps - memorized
        if spent < 5 * scale:
            yield Cause(
                "not enough steps since it memorized",
                f"Weight decay {decay:g} at learning rate {rate:g} needs some multiples of "
                f"1 / (learning rate * weight decay) = {scale:,.0f} steps; only {spent:,} have "
                f"passed.",
                f"Train on: --set train.max_steps={_round_up(memorized + 10 * scale)}; or raise "
                f"optimizer.weight_decay, in steps of 2 and on several seeds.",
                "arXiv 2603.13331; schedules measured here: decay 3 instead of 1 cut 2,200 steps "
                "to 325 to 1,075",
            )


def _strong_decay(facts: Facts) -> Iterator[Cause]:
    decay = facts.decay()
    if decay is not None and decay >= _STRONG_DECAY:
        yield Cause(
            "weight decay too strong to memorize",
            f"Train accuracy is {percent(facts.last.get('train_accuracy'))} with weight decay "
            f"{decay:g}: past a cliff that lies between 8 and 12 for small transformers, some "
            f"seeds never fit.",
            "Lower optimizer.weight_decay, or begin it late: {schedule: on_event, event: "
            "memorization, before: 0.0, after: 8.0}.",
            "measured here, modular addition, three seeds a setting",
        )


def _small_rate(facts: Facts) -> Iterator[Cause]:
    losses = facts.values("train_loss")
    rate = facts.rate()
    if rate is None or len(losses) < 2 or losses[0][1] <= 0:
        return
    kept = losses[-1][1] / losses[0][1]
    if kept > 0.5 and rate < 3e-4:
        yield Cause(
            "learning rate too small",
            f"After {facts.steps:,} steps at {rate:g} the training loss is still {percent(kept)} "
            f"of what it was.",
            f"Raise optimizer.learning_rate to {10 * rate:g}; 0.001 suits most of these models "
            f"with AdamW.",
            "settings of the published runs, 1e-3 throughout",
        )


def _still_learning(facts: Facts) -> Iterator[Cause]:
    losses = facts.values("train_loss")
    if len(losses) < 8:
        return
    half = [value for step, value in losses if step <= facts.steps / 2]
    lowest = min(value for _, value in losses[:-1])
    if half and losses[-1][1] < min(_STILL_FALLING * half[-1], 1.1 * lowest):
        yield Cause(
            "it was stopped while it still learned",
            f"In the second half of the run the training loss fell from {loss_words(half[-1])} to "
            f"{loss_words(losses[-1][1])}.",
            f"Train on: --set train.max_steps={_round_up(4 * facts.steps)}.",
        )


def _collapse(facts: Facts) -> Iterator[Cause]:
    step = facts.step_of("collapse")
    if step is None:
        return
    best = (facts.record.summary.get("best") or {}).get("val_accuracy")
    yield Cause(
        "collapse after grokking",
        f"Validation accuracy fell below detector.collapse_threshold at step {step:,}; the best "
        f"weights, with {percent(best)}, are in model.keras.",
        f"Stop earlier (train.stop_after_grokking: 200), lower optimizer.weight_decay (now "
        f"{_shown(facts.decay())}) once it has grokked, or lower the learning rate.",
        "seen with Muon on modular addition, which ends at .84 to .99; lower decay prevents it",
    )


_LEADING: dict[str, Callable[[float, float], bool]] = {
    "weight_norm": lambda before, after: after < 0.95 * before,
    "embedding_ipr": lambda before, after: after > 1.2 * before,
    "embedding_gini": lambda before, after: after > 1.1 * before,
    "excluded_loss": lambda before, after: after > 1.5 * before,
    "restricted_loss": lambda before, after: after < 0.8 * before,
}


def _success(facts: Facts) -> Iterator[Cause]:
    memorized, grokked = facts.step_of("memorization"), facts.step_of("grokking")
    told = []
    for key, moved in _LEADING.items():
        before, after = facts.at(key, memorized), facts.at(key, grokked)
        if before is not None and after is not None and moved(before, after):
            told.append(f"{key.replace('_', ' ')} from {before:.3g} to {after:.3g}")
    between = (
        f" Between memorizing and grokking moved: {'; '.join(told)}. So a general solution was "
        f"forming while validation still looked bad."
        if told
        else ""
    )
    yield Cause(
        "it grokked",
        f"Validation {facts.setting('detector.metric') or 'accuracy'} reached its threshold"
        f"{_threshold(facts)} at step {grokked:,} and held."
        f"{between}",
    )


def _threshold(facts: Facts) -> str:
    value = number(facts.setting("detector.val_threshold"))
    if value is None:
        return ""
    return (
        f" of {value:g}" if facts.setting("detector.metric") == "loss" else f" of {percent(value)}"
    )


def _unknown(facts: Facts) -> Cause:
    return Cause(
        "none of the known causes",
        f"After {facts.steps:,} steps train accuracy is "
        f"{percent(facts.last.get('train_accuracy'))} and validation accuracy "
        f"{percent(facts.last.get('val_accuracy'))}; decay, learning rate, softmax and the number "
        f"of examples look as in runs that grok.",
        "Try two more seeds before changing anything; then optimizer.weight_decay up by 2.",
    )


def _round_up(steps: float) -> int:
    unit = 10 ** max(0, len(str(int(steps))) - 2)
    return int(-(-int(steps) // unit) * unit)


def _shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"
