"""A cashier at the till: real Chromium, scans and taps through the daemon, paper from the emulator."""

from __future__ import annotations

import csv
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tapledger import assets
from tapledger.clock import SystemClock
from tapledger.commands.found import Founding, found
from tapledger.lab.chain import Chain
from tapledger.lab.processes import Child
from tapledger.lab.seed import CASHIER, CASHIER_PIN, EARPHONES, MEMBERS, TOWEL, WATER
from tapledger_drivers.printers.raster import missing_glyphs
from tests.browser.conftest import TILL, Face, open_face, take_away
from tests.browser.ledger import newest_slip

pytestmark = pytest.mark.asyncio(loop_scope="session")

READER, TEA = "till-reader", "6901234567960"
PAYMENT_CODE = "6201234567890123456"
PATIENCE_MS = 10_000


async def open_till(browser: Browser, chain: Chain, shop: str = "shop-a") -> Face:
    """Open a till of a shop, sign in, and find its basket empty."""
    face = await open_face(browser, chain.ports[shop], "till", TILL)
    await sign_in(face)
    await expect(face.page.locator('[data-testid^="line-"]')).to_have_count(0)
    return face


async def sign_out(face: Face) -> None:
    await expect(face.page.locator(".till")).to_be_visible(timeout=PATIENCE_MS)
    if await face.at("sign-out").is_visible():
        await face.at("sign-out").click()
    await expect(face.at("pin")).to_be_focused()


async def sign_in(face: Face) -> None:
    await sign_out(face)
    await press(face, *CASHIER_PIN, "Enter")
    await expect(face.at("box")).to_be_focused(timeout=PATIENCE_MS)


async def press(face: Face, *keys: str) -> int:
    """Press keys at whatever has the focus; return how many."""
    for key in keys:
        await face.page.keyboard.press(key)
    return len(keys)


async def enter(face: Face, text: str) -> None:
    await expect(face.at("box")).to_be_focused()
    await press(face, *text, "Enter")


async def leave(face: Face, chain: Chain) -> None:
    """Empty the basket by keys, sign out, and hold that nothing went wrong."""
    await take_away(chain, READER)
    lines = face.page.locator('[data-testid^="line-"]')
    await press(face, "Escape", "Escape")
    for left in range(await lines.count(), 0, -1):
        await press(face, "Delete")
        await expect(lines).to_have_count(left - 1)
    if await face.at("member").is_visible():
        await press(face, "F2")
        await expect(face.at("guest")).to_be_visible()
    await press(face, "F10")
    await expect(face.at("pin")).to_be_visible()
    assert face.complaints == []
    await face.close()


def forgive(face: Face, *whats: str) -> None:
    """Take back complaints of the browser about answers that the test asked for; no others."""
    assert all(any(what in complaint for what in whats) for complaint in face.complaints), face.complaints
    face.complaints.clear()


async def points_of(face: Face) -> int:
    return int((await face.at("member-points").inner_text()).replace(",", ""))


async def test_a_wrong_pin_is_told_and_the_right_one_opens_the_till(browser: Browser, chain: Chain) -> None:
    face = await open_face(browser, chain.ports["shop-a"], "till", TILL)
    await sign_out(face)
    await expect(face.at(f"staff-{CASHIER}").get_by_role("radio")).to_be_checked()
    await face.picture("till-sign-in")
    await press(face, "9", "9", "9", "9", "Enter")
    await expect(face.at("message")).to_have_attribute("data-code", "SIGN_IN_WRONG")
    await expect(face.at("pin")).to_have_value("")
    await expect(face.at("box")).to_have_count(0)
    forgive(face, "403")
    await sign_in(face)
    for light in ("reader", "printer", "scanner", "central"):
        await expect(face.at(f"light-{light}")).to_have_attribute("data-state", "ok", timeout=PATIENCE_MS)
    await leave(face, chain)


