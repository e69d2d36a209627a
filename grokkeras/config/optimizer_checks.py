"""What optimizer and transforms cannot do in the run that they are put in."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from grokkeras.config.draft import Draft
from grokkeras.config.explain import Words
from grokkeras.config.schedule_options import ScheduleOptions
from grokkeras.config.transform_options import (
    CoupledWeightDecay,
    GrokfastMA,
    OrthoGrad,
    Transform,
    TransformOptions,
    WeightNorm,
)
from grokkeras.errors import Fault, UserError
from grokkeras.schedules import make_schedule

_ONE: TypeAdapter[Transform] = TypeAdapter(TransformOptions)
KEY = "optimizer.transforms"


def muon_has_hidden_matrices(draft: Draft) -> Iterator[Fault]:
    """Muon refuses a model of which it would leave every weight to AdamW."""
    if draft["optimizer.name"] != "muon":
        return
    model = draft["model.name"]
    why = None
    if model == "mlp" and draft["model.num_layers"] == 0:
        why = "an MLP without hidden layers has no hidden matrix for Muon"
    elif draft["model.width"] == 1:
        why = "a model of width 1 has no hidden matrix for Muon"
    if why:
        yield Fault("optimizer.name", "muon", f"another optimizer, such as adamw: {why}")


def window_within_the_run(draft: Draft) -> Iterator[Fault]:
    """Grokfast MA does nothing until its window is full."""
    steps = draft["train.max_steps"]
    for index, transform in _sound(draft):
        if isinstance(transform, GrokfastMA) and transform.window > steps:
            words = f"at most train.max_steps, {steps:,}: nothing happens before the window is full"
            yield Fault(f"{KEY}.{index}.window", transform.window, words)


def one_norm_is_held(draft: Draft) -> Iterator[Fault]:
    """The norm is given by itself or by its ratio to the initial one."""
    for index, transform in _sound(draft):
        if isinstance(transform, WeightNorm) and None not in (transform.scale, transform.norm):
            words = "null, or scale: null: the norm is held at one of the two"
            yield Fault(f"{KEY}.{index}.norm", transform.norm, words)


def decay_survives(draft: Draft) -> Iterator[Fault]:
    """OrthoGrad takes away the gradient along the weights, which is what coupled decay adds."""
    coupled: int | None = None
    for index, transform in _sound(draft):
        if isinstance(transform, CoupledWeightDecay):
            coupled = index
        elif isinstance(transform, OrthoGrad) and coupled is not None:
            words = f"a place before coupled_weight_decay, {KEY}.{coupled}, all of which it undoes"
            yield Fault(f"{KEY}.{index}", "orthograd", words)


def transforms_once_each(draft: Draft) -> Iterator[Fault]:
    """A second one of the same kind that would do nothing, or what one with other options does."""
    seen: list[tuple[int, Transform]] = []
    for index, transform in _sound(draft):
        kind, name = type(transform), str(transform.model_dump()["name"])
        for place, other in seen:
            if kind.alone and type(other) is kind:
                words = f"no second one: {KEY}.{place} is {name} already"
            elif not kind.twice and other == transform:
                words = f"other options, or no second one: {KEY}.{place} is the same"
            else:
                continue
            yield Fault(f"{KEY}.{index}", name, words)
            break
        seen.append((index, transform))


def _sound(draft: Draft) -> Iterator[tuple[int, Transform]]:
    """The transforms without a fault of their own, with their places in the list."""
    optimizer = draft.data.get("optimizer")
    entries = optimizer.get("transforms") if isinstance(optimizer, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            yield index, _ONE.validate_python(entry)
        except ValidationError:
            continue


def schedules_of_transforms_fit(draft: Draft) -> Iterator[Fault]:
    """A number of a transform may follow steps and events, and stays at 0 or more."""
    for index, transform in _sound(draft):
        for dotted, value in scheduled(transform):
            try:
                schedule = make_schedule(value.model_dump())
            except UserError as error:
                words = f"sound arguments ({str(error).rstrip('.')})"
            else:
                if schedule.needs_context:
                    words = "a schedule of steps or events: this one drives weight decay alone"
                elif schedule.bounds()[0] < 0:
                    words = "one that stays at 0 or more"
                else:
                    continue
            shown = Words(f"the schedule {value.model_dump()['schedule']}")
            yield Fault(f"{KEY}.{index}.{dotted}", shown, words)


def scheduled(transform: Transform) -> Iterator[tuple[str, ScheduleOptions]]:
    """The options of a transform that are schedules, by key."""
    for key, value in transform:
        inner = value.items() if isinstance(value, dict) else ()
        for dotted, part in ((key, value), *((f"{key}.{name}", part) for name, part in inner)):
            if isinstance(part, ScheduleOptions):
                yield dotted, part


CHECKS = [
    muon_has_hidden_matrices,
    window_within_the_run,
    one_norm_is_held,
    decay_survives,
    transforms_once_each,
    schedules_of_transforms_fit,
]
