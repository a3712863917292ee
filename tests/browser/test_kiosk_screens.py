"""Every screen of the kiosk, drawn from sample snapshots: it fits, it can be read, pressed and heard."""

from __future__ import annotations

import re

import msgspec
import pytest
from playwright.async_api import Browser, expect

from tapledger.languages import LANGUAGES, Language
from tapledger.web.kiosk_snapshots import Comfort, Kiosk, KioskScreen
from tests.browser.accessibility import AXE
from tests.browser.kiosk_samples import samples
from tests.browser.kiosk_stage import Stage, on_stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES = {"tall": (1080, 1920), "wide": (1280, 800), "small": (800, 480)}


def with_comfort(kiosk: Kiosk, **wishes: bool) -> Kiosk:
    return msgspec.structs.replace(kiosk, comfort=msgspec.structs.replace(kiosk.comfort, **wishes))


def sample(name: str, language: Language = "zh-Hans") -> Kiosk:
    return dict(samples(language))[name]


async def test_every_screen_has_a_sample() -> None:
    shown = {type(kiosk.screen) for _, kiosk in samples("en")}
    assert shown == set(KioskScreen.__args__)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_screen_fits_and_can_be_read_and_pressed(
    browser: Browser, size: str, language: Language
) -> None:
    found: dict[str, list[str]] = {}
    async with on_stage(browser, SIZES[size]) as stage:
        for name, kiosk in samples(language):
            for large in (False, True):
                await stage.show(with_comfort(kiosk, large=large))
                if faults := await stage.not_as_built():
                    found[f"{name}{' larger' if large else ''}"] = faults
        assert stage.complaints == []
    assert found == {}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (".question { font-size: 9rem; white-space: nowrap }", "cut off"),
        (".footer .button { min-height: 40px; height: 40px }", "small"),
        (".acting .button { transform: translateY(-60vh) }", "out of reach"),
        (".footer { gap: 4px }", "px between"),
        (".notes { font-size: 14px }", "hard to read"),
    ],
)
async def test_what_does_not_fit_is_found(browser: Browser, rule: str, fault: str) -> None:
    async with on_stage(browser, SIZES["tall"]) as stage:
        await stage.show(sample("confirm"))
        assert await stage.not_as_built() == []
        await stage.page.evaluate(
            """(rule) => {
                const sheet = new CSSStyleSheet();
                sheet.replaceSync(rule.replaceAll(/(;| })/g, " !important$1"));
                document.adoptedStyleSheets = [sheet];
            }""",
            rule,
        )
        assert any(fault in found for found in await stage.not_as_built())


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in kiosk_ui")
@pytest.mark.parametrize(("language", "contrast"), [("zh-Hans", False), ("en", True)])
async def test_axe_finds_nothing_on_any_screen(browser: Browser, language: Language, contrast: bool) -> None:
    found: dict[str, list[str]] = {}
    rules = ["color-contrast-enhanced"] if contrast else []
    async with on_stage(browser, SIZES["wide"]) as stage:
        for name, kiosk in samples(language):
            await stage.show(with_comfort(kiosk, contrast=contrast))
            if faults := await stage.violations(*rules):
                found[name] = faults
    assert found == {}


async def test_a_pin_is_sent_by_itself_and_nothing_of_it_stays(browser: Browser) -> None:
    async with on_stage(browser, SIZES["tall"]) as stage:
        await stage.show(sample("prove-pin"))
        for digit in "193":
            await stage.press(f"key-{digit}")
        await stage.press("key-erase")
        await stage.page.keyboard.type("78")
        await stage.page.keyboard.press("Backspace")
        await expect(stage.page.get_by_test_id("typed")).to_have_attribute("data-count", "3")
        assert "".join(await stage.page.get_by_test_id("typed").locator("i").all_inner_texts()) == ""
        await stage.page.keyboard.type("246")
        await expect(stage.page.get_by_test_id("typed")).to_have_attribute("data-count", "0")
        assert (await stage.asked(3))[-1] == ("prove", {"digits": "197246"})
        assert "197246" not in await stage.page.content()


async def test_a_phone_number_is_masked_digit_by_digit_and_sent_by_ok(browser: Browser) -> None:
    async with on_stage(browser, SIZES["small"]) as stage:
        await stage.show(sample("join-phone"))
        typed = stage.page.get_by_test_id("typed")
        await stage.page.get_by_test_id("key-ok").click(force=True)
        await stage.page.keyboard.type("13800")
        assert "".join(await typed.locator("i").all_inner_texts()) == "0"
        await expect(typed.locator("i").last).to_have_text("", timeout=3_000)
        await stage.page.keyboard.press("Enter")
        await expect(typed).to_have_attribute("data-count", "0")
        assert await stage.asked(3) == [("stay", {}), ("stay", {}), ("phone", {"digits": "13800"})]


async def test_what_is_read_aloud_is_what_stands_there_without_names(browser: Browser) -> None:
    async with on_stage(browser, SIZES["tall"]) as stage:
        await stage.show(with_comfort(sample("balance"), speech=True))
        await stage.show(with_comfort(sample("confirm"), speech=True))
        await stage.page.keyboard.press("*")
        said = [body["text"] for name, body in await stage.asked(3) if name == "speak"]
        assert len(said) == 3
        assert "12,860" in said[0]
        assert said[1] == said[2]
        assert "用 500 积分兑换" in said[1]
        assert "返回，不兑换" in said[1]
        assert not any("王" in text for text in said)
        await stage.show(sample("coupons"))
        await stage.press("back")
        assert await stage.asked(1) == [("back", {})]