async def test_identify_three_articles_and_pay_by_few_keys(browser: Browser, chain: Chain) -> None:
    bench = chain.benches["shop-a"]
    face = await open_till(browser, chain)
    slips = len(bench.printer.slips)
    await bench.insert(READER, "wang")
    await expect(face.at("member")).to_contain_text(f"{MEMBERS[0].name[0]}**")
    for number, sku in enumerate((TOWEL, WATER, TEA), 1):
        await bench.scanner.scan(sku)
        await expect(face.at(f"line-{number}")).to_contain_text(sku)
    keys = await press(face, "+")
    await expect(face.at("due")).to_have_text("¥25.50")
    earn = (await face.at("earn").inner_text()).split()[0].removeprefix("+")
    await face.picture("till-basket")
    keys += await press(face, "F12")
    await expect(face.at("received")).to_have_value("25.50")
    await expect(face.at("received")).to_be_focused()
    await face.picture("till-pay")
    keys += await press(face, "3", "0", "Enter")
    assert keys <= 8

    await expect(face.at("change")).to_have_text("¥4.50")
    await expect(face.at("earned")).to_contain_text(earn)
    assert int(earn) > 0
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=PATIENCE_MS)
    await face.picture("till-sold")
    assert len(bench.printer.slips) == slips + 1
    paper = bench.printer.slips[-1]
    assert paper.cut
    assert paper.lines() == await newest_slip(chain.config("shop-a"), "sale")
    assert missing_glyphs(paper.text()) == set()
    assert (await face.at("receipt").inner_text()) in paper.text()
    await leave(face, chain)


async def test_too_little_and_unreadable_money_is_refused_and_f12_twice_is_exact(
    browser: Browser, chain: Chain
) -> None:
    face = await open_till(browser, chain)
    await chain.benches["shop-a"].scanner.scan(TOWEL)
    await expect(face.at("due")).to_have_text("¥12.00")
    # Without waiting for the panel: no digit of an amount may be lost to the box.
    await press(face, "F12", *"1.234", "Enter")
    await expect(face.at("received-error")).to_be_visible()
    await expect(face.at("received")).to_have_value("1.234")
    await expect(face.at("box")).to_have_value("")
    await press(face, "Control+a", *"11.99", "Enter")
    await expect(face.at("message")).to_have_attribute("data-code", "TENDER_TOO_SMALL")
    forgive(face, "422")
    await press(face, "Escape")
    await expect(face.at("pay-panel")).to_have_count(0)
    await expect(face.at("line-1")).to_be_visible()
    await press(face, "F12", "F12")
    await expect(face.page.locator('[data-testid^="line-"]')).to_have_count(0)
    await expect(face.at("change")).to_have_text("¥0.00")
    await leave(face, chain)


