"""The technician's view: every device with its next step, prints with their evidence, sync in plain words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web

from tapledger import languages
from tapledger.languages import LANGUAGES
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.prints import Job
from tapledger.web import print_views
from tapledger.web.device_snapshots import DeviceView, RepairView
from tapledger.web.live import LiveFeed, percentile
from tapledger.web.print_snapshots import PaperView
from tapledger.web.server import LanguageBody, intent, read_body
from tapledger.web.snapshots import Console, Latency, SyncView


class RoleBody(msgspec.Struct, forbid_unknown_fields=True):
    role: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What the console may ask of the daemon."""

    devices: Callable[[str], list[DeviceView]]
    """Every device in the words of a language."""
    repairs: Callable[[str], list[RepairView]]
    sync: Callable[[str], SyncView]
    wake: Callable[[str], None]
    test_print: Callable[[str], Awaitable[None]]
    paper: Callable[[str], PaperView | None]


class ConsoleFace:
    """Shows the machine; many changes in one turn of the loop are one snapshot."""

    def __init__(self, shop: Shop, live: LiveFeed, machine: Machine) -> None:
        self._shop = shop
        self._live = live
        self._machine = machine
        self._changed = asyncio.Event()
        self.language = shop.language

    def changed(self) -> None:
        """Something that the console shows is different now."""
        self._changed.set()

    async def run(self) -> None:
        while True:
            self._changed.clear()
            self._live.show("console", self._snapshot(await self._shop.store.insist(prints.recent)))
            await self._changed.wait()

    def _snapshot(self, jobs: list[Job]) -> Console:
        latencies = list(self._live.latencies_ms)
        devices = self._machine.devices(self.language)
        return Console(
            language=self.language,
            languages=list(LANGUAGES),
            shop=self._shop.name,
            node=self._shop.store.keyring.node,
            faces=self._live.faces,
            simulated=any(device.virtual for device in devices),
            devices=devices,
            repairs=self._machine.repairs(self.language),
            prints=[print_views.print_view(job, self.language) for job in jobs],
            paper=self._machine.paper(self.language),
            sync=self._machine.sync(self.language),
            latency=Latency(
                taps=len(latencies),
                p50_ms=round(percentile(latencies, 0.50), 1),
                p99_ms=round(percentile(latencies, 0.99), 1),
            ),
        )

    def routes(self) -> list[web.RouteDef]:
        async def wake(request: web.Request) -> None:
            self._machine.wake((await read_body(request, RoleBody)).role)

        async def test_print(request: web.Request) -> None:
            await self._machine.test_print((await read_body(request, RoleBody)).role)

        async def language(request: web.Request) -> None:
            self.language = languages.read((await read_body(request, LanguageBody)).language)
            self.changed()

        return [
            intent("/api/console/wake", wake),
            intent("/api/console/test-print", test_print),
            intent("/api/console/language", language),
        ]
