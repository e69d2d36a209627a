"""Which models and versions there are: looks through the folder, loads, swaps, drains.

The newest sound versions of a model are served; a damaged or half-copied one is skipped and looked
at again when its files change. The swap is one assignment on the event loop's thread, and a version
that goes is kept until the last request that holds it has its answer, so no request is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokkeras.serving.batcher import Batcher, Queue
from grokkeras.serving.card import Card
from grokkeras.serving.engines import Engine
from grokkeras.serving.errors import NotFoundError, UnsoundVersionError
from grokkeras.serving.settings import Settings
from grokkeras.serving.version import Version, load_engine

log = logging.getLogger("grokkeras.serving")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NUMBER = re.compile(r"[0-9]{1,18}")
Fingerprint = tuple[tuple[str, int, int, int], ...]


@dataclass
class Model:
    """One model.

    Attributes:
        versions: those that serve, by number.
        draining: those that finish what they have.
        skipped: number to (files as they were, what is wrong with them).
        ended: numbers that were served once.
    """

    versions: dict[int, Version] = field(default_factory=dict)
    draining: dict[int, Version] = field(default_factory=dict)
    skipped: dict[int, tuple[Fingerprint, str]] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    @property
    def newest(self) -> Version:
        """The version that answers where a request names none."""
        return self.versions[max(self.versions)]


@dataclass(frozen=True)
class _Loaded:
    number: int
    parts: tuple[Card, dict[str, Any], Engine]


@dataclass(frozen=True)
class _Look:
    """What a look through one model's folder came to."""

    serving: list[int]
    loaded: list[_Loaded]
    skipped: dict[int, tuple[Fingerprint, str]]


class Repository:
    """All models of a server.

    Args:
        settings: see `Settings`.
        observe: called with a model's name and the rows of each batch.
    """

    def __init__(
        self, settings: Settings, observe: Callable[[str, int], object] = lambda name, rows: None
    ) -> None:
        self._settings = settings
        self._observe = observe
        self.models: dict[str, Model] = {}
        self.queue = Queue(settings.max_queued_rows)
        # Large batches, one at a time; loading has threads of its own.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._drains: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Whether some model can answer."""
        return any(model.versions for model in self.models.values())

    def find(self, name: str, number: str | None = None) -> Version:
        """The version that a request means.

        Args:
            name: the model's, as it stands in the URL.
            number: the version's, likewise; None takes the newest.

        Raises:
            NotFoundError: there is none.
        """
        model = self.models.get(name)
        if model is None or not model.versions:
            raise NotFoundError(f"Servable not found for request: Latest({name[:100]})")
        if number is None:
            return model.newest
        version = model.versions.get(int(number)) if _NUMBER.fullmatch(number) else None
        if version is None:
            serving = ", ".join(str(each) for each in sorted(model.versions))
            raise NotFoundError(
                f"Servable not found for request: Specific({name}, {number[:20]}). Versions that "
                f"are served: {serving}"
            )
        return version

    async def refresh(self) -> None:
        """Looks through the folder once, and takes over what changed."""
        try:
            names = await asyncio.to_thread(self._names)
        except OSError as error:
            log.error(
                "models_unreadable",
                extra={"folder": str(self._settings.models_dir), "reason": str(error)},
            )
            return
        for name in sorted({*names, *self.models}):
            model = self.models.setdefault(name, Model())
            known = set(model.versions)
            look = await asyncio.to_thread(self._look, name, known, dict(model.skipped))
            self._take_over(name, model, look)
            if not (model.versions or model.draining or look.skipped or name in names):
                del self.models[name]

    async def watch(self) -> None:
        """Refreshes for ever."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            try:
                await self.refresh()
            except Exception:  # a bug in a look must not end all later ones
                log.exception("refresh_failed")

    def close(self) -> None:
        """Gives the threads back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _names(self) -> list[str]:
        only = self._settings.model_name
        return [
            path.name
            for path in self._settings.models_dir.iterdir()
            if path.is_dir() and _NAME.fullmatch(path.name) and only in (None, path.name)
        ]

    def _look(
        self, name: str, known: set[int], skipped: dict[int, tuple[Fingerprint, str]]
    ) -> _Look:
        """Loads what is new among the newest versions; runs on a thread of its own."""
        folder = self._settings.models_dir / name
        try:
            numbers = sorted(
                (int(path.name) for path in folder.iterdir() if _is_version(path)), reverse=True
            )
        except (FileNotFoundError, NotADirectoryError):  # the whole model was removed
            numbers = []
        except OSError as error:  # what is served already goes on
            log.error("model_unreadable", extra={"model": name, "reason": str(error)})
            return _Look(sorted(known), [], skipped)
        serving: list[int] = []
        loaded: list[_Loaded] = []
        still_skipped = {}
        for number in numbers:
            if len(serving) == self._settings.keep_versions:
                break
            if number in known:
                serving.append(number)
                continue
            path = folder / str(number)
            prints = fingerprint(path)
            if number in skipped and skipped[number][0] == prints:
                still_skipped[number] = skipped[number]
                continue
            log.info("version_loading", extra={"model": name, "version": number})
            try:
                loaded.append(_Loaded(number, load_engine(path, self._settings.engine)))
                serving.append(number)
            except Exception as error:  # whatever ails one version, the others go on serving
                unsound = isinstance(error, UnsoundVersionError)
                reason = str(error) if unsound else f"loading it failed ({error!r})"
                still_skipped[number] = (prints, reason)
                log.warning(
                    "version_skipped",
                    extra={"model": name, "version": number, "reason": reason},
                )
        return _Look(serving, loaded, still_skipped)

    def _take_over(self, name: str, model: Model, look: _Look) -> None:
        for each in look.loaded:
            card, signatures, engine = each.parts
            batcher = Batcher(
                engine,
                self.queue,
                self._settings.max_batch_rows,
                self._executor,
                lambda rows: self._observe(name, rows),
            )
            model.versions[each.number] = Version(
                name, each.number, card, signatures, engine, batcher
            )
            model.ended.discard(each.number)
            log.info("version_serving", extra={"model": name, "version": each.number})
        model.skipped = look.skipped
        for number in sorted(set(model.versions) - set(look.serving)):
            version = model.versions.pop(number)
            model.draining[number] = version
            task = asyncio.create_task(self._drain(model, version))
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)

    async def _drain(self, model: Model, version: Version) -> None:
        log.info("version_draining", extra={"model": version.name, "version": version.number})
        while version.leases:
            await asyncio.sleep(0.05)
        if model.draining.get(version.number) is version:
            del model.draining[version.number]
            model.ended.add(version.number)
        log.info("version_ended", extra={"model": version.name, "version": version.number})


def fingerprint(folder: Path) -> Fingerprint:
    """What tells whether a folder's files have changed, or who may read them."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError:  # vanished meanwhile
            continue
        name = str(path.relative_to(folder))
        found.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return tuple(found)


def _is_version(path: Path) -> bool:
    return bool(_NUMBER.fullmatch(path.name)) and path.name == str(int(path.name)) and path.is_dir()
