"""The kiosk's page: its first tap on a slow computer, its first screen, and what many visits leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import CDPSession, Page

from benchmarks.seeded_shop import SeededShop
from benchmarks.tap_to_paint import TappedKiosk, find_chromium, open_page, reader_station, running_kiosk

SLOW = 6
"""So many times slower than this machine: a small computer in a shop."""
SETTLED_SESSIONS = 200
"""What a page keeps for ever, such as compiled code, is there by then."""
EACH_PAINTED = 50
FIRST_SCREEN = """() => {
    const drawn = () => document.querySelector('[data-screen="attract"]:not([data-feed])');
    const look = () => drawn() ? requestAnimationFrame(() => { window.firstScreen = performance.now(); })
                               : requestAnimationFrame(look);
    look();
}"""
Progress = Callable[[str], None]


@dataclass(slots=True)
class KioskTimes:
    first_tap_ms: list[float] = field(default_factory=list)
    """At ``SLOW``; each on a page that was just opened and had its warm-up."""
    tap_ms: list[float] = field(default_factory=list)
    push_floor_ms: list[float] = field(default_factory=list)
    """The same snapshots pushed once more, unthrottled."""
    first_screen_ms: list[float] = field(default_factory=list)
    sessions: int = 0
    heap_growth_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    first_taps: int
    taps: int
    pages: int
    sessions: int


async def measure(seeded: SeededShop, counts: Counts, progress: Progress) -> KioskTimes:
    """Measure on the real pcscd; raise ``CannotRun`` before the first tap."""
    times, chromium = KioskTimes(), find_chromium()
    async with (
        reader_station() as station,
        seeded.open() as shop,
        running_kiosk(shop, seeded, station) as (kiosk, port),
        open_page(chromium) as page,
    ):
        address = f"http://localhost:{port}/kiosk"
        cdp = await page.context.new_cdp_session(page)
        progress(f"{counts.pages} first screens and {counts.first_taps} first taps, {SLOW} times slower")
        async with _slower(cdp):
            await _first_screens(page, address, counts.pages, times)
            await _first_taps(page, address, kiosk, counts.first_taps, times)
        progress(f"{counts.taps} taps")
        await _open(page, address)
        for number in range(counts.taps):
            tap, shown = await kiosk.tap(number % 2)
            await kiosk.settle()
            times.tap_ms.append(tap.tap_ms)
            times.push_floor_ms.append(await kiosk.push(shown))
            await kiosk.leave()
            await kiosk.settle()
        progress(f"{counts.sessions} visits")
        await _visits(page, cdp, kiosk, seeded, counts.sessions, times)
    return times


@asynccontextmanager
async def _slower(cdp: CDPSession) -> AsyncIterator[None]:
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
    try:
        yield
    finally:
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": 1})


async def _open(page: Page, address: str) -> None:
    """Open the page anew and wait until it invites, its warm-up over."""
    await page.goto(address)
    await page.locator('[data-screen="attract"]:not([data-feed])').wait_for()
    await page.locator(".warm-up").wait_for(state="detached")


async def _first_screens(page: Page, address: str, count: int, times: KioskTimes) -> None:
    await page.add_init_script(f"({FIRST_SCREEN})()")
    for _ in range(count):
        await page.goto(address)
        await page.wait_for_function("() => window.firstScreen !== undefined")
        times.first_screen_ms.append(float(await page.evaluate("() => window.firstScreen")))


async def _first_taps(page: Page, address: str, kiosk: TappedKiosk, count: int, times: KioskTimes) -> None:
    for number in range(count):
        await _open(page, address)
        await kiosk.settle()
        tap, _ = await kiosk.tap(number % 2)
        times.first_tap_ms.append(tap.tap_ms)
        await kiosk.leave()
        await kiosk.settle()


async def _visits(
    page: Page, cdp: CDPSession, kiosk: TappedKiosk, seeded: SeededShop, count: int, times: KioskTimes
) -> None:
    """Let members come and go as fast as the page draws them; the heap is what stays."""
    first = 0
    for number in range(count + SETTLED_SESSIONS):
        if number == SETTLED_SESSIONS:
            first = await _heap_bytes(cdp)
        customer = seeded.customers[number % len(seeded.customers)]
        clock = kiosk.daemon.shop.clock
        await kiosk.daemon.kiosk.card(customer.card, clock.monotonic_s())
        if number % EACH_PAINTED == 0:
            await page.locator('[data-screen="balance"]').wait_for()
        await kiosk.daemon.kiosk.finish()
    times.sessions = count
    times.heap_growth_bytes = await _heap_bytes(cdp) - first


async def _heap_bytes(cdp: CDPSession) -> int:
    await cdp.send("HeapProfiler.collectGarbage")
    return int((await cdp.send("Runtime.getHeapUsage"))["usedSize"])
