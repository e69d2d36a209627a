"""Runs and their curves out of TensorBoard's data provider, which both of its loaders fill."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorboard.data import provider

from grokkeras.tensorboard_plugin.curves import columns, once_a_step
from grokkeras.tensorboard_plugin.names import CurveName, curve_name
from grokkeras.tensorboard_plugin.story import Curve, folder_of, tell

_ALL_POINTS = 1_000_000
# A tab with 200 runs should move under a megabyte.
_POINTS_IN_ALL = 60_000
_FEWEST, _MOST = 120, 1000
# The phases and the forecast come from these, whatever the page shows.
_ALWAYS = ("accuracy", "loss")
_LIVE_SECONDS = 60
# What HParams shows of a run that has ended is no curve.
_RESULTS = "results/"


@dataclass
class _Listed:
    """What is listed of a run: its curves' places in the event files, and how far they go."""

    tags: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    last_step: int = 0
    last_time: float = 0.0
    marks: list[str] = field(default_factory=list)

    def add(self, curve: CurveName, event_run: str, tag: str, series: Any) -> None:
        self.tags.setdefault(curve.key, []).append((event_run, tag))
        self.names.add(curve.name)
        self.last_step = max(self.last_step, series.max_step)
        self.last_time = max(self.last_time, series.max_wall_time)
        self.marks.append(f"{event_run}\0{tag}\0{series.max_step}\0{series.max_wall_time}")

    def signature(self, folder: Path | None) -> str:
        marks = sorted(self.marks)
        for name in ("summary.json", "events.jsonl") if folder else ():
            try:
                status = os.stat(folder / name)  # type: ignore[operator]
                marks.append(f"{name}\0{status.st_mtime_ns}\0{status.st_size}")
            except OSError:
                marks.append(f"{name}\0missing")
        return hashlib.sha256("\n".join(marks).encode(errors="replace")).hexdigest()


class RunSource:
    """Answers the page's question: which runs are there, and how do their curves go?

    Args:
        data_provider: TensorBoard's.
        logdir: what TensorBoard was started with.
    """

    def __init__(self, data_provider: Any, logdir: str | None) -> None:
        self._provider = data_provider
        self._logdir = logdir
        self._lock = threading.Lock()
        self._read: dict[str, tuple[str, dict[str, Curve], dict[str, Any]]] = {}

    def answer(
        self,
        ctx: Any,
        experiment: str,
        names: Collection[str],
        version: str | None = None,
        full: bool = False,
    ) -> dict[str, Any]:
        """What the page draws.

        Args:
            ctx: TensorBoard's request context.
            experiment: TensorBoard's experiment id.
            names: the curves wanted, such as `accuracy` and `weight_norm`.
            version: of the answer that the page has: if nothing changed, nothing is sent.
            full: every point, for an export.

        Returns:
            `version`, `unchanged` or `runs`, and `names`: all curves that any run has.
        """
        with self._lock:
            listed = self._list(ctx, experiment)
            folders = {run: folder_of(self._logdir, run) for run in listed}
            signatures = {run: listed[run].signature(folders[run]) for run in listed}
            fresh = {run: _is_fresh(entry.last_time) for run, entry in listed.items()}
            mark = f"{sorted(signatures.items())}\0{sorted(fresh.items())}\0{sorted(names)}\0{full}"
            new = hashlib.sha256(mark.encode(errors="replace")).hexdigest()[:16]
            if version == new:
                return {"version": new, "unchanged": True}
            wanted = {*names, *_ALWAYS}
            stale = {
                run
                for run, signature in signatures.items()
                if run not in self._read
                or self._read[run][0] != signature
                or not self._has(run, listed[run], wanted)
            }
            self._refresh(ctx, experiment, listed, stale, wanted)
            for run in stale:
                curves = self._read[run][1]
                self._read[run] = (signatures[run], curves, tell(run, folders[run], curves))
            for run in set(self._read) - set(listed):
                del self._read[run]
            return {
                "version": new,
                "logdir": os.path.basename(os.path.abspath(self._logdir or ".")),
                "names": sorted({name for entry in listed.values() for name in entry.names}),
                "runs": self._runs(listed, set(names), full),
            }

    def _list(self, ctx: Any, experiment: str) -> dict[str, _Listed]:
        found = self._provider.list_scalars(ctx, experiment_id=experiment, plugin_name="scalars")
        curves = [
            (curve_name(event_run, tag), event_run, tag, series)
            for event_run, tags in found.items()
            for tag, series in tags.items()
            if not tag.startswith(_RESULTS)
        ]
        exact = {(curve.run, curve.key) for curve, *_ in curves if curve.exact}
        listed: dict[str, _Listed] = {}
        for curve, event_run, tag, series in curves:
            if curve.exact or (curve.run, curve.key) not in exact:
                listed.setdefault(curve.run, _Listed()).add(curve, event_run, tag, series)
        return listed

    def _has(self, run: str, listed: _Listed, wanted: Collection[str]) -> bool:
        """Whether every wanted curve that the run has was read already."""
        return all(
            key in self._read[run][1] for key in listed.tags if key.partition("/")[2] in wanted
        )

    def _refresh(
        self,
        ctx: Any,
        experiment: str,
        listed: Mapping[str, _Listed],
        stale: Collection[str],
        wanted: Collection[str],
    ) -> None:
        """Reads the wanted curves of the runs that changed, all in one call."""
        places = {
            place: (run, key)
            for run in stale
            for key, spots in listed[run].tags.items()
            if key.partition("/")[2] in wanted
            for place in spots
        }
        for run in stale:
            self._read[run] = ("", {}, {})
        if not places:
            return
        found = self._provider.read_scalars(
            ctx,
            experiment_id=experiment,
            plugin_name="scalars",
            downsample=_ALL_POINTS,
            run_tag_filter=provider.RunTagFilter(
                runs=sorted({run for run, _ in places}), tags=sorted({tag for _, tag in places})
            ),
        )
        gathered: dict[tuple[str, str], list[Any]] = {}
        for event_run, tags in found.items():
            for tag, points in tags.items():
                if (event_run, tag) in places:
                    gathered.setdefault(places[event_run, tag], []).extend(points)
        for (run, key), points in gathered.items():
            self._read[run][1][key] = once_a_step(points)

    def _runs(
        self, listed: Mapping[str, _Listed], names: Collection[str], full: bool
    ) -> list[dict[str, Any]]:
        shown = {
            run: {
                key: curve
                for key, curve in self._read[run][1].items()
                if key.partition("/")[2] in names
            }
            for run in listed
        }
        count = max(1, sum(map(len, shown.values())))
        most = _ALL_POINTS if full else min(_MOST, max(_FEWEST, _POINTS_IN_ALL // count))
        return [
            {
                "id": run,
                "name": run or os.path.basename(os.path.abspath(self._logdir or ".")),
                "last_step": listed[run].last_step,
                "live": self._read[run][2]["status"] in (None, "running")
                and _is_fresh(listed[run].last_time),
                "names": sorted(listed[run].names),
                **self._read[run][2],
                "curves": {key: columns(*curve, most) for key, curve in shown[run].items()},
            }
            for run in sorted(listed)
        ]


def _is_fresh(last_time: float) -> bool:
    """Whether a point came so lately that its run may still be going on."""
    return time.time() - last_time < _LIVE_SECONDS
