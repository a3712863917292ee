"""A member at the kiosk: real Chromium, a card on the real pcscd, paper from the printer's emulator."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Route, expect

from tapledger import texts
from tapledger.lab.chain import Chain
from tapledger.lab.seed import MEMBERS
from tapledger.languages import LANGUAGES
from tapledger_drivers.printers.raster import missing_glyphs
from tests.browser.conftest import KIOSK, Face, open_face, take_away
from tests.browser.ledger import newest_slip

pytestmark = pytest.mark.asyncio(loop_scope="session")

READER = "kiosk-reader"
SMALL = (800, 480)


async def open_kiosk(browser: Browser, chain: Chain) -> Face:
    face = await open_face(browser, chain.ports["shop-a"], "kiosk", KIOSK)
    await on_screen(face, "attract")
    return face


async def on_screen(face: Face, screen: str) -> None:
    await expect(face.page.locator(f'[data-screen="{screen}"]')).to_be_visible(timeout=10_000)


async def leave(face: Face, chain: Chain) -> None:
    await take_away(chain)
    if await face.at("finish").is_visible():
        await face.at("finish").click()
    await on_screen(face, "attract")
    assert face.complaints == []
    await face.close()


async def test_balance_without_a_touch_and_a_reward_with_two(browser: Browser, chain: Chain) -> None:
    bench = chain.benches["shop-a"]
    face = await open_kiosk(browser, chain)
    await face.picture("kiosk-attract")
    await bench.insert(READER, "wang")
    await on_screen(face, "balance")
    before = int((await face.at("points").inner_text()).replace(",", ""))
    await expect(face.page.locator('[data-testid^="reward-"]')).to_have_count(3)
    await face.picture("kiosk-balance")
    slips = len(bench.printer.slips)

    await face.at("reward-coffee").click()
    await on_screen(face, "confirm")
    await face.picture("kiosk-confirm")
    await face.page.wait_for_timeout(450)  # the page ignores a second touch within 400 ms
    await face.at("confirm").click()

    await on_screen(face, "done")
    await expect(face.at("points-left")).to_contain_text(f"{before - 80:,}")
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=10_000)
    await face.picture("kiosk-done")
    assert len(bench.printer.slips) == slips + 1
    paper = bench.printer.slips[-1]
    assert paper.cut
    assert paper.lines() == await newest_slip(chain.config("shop-a"), "voucher")
    assert missing_glyphs(paper.text()) == set()
    assert paper.png().startswith(b"\x89PNG")
    voucher = await face.at("voucher").inner_text()
    assert voucher.strip() in paper.text()
    await leave(face, chain)


async def test_a_refusal_is_not_wiped_by_the_screen_that_came_with_it(browser: Browser, chain: Chain) -> None:
    """The answer to an intent may overtake the frame that the daemon made before it refused."""
    face = await open_kiosk(browser, chain)
    await chain.benches["shop-a"].insert(READER, "wang")
    await on_screen(face, "balance")
    told = {"code": "REFUSED", "sentence": "It is gone.", "next_step": "Choose another."}

    async def refuse(route: Route) -> None:
        await route.fulfill(status=422, json=told, headers={"Live-Version": str(10**6)})

    await face.page.route("**/api/kiosk/rewards", refuse)
    await face.at("more-rewards").click()
    await expect(face.at("refusal")).to_have_text("It is gone. Choose another.")
    await face.page.evaluate(
        """() => fetch("/api/kiosk/coupons",
            { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })"""
    )
    await on_screen(face, "coupons")
    await expect(face.at("refusal")).to_have_text("It is gone. Choose another.")
    face.complaints.clear()  # of Chromium: the refusal
    await leave(face, chain)


async def test_nothing_of_the_member_stays_after_finish(browser: Browser, chain: Chain) -> None:
    face = await open_kiosk(browser, chain)
    await chain.benches["shop-a"].insert(READER, "li")
    await on_screen(face, "balance")
    masked = f"{MEMBERS[1].name[0]}**"
    assert masked in await face.page.inner_text("body")
    await face.at("finish").click()
    await on_screen(face, "attract")
    assert masked not in await face.page.content()
    storage = "() => [localStorage.length, sessionStorage.length, document.cookie, history.length]"
    local, session, cookie, history = await face.page.evaluate(storage)
    assert (local, session, cookie) == (0, 0, "")
    assert history <= 2
    await leave(face, chain)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("unknown", "CARD_UNKNOWN"),
        ("torn", "CARD_TORN"),
        ("copy", "CARD_UNKNOWN"),
        ("phone", "CARD_NUMBER_CHANGES"),
    ],
)
async def test_a_card_in_trouble_is_told_what_to_do(
    browser: Browser, chain: Chain, card: str, code: str
) -> None:
    face = await open_kiosk(browser, chain)
    await chain.benches["shop-a"].insert(READER, card)
    await expect(face.page.get_by_text(texts.say("zh-Hans", f"problem.{code}"))).to_be_visible()
    await leave(face, chain)


async def test_a_plain_card_shows_its_balance_and_redeems_nothing(browser: Browser, chain: Chain) -> None:
    face = await open_kiosk(browser, chain)
    await chain.benches["shop-a"].insert(READER, "bob")
    await on_screen(face, "balance")
    assert int((await face.at("points").inner_text()).replace(",", "")) > 0
    coffee = face.at("reward-coffee")
    await expect(coffee).to_have_attribute("data-available", "false")
    await coffee.click()
    await on_screen(face, "balance")
    await leave(face, chain)


async def choose_language(face: Face, language: str) -> None:
    await face.at("choose-language").click()
    await face.at(f"language-{language}").click()
    await expect(face.page.locator("html")).to_have_attribute("lang", language)


async def test_english_lasts_for_one_session(browser: Browser, chain: Chain) -> None:
    face = await open_kiosk(browser, chain)
    await choose_language(face, "en")
    await chain.benches["shop-a"].insert(READER, "wang")
    await on_screen(face, "balance")
    await expect(face.page.locator("html")).to_have_attribute("lang", "en")
    await face.picture("kiosk-balance-en")
    await leave(face, chain)
    again = await open_kiosk(browser, chain)
    await expect(again.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    await again.close()


async def cut_off(face: Face) -> list[str]:
    """Name what is not wholly on the screen, or holds more than it shows."""
    found = await face.page.evaluate(
        """() => [...document.querySelectorAll("button, .reading")].filter((element) => {
            const box = element.getBoundingClientRect();
            return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight
                || element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
        }).map((element) => element.innerText)"""
    )
    return [str(words) for words in found]


@pytest.mark.parametrize("size", [KIOSK, SMALL], ids=["tall", "small"])
async def test_every_language_is_offered_by_its_own_name_and_fits(
    browser: Browser, chain: Chain, size: tuple[int, int]
) -> None:
    face = await open_face(browser, chain.ports["shop-a"], "kiosk", size)
    await on_screen(face, "attract")
    await chain.benches["shop-a"].insert(READER, "wang")
    await on_screen(face, "balance")
    await face.at("choose-language").click()
    names = face.page.locator('[data-testid^="language-"]')
    await expect(names).to_have_text(["简体中文", "繁體中文", "English", "日本語"])
    await face.page.keyboard.press("Escape")
    await expect(names).to_have_count(0)
    await on_screen(face, "balance")
    for large in (False, True):
        if large:
            await face.at("larger-text").click()
        for language in LANGUAGES:
            await choose_language(face, language)
            assert await cut_off(face) == [], language
            await face.at("choose-language").click()
            assert await cut_off(face) == [], language
            await face.at("languages").click(position={"x": 2, "y": 2})
            await expect(names).to_have_count(0)
    await leave(face, chain)


async def test_paper_out_keeps_the_voucher_on_the_screen_and_prints_it_once(
    browser: Browser, chain: Chain
) -> None:
    bench = chain.benches["shop-a"]
    face = await open_kiosk(browser, chain)
    bench.printer.set_paper_out(True)
    await bench.insert(READER, "li")
    await on_screen(face, "balance")
    slips = len(bench.printer.slips)
    await face.at("reward-coffee").click()
    await on_screen(face, "confirm")
    await face.page.wait_for_timeout(450)
    await face.at("confirm").click()
    await on_screen(face, "done")
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "failed", timeout=10_000)
    await face.picture("kiosk-no-paper")
    voucher = (await face.at("voucher").inner_text()).strip()
    bench.printer.set_paper_out(False)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=10_000)
    printed = [slip for slip in bench.printer.slips[slips:] if voucher in slip.text()]
    assert len(printed) == 1
    await leave(face, chain)
