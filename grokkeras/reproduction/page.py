"""`docs/reproduction.md`, written from what the run folders and the record hold."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grokkeras.files import disk_errors, write_atomic
from grokkeras.reproduction.cases import Case, cases
from grokkeras.reproduction.found import Curve, Ended
from grokkeras.reproduction.pictures import curves_picture, steps_picture
from grokkeras.reproduction.verdict import EXPLAINED, Result, gains
from grokkeras.reproduction.words import HEAD, gain_row, judged_by, row, time_taken
from grokkeras.sweep.table import shown_range, shown_step
from grokkeras.sweep.tally import median_step

_STEPS, _CURVES = "reproduction-steps.png", "reproduction-curves.png"


def write_page(path: Path, found: Mapping[str, Sequence[Ended]], backend: str) -> None:
    """Writes the page, and its pictures into `images` beside it.

    Args:
        path: the page.
        found: ended runs by arm, of all arms; nothing where there is none.
        backend: of the runs.
    """
    results = {
        arm.name: Result.of(arm, found.get(arm.name, ())) for case in cases() for arm in case.arms
    }
    images = path.parent / "images"
    with disk_errors("the page", path):
        images.mkdir(parents=True, exist_ok=True)
    curves = _curves(results, found)
    write_atomic(images / _STEPS, steps_picture([*results.values()]).png(), "a picture")
    if curves:
        write_atomic(images / _CURVES, curves_picture(curves).png(), "a picture")
    text = "\n".join(_parts(results, backend, bool(curves)))
    write_atomic(path, text.encode(), "the page")


def _curves(
    results: Mapping[str, Result], found: Mapping[str, Sequence[Ended]]
) -> dict[str, list[Curve]]:
    curves = {}
    for name, result in results.items():
        of_arm = [run.curve for run in found.get(name, ()) if run.curve]
        if of_arm:
            curves[f"{result.arm.case}  {result.arm.what}"] = of_arm
    return curves


def _parts(results: Mapping[str, Result], backend: str, curves: bool) -> Iterable[str]:
    yield "# Published results, run anew\n"
    yield _prose(
        "Made by `grokkeras reproduce`, from whose runs the tables' numbers come; what is said "
        f"of a case tells of further runs. Backend {backend}, one core a run. "
        "[published.yaml](../grokkeras/reproduction/published.yaml) "
        "holds the published ones, [configs/papers](../configs/papers) the settings; the head of "
        "each file says what its paper leaves open. All of it again, or what is missing:"
    )
    yield f"\n```\ngrokkeras reproduce --backend {backend}\n```\n"
    yield f"{_prose(EXPLAINED)}\n"
    yield _table(HEAD, [row(result) for result in results.values()], numbers=range(2, 7))
    yield f"![Grokking steps, published and ours](images/{_STEPS})\n"
    yield "## Gains\n"
    yield _prose(
        "How many times sooner a method groks than the same without it, or than "
        "AdamW: the ratio of the medians, and of the published steps (their geometric mean where "
        "a range was published). A baseline without weight decay makes any method look good."
    )
    yield ""
    head = ("case", "method", "beside", "published gain", "ours")
    yield _table(head, [gain_row(gain) for gain in gains(results)], numbers=range(3, 5))
    if curves:
        yield f"## Curves\n\n![Accuracy over steps](images/{_CURVES})\n"
    yield "## The cases\n"
    for case in cases():
        yield _case(case, results)


def _case(case: Case, results: Mapping[str, Result]) -> str:
    file = f"{case.name.lower()}.yaml"
    lines = [
        f"### {case.name}: {case.title}\n",
        f"{case.source}. [{file}](../configs/papers/{file})"
        + (f"; not comparable: {case.why}." if case.why else ".")
        + f" {judged_by(case)}",
    ]
    for arm in case.arms:
        result = results[arm.name]
        if result.steps:
            memorized = result.memorization_steps
            lines.append(
                f"- {arm.what}: memorized at {shown_step(median_step(memorized))} "
                f"({shown_range(memorized)}), grokked at "
                f"{', '.join(shown_step(step) for step in result.steps)} (seed by seed), "
                f"{time_taken(result.seconds)} a run."
            )
        else:
            lines.append(f"- {arm.what}: {result.verdict}.")
        lines += [f"- {arm.what}, failed: {failure}" for failure in result.failures]
    lines[1] = f"{_prose(lines[1])}\n"
    return "\n".join(lines) + (f"\n\n{_prose(case.remark)}\n" if case.remark else "\n")


def _prose(text: str) -> str:
    return textwrap.fill(text, 105, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: range) -> str:
    sides = ["---:" if place in numbers else "---" for place in range(len(head))]
    lines = [head, sides, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
