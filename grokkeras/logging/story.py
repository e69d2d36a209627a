"""A run's story, after the fact: what happened in words, the curve, the numbers, where to go on.

`grokkeras show RUN` and the end of a run print the same. The record is anything with `summary`
(as in `summary.json`), `metrics`, `events` (as in their files) and `path`; whatever is missing or
not finite is shown as "-" or left out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from grokkeras.forecast import Forecast, forecast_run
from grokkeras.logging.curve import Line, draw
from grokkeras.logging.words import duration, loss, percent, speed, steps_taken
from grokkeras.strict_json import number

if TYPE_CHECKING:
    from rich.console import Console

_CURVE_HEIGHT = 12
_MAX_WIDTH = 100
_TOLD_ELSEWHERE = ("memorization", "plateau", "grokking", "collapse", "checkpoint", "resume")


class RunRecord(Protocol):
    """What a story is told from."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """As in `summary.json`."""
        ...

    @property
    def metrics(self) -> Sequence[Mapping[str, Any]]:
        """As in `metrics.jsonl`."""
        ...

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """As in `events.jsonl`."""
        ...

    @property
    def path(self) -> Path:
        """The run folder."""
        ...


def print_story(
    record: RunRecord, console: Console | None = None, *, name_show: bool = False
) -> None:
    """Prints the story.

    Args:
        record: the run.
        console: where to; default the standard output, in colour where it is a terminal.
        name_show: name `grokkeras show` among the commands to go on.
    """
    from grokkeras.logging.terminal import make_console, print_lines

    console = console or make_console()
    lines = story(
        record, console.width, braille=console.encoding.startswith("utf") and console.is_terminal
    )
    print_lines(console, [*lines, *_commands(record, name_show)])


def story(record: RunRecord, width: int = 80, *, braille: bool = False) -> list[Line]:
    """The story without the commands.

    Args:
        record: the run.
        width: characters a line of the curve may take.
        braille: draw the curve in braille; otherwise in ASCII.

    Returns:
        Lines of (text, role) pairs; `curve.plain` makes strings of them.
    """
    summary = record.summary
    lines: list[Line] = [[(headline(record), "headline")]]
    facts = [str(summary[key]) for key in ("task", "model", "optimizer") if summary.get(key)]
    if summary.get("backend"):
        facts.append(f"on {summary['backend']}")
    if summary.get("seed") is not None:
        facts.append(f"seed {summary['seed']}")
    if number(summary.get("num_parameters")) is not None:
        facts.append(f"{summary['num_parameters']:,} parameters")
    if facts:
        lines.append([(", ".join(facts), "dim")])
    if summary.get("phase"):
        lines.append([("Phase: ", "dim"), (str(summary["phase"]), "text"), *_effort(summary)])
    ahead = forecast_words(record)
    if ahead:
        lines.append([("Forecast: ", "dim"), (ahead, "text")])
    lines += _diagnosis(record.events)
    drawn = draw(record.metrics, min(width, _MAX_WIDTH), _CURVE_HEIGHT, braille=braille)
    if drawn:
        lines += [[], *drawn]
    table = list(_table(record))
    if table:
        lines += [[], *table]
    return lines


def forecast(record: RunRecord) -> Forecast | None:
    """When the run will grok, or would if it went on; None if it has, or has not memorized."""
    return forecast_run(
        record.metrics, _step_of(record, "memorization"), _step_of(record, "grokking")
    )


def forecast_words(record: RunRecord) -> str:
    """The forecast as a sentence, or an empty text."""
    told = forecast(record)
    if told is None:
        return ""
    ended = told.step is not None and record.summary.get("status") != "running"
    return f"{'if it goes on, it ' if ended else ''}{told.sentence()}."


def headline(record: RunRecord, brief: bool = False) -> str:
    """What happened, in one or two sentences.

    Args:
        record: the run.
        brief: of a failure tell what went wrong, without what is advised.
    """
    summary = record.summary
    steps = _last_step(record)
    status = summary.get("status")
    begin = {
        "running": f"Still running, or killed: at step {steps:,}. ",
        "interrupted": f"Interrupted at step {steps:,}. ",
        "failed": f"Failed at step {steps:,}{_reason(summary, brief)}. ",
    }.get(str(status), "")
    if not steps:
        return (begin or "No step was taken. ").rstrip()
    return begin + _what_happened(record, steps)


def _what_happened(record: RunRecord, steps: int) -> str:
    memorized = _step_of(record, "memorization")
    grokked = _step_of(record, "grokking")
    if grokked is None:
        train, val = _last(record, "train_accuracy"), _last(record, "val_accuracy")
        if memorized is None:
            return (
                f"Neither memorized nor grokked in {steps_taken(steps)} (train accuracy "
                f"{percent(train)}, validation accuracy {percent(val)})."
            )
        return (
            f"Memorized at step {memorized:,}; not grokked in the {steps_taken(steps - memorized)} "
            f"since (validation accuracy {percent(val)})."
        )
    if memorized is None:
        told = f"Grokked at step {grokked:,} without ever fitting the training data"
    elif grokked > memorized:
        told = (
            f"Memorized at step {memorized:,}; {steps_taken(grokked - memorized)} of plateau; "
            f"grokked at step {grokked:,}"
        )
    elif grokked == memorized:
        told = f"Memorized and grokked at once, at step {grokked:,}"
    else:
        told = f"Grokked at step {grokked:,}, before memorizing at step {memorized:,}"
    return f"{told}; {_aftermath(record, steps, grokked)}."


def _aftermath(record: RunRecord, steps: int, grokked: int) -> str:
    collapse = next((event for event in record.events if event.get("event") == "collapse"), None)
    if collapse is not None:
        detail = collapse.get("detail") or {}
        what = f"validation {detail.get('metric', 'accuracy')}"
        value = detail.get("value")
        shown = loss(value) if detail.get("metric") == "loss" else percent(value)
        return f"collapsed at step {collapse.get('step', 0):,} ({what} {shown})"
    if record.summary.get("stable") is False:
        return "collapsed afterwards"
    return "stable since" if steps > grokked else "the run ended there"


def _reason(summary: Mapping[str, Any], brief: bool) -> str:
    reason = str(summary.get("error") or summary.get("reason") or "").strip()
    # The step is told already.
    reason = re.sub(r"^At step [\d,]+ (?=the )", "", reason)
    if brief:
        reason = re.split(r"(?<=[.!?])\s", reason, maxsplit=1)[0]
    return f": {reason.rstrip('.')}" if reason else ""


def _last_step(record: RunRecord) -> int:
    seen = record.metrics[-1].get("step") if record.metrics else None
    return int(max(number(record.summary.get("steps")) or 0, number(seen) or 0))


def _step_of(record: RunRecord, event: str) -> int | None:
    """From the summary, or while that is not yet known, from the events."""
    step = number(record.summary.get(f"{event}_step"))
    if step is None:
        step = next(
            (number(each.get("step")) for each in record.events if each.get("event") == event), None
        )
    return None if step is None else int(step)


def _last(record: RunRecord, key: str) -> Any:
    final = (record.summary.get("final") or {}).get(key)
    if final is None and record.metrics:
        return record.metrics[-1].get(key)
    return final


def _effort(summary: Mapping[str, Any]) -> Line:
    parts = []
    wall = number(summary.get("wall_seconds"))
    steps = number(summary.get("steps"))
    if steps and wall is not None:
        parts.append(f"{steps_taken(int(steps))} in {duration(wall)}")
    if number(summary.get("steps_per_second")) is not None:
        parts.append(f"{speed(summary['steps_per_second'])} while training")
    return [(". " + ", ".join(parts) + ".", "dim")] if parts else []


def _diagnosis(events: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """What else was found: each kind of event once, in its first words, with how often it came."""
    from grokkeras.detection import Event

    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        if event.get("event") not in _TOLD_ELSEWHERE and "step" in event:
            kinds.setdefault(str(event.get("event")), []).append(event)
    for found in kinds.values():
        told = Event.from_dict(found[0]).describe()
        more = f" ({len(found) - 1} more of these later)" if len(found) > 1 else ""
        yield [(told[:1].upper() + told[1:] + more, "warning")]


def _table(record: RunRecord) -> Iterator[Line]:
    """Accuracy and loss of the last and the best weights, by split."""
    groups = [
        (title, record.summary.get(key) or {})
        for title, key in (("last weights", "final"), ("best weights", "best"))
    ]
    groups = [
        (title, values)
        for title, values in groups
        if any(number(value) is not None for value in values.values())
    ]
    if not groups and record.metrics:
        last = record.metrics[-1]
        groups = [(f"at step {last.get('step', 0):,}", last)]
    if not groups:
        return
    splits = [
        (word, key)
        for word, key in (("train", "train"), ("validation", "val"), ("test", "test"))
        if key != "test" or any(f"test_{m}" in v for _, v in groups for m in ("accuracy", "loss"))
    ]
    yield [(" " * 12 + "".join(f"{title:>22}" for title, _ in groups), "dim")]
    yield [(" " * 12 + f"{'accuracy':>12}{'loss':>10}" * len(groups), "dim")]
    for word, key in splits:
        cells = "".join(
            f"{percent(values.get(f'{key}_accuracy')):>12}{loss(values.get(f'{key}_loss')):>10}"
            for _, values in groups
        )
        yield [(f"{word:<12}", word if word != "test" else "text"), (cells, "text")]


def _commands(record: RunRecord, name_show: bool) -> Iterator[Line]:
    run = shlex.quote(str(record.path))
    listed = [("show", "this story again")] if name_show else []
    listed.append(("board", "the curves in TensorBoard"))
    if record.summary.get("status") in ("interrupted", "failed", "running"):
        listed.append(("resume", "go on from the last checkpoint"))
    yield []
    for command, what in listed:
        yield [(f"grokkeras {command} {run}", "command"), (f"   # {what}", "dim")]
