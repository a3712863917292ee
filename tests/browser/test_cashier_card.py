"""The tasks of docs/cashier-card.md, each by the keys that stand there and no mouse, on a shop of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tapledger import assets
from tapledger.lab.chain import Chain
from tapledger.lab.seed import EARPHONES, TOWEL, WATER
from tests.browser.conftest import TILL, Face, open_face, running_chain, take_away
from tests.browser.test_till import PATIENCE_MS, READER, enter, forgive, press, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFERS = assets.config_folder() / "examples" / "offers.toml"
SHOP = "shop-a"
MOST_KEYS = 8
NEW_PHONE = "13612345678"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop() -> AsyncIterator[Chain]:
    async with running_chain(OFFERS) as chain:
        yield chain


@pytest_asyncio.fixture(loop_scope="session")
async def till(browser: Browser, shop: Chain) -> AsyncIterator[Face]:
    face = await open_face(browser, shop.ports[SHOP], "till", TILL)
    await sign_in(face)
    yield face
    await take_away(shop, READER)
    await press(face, "Escape", "Escape")
    if await face.at("member").is_visible():
        await press(face, "F2")
    await expect(face.page.locator('[data-testid^="line-"]')).to_have_count(0)
    await press(face, "F10")
    await expect(face.at("pin")).to_be_visible()
    assert face.complaints == []
    await face.close()


async def scan(face: Face, shop: Chain, *codes: str) -> None:
    for code in codes:
        await shop.benches[SHOP].scanner.scan(code)
        await expect(face.page.locator(f'tr:has-text("{code}")')).to_be_visible(timeout=PATIENCE_MS)


async def emptied(face: Face) -> None:
    await expect(face.page.locator('[data-testid^="line-"]')).to_have_count(0)


async def test_1_a_members_sale_with_coupon_and_points(till: Face, shop: Chain) -> None:
    await shop.benches[SHOP].insert(READER, "li")
    await expect(till.at("member")).to_be_visible(timeout=PATIENCE_MS)
    await shop.benches[SHOP].scanner.scan("FIVE")
    await expect(till.at("message")).to_have_attribute("data-code", "COUPON_CLAIMED", timeout=PATIENCE_MS)
    await scan(till, shop, TOWEL, WATER, EARPHONES)
    await expect(till.at("due")).to_have_text("¥308.50")
    await till.picture("cashier-1-sale")
    keys = await press(till, "F4", "F4")
    await expect(till.at("points-paid")).to_be_visible()
    keys += await press(till, "F12", "F12")
    await emptied(till)
    assert keys <= MOST_KEYS
    await expect(till.at("earned")).to_be_visible()


async def test_2_a_basket_waits_while_somebody_else_is_served(till: Face, shop: Chain) -> None:
    await scan(till, shop, EARPHONES)
    await press(till, "F6")
    await emptied(till)
    await scan(till, shop, WATER)
    await press(till, "F7")
    await expect(till.at("panel-parked")).to_be_visible()
    await till.picture("cashier-2-parked")
    await press(till, "1")
    await expect(till.page.locator(f'tr:has-text("{EARPHONES}")')).to_be_visible()
    await press(till, "F7", "1")
    await expect(till.page.locator(f'tr:has-text("{WATER}")')).to_be_visible()
    await press(till, "F12", "F12")
    await emptied(till)
    await press(till, "F7", "1")
    await expect(till.page.locator(f'tr:has-text("{EARPHONES}")')).to_be_visible()
    await press(till, "Delete")
    await emptied(till)
    await press(till, "Control+z")
    await expect(till.page.locator(f'tr:has-text("{EARPHONES}")')).to_be_visible()
    await press(till, "Delete")
    await emptied(till)


async def test_3_goods_come_back_by_their_receipt(till: Face, shop: Chain) -> None:
    await scan(till, shop, TOWEL, WATER)
    await press(till, "F12", "F12")
    await emptied(till)
    receipt = (await till.at("receipt").inner_text()).strip()
    await press(till, "F8")
    await enter(till, receipt)
    await expect(till.at("return-sale")).to_be_visible(timeout=PATIENCE_MS)
    await press(till, "+")
    await expect(till.at("refund")).to_have_text("¥12.00")
    await till.picture("cashier-3-return")
    await press(till, "F12")
    await expect(till.at("message")).to_have_attribute("data-code", "RETURNED", timeout=PATIENCE_MS)


async def test_4_a_new_member_joins_by_phone(till: Face, shop: Chain) -> None:
    await enter(till, NEW_PHONE)
    await expect(till.at("stranger")).to_be_visible(timeout=PATIENCE_MS)
    await till.picture("cashier-4-join")
    await press(till, "F3", *"Chen Jie", "Enter")
    await expect(till.at("member")).to_contain_text("C**", timeout=PATIENCE_MS)
    forgive(till)


async def test_5_the_day_is_closed_by_a_blind_count(till: Face, shop: Chain) -> None:
    await press(till, "F1")
    await expect(till.at("panel-shift")).to_be_visible()
    await press(till, *"200", "Enter")
    await expect(till.at("shift-state")).to_contain_text("200.00")
    await press(till, "Escape")
    await scan(till, shop, TOWEL)
    await press(till, "F12", "F12")
    await emptied(till)
    await press(till, "F1")
    await expect(till.at("drawer-amount")).to_be_focused()
    await press(till, "F2")
    await expect(till.at("report")).to_have_attribute("data-final", "false")
    await press(till, "Escape")
    await expect(till.at("drawer-amount")).to_be_focused()
    await press(till, *"100", "Enter")
    await expect(till.at("report")).to_have_attribute("data-final", "true")
    await expect(till.at("shift-difference")).to_be_visible()
    await till.picture("cashier-5-closed")
    await press(till, "Escape")
    await expect(till.at("panel-shift")).to_contain_text("第 2 班")
    await expect(till.at("drawer-amount")).to_be_focused()
    await press(till, "Escape")
    await expect(till.at("panel-shift")).to_have_count(0)


async def test_help_and_codes_from_the_kiosk_stand_at_the_till(till: Face, shop: Chain) -> None:
    origin = f"http://localhost:{shop.ports[SHOP]}"

    async def kiosk(path: str, **body: object) -> None:
        done = await till.page.request.post(
            f"{origin}/api/kiosk/{path}", data=body, headers={"Origin": origin}
        )
        assert done.ok, await done.text()

    await kiosk("call")
    await expect(till.at("help")).to_be_visible(timeout=PATIENCE_MS)
    await press(till, "F11")
    await expect(till.at("help")).to_have_count(0)
    await kiosk("join")
    await kiosk("agree")
    await kiosk("phone", digits="13699998888")
    await expect(till.at("phone-code")).to_contain_text("*** 8888")
    await till.picture("till-phone-code")
    await kiosk("finish")
