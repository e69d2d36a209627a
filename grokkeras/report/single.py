"""The report of one run."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from grokkeras.logging.story import forecast_words, headline
from grokkeras.logging.words import duration, loss, percent
from grokkeras.report import network as networks
from grokkeras.report.causes import explain
from grokkeras.report.figures import curve_figures, measure_figures, stages
from grokkeras.report.parts import cause_box, color_key, figure, name_of, repeat, small_figures
from grokkeras.report.settings import flatten
from grokkeras.run_folder import RunRecord
from grokkeras.strict_json import number


def single_run(record: RunRecord) -> Iterator[str]:
    """The parts of the page, in order."""
    yield f"<h1>{escape(name_of(record))}</h1>"
    yield f'<p class="lead">{escape(headline(record, brief=True))}</p>'
    yield f'<p class="dim">{escape(_facts(record))}.{escape(_phase(record))}</p>'
    ahead = forecast_words(record)
    if ahead:
        yield f"<p>Forecast: {escape(ahead)}</p>"
    for problem in record.problems:
        yield f'<p class="dim">{escape(problem)}</p>'
    curves = curve_figures([record], ["run-0"])
    if not curves:
        yield "<p>There is no evaluation yet, so there are no curves.</p>"
    captions = {
        "accuracy": f"{color_key([('train', 'run-0'), ('validation', 'run-1')])} {_what(record)}",
        "loss": "The same run's mean loss over each split "
        f"({escape(flatten(record.config).get('loss.name', 'loss'))}), on a log scale.",
    }
    for name, drawing in curves.items():
        yield figure(drawing, captions[name])
    yield "<h2>Why it went this way</h2>"
    for cause in explain(record):
        yield cause_box(cause)
    yield _accuracies(record)
    network = networks.read_network(record)
    if network is not None:
        yield f"<h2>What the network learned</h2><p>{escape(networks.in_words(network))}</p>"
        yield from small_figures(networks.figures(network).values())
        if network.kind == "frequency" and network.key:
            yield (
                '<p class="dim">Each dot is a number, coloured by its place on the circle; the '
                "plane is the one in which the embedding turns at this frequency. Weights: the "
                "best by validation accuracy.</p>"
            )
    measures = measure_figures([record], ["run-0"])
    if measures:
        yield "<h2>Measures</h2>"
        yield _dashed(record)
        yield from small_figures(measures.values())
    yield _settings(record)
    yield repeat([record])


def _what(record: RunRecord) -> str:
    """What the two curves say, for whoever has not met them before."""
    settings = flatten(record.config)
    loss_metric = settings.get("detector.metric") == "loss"
    thresholds = [number(_float(settings.get(f"detector.{k}_threshold"))) for k in ("train", "val")]
    shown = ["its threshold" if t is None or loss_metric else percent(t) for t in thresholds]
    guessing = _float(settings.get("task.modulus"))
    chance = f" Guessing is right in {percent(1 / guessing)}." if guessing else ""
    patience = settings.get("detector.patience", "some")
    shaded = (
        f" Shaded are the stages: memorizing until train reaches {escape(shown[0])}, overfitting "
        f"from there until validation reaches {escape(shown[1])}, then grokked; a threshold counts "
        f"as reached where it holds for {escape(patience)} evaluations in a row, from the first of "
        "them on."
    )
    return (
        "Train accuracy: on the examples used for training; where it rises without validation, "
        "the network memorizes. Validation accuracy: on examples held out; it rises when the rule "
        f"is found.{chance}{shaded if stages(record) else ''}"
    )


def _dashed(record: RunRecord) -> str:
    """What the dashed lines mark: those of these events that came."""
    shown = []
    for name in ("memorization", "grokking", "collapse"):
        step = next((e.get("step") for e in record.events if e.get("event") == name), None)
        if isinstance(step, int):
            shown.append(f"{name} (step {step:,})")
    return f'<p class="dim">Dashed: {", ".join(shown)}.</p>' if shown else ""


def _float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _accuracies(record: RunRecord) -> str:
    rows = []
    for title, key in (("last weights", "final"), ("best validation accuracy", "best")):
        values = record.summary.get(key) or {}
        if number(values.get("val_accuracy")) is None:
            continue
        cells = "".join(
            f'<td class="n">{percent(values.get(f"{split}_accuracy"))}</td>'
            f'<td class="n">{loss(values.get(f"{split}_loss"))}</td>'
            for split in ("train", "val", "test")
        )
        step = values.get("step", record.summary.get("steps") if key == "final" else None)
        at = f" (step {step:,})" if isinstance(step, int) else ""
        rows.append(f"<tr><td>{title}{at}</td>{cells}</tr>")
    if not rows:
        return ""
    splits = "".join(f'<th class="n" colspan="2">{s}</th>' for s in ("train", "validation", "test"))
    parts = '<th class="n">accuracy</th><th class="n">loss</th>' * 3
    return (
        "<h2>Final accuracy and loss</h2><p>The test examples were evaluated after training only, "
        f'for both rows.</p><div class="scroll"><table><tr><th></th>{splits}</tr>'
        f"<tr><th></th>{parts}</tr>{''.join(rows)}</table></div>"
    )


def _settings(record: RunRecord) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td>{escape(value)}</td></tr>"
        for key, value in flatten(record.config).items()
    )
    environment = ""
    path = record.path / "environment.json"
    if path.is_file():
        text = path.read_text(encoding="utf-8", errors="replace")
        environment = f"<details><summary>Environment</summary><pre>{escape(text)}</pre></details>"
    return (
        f"<h2>Settings</h2><details><summary>All settings</summary><table>{rows}</table></details>"
        f"{environment}"
    )


def _facts(record: RunRecord) -> str:
    s = record.summary
    parts = [_task(record), *(str(s[key]) for key in ("model", "optimizer") if s.get(key))]
    if number(s.get("num_parameters")) is not None:
        parts.append(f"{s['num_parameters']:,} parameters")
    if s.get("backend"):
        parts.append(f"on {s['backend']}")
    if s.get("seed") is not None:
        parts.append(f"seed {s['seed']}")
    wall = number(s.get("wall_seconds"))
    if wall is not None and number(s.get("steps")) is not None:
        limit = flatten(record.config).get("train.max_steps") == str(s["steps"])
        ended = ", its limit," if limit else ""
        parts.append(f"{s['steps']:,} steps{ended} in {duration(wall)}")
    return ", ".join(parts)


def _phase(record: RunRecord) -> str:
    """The phase, which names the delay, beside the stage in which the run ended."""
    phase = str(record.summary.get("phase") or "")
    least = number(_float(flatten(record.config).get("detector.min_delay")))
    bound = "detector.min_delay" if least is None else f"{least:,.0f} steps"
    meant = {
        "grokking": f"both thresholds were reached, the second {bound} or more after the first",
        "comprehension": f"both thresholds were reached, less than {bound} apart",
        "memorization": "the training threshold alone was reached",
        "confusion": "the training threshold was not reached",
    }.get(phase)
    if meant is None:
        return ""
    passed = stages(record)
    stage = f" Its last stage: {passed[-1][0]}." if passed else ""
    return f" Phase: {phase} ({meant}).{stage}"


def _task(record: RunRecord) -> str:
    settings = flatten(record.config)
    name = settings.get("task.name", "a task")
    details = [
        f"{key.split('.')[-1].replace('_', ' ')} {settings[key]}"
        for key in ("task.operation", "task.modulus", "task.degree", "task.train_fraction")
        if key in settings
    ]
    return f"{name} ({', '.join(details)})" if details else name
