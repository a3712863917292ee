"""Coupons, points, stored value, reasons and returns: at a till and a kiosk in real Chromium.

There are three cards and a chain takes seconds to start, so tests share members. Any order works: each claims
the coupons that it needs and reckons from what it finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tapledger import assets
from tapledger.lab.chain import Chain
from tapledger.lab.seed import EARPHONES, MEMBERS, TOWEL, WATER
from tapledger.languages import LANGUAGES
from tests.browser.accessibility import violations
from tests.browser.conftest import Face, open_face, running_chain, take_away
from tests.browser.ledger import as_read, newest_slip
from tests.browser.test_kiosk import SMALL, choose_language, cut_off, on_screen, open_kiosk
from tests.browser.test_kiosk import leave as leave_kiosk
from tests.browser.test_till import PATIENCE_MS, READER, enter, forgive, leave, open_till, points_of, press

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOP = "shop-a"
OFFERS = assets.config_folder() / "examples" / "offers.toml"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def offers() -> AsyncIterator[Chain]:
    """A chain of its own with what ``make run`` has on offer: coupons, points as cash and stored value.

    Members keep coupons from one test to the next; other modules would find them in their baskets.
    """
    async with running_chain(OFFERS) as chain:
        yield chain


async def with_member(browser: Browser, offers: Chain, card: str = "li") -> Face:
    face = await open_till(browser, offers)
    await offers.benches[SHOP].insert(READER, card)
    await expect(face.at("member")).to_be_visible(timeout=PATIENCE_MS)
    return face


async def scan(face: Face, offers: Chain, *skus: str) -> None:
    for sku in skus:
        await offers.benches[SHOP].scanner.scan(sku)
        await expect(face.page.locator(f'tr:has-text("{sku}")')).to_be_visible()


async def pay(face: Face) -> None:
    """Pay exactly in cash; done when the next customer may come."""
    await press(face, "F12", "F12")
    await expect(face.page.locator('[data-testid^="line-"]')).to_have_count(0)
    await expect(face.at("guest")).to_be_visible()


async def amount(face: Face, name: str) -> int:
    """Return an amount on the screen in fen; nothing there is 0."""
    shown = await face.at(name).all_inner_texts()
    return sum(round(float(text.rpartition("¥")[2].replace(",", "")) * 100) for text in shown)


async def texts_of(face: Face, name: str) -> list[str]:
    return [text.strip() for text in await face.at(name).locator("li").all_inner_texts()]


async def test_coupons_are_claimed_the_best_are_chosen_and_the_cashier_overrides(
    browser: Browser, offers: Chain
) -> None:
    face = await with_member(browser, offers)
    for number, code in enumerate(("FULL200", "FIVE", "ALONE")):
        await enter(face, code)
        await expect(face.at("message")).to_have_attribute("data-code", "COUPON_CLAIMED")
        await expect(face.at("member-coupons")).to_contain_text(str(number + 1))
    await scan(face, offers, EARPHONES)
    await expect(face.at("due")).to_have_text("¥264.00")
    await press(face, "F3")
    await expect(face.at("panel-coupons")).to_be_visible()
    rows = face.page.locator('[data-testid^="coupon-"][aria-pressed]')
    await expect(rows).to_have_count(3)
    assert [await row.get_attribute("aria-pressed") for row in await rows.all()] == ["true", "false", "true"]
    await expect(face.at("coupon-2")).to_contain_text("不能与“满200减30”同时使用")
    await expect(face.at("coupon-notes")).to_contain_text("20")
    await face.picture("till-coupons")
    await press(face, "1")
    await expect(face.at("due")).to_have_text("¥294.00")
    await expect(face.at("better")).to_contain_text("30.00")
    await press(face, "0")
    await expect(face.at("due")).to_have_text("¥264.00")
    await press(face, "Escape")
    await press(face, "ArrowRight")
    await expect(face.at("discount-1")).to_have_count(2)
    await expect(face.at("discount-1").filter(has_text="满200减30")).to_contain_text("-¥30.00")
    await face.picture("till-discounts")
    await press(face, "ArrowLeft")
    await pay(face)
    await leave(face, offers)


async def test_the_reasons_on_the_screen_are_those_on_the_paper(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers)
    await enter(face, "FULL200")
    await scan(face, offers, EARPHONES)
    await press(face, "F4", *"200", "Enter")
    await expect(face.at("points-paid")).to_have_text("-¥2.00")
    await press(face, "F9")
    quoted = await texts_of(face, "why-quote")
    await face.picture("till-why")
    await pay(face)
    await press(face, "F9")
    said = await texts_of(face, "why-last")
    assert set(quoted) <= set(said)
    paper = as_read(" ".join(await newest_slip(offers.config(SHOP), "sale")))
    both = [one for one in said if as_read(one) in paper]
    for part in ("200 积分抵", "减 ¥30.00", "得 1 分"):
        assert [one for one in both if part in one], (part, said, paper)
    await press(face, "Escape")
    await leave(face, offers)


async def test_points_pay_all_or_some_and_never_too_many(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers)
    before = await points_of(face)
    await scan(face, offers, EARPHONES)
    whole = await amount(face, "due")
    await press(face, "F4")
    usable = before // 100 * 100
    await expect(face.at("points-offer")).to_contain_text(f"{usable:,}")
    await expect(face.at("points-amount")).to_be_focused()
    await face.picture("till-points")
    await press(face, *str(usable + 1), "Enter")
    await expect(face.at("message")).to_have_attribute("data-code", "POINTS_TOO_MANY")
    forgive(face, "422")
    await press(face, "F4")
    await expect(face.at("panel-points")).to_have_count(0)
    await expect(face.at("points-paid")).to_be_visible()
    assert await amount(face, "due") == whole - usable
    await press(face, "F4")
    await expect(face.at("panel-points")).to_be_visible()
    await face.at("pay").click()
    await expect(face.at("pay-panel")).to_be_visible()
    await expect(face.at("panel-points")).to_have_count(0)
    await press(face, "Escape")
    await press(face, "F4", *"0", "Enter")
    await expect(face.at("points-paid")).to_have_count(0)
    assert await amount(face, "due") == whole
    await press(face, "F4", *"100", "Enter")
    await expect(face.at("points-paid")).to_have_text("-¥1.00")
    await expect(face.at("panel-points")).to_have_count(0)
    earn = int((await face.at("earn").inner_text()).split()[0].removeprefix("+"))
    await pay(face)
    await take_away(offers, READER)
    await offers.benches[SHOP].insert(READER, "li")
    await expect(face.at("member")).to_be_visible(timeout=PATIENCE_MS)
    assert await points_of(face) == before - 100 + earn
    await leave(face, offers)


async def test_four_digits_that_a_member_tells_let_points_pay(browser: Browser, offers: Chain) -> None:
    """R8: a number that somebody types proves nothing; at a till the last digits of the phone do."""
    _, li, _ = MEMBERS
    face = await open_till(browser, offers)
    await scan(face, offers, EARPHONES)
    await enter(face, li.number)
    await expect(face.at("member")).to_be_visible(timeout=PATIENCE_MS)
    await press(face, "F4")
    await expect(face.at("phone-tail")).to_be_focused()
    assert await violations(face) == []
    await face.picture("till-phone-tail")
    await press(face, *"0000", "Enter")
    await expect(face.at("message")).to_have_attribute("data-code", "PHONE_TAIL_WRONG")
    forgive(face, "422")
    await press(face, *li.phone[-4:], "Enter")
    await expect(face.at("points-amount")).to_be_focused()
    await press(face, *"100", "Enter")
    await expect(face.at("points-paid")).to_have_text("-¥1.00")
    await pay(face)
    await leave(face, offers)


async def test_a_top_up_shows_its_bonus_and_pays_for_the_basket(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers, "wang")
    stored = await amount(face, "member-value")
    await press(face, "F5", "F6")
    await expect(face.at("top-up-amount")).to_be_focused()
    await press(face, *"100", "Enter")
    await expect(face.at("top-up-offer")).to_contain_text("充 ¥100.00，送 ¥10.00")
    await expect(face.at("top-up-go")).to_contain_text("现金")
    await face.picture("till-top-up")
    await face.at("top-up-row-50000").click()
    await expect(face.at("top-up-amount")).to_have_value("500.00")
    await expect(face.at("top-up-go")).to_contain_text("现金")
    await press(face, *"100")
    await expect(face.at("top-up-go")).not_to_contain_text("现金")
    await press(face, *"0", "Enter")
    await expect(face.at("top-up-offer")).to_contain_text("充 ¥1,000.00")
    await press(face, "Enter")
    await expect(face.at("message")).to_have_attribute("data-code", "TOPPED_UP")
    assert await amount(face, "member-value") == stored + 108_000
    await scan(face, offers, EARPHONES)
    whole = await amount(face, "due")
    await press(face, "F5")
    await expect(face.at("value-amount")).to_have_value(f"{whole / 100:.2f}")
    await press(face, *"10", "Enter")
    await expect(face.at("value-paid")).to_have_text("-¥10.00")
    assert await amount(face, "due") == whole - 1000
    await press(face, "F5", "F5")
    await expect(face.at("due")).to_have_text("¥0.00")
    await face.picture("till-value")
    await pay(face)
    await expect(face.at("last-sale")).to_contain_text(f"{whole / 100:.2f}")
    await enter(face, WATER)
    await expect(face.at("line-1")).to_be_visible()
    await leave(face, offers)


async def test_an_answer_closes_no_panel_but_its_own(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers)
    await scan(face, offers, EARPHONES)
    gate = asyncio.Event()

    async def hold(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await face.page.route("**/api/till/points", hold)
    await press(face, "F4", "F4", "F12")
    await expect(face.at("pay-panel")).to_be_visible()
    async with face.page.expect_response("**/api/till/points"):
        gate.set()
    await expect(face.at("points-paid")).to_be_visible()
    await press(face, *"1.5")
    await expect(face.at("received")).to_have_value("1.5")
    await expect(face.at("box")).to_have_value("")
    await leave(face, offers)


async def test_one_line_comes_back_by_its_receipt(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers, "bob")
    await scan(face, offers, TOWEL, EARPHONES)
    await pay(face)
    receipt = (await face.at("receipt").inner_text()).strip()
    await press(face, "F8")
    await expect(face.at("receipt-1")).to_contain_text(receipt)
    await press(face, "Escape")
    await expect(face.at("panel-return")).to_have_count(0)
    await enter(face, receipt)
    await expect(face.at("return-line-2")).to_be_visible()
    await press(face, "+")
    await expect(face.at("refund")).to_have_text("¥12.00")
    await expect(face.at("points-taken")).to_be_visible()
    await press(face, "F7", "F6")
    await expect(face.at("reason-faulty")).to_have_attribute("aria-pressed", "true")
    await expect(face.at("shop-fault")).to_have_attribute("aria-pressed", "true")
    await face.picture("till-return")
    slips = len(offers.benches[SHOP].printer.slips)
    await face.press_at_once("F12", "F12")  # the second asks for nothing, and hides no answer to the first
    await expect(face.at("message")).to_have_attribute("data-code", "RETURNED")
    await expect(face.at("message")).to_contain_text("¥12.00")
    await enter(face, receipt)
    await expect(face.at("return-line-1")).to_have_class("gone")
    await expect(face.at("return-void")).to_be_disabled()
    await press(face, "Escape")
    await expect(face.at("guest")).to_be_visible()
    for _ in range(100):
        if len(offers.benches[SHOP].printer.slips) > slips:
            break
        await face.page.wait_for_timeout(100)
    assert receipt.rpartition("-")[0] in offers.benches[SHOP].printer.slips[-1].text()
    await leave(face, offers)


async def test_a_killed_daemon_keeps_what_was_chosen(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers, "wang")
    await enter(face, "FIVE")
    await scan(face, offers, EARPHONES)
    await press(face, "F4", "F4")
    await expect(face.at("points-paid")).to_be_visible()
    due = await face.at("due").inner_text()
    offers.shops[SHOP].kill()
    await expect(face.at("pin")).to_be_visible(timeout=3 * PATIENCE_MS)
    await offers.shops[SHOP].ready()
    forgive(face, "WebSocket", "ERR_CONNECTION_REFUSED")
    await press(face, *"2468", "Enter")
    await expect(face.at("due")).to_have_text(due, timeout=PATIENCE_MS)
    await expect(face.at("points-paid")).to_be_visible()
    await leave(face, offers)


async def test_the_kiosk_shows_coupons_and_says_why_points_changed(browser: Browser, offers: Chain) -> None:
    till = await with_member(browser, offers, "wang")
    await enter(till, "FIVE")
    await expect(till.at("message")).to_have_attribute("data-code", "COUPON_CLAIMED")
    await press(till, "F5", "F6")
    await till.at("top-up-row-10000").click()
    await expect(till.at("top-up-amount")).to_have_value("100.00")
    await press(till, "Enter")
    await expect(till.at("message")).to_have_attribute("data-code", "TOPPED_UP")
    stored = (await till.at("member-value").inner_text()).rpartition("¥")[2]
    await leave(till, offers)
    face = await open_kiosk(browser, offers)
    await offers.benches[SHOP].insert("kiosk-reader", "wang")
    await on_screen(face, "balance")
    await expect(face.at("best-coupons")).to_contain_text("立减5元")
    await face.picture("kiosk-balance-coupons")
    await face.at("coupons").click()
    await on_screen(face, "coupons")
    await expect(face.at("coupon").first).to_contain_text("立减5元")
    await face.picture("kiosk-coupons")
    await face.page.wait_for_timeout(450)
    await face.at("back").click()
    await on_screen(face, "balance")
    await face.page.wait_for_timeout(450)
    await face.at("history").click()
    await on_screen(face, "history")
    await face.picture("kiosk-history")
    await face.page.wait_for_timeout(450)
    await face.at("entry").first.click()
    await expect(face.at("why")).to_be_visible()
    await face.picture("kiosk-why")
    await face.page.wait_for_timeout(450)
    await face.at("close-why").click()
    await expect(face.at("why")).to_have_count(0)
    assert stored not in await face.page.content(), "stored value needs a PIN"
    await face.page.wait_for_timeout(450)
    await leave_kiosk(face, offers)


async def test_the_new_screens_fit_the_small_panel_in_every_language(browser: Browser, offers: Chain) -> None:
    till = await with_member(browser, offers, "wang")
    for code in ("FIVE", "FULL200", "ALONE"):
        await enter(till, code)
    await leave(till, offers)
    face = await open_face(browser, offers.ports[SHOP], "kiosk", SMALL)
    await on_screen(face, "attract")
    await offers.benches[SHOP].insert("kiosk-reader", "wang")
    await on_screen(face, "balance")
    for large in (False, True):
        if large:
            await face.at("larger-text").click()
        for language in LANGUAGES:
            await choose_language(face, language)
            size = "large" if large else "plain"
            assert await cut_off(face) == [], f"balance {language} {size}"
            await face.picture(f"small-balance-{language}-{size}")
            for screen in ("coupons", "history"):
                await face.page.wait_for_timeout(450)
                await face.at(screen).click()
                await on_screen(face, screen)
                assert await cut_off(face) == [], f"{screen} {language} {size}"
                await face.picture(f"small-{screen}-{language}-{size}")
                await face.page.wait_for_timeout(450)
                await face.at("back").click()
                await on_screen(face, "balance")
            await face.page.wait_for_timeout(450)
    await leave_kiosk(face, offers)


TILL_SMALL = (1024, 600)


async def test_the_tills_panels_fit_in_every_language(browser: Browser, offers: Chain) -> None:
    face = await with_member(browser, offers, "wang")
    await scan(face, offers, EARPHONES, TOWEL)
    for language in LANGUAGES:
        await face.at("language").select_option(language)
        await expect(face.page.locator("html")).to_have_attribute("lang", language)
        for key in ("F3", "F4", "F5", "F9"):
            await press(face, key)
            await expect(face.page.locator(".panel")).to_be_visible()
            assert await wider_than_their_place(face) == [], f"{key} {language}"
            await face.picture(f"till-{key}-{language}")
            if key == "F9":
                body = face.page.locator(".panel-body")
                await body.evaluate("(it) => { it.style.maxHeight = '80px'; }")
                await press(face, "ArrowDown")
                assert await body.evaluate("(it) => it.scrollTop") > 0
            await press(face, "Escape")
            await expect(face.page.locator(".panel")).to_have_count(0)
        assert await wider_than_their_place(face) == [], language
    await face.at("language").select_option("zh-Hans")
    await expect(face.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    await leave(face, offers)


async def wider_than_their_place(face: Face) -> list[str]:
    """Name buttons, key hints and strips that hold more than they show."""
    found = await face.page.evaluate(
        """() => [...document.querySelectorAll("button, .strip, .key-map ul, .totals > div, .panel-body")]
            .filter((element) => element.scrollWidth > element.clientWidth + 1
                || element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => element.innerText)"""
    )
    return [str(words) for words in found]
