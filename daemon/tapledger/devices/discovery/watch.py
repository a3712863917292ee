"""Keeps the list of what is plugged in, and tells whoever waits for a device that it changed."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from tapledger.devices.discovery.identity import (
    Candidate,
    Kind,
    candidate,
    read_match,
    resolve,
    swap_candidates,
    what_to_write,
)
from tapledger.devices.discovery.readers import PcscSource
from tapledger.devices.discovery.source import Change, HotplugEvent, HotplugSource
from tapledger.devices.discovery.static import StaticSource, paths_of
from tapledger.devices.discovery.udev import UdevSource
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

log = structlog.get_logger()

SOURCE_RETRY_S = 2.0
CANDIDATES_MAX = 256
"""More than any shop has; what comes after is not listed."""
SUCCESSORS_MAX = 3


@dataclass(frozen=True, slots=True)
class _Opening:
    """How a driver is told what to open: by the path alone, or by an address (io.py)."""

    kind: Kind
    option: str
    subsystems: tuple[str, ...]
    path_alone: bool = False


_OPENINGS = {
    "serial_line": _Opening("scanner", "path", ("tty",), path_alone=True),
    "evdev_keyboard": _Opening("scanner", "path", ("input",), path_alone=True),
    "escpos": _Opening("printer", "port", ("usbmisc", "tty")),
    "star_raster": _Opening("printer", "port", ("usbmisc", "tty")),
    "nfcpy": _Opening("reader", "port", ("tty",)),
    "serial_light": _Opening("other", "port", ("tty",)),
    "serial_line_display": _Opening("other", "port", ("tty",)),
}
"""Drivers whose device can be told by ``match``; the others find theirs by a name or on the network."""
_PREFIXES = {"tty": "tty:", "usbmisc": "usblp:"}
_QUERY = re.compile(r"\?.*$")


class Discovery:
    """What is plugged in by all ``sources``. ``on_change`` is called on the event loop, and is told all."""

    def __init__(
        self,
        sources: Sequence[HotplugSource],
        configs: Sequence[DeviceConfig],
        on_change: Callable[[tuple[Candidate, ...]], None] = lambda candidates: None,
    ) -> None:
        self._sources = sources
        self._configs = {config.role: config for config in configs}
        self._there: dict[tuple[str, str], Candidate] = {}
        self._last: dict[str, Candidate] = {}
        """What each role was found to be: where it was plugged in tells where its successor may be."""
        self._scanned = False
        self.on_change = on_change

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        if not self._scanned:
            self._scan()
        return tuple(self._there.values())

    async def run(self) -> None:
        """Follow every source until cancelled. One that fails never takes another along."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._follow(source), name=f"discovery {source.name}")

    def resolve(self, config: DeviceConfig) -> DeviceConfig:
        """Return the configuration with the option ``match`` turned into what the driver opens.

        Raises ``DeviceAbsent`` and ``DeviceBlocked`` as ``identity.resolve``; of an absent device it names
        those that could take its place.
        """
        if "match" not in config.options:
            return config
        opening = _OPENINGS.get(config.driver)
        if opening is None:
            known = ", ".join(sorted(_OPENINGS))
            raise DeviceBlocked("bad_option", f"device {config.role!r}: only {known} have match")
        options = dict(config.options)
        match = read_match(config.role, options.pop("match"))
        fitting = [one for one in self.candidates if one.subsystem in opening.subsystems]
        try:
            found = resolve(config.role, match, fitting)
        except DeviceAbsent as error:
            instead = self._successors(config.role, opening.kind, fitting)
            raise DeviceAbsent(error.reason, f"{error.detail}{instead}") from error
        self._last[config.role] = found
        options[opening.option] = _address(opening, found, str(options.get(opening.option, "")))
        return dataclasses.replace(config, options=options)

    def _successors(self, role: str, kind: Kind, fitting: Sequence[Candidate]) -> str:
        """Say what could take the place of a device that is gone, the likeliest first: a person decides."""
        found = swap_candidates(kind, self._last.get(role), fitting, self._is_taken)[:SUCCESSORS_MAX]
        return f". {what_to_write(found, fitting)}" if found else ""

    def _is_taken(self, one: Candidate) -> bool:
        """Whether a role uses it, by ``match`` or by its path."""
        return any(_uses(config, one) for config in self._configs.values())

    async def _follow(self, source: HotplugSource) -> None:
        said = ""
        while True:
            try:
                async for event in source.events():
                    said = ""
                    self._happened(event)
            except Exception as error:
                # Whatever a library says of its daemon or its bus: without it the other sources still see.
                if str(error) != said:
                    said = str(error)
                    log.warning("discovery trouble", source=source.name, why=said)
            await asyncio.sleep(SOURCE_RETRY_S)

    def _happened(self, event: HotplugEvent) -> None:
        if self._note(event):
            log.info("device plug", kind=event.kind, subsystem=event.subsystem, path=event.path)
            self.on_change(tuple(self._there.values()))

    def _scan(self) -> None:
        """Look once at all sources, for those who ask before they were followed."""
        self._scanned = True
        for source in self._sources:
            for event in source.scan():
                self._note(event)

    def _note(self, event: HotplugEvent) -> bool:
        """Remember an event; False when it says nothing new."""
        key = (event.subsystem, event.path)
        if event.kind is Change.REMOVED:
            return self._there.pop(key, None) is not None
        new = candidate(event)
        before = self._there.get(key)
        if before == new or (before is None and len(self._there) >= CANDIDATES_MAX):
            return False
        self._there[key] = new
        return True


def live_discovery(configs: Sequence[DeviceConfig], wake: Callable[[str], None]) -> Discovery:
    """Return what watches this machine for the devices of a shop; any change wakes those that wait."""
    sources: list[HotplugSource] = [StaticSource(paths_of(configs))]
    try:
        sources.append(UdevSource())
    except ImportError as error:
        log.warning("discovery trouble", source="udev", why=f"libudev is missing: {error}")
    if any(config.driver == "pcsc" for config in configs):
        sources.append(PcscSource(LiveIo("discovery", Traffic(time.monotonic))))

    def changed(candidates: tuple[Candidate, ...]) -> None:
        del candidates
        for config in configs:
            wake(config.role)

    return Discovery(sources, configs, changed)


def _address(opening: _Opening, found: Candidate, given: str) -> str:
    """Return what the driver opens; of what was given, the line's settings (``?baud=…``) stay."""
    if opening.path_alone:
        return found.path
    settings = _QUERY.search(given)
    query = settings.group() if settings and found.subsystem == "tty" else ""
    return f"{_PREFIXES[found.subsystem]}{found.path}{query}"


def _uses(config: DeviceConfig, one: Candidate) -> bool:
    opening = _OPENINGS.get(config.driver)
    table = config.options.get("match")
    if table is not None and opening is not None and one.subsystem in opening.subsystems:
        try:
            return read_match(config.role, table).fits(one)
        except DeviceBlocked:
            return False  # said where the device is opened
    names = {Path(path).name for path in paths_of([config])}
    return one.path in paths_of([config]) or bool(names & {one.by_id, one.by_path} - {""})
