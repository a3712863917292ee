"""A technician and a newcomer at the console: real Chromium, real pcscd, the bench moved by its dock."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Locator, expect

from tapledger import texts
from tapledger.lab.chain import Chain
from tapledger.lab.seed import CASHIER_PIN, MEMBERS, TOWEL
from tapledger.languages import LANGUAGES
from tests.browser.conftest import KIOSK, PHONE, TILL, Face, open_face

pytestmark = pytest.mark.asyncio(loop_scope="session")

DESK = (1440, 1000)
DEVICES = ("kiosk-reader", "till-reader", "till-scanner", "receipt-printer")
PATIENCE_MS = 10_000
DRAWN = """slip => {
    const picture = slip.querySelector("img");
    const [inner, middle, outer] = [picture, slip, slip.parentElement].map((element) => element.clientWidth);
    const whole = inner <= middle && middle <= outer;
    return picture.complete && picture.naturalWidth > 0 && whole && slip.getAnimations().length === 0;
}"""


async def open_console(browser: Browser, chain: Chain, size: tuple[int, int] = DESK) -> Face:
    face = await open_face(browser, chain.ports["shop-a"], "console", size)
    await expect(face.at("overview")).to_have_attribute("data-light", "green", timeout=PATIENCE_MS)
    await expect(face.at("dock")).to_be_visible()
    return face


async def close(*faces: Face) -> None:
    for face in faces:
        assert face.complaints == []
        await face.close()


def device(face: Face, role: str) -> Locator:
    return face.at(f"device-{role}")


async def is_linked(face: Face, role: str, link: str) -> None:
    await expect(device(face, role)).to_have_attribute("data-link", link, timeout=PATIENCE_MS)


async def slip_is_drawn(face: Face, number: int) -> Locator:
    """Wait until a slip hangs from the dock's printer as a picture, all of it."""
    slip = face.at(f"dock-slip-{number}")
    await expect(slip).to_have_attribute("data-newest", "true", timeout=PATIENCE_MS)
    drawn = await slip.element_handle()
    await face.page.wait_for_function(DRAWN, arg=drawn)
    return slip


async def test_every_device_is_online_and_says_that_it_is_virtual(browser: Browser, chain: Chain) -> None:
    face = await open_console(browser, chain)
    for role in DEVICES:
        await is_linked(face, role, "online")
        await expect(device(face, role)).to_contain_text("虚拟")
    await face.at("latency").scroll_into_view_if_needed()
    await expect(face.at("simulated")).to_be_in_viewport(ratio=1)
    await expect(face.page.locator('[data-testid^="wake-"]')).to_have_count(0)
    await expect(face.at("sync")).to_have_attribute("data-online", "true")
    await expect(face.at("dock-sign-in")).to_contain_text(CASHIER_PIN)
    for other in ("kiosk", "till"):
        await expect(face.at(f"open-{other}")).to_have_attribute("href", f"/{other}")
        await expect(face.at(f"open-{other}")).to_have_attribute("rel", "noopener")
    await close(face)


async def test_a_card_laid_on_by_the_dock_ends_as_a_reward_on_paper_in_the_dock(
    browser: Browser, chain: Chain
) -> None:
    slips = len(chain.benches["shop-a"].printer.slips)
    face = await open_console(browser, chain)
    kiosk = await open_face(browser, chain.ports["shop-a"], "kiosk", KIOSK)
    await expect(kiosk.page.locator('[data-screen="attract"]')).to_be_visible(timeout=PATIENCE_MS)
    await face.at("dock-card-wang").click()
    await expect(kiosk.page.locator('[data-screen="balance"]')).to_be_visible(timeout=PATIENCE_MS)
    await expect(kiosk.page.locator("body")).to_contain_text(f"{MEMBERS[0].name[0]}**")
    await kiosk.at("reward-coffee").click()
    await kiosk.page.wait_for_timeout(450)  # the page ignores a second touch within 400 ms
    await kiosk.at("confirm").click()
    voucher = (await kiosk.at("voucher").inner_text()).strip()
    slip = await slip_is_drawn(face, slips + 1)
    await expect(slip.locator("pre")).to_contain_text(voucher)
    await face.picture("console")
    await expect(face.at("dock-card-wang")).to_have_attribute("aria-pressed", "true")
    await expect(device(face, "kiosk-reader")).to_contain_text(texts.say("zh-Hans", "device.event.card"))
    await expect(face.at("latency")).not_to_have_attribute("data-taps", "0")

    await face.at("dock-remove-kiosk-reader").click()
    await expect(face.at("dock-card-wang")).to_have_attribute("aria-pressed", "false")
    await expect(face.at("dock-remove-kiosk-reader")).to_be_disabled()
    await kiosk.at("finish").click()
    await expect(kiosk.page.locator('[data-screen="attract"]')).to_be_visible(timeout=PATIENCE_MS)
    await close(face, kiosk)


async def test_the_keyboard_alone_lays_a_card_on_the_other_reader(browser: Browser, chain: Chain) -> None:
    face = await open_console(browser, chain)
    await face.at("dock-reader-kiosk-reader").focus()
    await face.page.keyboard.press("ArrowDown")
    await expect(face.at("dock-reader-till-reader")).to_be_checked()
    await face.at("dock-card-bob").focus()
    await face.page.keyboard.press("Enter")
    await expect(face.at("dock-remove-till-reader")).to_be_enabled()
    await expect(face.at("dock-remove-kiosk-reader")).to_be_disabled()
    await face.at("dock-remove-till-reader").focus()
    await face.page.keyboard.press("Enter")
    await expect(face.at("dock-remove-till-reader")).to_be_disabled()
    await close(face)


