"""The kiosk's storyboard, every screen reached as people reach it: cards, touches, paper, central, staff.

Two states are elsewhere: the card once more (K6), which needs a card that no virtual reader has, is in
tests/web/test_kiosk_proofs.py, and a card that is long in coming (K2) in tests/web/test_kiosk.py. How each
looks is in test_kiosk_screens.py.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tapledger import assets, texts
from tapledger.lab.chain import Chain
from tapledger.lab.network import WELL, Fault
from tapledger.lab.seed import CASHIER, CASHIER_PIN, MEMBER_PIN, TECHNICIAN_PIN
from tests.browser.conftest import Face, open_face, running_chain, take_away
from tests.browser.storyboard import SIZES, look
from tests.browser.test_kiosk import on_screen

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFERS = assets.config_folder() / "examples" / "offers.toml"
SHOP, READER = "shop-a", "kiosk-reader"
PATIENT = {"balance_s": 300, "list_s": 300, "form_s": 300, "trouble_s": 60, "goodbye_s": 30}
SETTLED_MS = 450
"""The page ignores a second touch within 400 ms."""
PATIENCE_MS = 10_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop() -> AsyncIterator[Chain]:
    async with running_chain(OFFERS, PATIENT) as chain:
        yield chain


class Visitor:
    """Somebody at the kiosk, with a card in the hand."""

    def __init__(self, face: Face, chain: Chain) -> None:
        self.face = face
        self._chain = chain
        self._bench = chain.benches[SHOP]
        self.origin = f"http://localhost:{chain.ports[SHOP]}"

    async def tap(self, card: str, screen: str) -> None:
        await self.put_away()
        await self._bench.insert(READER, card)
        await on_screen(self.face, screen)

    async def put_away(self) -> None:
        await take_away(self._chain)

    async def touch(self, test_id: str, screen: str) -> None:
        await self.face.page.wait_for_timeout(SETTLED_MS)
        await self.face.at(test_id).first.click()
        await on_screen(self.face, screen)

    async def type(self, digits: str) -> None:
        """Type on the keypad; a code is sent with its last digit."""
        for digit in digits:
            await self.face.page.keyboard.press(digit)

    async def finish(self) -> None:
        await self.put_away()
        await self.post("finish")
        await on_screen(self.face, "goodbye")

    async def post(self, path: str, face: str = "kiosk", **body: object) -> None:
        answer = await self.face.page.request.post(
            f"{self.origin}/api/{face}/{path}", data=body, headers={"Origin": self.origin}
        )
        assert answer.ok, await answer.text()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, shop: Chain) -> AsyncIterator[Visitor]:
    face = await open_face(browser, shop.ports[SHOP], "kiosk", SIZES["portrait"])
    await face.page.emulate_media(reduced_motion="reduce")
    visitor = Visitor(face, shop)
    yield visitor
    await visitor.put_away()
    await visitor.post("finish")
    assert face.complaints == []
    assert face.foreign == []
    await face.close()


async def test_who_am_i_and_what_can_i_have(visitor: Visitor, shop: Chain) -> None:
    face = visitor.face
    await look(face, "K01-attract", in_languages=False)
    await visitor.tap("wang", "balance")
    await look(face, "K04-balance")
    await visitor.touch("more-rewards", "rewards")
    await look(face, "K05-rewards")
    await visitor.touch("back", "balance")
    await visitor.touch("history", "history")
    await look(face, "K10-history")
    await visitor.touch("entry", "history")
    await expect(face.at("why")).to_be_visible()
    await face.page.keyboard.press("Escape")
    await visitor.post("back")
    await on_screen(face, "balance")
    await visitor.finish()
    await look(face, "K15-goodbye", in_languages=False)


async def test_a_reward_is_chosen_confirmed_and_printed(visitor: Visitor, shop: Chain) -> None:
    face = visitor.face
    await visitor.tap("wang", "balance")
    await visitor.touch("reward-coffee", "confirm")
    await look(face, "K06-confirm")
    await visitor.touch("confirm", "done")
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=PATIENCE_MS)
    await look(face, "K07-done")


async def test_without_paper_the_reward_is_on_the_screen_and_can_be_taken_back(
    visitor: Visitor, shop: Chain
) -> None:
    face, printer = visitor.face, shop.benches[SHOP].printer
    printer.set_paper_out(True)
    try:
        await visitor.tap("li", "balance")
        before = await face.at("points").inner_text()
        await visitor.touch("reward-coffee", "confirm")
        await visitor.touch("confirm", "done")
        await expect(face.at("slip-state")).to_have_attribute("data-slip", "failed", timeout=PATIENCE_MS)
        await visitor.touch("undo", "balance")
        await expect(face.at("points")).to_have_text(before)
        await visitor.touch("reward-coffee", "confirm")
        await visitor.touch("confirm", "done")
        await expect(face.at("slip-state")).to_have_attribute("data-slip", "failed", timeout=PATIENCE_MS)
        await look(face, "K08-no-paper")
    finally:
        printer.set_paper_out(False)
    await expect(face.at("slip-state")).to_have_attribute("data-slip", "printed", timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("card", "code"),
    [("unknown", "CARD_UNKNOWN"), ("torn", "CARD_TORN"), ("phone", "CARD_NUMBER_CHANGES")],
)
async def test_a_card_in_trouble(visitor: Visitor, card: str, code: str) -> None:
    await visitor.tap(card, "trouble")
    said = texts.say("zh-Hans", f"problem.{code}")
    await expect(visitor.face.page.get_by_text(said)).to_be_visible(timeout=PATIENCE_MS)
    await look(visitor.face, f"K03-{card}")


async def test_things_to_do(visitor: Visitor) -> None:
    face = visitor.face
    await visitor.tap("li", "balance")
    await visitor.touch("activities", "activities")
    await look(face, "K12-activities")
    await visitor.post("activity", kind="check_in", id="")
    await on_screen(face, "gift")
    await look(face, "K12-check-in")
    await visitor.post("activity", kind="lottery", id="wheel")
    await on_screen(face, "wheel")
    await look(face, "K12-wheel")
    await visitor.touch("draw", "wheel")
    await expect(face.at("drawn").first).to_be_visible(timeout=PATIENCE_MS)
    await look(face, "K12-drawn")
    await visitor.post("activity", kind="survey", id="service")
    await on_screen(face, "questions")
    await look(face, "K13-question")
    await visitor.post("answer", number=0)
    await visitor.post("answer", number=0)
    await on_screen(face, "gift")
    await visitor.post("feedback")
    await on_screen(face, "feedback")
    await look(face, "K13-feedback")
    await visitor.post("score", score=5)
    await expect(face.at("reason-0")).to_be_visible()
    await look(face, "K13-reason")


async def test_a_bare_card_asks_for_the_pin(visitor: Visitor) -> None:
    face = visitor.face
    await visitor.tap("bob", "balance")
    await visitor.touch("history", "prove")
    await look(face, "K20-pin")
    await visitor.type(MEMBER_PIN)
    await face.page.keyboard.press("Enter")
    await on_screen(face, "history")


async def test_joining_in_five_touches(visitor: Visitor, shop: Chain) -> None:
    face = visitor.face
    await visitor.post("sign-in", "till", staff=CASHIER, pin=CASHIER_PIN)
    await visitor.tap("unknown", "trouble")
    await visitor.touch("join", "join")
    await look(face, "K11-consent")
    await visitor.touch("agree", "join")
    await look(face, "K11-phone")
    await visitor.type("13712345678")
    await face.page.keyboard.press("Enter")
    await expect(face.page.locator('[data-screen="join"]')).to_contain_text("*** 5678")
    await look(face, "K11-code")
    till = await open_face(face.page.context.browser, shop.ports[SHOP], "till", (1366, 768))  # type: ignore[arg-type]
    await visitor.post("sign-in", "till", staff=CASHIER, pin=CASHIER_PIN)
    shown = await till.page.evaluate(
        """() => new Promise((resolve) => {
            const socket = new WebSocket(`ws://${location.host}/live/till`);
            socket.onmessage = ({ data }) => resolve(JSON.parse(data).snapshot.phone_codes[0].code);
        })"""
    )
    await till.close()
    await visitor.type(shown)
    await expect(face.at("joined")).to_be_visible()
    await look(face, "K11-joined")


async def test_help_is_called_and_acknowledged(visitor: Visitor) -> None:
    face = visitor.face
    await visitor.post("sign-in", "till", staff=CASHIER, pin=CASHIER_PIN)
    await visitor.touch("help", "help")
    await look(face, "K17-help")
    await visitor.touch("call", "help")
    await expect(face.at("help-state")).to_have_attribute("data-help", "called")
    await look(face, "K17-called")
    till = await face.page.context.new_page()
    await till.goto(f"{visitor.origin}/till")
    await visitor.post("help", "till")
    await till.close()
    await expect(face.at("help-state")).to_have_attribute("data-help", "coming")
    await look(face, "K17-coming")
    await visitor.touch("faq", "faq")
    await look(face, "K17-faq")


async def test_staff_close_clean_and_open_it(visitor: Visitor) -> None:
    face = visitor.face
    await visitor.tap("staff", "staff")
    await look(face, "K18-pin")
    await visitor.type(TECHNICIAN_PIN)
    await face.page.keyboard.press("Enter")
    await expect(face.at("staff-close")).to_be_visible()
    await look(face, "K18-menu")
    await visitor.touch("staff-close", "out_of_service")
    await look(face, "K16-closed", in_languages=False)
    await visitor.tap("staff", "staff")
    await visitor.type(TECHNICIAN_PIN)
    await face.page.keyboard.press("Enter")
    await visitor.touch("staff-open", "attract")


async def test_away_from_central_it_says_how_old_and_how_much(visitor: Visitor, shop: Chain) -> None:
    face = visitor.face
    await shop.lines[SHOP].set(Fault(cut=True))
    try:
        await visitor.tap("wang", "balance")
        await expect(face.at("as-of")).to_be_visible(timeout=3 * PATIENCE_MS)
        await expect(face.at("offline")).to_have_text(re.compile(r"\d"))
        await look(face, "K19-away")
    finally:
        await shop.lines[SHOP].set(WELL)


async def test_a_daemon_that_is_gone_is_said_and_nothing_of_anybody_stays(
    visitor: Visitor, shop: Chain
) -> None:
    face = visitor.face
    await visitor.tap("wang", "balance")
    await visitor.put_away()
    await face.page.clock.install()
    child = shop.shops[SHOP]
    await child.stop()
    try:
        await face.page.clock.fast_forward(2_500)
        await on_screen(face, "starting")
        await look(face, "K00-starting", in_languages=False)
        await face.page.clock.fast_forward(20_000)
        await on_screen(face, "out_of_service")
        await look(face, "K16-daemon-gone", in_languages=False)
    finally:
        await child.start()
    face.complaints.clear()  # of Chromium: nobody answers
    await face.page.clock.resume()
    await face.page.reload()
    await on_screen(face, "attract")


async def test_a_door_opens_for_who_has_a_ticket_and_for_nobody_else(browser: Browser) -> None:
    gate: dict[str, float | str] = {**PATIENT, "mode": "gate", "gate": "tasting", "place": "hall"}
    async with running_chain(OFFERS, gate) as chain:
        face = await open_face(browser, chain.ports[SHOP], "kiosk", SIZES["portrait"])
        visitor = Visitor(face, chain)
        await on_screen(face, "attract")
        await look(face, "gate-attract", in_languages=False)
        await visitor.tap("wang", "gate")
        await expect(face.at("gate")).to_have_attribute("data-opened", "false")
        await look(face, "gate-refused")
        assert face.complaints == []
        await face.close()


async def test_where_members_register_a_strange_card_begins_and_nobody_is_waited_for_for_ever(
    browser: Browser,
) -> None:
    register: dict[str, float | str] = {**PATIENT, "mode": "register", "form_s": 1, "warning_s": 60}
    async with running_chain(OFFERS, register) as chain:
        face = await open_face(browser, chain.ports[SHOP], "kiosk", SIZES["portrait"])
        visitor = Visitor(face, chain)
        await on_screen(face, "attract")
        await look(face, "register-attract", in_languages=False)
        await visitor.tap("unknown", "join")
        await expect(face.at("still-here")).to_be_visible(timeout=PATIENCE_MS)
        await look(face, "K14-still-here", in_languages=False)
        await face.page.keyboard.press("Escape")
        await on_screen(face, "attract")
        assert face.complaints == []
        await face.close()
