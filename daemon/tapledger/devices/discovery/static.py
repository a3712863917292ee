"""The device files that daemon.toml names: no message tells when a path appears, so they are looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from tapledger.devices.discovery.source import Change, HotplugEvent
from tapledger_drivers.device import DeviceConfig

LOOK_S = 0.25
_PREFIXES = ("tty:", "usblp:", "hidraw:")


class StaticSource:
    """Paths from the configuration. One that leads to another device now has gone and come."""

    name = "config"

    def __init__(self, paths: Iterable[str], look_s: float = LOOK_S) -> None:
        self._paths = sorted(set(paths))
        self._look_s = look_s
        self._known: dict[str, tuple[int, int]] = {}

    def scan(self) -> list[HotplugEvent]:
        return [event for path in self._paths for event in self._look(path)]

    async def events(self) -> AsyncIterator[HotplugEvent]:
        while True:
            for event in self.scan():
                yield event
            await asyncio.sleep(self._look_s)

    def _look(self, path: str) -> Iterator[HotplugEvent]:
        now, before = _behind(path), self._known.get(path)
        if now == before:
            return
        if before is not None:
            del self._known[path]
            yield HotplugEvent(Change.REMOVED, "config", path)
        if now is not None:
            self._known[path] = now
            yield HotplugEvent(Change.ADDED, "config", path)


def paths_of(configs: Iterable[DeviceConfig]) -> set[str]:
    """Return every device file that the options of some devices name."""
    return {path for config in configs for value in config.options.values() if (path := _path(value))}


def _path(value: object) -> str:
    if not isinstance(value, str):
        return ""
    for prefix in _PREFIXES:
        value = value.removeprefix(prefix)
    value = value.partition("?")[0]
    return value if value.startswith("/") else ""


def _behind(path: str) -> tuple[int, int] | None:
    """Tell one thing at a path from the next: a link to another terminal is another device."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_rdev, status.st_ino