async def test_a_code_scanned_by_the_dock_reaches_the_till(browser: Browser, chain: Chain) -> None:
    face = await open_console(browser, chain)
    port = chain.ports["shop-a"]
    headers = {"Origin": f"http://localhost:{port}"}
    till = await open_face(browser, port, "till", TILL)
    body = {"staff": "demo-cashier", "pin": CASHIER_PIN}
    signed_in = await face.page.request.post(
        f"http://localhost:{port}/api/till/sign-in", data=body, headers=headers
    )
    assert signed_in.ok, await signed_in.text()
    await face.at("dock-code-0").click()
    await expect(till.page.locator("body")).to_contain_text("毛巾", timeout=PATIENCE_MS)
    await face.at("dock-text").fill(TOWEL)
    await face.at("dock-scan").click()
    await expect(till.page.locator("body")).to_contain_text("24.00", timeout=PATIENCE_MS)
    await expect(face.at("dock-text")).to_have_value("")
    for action in ("clear", "sign-out"):
        done = await face.page.request.post(
            f"http://localhost:{port}/api/till/{action}", data={}, headers=headers
        )
        assert done.ok, await done.text()
    await close(face, till)


async def test_paper_out_is_told_and_the_slip_comes_when_paper_is_back(
    browser: Browser, chain: Chain
) -> None:
    face = await open_console(browser, chain)
    slips = len(chain.benches["shop-a"].printer.slips)
    await face.at("dock-faults-receipt-printer").locator("summary").click()
    paper_out = face.at("dock-fault-receipt-printer-paper_out")
    await paper_out.click()
    await is_linked(face, "receipt-printer", "degraded")
    await expect(paper_out).to_have_attribute("aria-pressed", "true")
    await expect(face.at("overview")).to_have_attribute("data-light", "amber")
    for told in (device(face, "receipt-printer"), face.at("overview")):
        await expect(told).to_contain_text(texts.say("zh-Hans", "device.paper_out"))
        await expect(told).to_contain_text(texts.say("zh-Hans", "device.paper_out.next"))
    await face.at("test-print").click()
    waiting = face.page.locator('[data-kind="test"][data-state="queued"]')
    await expect(waiting).to_have_count(1, timeout=PATIENCE_MS)
    job = await waiting.get_attribute("data-testid")
    assert job is not None
    await face.picture("console-paper-out")
    assert len(chain.benches["shop-a"].printer.slips) == slips

    await paper_out.click()
    await is_linked(face, "receipt-printer", "online")
    await expect(face.at(job)).to_have_attribute("data-state", "printed", timeout=PATIENCE_MS)
    slip = await slip_is_drawn(face, slips + 1)
    await expect(slip.locator("pre")).to_contain_text("Tea Hill")
    assert len(chain.benches["shop-a"].printer.slips) == slips + 1
    await close(face)


async def test_pcscd_killed_is_trouble_with_a_next_step_and_heals(browser: Browser, chain: Chain) -> None:
    assert chain.station is not None
    face = await open_console(browser, chain)
    await chain.station.kill_pcscd()
    for role in ("kiosk-reader", "till-reader"):
        await is_linked(face, role, "absent")
        await expect(face.at(f"wake-{role}")).to_be_visible()
    await expect(face.at("overview")).to_have_attribute("data-light", "red")
    await chain.station.start_pcscd()
    for role in ("kiosk-reader", "till-reader"):
        await is_linked(face, role, "online")
    await expect(face.at("overview")).to_have_attribute("data-light", "green")
    await close(face)


async def test_while_the_daemon_is_away_the_page_is_grey_and_says_so(browser: Browser, chain: Chain) -> None:
    face = await open_console(browser, chain)
    slips = await face.page.locator('[data-testid^="dock-slip-"]').count()
    await chain.shops["shop-a"].stop()
    try:
        await expect(face.at("lost")).to_be_visible(timeout=PATIENCE_MS)
        await expect(face.page.locator('[data-feed="lost"][inert]')).to_be_visible()
        await face.picture("console-lost")
    finally:
        await chain.shops["shop-a"].start()
    await expect(face.at("lost")).to_have_count(0, timeout=2 * PATIENCE_MS)
    await expect(face.at("overview")).to_have_attribute("data-light", "green", timeout=PATIENCE_MS)
    await expect(face.page.locator('[data-testid^="dock-slip-"]')).to_have_count(slips)
    # Chromium itself reports what it asked of a daemon that was away: the feed, or a slip's picture.
    away = ("WebSocket", "ERR_CONNECTION_REFUSED")
    face.complaints[:] = [said for said in face.complaints if not any(word in said for word in away)]
    await close(face)


async def test_a_phone_needs_no_sideways_scrolling_in_any_language(browser: Browser, chain: Chain) -> None:
    face = await open_console(browser, chain, PHONE)
    await face.picture("console-phone")
    for language in (*LANGUAGES[1:], LANGUAGES[0]):
        await face.at(f"language-{language}").click()
        await expect(face.page.locator("html")).to_have_attribute("lang", language)
        await expect(face.at(f"language-{language}")).to_have_attribute("aria-pressed", "true")
        width = await face.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE[0]
    await close(face)