async def test_comfort_is_asked_for_and_drawn_as_told(browser: Browser) -> None:
    async with on_stage(browser, SIZES["wide"]) as stage:
        await stage.show(sample("help-none"))
        for wish in ("large", "contrast", "longer", "speech"):
            await stage.press(f"comfort-{wish}")
        await stage.press("remember")
        await stage.press("larger-text")
        assert await stage.asked(6) == [
            ("comfort", {"large": True}),
            ("comfort", {"contrast": True}),
            ("comfort", {"longer": False}),
            ("comfort", {"speech": True}),
            ("remember", {"on": True}),
            ("comfort", {"large": True}),
        ]
        root = stage.page.locator("html")
        assert await root.get_attribute("data-large") is None
        told = msgspec.structs.replace(sample("attract"), comfort=Comfort(large=True, contrast=True))
        await stage.show(told)
        assert await root.get_attribute("data-large") == ""
        assert await root.get_attribute("data-contrast") == ""


PRESSES = [
    ("trouble-join", "join", ("join", {})),
    ("attract", "join", ("join", {})),
    ("attract", "help", ("help", {})),
    ("goodbye-feedback", "feedback", ("feedback", {})),
    ("balance", "activities", ("activities", {})),
    ("balance", "show-value", ("value", {})),
    ("confirm-pin", "confirm", ("confirm", {"reward": "mug"})),
    ("confirm-tap", "back", ("back", {})),
    ("prove-pin", "phone-code", ("phone-code", {})),
    ("done-printed", "undo", ("undo", {})),
    ("gift", "back", ("back", {})),
    ("activities", "activity-wheel", ("activity", {"kind": "lottery", "id": "wheel"})),
    ("questions", "answer-4", ("answer", {"number": 4})),
    ("feedback", "score-5", ("score", {"score": 5})),
    ("feedback-reasons", "reason-2", ("reason", {"number": 2})),
    ("join-consent", "agree", ("agree", {})),
    ("help-none", "call", ("call", {})),
    ("help-none", "faq", ("faq", {})),
    ("staff-menu", "staff-cleaning", ("staff", {"act": "cleaning"})),
    ("staff-menu", "staff-close", ("staff", {"act": "close"})),
    ("staff-closed", "staff-open", ("staff", {"act": "open"})),
]


async def test_each_button_asks_for_what_it_says(browser: Browser) -> None:
    async with on_stage(browser, SIZES["tall"]) as stage:
        for name, button, asked in PRESSES:
            await stage.show(sample(name))
            await stage.press(button)
            assert await stage.asked(1) == [asked], (name, button)


async def test_a_draw_has_a_word_of_its_own_and_shows_what_it_can_be_checked_by(browser: Browser) -> None:
    async with on_stage(browser, SIZES["small"]) as stage:
        await stage.show(sample("wheel"))
        await stage.press("draw")
        await stage.press("draw")
        words = {body["word"] for _, body in await stage.asked(2)}
        assert len(words) == 2
        assert all(re.fullmatch(r"[a-z0-9]{12}", word) for word in words)
        await stage.show(sample("wheel-drawn"))
        await expect(stage.page.get_by_test_id("drawn").first).to_have_text("抽中：手冲咖啡")
        await stage.press("fairness")
        await expect(stage.page.get_by_test_id("commit")).to_contain_text("9f86 d081 884c 7d65…")
        await expect(stage.page.get_by_test_id("proof")).to_contain_text("17 · k7m2q9xa4dpe")
        assert await stage.not_as_built() == []


async def test_nothing_can_be_pressed_while_the_glass_is_wiped(browser: Browser) -> None:
    async with on_stage(browser, SIZES["wide"]) as stage:
        await stage.show(sample("cleaning"))
        await expect(stage.page.locator("button")).to_have_count(0)


async def test_keys_alone_reach_every_action(browser: Browser) -> None:
    async with on_stage(browser, SIZES["wide"]) as stage:
        await stage.show(sample("help-none"))
        reached: list[str] = []
        for _ in range(await stage.page.locator("main button").count()):
            await stage.page.keyboard.press("ArrowDown")
            reached.append(await stage.page.evaluate("() => document.activeElement.dataset.testid"))
        assert {"call", "faq", "comfort-contrast", "back", "finish", "choose-language"} <= set(reached)
        assert len(reached) == len(set(reached))
        await stage.page.keyboard.press("Escape")
        assert await stage.asked(1) == [("finish", {})]


async def show_all(stage: Stage) -> None:
    for _, kiosk in samples("zh-Hans"):
        await stage.show(kiosk)


async def test_no_screen_leaves_anything_of_the_one_before(browser: Browser) -> None:
    async with on_stage(browser, SIZES["tall"]) as stage:
        await show_all(stage)
        await stage.show(sample("attract"))
        content = await stage.page.content()
        assert "王**" not in content
        assert "12,860" not in content


@pytest.mark.parametrize("size", SIZES)
async def test_what_opens_over_a_screen_fits_too(browser: Browser, size: str) -> None:
    async with on_stage(browser, SIZES[size]) as stage:
        for language in LANGUAGES:
            for name, button in (
                ("wheel-many", "fairness"),
                ("wheel-drawn", "fairness"),
                ("faq", "faq-entry"),
            ):
                await stage.show(with_comfort(sample(name, language), large=True))
                await stage.page.get_by_test_id(button).first.click()
                assert await stage.not_as_built() == [], (name, language)
                await stage.page.locator('[data-testid^="close-"]').click()
