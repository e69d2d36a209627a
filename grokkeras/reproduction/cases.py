"""The published cases: what `published.yaml` holds, and the jobs that run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from grokkeras.config.yaml_core import parse_yaml
from grokkeras.errors import UserError, nearest_name
from grokkeras.sweep import Job, plan_sweep

_DATA = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Arm:
    """One setting of a case.

    Attributes:
        case: such as `G7`.
        name: such as `g7-f0.4`; the folder of its runs is called so.
        what: what tells it from the case's other arms.
        settings: what it changes in the case's configuration, by dotted key.
        steps: first and last published step, or None.
        unit: of `steps`.
        beside: the arm that its gain is held against, or None.
        needs: a file that the user has to bring, or None.
        comparable: whether our steps can be held against the published ones.
    """

    case: str
    name: str
    what: str
    settings: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[float, float] | None = None
    unit: str = "steps"
    beside: str | None = None
    needs: str | None = None
    comparable: bool = True

    def jobs(self, seeds: Sequence[int], root: Path, backend: str | None) -> list[Job]:
        """Its runs, `root`/NAME/seed-N.

        Args:
            seeds: one run each.
            root: the folder of all arms.
            backend: None takes the environment's, or TensorFlow.
        """
        overrides: dict[str, object] = {"name": self.name, **self.settings}
        if backend is not None:
            overrides["backend"] = backend
        return plan_sweep(f"papers/{self.case.lower()}", seeds, out=root, overrides=overrides)


@dataclass(frozen=True)
class Case:
    """A published result.

    Attributes:
        name: such as `G7`.
        title: what it shows.
        source: who published it.
        arms: its settings.
        why: why it is not comparable, or "".
        remark: what was found out about a difference, or "".
    """

    name: str
    title: str
    source: str
    arms: tuple[Arm, ...]
    why: str = ""
    remark: str = ""


@cache
def cases() -> tuple[Case, ...]:
    """All published cases, in order."""
    data, faults = parse_yaml(_DATA.read_text(encoding="utf-8"), _DATA.name)
    assert not faults, faults
    return tuple(_case(name, values) for name, values in data.items())


def _case(name: str, values: Mapping[str, Any]) -> Case:
    common = {"needs": values.get("needs"), "comparable": values.get("comparable", True)}
    arms = tuple(
        Arm(name, **{**common, **arm, "steps": tuple(arm["steps"]) if "steps" in arm else None})
        for arm in values["arms"]
    )
    texts = {key: values.get(key, "") for key in ("title", "source", "why", "remark")}
    return Case(name, arms=arms, **texts)


def all_arms() -> list[Arm]:
    """Every arm of every case, in order."""
    return [arm for case in cases() for arm in case.arms]


def choose(names: Iterable[str]) -> list[Arm]:
    """The arms that a user names.

    Args:
        names: cases, `G7`, or single arms, `g7-f0.4`; in any letter case. A case's name stands for
            all its arms. No name at all stands for everything.

    Raises:
        UserError: a name is none of these.
    """
    known: dict[str, list[Arm]] = {arm.name: [arm] for arm in all_arms()}
    known |= {case.name.lower(): list(case.arms) for case in cases()}
    chosen: dict[str, Arm] = {}
    for name in names:
        if name.lower() not in known:
            near = nearest_name(name.lower(), known)
            hint = (
                f" Did you mean {near.upper() if near[1:].isdigit() else near!r}?" if near else ""
            )
            raise UserError(
                f"There is no published case {name!r}.{hint} Known: "
                f"{', '.join(case.name for case in cases())}; `grokkeras reproduce --list` tells "
                "them and their single arms."
            )
        chosen |= {arm.name: arm for arm in known[name.lower()]}
    return list(chosen.values()) or all_arms()
