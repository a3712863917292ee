"""The till's page: a code from its scanner until its line is painted, a burst, and a sale by few keys."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, expect

from benchmarks.faces_kiosk import Progress
from benchmarks.tap_to_paint import CannotRun, find_chromium, open_page
from tapledger import assets
from tapledger.clock import SystemClock
from tapledger.lab.chain import Chain
from tapledger.lab.seed import CASHIER_PIN, EARPHONES, TOWEL, WATER

SHOP, READER = "shop-a", "till-reader"
BURST_PER_S = 20
PATIENCE_MS = 20_000
CLOCK = SystemClock()
BUDGET = re.compile(r"^(\w+): ([0-9.]+) kB gz of", re.MULTILINE)
WATCH = """() => {
    window.painted = [];
    const count = () => [...document.querySelectorAll('[data-testid^="line-"] output')]
        .reduce((sum, one) => sum + Number(one.textContent), 0);
    let before = 0;
    new MutationObserver(() => {
        const now = count();
        if (now === before) return;
        before = now;
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () =>
                window.painted.push([now, performance.timeOrigin + performance.now()]);
            channel.port2.postMessage(null);
        });
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
"""A message that is posted inside an animation frame is delivered after its paint."""


@dataclass(slots=True)
class TillTimes:
    scan_ms: list[float] = field(default_factory=list)
    burst: int = 0
    burst_counted: int = 0
    keys: int = 0


@asynccontextmanager
async def _till() -> AsyncIterator[tuple[Chain, Page]]:
    """Run the demo's chain and yield it with the page of a till where somebody is signed in."""
    offers = assets.config_folder() / "examples" / "offers.toml"
    with tempfile.TemporaryDirectory(prefix="tapledger-") as folder:
        chain = Chain(Path(folder), (0, 0, 0), lambda _: None, None, offers)
        await chain.start()
        try:
            if chain.station is None:
                raise CannotRun("pcscd is missing: make prepare")
            async with open_page(find_chromium()) as page:
                await page.set_viewport_size({"width": 1366, "height": 768})
                await page.goto(f"http://localhost:{chain.ports[SHOP]}/till")
                await expect(page.get_by_test_id("pin")).to_be_focused(timeout=PATIENCE_MS)
                await _press(page, *CASHIER_PIN, "Enter")
                await expect(page.get_by_test_id("box")).to_be_focused(timeout=PATIENCE_MS)
                yield chain, page
        finally:
            await chain.stop()


async def measure(scans: int, burst_s: float, progress: Progress) -> TillTimes:
    times = TillTimes()
    async with _till() as (chain, page):
        progress("a sale with card, three articles, coupon and points, by keys")
        times.keys = await _sale(chain, page)
        progress(f"{scans} scans")
        await page.evaluate(WATCH)
        for number in range(1, scans + 1):
            times.scan_ms.append(await _scan(chain, page, number))
        times.burst = int(BURST_PER_S * burst_s)
        progress(f"{times.burst} scans, {BURST_PER_S} a second")
        times.burst_counted = await _burst(chain, page, scans, times.burst)
    return times


async def _press(page: Page, *keys: str) -> int:
    for key in keys:
        await page.keyboard.press(key)
    return len(keys)


async def _sale(chain: Chain, page: Page) -> int:
    """Sell to a member; return the keys that were pressed."""
    bench = chain.benches[SHOP]
    await bench.insert(READER, "li")
    await expect(page.get_by_test_id("member")).to_be_visible(timeout=PATIENCE_MS)
    for code in ("FIVE", TOWEL, WATER, EARPHONES):
        await bench.scanner.scan(code)
    await expect(page.locator('[data-testid^="line-"] output')).to_have_count(3, timeout=PATIENCE_MS)
    keys = await _press(page, "F4", "F4")
    await expect(page.get_by_test_id("points-paid")).to_be_visible(timeout=PATIENCE_MS)
    keys += await _press(page, "F12", "F12")
    await expect(page.locator('[data-testid^="line-"]')).to_have_count(0, timeout=PATIENCE_MS)
    await bench.remove(READER)
    return keys


async def _scan(chain: Chain, page: Page, expected: int) -> float:
    """Scan once; return milliseconds until the basket with it was painted."""
    began_ms = CLOCK.now().timestamp() * 1000
    await chain.benches[SHOP].scanner.scan(TOWEL if expected % 2 else WATER)
    painted = await page.wait_for_function(
        "(count) => window.painted.find(([sum]) => sum >= count)?.[1]", arg=expected, timeout=PATIENCE_MS
    )
    return float(await painted.json_value()) - began_ms


async def _burst(chain: Chain, page: Page, before: int, count: int) -> int:
    """Scan at a pace; return how many of them are in the basket."""
    began_s = CLOCK.monotonic_s()
    for number in range(count):
        await asyncio.sleep(max(0.0, began_s + number / BURST_PER_S - CLOCK.monotonic_s()))
        await chain.benches[SHOP].scanner.scan(TOWEL if number % 2 else WATER)
    try:
        await page.wait_for_function(
            "(count) => window.painted.some(([sum]) => sum >= count)",
            arg=before + count,
            timeout=PATIENCE_MS,
        )
    finally:
        counted = await page.evaluate("() => window.painted.at(-1)[0]")
    return int(counted) - before


def bundles_kb() -> dict[str, float]:
    """Return what each face loads, as the build holds it."""
    folder = Path(__file__).resolve().parent.parent / "kiosk_ui"
    done = subprocess.run(
        ["node", "scripts/budgets.mjs"], cwd=folder, capture_output=True, text=True, check=False
    )
    return {face: float(size) for face, size in BUDGET.findall(done.stdout)}
