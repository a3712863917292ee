"""A card on the real pcscd until Chromium has painted its member's balance, beside a bare push of the same.

The daemon runs in this process; Chromium and pcscd have their own. Every first tap finds the attract screen,
whose picture moves, so that a frame waits for its next one; every second tap finds the balance of the member
before, which stands still.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from benchmarks.reader_pair import ReaderPair
from benchmarks.seeded_shop import SEED, SeededShop
from tapledger.app import Daemon
from tapledger.assets import faces_folder
from tapledger.membership.shop import Shop
from tapledger.settings import DeviceSettings, Settings
from tapledger.web.kiosk_snapshots import Balance, Kiosk
from tapledger.web.live import Snapshot
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.ports import CardReader, TrustPolicy
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

CARD_KINDS = (CardKind.TYPE4, CardKind.TYPE2)
"""One on each reader: the first finds the attract screen, the second the first one's balance."""
WARM_UP_ROUNDS = 3
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
class Tap:
    """Milliseconds: event to read, read to push, push to paint; then the bare push of the same snapshot."""

    event_to_read_ms: float
    read_to_push_ms: float
    push_to_paint_ms: float
    push_floor_ms: float = 0.0

    @property
    def tap_ms(self) -> float:
        return self.event_to_read_ms + self.read_to_push_ms + self.push_to_paint_ms


@dataclass(frozen=True, slots=True)
class Taps:
    """All taps, by the screen that they found."""

    on_attract: list[Tap] = field(default_factory=list)
    on_balance: list[Tap] = field(default_factory=list)


async def measure(seeded: SeededShop, taps: int, progress: Callable[[int], None]) -> Taps:
    """Time so many taps and as many bare pushes, in turn; raise ``CannotRun`` before the first."""
    chromium = find_chromium()
    async with (
        reader_station() as station,
        seeded.open() as shop,
        running_kiosk(shop, seeded, station) as (kiosk, port),
        open_page(chromium) as page,
    ):
        await page.goto(f"http://localhost:{port}/kiosk")
        await page.locator('[data-screen="attract"]').wait_for()
        return await _measure(kiosk, taps, progress)


def find_chromium() -> str:
    """Return its path; raise ``CannotRun`` where it or the built faces are missing."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise CannotRun("Chromium is missing: apt-get install chromium")
    if faces_folder() is None:
        raise CannotRun("The browser faces are not built: make prepare")
    return chromium


async def _measure(kiosk: TappedKiosk, taps: int, progress: Callable[[int], None]) -> Taps:
    measured = Taps()
    for number in range(-WARM_UP_ROUNDS, -(-taps // len(CARD_KINDS))):
        on_attract, on_balance = await _round(kiosk)
        if number >= 0:
            measured.on_attract.append(on_attract)
            measured.on_balance.append(on_balance)
            progress((number + 1) * len(CARD_KINDS))
    return measured


async def _round(kiosk: TappedKiosk) -> tuple[Tap, Tap]:
    """Tap twice, then push both snapshots once more onto the same screens."""
    first, first_shown = await kiosk.tap(0)
    await kiosk.settle()
    second, second_shown = await kiosk.tap(1)
    await kiosk.settle()
    balance_floor_ms = await kiosk.push(first_shown)
    await kiosk.leave()
    await kiosk.settle()
    attract_floor_ms = await kiosk.push(second_shown)
    await kiosk.leave()
    await kiosk.settle()
    return replace(first, push_floor_ms=attract_floor_ms), replace(second, push_floor_ms=balance_floor_ms)


class TappedKiosk:
    """A running shop's kiosk: taps it, and pushes what it showed once more without card, store and rules."""

    def __init__(
        self, daemon: Daemon, readers: ReaderPair, station: ReaderStation, cards: list[VirtualCard]
    ) -> None:
        self.daemon = daemon
        self._readers = readers
        self._station = station
        self._cards = cards
        self._jitter = random.Random(SEED)
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

    async def tap(self, place: int) -> tuple[Tap, Kiosk]:
        """Lay a card on a reader; return the times and what was shown."""
        await self._readers.empty[place].wait()
        self._readers.empty[place].clear()
        await self._station.insert(place, self._cards[place])
        tap_ms = await self._paint()
        await self._station.remove(place)
        read, shown = self._readers.read, self._shown
        assert read is not None and isinstance(shown, Kiosk)
        if not isinstance(shown.screen, Balance):
            raise RuntimeError(f"a tap was answered by {shown.screen}")
        read_ms = (read.read_at_s - read.seen_at_s) * 1000
        push_ms = (self._pushed_at_s - read.read_at_s) * 1000
        return Tap(read_ms, push_ms, tap_ms - read_ms - push_ms), shown

    async def push(self, snapshot: Kiosk) -> float:
        """Push a snapshot as it is; return milliseconds until it was painted."""
        self.daemon.live.show("kiosk", snapshot, self.daemon.shop.clock.monotonic_s())
        return await self._paint()

    async def leave(self) -> None:
        """Bring back the attract screen, from a session or from a bare push."""
        await self.daemon.kiosk.finish()
        self.daemon.kiosk.refresh()

    async def settle(self) -> None:
        await asyncio.sleep(SETTLE_S + self._jitter.uniform(0, JITTER_S))

    async def _paint(self) -> float:
        async with asyncio.timeout(PAINT_LIMIT_S):
            await self._painted.wait()
        self._painted.clear()
        return self.daemon.live.latencies_ms[-1]


@asynccontextmanager
async def reader_station() -> AsyncIterator[ReaderStation]:
    with tempfile.TemporaryDirectory(prefix="tapledger-") as folder:
        station = await ReaderStation.start(Path(folder), len(CARD_KINDS))
        os.environ["PCSCLITE_CSOCK_NAME"] = str(station.socket_path)
        try:
            yield station
        finally:
            await station.close()


@asynccontextmanager
async def running_kiosk(
    shop: Shop, seeded: SeededShop, station: ReaderStation
) -> AsyncIterator[tuple[TappedKiosk, int]]:
    """Run the shop's daemon and yield its kiosk with the port."""
    trust = SignedTokenPolicy(shop.store.keyring.token_keys)
    readers = ReaderPair([_reader(name, trust) for name in station.reader_names])
    daemon = Daemon(shop, _settings(seeded.settings), lambda *_: readers)
    cards = [seeded.virtual_card(place, kind) for place, kind in enumerate(CARD_KINDS)]
    kiosk = TappedKiosk(daemon, readers, station, cards)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(daemon.run(listening.set_result))
        yield kiosk, await listening
        running.cancel()


def _reader(name: str, trust: TrustPolicy) -> CardReader:
    io = LiveIo(name, Traffic(time.monotonic))
    reader = create_driver(DeviceConfig("kiosk-reader", "pcsc", {"reader_name": name}), trust, io)
    assert isinstance(reader, CardReader)
    return reader


def _settings(settings: Settings) -> Settings:
    kiosk = settings.kiosk.model_copy(update={"goodbye_s": GOODBYE_S})
    devices = [DeviceSettings(role="kiosk-reader", driver="pcsc")]
    return settings.model_copy(update={"kiosk": kiosk, "devices": devices})


@asynccontextmanager
async def open_page(chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            yield await browser.new_page(viewport=VIEWPORT)
        finally:
            await browser.close()
