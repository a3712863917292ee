"""A page that goes and comes back between what happened and its answer: nothing lost, nothing done twice."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Route, expect

from tapledger.lab.chain import Chain
from tapledger.lab.seed import TOWEL
from tests.browser.test_kiosk import READER, on_screen, open_kiosk
from tests.browser.test_kiosk import leave as leave_kiosk
from tests.browser.test_till import leave as leave_till
from tests.browser.test_till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOWHERE = "about:blank"


async def test_a_member_is_greeted_and_served_once_whenever_the_page_comes_back(
    browser: Browser, chain: Chain
) -> None:
    bench = chain.benches["shop-a"]
    face = await open_kiosk(browser, chain)
    kiosk = face.page.url
    await face.page.goto(NOWHERE)
    await bench.insert(READER, "wang")
    await face.page.goto(kiosk)
    await on_screen(face, "balance")
    before = int((await face.at("points").inner_text()).replace(",", ""))
    await face.at("reward-coffee").click()
    await on_screen(face, "confirm")
    slips = len(bench.printer.slips)
    await face.page.wait_for_timeout(450)  # the page ignores a second touch within 400 ms

    async def answer_nobody(route: Route) -> None:
        await route.fetch()
        await face.page.goto(NOWHERE)

    await face.page.route("**/api/kiosk/confirm", answer_nobody)
    async with face.page.expect_event("framenavigated"):
        await face.at("confirm").click(no_wait_after=True)
    await face.page.unroute("**/api/kiosk/confirm")
    await face.page.goto(kiosk)
    await on_screen(face, "done")
    await expect(face.at("points-left")).to_contain_text(f"{before - 80:,}")
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=10_000)
    assert len(bench.printer.slips) == slips + 1
    await leave_kiosk(face, chain)


async def test_what_is_scanned_while_the_page_is_away_is_in_the_basket(
    browser: Browser, chain: Chain
) -> None:
    bench = chain.benches["shop-a"]
    face = await open_till(browser, chain)
    till = face.page.url
    await face.page.goto(NOWHERE)
    for _ in range(3):
        await bench.scanner.scan(TOWEL)
    await face.page.goto(till)
    await expect(face.at("line-1").locator("output")).to_have_text("3")
    await leave_till(face, chain)
