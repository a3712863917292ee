"""A card on the real pcscd until Chromium has painted its member's balance, beside a bare push of the same.

The daemon runs in this process; Chromium and pcscd have their own.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from benchmarks.reader_pair import ReaderPair
from benchmarks.seeded_shop import SEED, SeededShop
from tapledger.app import Daemon
from tapledger.assets import faces_folder
from tapledger.membership.shop import Shop
from tapledger.settings import DeviceSettings, Settings
from tapledger.web.live import Snapshot
from tapledger.web.snapshots import Balance, Kiosk
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.ports import CardReader, DeviceConfig, TrustPolicy
from tapledger_drivers.registry import create_driver

CARD_KINDS = (CardKind.TYPE4, CardKind.TYPE2)
"""One on each reader."""
WARM_UP = 6
PAINT_LIMIT_S = 5.0
GOODBYE_S = 0.02
SETTLE_S = 0.15
"""Goodbye, the attract screen and the few frames of its warm-up are over by then."""
JITTER_S = 0.033
"""Two frames, so that no push keeps step with the screen."""
VIEWPORT: ViewportSize = {"width": 1080, "height": 1920}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class CannotRun(Exception):
    """Something that the measurement needs is not on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class TapTimes:
    """Milliseconds. A tap is event to read, read to push and push to paint; a floor is a push to paint."""

    tap_ms: list[float] = field(default_factory=list)
    event_to_read_ms: list[float] = field(default_factory=list)
    read_to_push_ms: list[float] = field(default_factory=list)
    push_to_paint_ms: list[float] = field(default_factory=list)
    push_floor_ms: list[float] = field(default_factory=list)


async def measure(seeded: SeededShop, taps: int, progress: Callable[[int], None]) -> TapTimes:
    """Time so many taps and as many bare pushes, in turn; raise ``CannotRun`` before the first."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise CannotRun("Chromium is missing: apt-get install chromium")
    if faces_folder() is None:
        raise CannotRun("The browser faces are not built: make prepare")
    async with (
        _station() as station,
        seeded.open() as shop,
        _kiosk(shop, seeded, station) as (kiosk, port),
        _page(chromium) as page,
    ):
        await page.goto(f"http://localhost:{port}/kiosk")
        await page.locator('[data-screen="attract"]').wait_for()
        return await _measure(kiosk, taps, progress)


async def _measure(kiosk: _Kiosk, taps: int, progress: Callable[[int], None]) -> TapTimes:
    jitter = random.Random(SEED)
    times = TapTimes()
    for number in range(-WARM_UP, taps):
        tap_ms, read_ms, rules_ms = await kiosk.tap(number % len(CARD_KINDS))
        await asyncio.sleep(SETTLE_S + jitter.uniform(0, JITTER_S))
        floor_ms = await kiosk.push_again()
        await asyncio.sleep(SETTLE_S)
        if number >= 0:
            times.tap_ms.append(tap_ms)
            times.event_to_read_ms.append(read_ms)
            times.read_to_push_ms.append(rules_ms)
            times.push_to_paint_ms.append(tap_ms - read_ms - rules_ms)
            times.push_floor_ms.append(floor_ms)
            progress(number + 1)
    return times


class _Kiosk:
    """A running shop's kiosk: taps it, and pushes what it showed once more without card, store and rules."""

    def __init__(
        self, daemon: Daemon, readers: ReaderPair, station: ReaderStation, cards: list[VirtualCard]
    ) -> None:
        self._daemon = daemon
        self._readers = readers
        self._station = station
        self._cards = cards
        self._shown: Snapshot | None = None
        self._pushed_at_s = 0.0
        self._painted = asyncio.Event()
        show = daemon.live.show

        def timed_show(face: str, snapshot: Snapshot, seen_at_s: float | None = None) -> None:
            if seen_at_s is not None:
                self._shown, self._pushed_at_s = snapshot, daemon.shop.clock.monotonic_s()
            show(face, snapshot, seen_at_s)

        def painted() -> None:
            self._painted.set()
            daemon.console.changed()

        daemon.live.show = timed_show  # type: ignore[method-assign]
        daemon.live.on_painted = painted

    async def tap(self, place: int) -> tuple[float, float, float]:
        """Lay a card on a reader; return milliseconds of the tap, of its reading, and from read to push."""
        await self._readers.empty[place].wait()
        self._readers.empty[place].clear()
        await self._station.insert(place, self._cards[place])
        tap_ms = await self._paint()
        read = self._readers.read
        assert read is not None and isinstance(self._shown, Kiosk)
        if not isinstance(self._shown.screen, Balance):
            raise RuntimeError(f"a tap was answered by {self._shown.screen}")
        await self._station.remove(place)
        await self._daemon.kiosk.finish()
        return tap_ms, (read.read_at_s - read.seen_at_s) * 1000, (self._pushed_at_s - read.read_at_s) * 1000

    async def push_again(self) -> float:
        """Push the last balance anew; return milliseconds until it was painted."""
        assert self._shown is not None
        self._daemon.live.show("kiosk", self._shown, self._daemon.shop.clock.monotonic_s())
        floor_ms = await self._paint()
        self._daemon.kiosk.refresh()
        return floor_ms

    async def _paint(self) -> float:
        async with asyncio.timeout(PAINT_LIMIT_S):
            await self._painted.wait()
        self._painted.clear()
        return self._daemon.live.latencies_ms[-1]


@asynccontextmanager
async def _station() -> AsyncIterator[ReaderStation]:
    with tempfile.TemporaryDirectory(prefix="tapledger-") as folder:
        station = await ReaderStation.start(Path(folder), len(CARD_KINDS))
        os.environ["PCSCLITE_CSOCK_NAME"] = str(station.socket_path)
        try:
            yield station
        finally:
            await station.close()


@asynccontextmanager
async def _kiosk(shop: Shop, seeded: SeededShop, station: ReaderStation) -> AsyncIterator[tuple[_Kiosk, int]]:
    """Run the shop's daemon and yield its kiosk with the port."""
    trust = SignedTokenPolicy(shop.store.keyring.token_keys)
    readers = ReaderPair([_reader(name, trust) for name in station.reader_names])
    daemon = Daemon(shop, _settings(seeded.settings), lambda config, trust: readers)
    cards = [seeded.virtual_card(place, kind) for place, kind in enumerate(CARD_KINDS)]
    kiosk = _Kiosk(daemon, readers, station, cards)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(daemon.run(listening.set_result))
        yield kiosk, await listening
        running.cancel()


def _reader(name: str, trust: TrustPolicy) -> CardReader:
    reader = create_driver(DeviceConfig("kiosk-reader", "pcsc", {"reader_name": name}), trust)
    assert isinstance(reader, CardReader)
    return reader


def _settings(settings: Settings) -> Settings:
    kiosk = settings.kiosk.model_copy(update={"goodbye_s": GOODBYE_S})
    devices = [DeviceSettings(role="kiosk-reader", driver="pcsc")]
    return settings.model_copy(update={"kiosk": kiosk, "devices": devices})


@asynccontextmanager
async def _page(chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            yield await browser.new_page(viewport=VIEWPORT)
        finally:
            await browser.close()