async def test_a_payment_code_is_refused_and_kept_nowhere(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    await chain.benches["shop-a"].scanner.scan(PAYMENT_CODE)
    await expect(face.at("message")).to_have_attribute("data-code", "PAYMENT_CODE_REFUSED")
    await expect(face.at("box")).to_have_value("")
    assert PAYMENT_CODE not in await face.page.content()
    await enter(face, TOWEL)
    await expect(face.at("message")).to_have_count(0)
    await enter(face, PAYMENT_CODE)
    await expect(face.at("message")).to_have_attribute("data-code", "PAYMENT_CODE_REFUSED")
    await expect(face.at("box")).to_have_value("")
    assert PAYMENT_CODE not in await face.page.content()
    for log in (chain.folder / "log").glob("*.log"):
        assert PAYMENT_CODE not in log.read_text(encoding="utf-8")
    await leave(face, chain)


async def test_a_stranger_joins_at_the_till_and_earns(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    await chain.benches["shop-a"].scanner.scan(EARPHONES)
    await expect(face.at("line-1")).to_be_visible()
    await enter(face, "13600136000")
    await expect(face.at("stranger")).to_contain_text("6000")
    await press(face, "F3")
    await expect(face.at("join-name")).to_be_focused()
    await face.page.keyboard.insert_text("赵敏")
    await face.picture("till-join")
    await press(face, "Enter")
    await expect(face.at("member")).to_contain_text("赵**")
    await expect(face.at("box")).to_be_focused()
    assert await points_of(face) == 0
    await press(face, "F12", "F12")
    await expect(face.at("earned")).to_contain_text("299")
    await enter(face, "13600136000")
    await expect(face.at("member-points")).to_have_text("299")
    await leave(face, chain)


async def test_two_credentials_of_one_member_are_one_member(browser: Browser, chain: Chain) -> None:
    bench = chain.benches["shop-a"]
    face = await open_till(browser, chain)
    await bench.insert(READER, "wang")
    await expect(face.at("member")).to_be_visible()
    before = await points_of(face)
    await bench.scanner.scan(MEMBERS[0].number)
    await bench.scanner.scan(TOWEL)
    await expect(face.at("line-1")).to_be_visible()
    await expect(face.at("member")).to_have_count(1)
    await expect(face.at("member")).to_contain_text(f"{MEMBERS[0].name[0]}**")
    assert await points_of(face) == before
    await leave(face, chain)


async def test_quick_scans_all_arrive_in_order(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    catalogue = (assets.config_folder() / "catalogue.csv").read_text(encoding="utf-8")
    skus = [row["sku"] for row in csv.DictReader(catalogue.splitlines())]
    assert len(skus) == 10
    for sku in skus:
        await chain.benches["shop-a"].scanner.scan(sku)
    await expect(face.page.locator(".line-name small")).to_have_text(skus)
    await expect(face.at("line-10")).to_have_attribute("aria-current", "true")
    await expect(face.at("line-10")).to_be_in_viewport()
    await leave(face, chain)


async def test_typed_codes_arrive_in_the_order_of_typing(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    for text in (f"3*{TOWEL}", WATER, TEA):
        await press(face, *text, "Enter")
    await expect(face.page.locator(".line-name small")).to_have_text([TOWEL, WATER, TEA])
    await expect(face.at("line-1").locator("output")).to_have_text("3")
    await press(face, "ArrowUp", "ArrowUp", "-")
    await expect(face.at("line-1").locator("output")).to_have_text("2")
    await leave(face, chain)


async def test_a_key_right_behind_a_void_changes_no_other_line(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    for text in (WATER, f"5*{TOWEL}"):
        await press(face, *text, "Enter")
    await expect(face.at("line-2").locator("output")).to_have_text("5")
    await press(face, "ArrowUp")
    await expect(face.at("line-1")).to_have_attribute("aria-current", "true")
    await face.press_at_once("Delete", "+")
    await press(face, *WATER, "Enter")  # answered after both
    await expect(face.page.locator(".line-name small")).to_have_text([TOWEL, WATER])
    await expect(face.at("line-1").locator("output")).to_have_text("5")
    face.complaints.clear()  # of Chromium: "+" was refused, its article is gone
    await leave(face, chain)


async def test_the_pin_has_the_focus_before_it_is_painted(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    await face.page.evaluate(
        """() => new MutationObserver((_changes, observer) => {
            const pin = document.querySelector('[data-testid="pin"]');
            if (!pin) return;
            observer.disconnect();
            document.body.dataset.focused = String(document.activeElement === pin);
        }).observe(document.body, { childList: true, subtree: true })"""
    )
    await press(face, "F10")
    await expect(face.at("pin")).to_be_visible()
    assert await face.page.evaluate("document.body.dataset.focused") == "true"
    await sign_in(face)
    await leave(face, chain)


async def test_a_reload_keeps_the_basket_and_the_session(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    await chain.benches["shop-a"].scanner.scan(TOWEL)
    await expect(face.at("line-1")).to_be_visible()
    await face.page.reload()
    await expect(face.at("line-1")).to_contain_text(TOWEL)
    await press(face, "+")
    await expect(face.at("line-1").locator("output")).to_have_text("2")
    await leave(face, chain)


async def test_a_killed_daemon_is_told_and_comes_back_with_the_basket(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    await chain.benches["shop-a"].scanner.scan(TOWEL)
    await expect(face.at("line-1")).to_be_visible()
    chain.shops["shop-a"].kill()
    await expect(face.at("pin")).to_be_visible(timeout=3 * PATIENCE_MS)
    await chain.shops["shop-a"].ready()
    forgive(face, "WebSocket", "ERR_CONNECTION_REFUSED")
    await press(face, *CASHIER_PIN, "Enter")
    await expect(face.at("line-1")).to_contain_text(TOWEL, timeout=PATIENCE_MS)
    await leave(face, chain)


async def test_a_lost_daemon_is_told_for_as_long_as_it_is_away(browser: Browser, chain: Chain) -> None:
    face = await open_till(browser, chain)
    await chain.shops["shop-a"].stop()
    try:
        await expect(face.at("lost")).to_be_visible(timeout=PATIENCE_MS)
        await enter(face, TOWEL)
        await expect(face.at("message")).to_have_attribute("data-code", "UNREACHABLE")
        await expect(face.at("box")).to_have_value(TOWEL)
        await face.picture("till-lost")
    finally:
        await chain.shops["shop-a"].start()
    await expect(face.at("lost")).to_have_count(0, timeout=2 * PATIENCE_MS)
    forgive(face, "WebSocket", "ERR_CONNECTION_REFUSED")
    await press(face, *CASHIER_PIN, "Enter")
    await expect(face.at("box")).to_be_focused(timeout=PATIENCE_MS)
    await leave(face, chain)


async def test_the_other_shop_shows_what_was_earned_here(browser: Browser, chain: Chain) -> None:
    phone = MEMBERS[0].phone
    face, other = await open_till(browser, chain), await open_till(browser, chain, "shop-b")
    await enter(face, phone)
    await expect(face.at("member")).to_be_visible()
    before = await points_of(face)
    await chain.benches["shop-a"].scanner.scan(EARPHONES)
    await expect(face.at("line-1")).to_be_visible()
    await press(face, "F12", "F12")
    await expect(face.page.locator('[data-testid^="line-"]')).to_have_count(0)
    await enter(face, phone)
    await expect(face.at("member-points")).not_to_have_text(f"{before:,}")
    after = await points_of(face)
    assert after > before
    for _ in range(10):  # until shop B has heard of the member at all
        await enter(other, phone)
        await expect(other.at("member").or_(other.at("message"))).to_be_visible()
        if await other.at("member").is_visible():
            break
    await expect(other.at("member-points")).to_have_text(f"{after:,}", timeout=2 * PATIENCE_MS)
    await press(other, "F2")
    assert other.complaints == []
    await other.close()
    await leave(face, chain)


async def test_without_paper_the_sale_is_safe_and_prints_once_later(browser: Browser, chain: Chain) -> None:
    bench = chain.benches["shop-a"]
    face = await open_till(browser, chain)
    await face.at("language").select_option("en")
    await expect(face.page.locator("html")).to_have_attribute("lang", "en")
    bench.printer.set_paper_out(True)
    slips = len(bench.printer.slips)
    await bench.scanner.scan(TOWEL)
    await expect(face.at("line-1")).to_be_visible()
    await press(face, "F12", "F12")
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "failed", timeout=PATIENCE_MS)
    await face.picture("till-no-paper-en")
    receipt = await face.at("receipt").inner_text()
    bench.printer.set_paper_out(False)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=PATIENCE_MS)
    assert len([slip for slip in bench.printer.slips[slips:] if receipt in slip.text()]) == 1
    await face.at("language").select_option("zh-Hans")
    await expect(face.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    await leave(face, chain)


@asynccontextmanager
async def new_shop(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """Found a real shop without devices and run its daemon; yield its port and the set-up code."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    founding = Founding(folder / "shop", "新店", "CNY", "Asia/Shanghai", "zh-Hans", port)
    founded = await found(founding, SystemClock(), os.urandom)
    run = [sys.executable, "-c", "from tapledger.cli import main; main()", "run", "--json"]
    daemon = Child("shop", [*run, "--config", str(founded.config)], folder / "shop.log", {})
    await daemon.start()
    try:
        yield port, founded.setup_code
    finally:
        await daemon.stop()


async def test_the_owner_of_a_new_shop_sets_it_up_with_the_code(browser: Browser, tmp_path: Path) -> None:
    async with new_shop(tmp_path) as (port, code):
        face = await open_face(browser, port, "till", TILL)
        await expect(face.at("setup-code")).to_be_focused()
        await press(face, *"WRONG", "Tab")
        await face.page.keyboard.insert_text("周店主")
        await press(face, "Tab", *"135790", "Tab", *"135791", "Enter")
        await expect(face.at("message")).to_have_attribute("data-code", "PINS_DIFFER")
        await face.at("setup-pin-again").fill("135790")
        await press(face, "Enter")
        await expect(face.at("message")).to_have_attribute("data-code", "SETUP_CODE_WRONG")
        forgive(face, "403")
        await face.picture("till-set-up")
        await face.at("setup-code").fill(code)
        await press(face, "Enter")
        await expect(face.at("box")).to_be_focused(timeout=PATIENCE_MS)
        await expect(face.at("staff-name")).to_have_text("周店主")
        await expect(face.at("light-reader")).to_have_attribute("data-state", "missing")
        assert face.complaints == []
        await face.close()
