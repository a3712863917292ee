"""What a member and a cashier are told of devices in trouble, and that it goes by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tapledger import texts
from tapledger.lab.bench.bench import Bench
from tapledger.lab.chain import Chain
from tapledger.lab.seed import TOWEL
from tapledger.languages import LANGUAGES
from tests.browser.accessibility import violations
from tests.browser.conftest import PHONE, Face
from tests.browser.test_console import close
from tests.browser.test_console_devices import PRINTER, answer_again, fall_silent
from tests.browser.test_kiosk import leave as leave_kiosk
from tests.browser.test_kiosk import on_screen, open_kiosk
from tests.browser.test_till import forgive, leave, open_till, press

pytestmark = pytest.mark.asyncio(loop_scope="session")

KIOSK_READER, TILL_READER, TILL_SCANNER = "kiosk-reader", "till-reader", "till-scanner"
PATIENCE_MS = 10_000
PAYMENT_CARD = "4111111111111111"


@pytest_asyncio.fixture(loop_scope="session")
async def bench(chain: Chain) -> AsyncIterator[Bench]:
    """Yield the devices of the shop, and leave them as they should be."""
    bench = chain.benches["shop-a"]
    yield bench
    for role, device in bench.devices.items():
        for fault in device.view().faults:
            if fault.on:
                await bench.pull(role, fault.verb, on=False)
    answer_again(bench)


async def resize(face: Face, size: tuple[int, int]) -> None:
    await face.page.set_viewport_size({"width": size[0], "height": size[1]})


async def test_a_kiosk_without_reader_sends_members_to_the_till(
    browser: Browser, chain: Chain, bench: Bench
) -> None:
    face = await open_kiosk(browser, chain)
    await expect(face.at("simulated")).to_be_visible()
    heading = face.page.get_by_role("heading", level=1)
    await bench.pull(KIOSK_READER, "unplug")
    await expect(heading).to_have_text("刷卡暂时用不了", timeout=PATIENCE_MS)
    await expect(face.at("badge-reader")).to_contain_text("收银台")
    await face.picture("kiosk-no-reader")
    assert await violations(face) == []
    await bench.pull(KIOSK_READER, "unplug", on=False)
    await expect(heading).to_contain_text("轻触会员卡", timeout=PATIENCE_MS)
    await expect(face.at("badge-reader")).to_have_count(0)
    await close(face)


@pytest.mark.parametrize(
    ("verb", "words"), [("paper_out", "纸用完了"), ("cover_open", "盖子开着"), ("near_end", "快用完")]
)
async def test_the_kiosk_says_what_ails_the_printer(
    browser: Browser, chain: Chain, bench: Bench, verb: str, words: str
) -> None:
    face = await open_kiosk(browser, chain)
    await bench.pull(PRINTER, verb)
    await expect(face.at("badge-printer")).to_contain_text(words, timeout=PATIENCE_MS)
    assert await violations(face) == []
    await bench.pull(PRINTER, verb, on=False)
    await expect(face.at("badge-printer")).to_have_count(0, timeout=PATIENCE_MS)
    await close(face)


async def test_without_a_printer_a_reward_is_a_code_on_the_screen(
    browser: Browser, chain: Chain, bench: Bench
) -> None:
    """Told before the points are spent, and a picture can be taken of it afterwards."""
    face = await open_kiosk(browser, chain)
    await bench.pull(PRINTER, "cover_open")
    await expect(face.at("badge-printer")).to_be_visible(timeout=PATIENCE_MS)
    await bench.insert(KIOSK_READER, "li")
    await on_screen(face, "balance")
    await face.at("reward-coffee").click()
    await expect(face.at("no-paper")).to_contain_text("屏幕")
    await face.page.wait_for_timeout(450)  # the page ignores a second touch within 400 ms
    await face.at("confirm").click()
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "failed", timeout=PATIENCE_MS)
    code = await face.at("voucher-qr").element_handle()
    await face.page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=code)
    assert await violations(face) == []
    for size in ((540, 960), PHONE):
        await resize(face, size)
        for shown in ("voucher-qr", "voucher", "finish", "choose-language"):
            await expect(face.at(shown)).to_be_in_viewport(ratio=1)
    await bench.pull(PRINTER, "cover_open", on=False)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=PATIENCE_MS)
    await expect(face.at("voucher-qr")).to_have_count(0)
    await leave_kiosk(face, chain)


async def test_the_till_says_what_is_wrong_and_what_still_works(
    browser: Browser, chain: Chain, bench: Bench
) -> None:
    face = await open_till(browser, chain)
    await expect(face.at("simulated")).to_be_visible()
    await bench.pull(PRINTER, "paper_out")
    await bench.pull(TILL_SCANNER, "unplug")
    await expect(face.at("trouble-printer")).to_contain_text("没纸了", timeout=PATIENCE_MS)
    await expect(face.at("trouble-printer")).to_contain_text("可继续收银")
    await expect(face.at("trouble-scanner")).to_contain_text("可手动输入", timeout=PATIENCE_MS)
    await expect(face.at("box")).to_be_focused()
    await expect(face.at("more-printer")).to_be_hidden()
    await face.at("light-printer").hover()
    await expect(face.at("more-printer")).to_be_visible()
    await face.at("light-scanner").focus()
    await expect(face.at("more-scanner")).to_be_visible()
    assert await violations(face) == []
    await face.picture("till-devices-in-trouble")
    await face.at("box").focus()
    await press(face, *TOWEL, "Enter")
    await expect(face.at("line-1")).to_be_visible()
    await press(face, "F12", "F12")
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "failed", timeout=PATIENCE_MS)
    await bench.pull(PRINTER, "paper_out", on=False)
    await bench.pull(TILL_SCANNER, "unplug", on=False)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=PATIENCE_MS)
    for device in ("printer", "scanner"):
        await expect(face.at(f"trouble-{device}")).to_have_count(0, timeout=PATIENCE_MS)
        await expect(face.at(f"light-{device}")).to_have_attribute("data-state", "ok")
    await leave(face, chain)


async def test_a_small_till_shows_what_is_to_pay_below_three_troubles(
    browser: Browser, chain: Chain, bench: Bench
) -> None:
    face = await open_till(browser, chain)
    await bench.insert(TILL_READER, "li")
    await expect(face.at("member")).to_be_visible(timeout=PATIENCE_MS)
    await press(face, *TOWEL, "Enter")
    await expect(face.at("line-1")).to_be_visible()
    await bench.pull(PRINTER, "paper_out")
    for role in (TILL_SCANNER, TILL_READER):
        await bench.pull(role, "unplug")
    await resize(face, (800, 480))
    for language in LANGUAGES:
        await face.at("language").select_option(language)
        await expect(face.page.locator("html")).to_have_attribute("lang", language)
        for trouble in ("printer", "scanner", "reader"):
            await expect(face.at(f"trouble-{trouble}")).to_be_in_viewport(ratio=1, timeout=PATIENCE_MS)
        for shown in ("sign-out", "due", "pay", "void-1"):
            await expect(face.at(shown)).to_be_in_viewport(ratio=1)
    await face.picture("till-small-in-trouble")
    await face.at("language").select_option(LANGUAGES[0])
    await bench.pull(PRINTER, "paper_out", on=False)
    await bench.remove(TILL_READER)  # a reader that was away tells of no card's going
    for role in (TILL_SCANNER, TILL_READER):
        await bench.pull(role, "unplug", on=False)
    await expect(face.at("light-reader")).to_have_attribute("data-state", "ok", timeout=PATIENCE_MS)
    await leave(face, chain)


@pytest.mark.parametrize(("key", "copies"), [("PageUp", 0), ("PageDown", 1)])
async def test_one_key_says_whether_a_receipt_came_out(
    browser: Browser, chain: Chain, bench: Bench, key: str, copies: int
) -> None:
    face = await open_till(browser, chain)
    fall_silent(bench)
    await press(face, *TOWEL, "Enter")
    await expect(face.at("line-1")).to_be_visible()
    await press(face, "F12", "F12")
    await expect(face.at("doubt")).to_be_visible(timeout=2 * PATIENCE_MS)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "unknown")
    await expect(face.at("box")).to_be_focused()
    assert await violations(face) == []
    await face.picture("till-did-it-come-out")
    told = face.at("doubt").locator("kbd")
    await press(face, "F8")  # while goods come back nobody answers by a key
    await expect(told).to_have_count(0)
    await press(face, "Escape")
    await expect(told).to_have_text(["PgUp", "PgDn"])
    answer_again(bench)
    await expect(face.at("light-printer")).to_have_attribute("data-state", "ok", timeout=PATIENCE_MS)
    slips = len(bench.printer.slips)
    await press(face, key)
    await expect(face.at("doubt")).to_have_count(0, timeout=PATIENCE_MS)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=2 * PATIENCE_MS)
    assert sum("补打" in slip.text() for slip in bench.printer.slips[slips:]) == copies
    await leave(face, chain)


async def test_a_payment_card_is_neither_read_nor_kept(browser: Browser, chain: Chain, bench: Bench) -> None:
    face = await open_till(browser, chain)
    await bench.scan(PAYMENT_CARD, TILL_SCANNER)
    await expect(face.at("message")).to_contain_text(
        texts.say("zh-Hans", "problem.CARD_NUMBER_REFUSED"), timeout=PATIENCE_MS
    )
    assert PAYMENT_CARD not in await face.page.content()
    forgive(face)
    await leave(face, chain)
