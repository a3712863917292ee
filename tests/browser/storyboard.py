"""A screen that was reached in earnest, looked at in every language and size: a picture of each, and nothing
cut off, too small, out of reach or against axe's rules."""

from __future__ import annotations

from playwright.async_api import expect

from tapledger.languages import LANGUAGES
from tests.browser.accessibility import violations
from tests.browser.conftest import PICTURES, Face
from tests.browser.kiosk_stage import NOT_AS_BUILT

SIZES = {"portrait": (1080, 1920), "landscape": (1280, 800), "small": (800, 480)}
FIRST = LANGUAGES[0]
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""A list has as many lines as fit: another size is another drawing."""


async def speak(face: Face, language: str) -> None:
    """Choose a language, as the button of its name does."""
    origin = "/".join(face.page.url.split("/")[:3])
    body = {"language": language}
    answer = await face.page.request.post(
        f"{origin}/api/kiosk/language", data=body, headers={"Origin": origin}
    )
    assert answer.ok, await answer.text()
    await expect(face.page.locator("html")).to_have_attribute("lang", language)


async def look(face: Face, name: str, *, in_languages: bool = True) -> None:
    """Hold that a screen is as it should be, and keep its pictures.

    ``in_languages`` is False for one that a choice of language would end.
    """
    languages = LANGUAGES if in_languages else (FIRST,)
    for language in languages:
        if in_languages:
            await speak(face, language)
        for size, (width, height) in SIZES.items():
            await face.page.set_viewport_size({"width": width, "height": height})
            await face.page.evaluate(DRAWN)
            wrong = await face.page.evaluate(NOT_AS_BUILT)
            assert wrong == [], f"{name} in {language}, {size}: {wrong}"
            path = PICTURES / "storyboard" / language / size / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            await face.page.screenshot(path=path)
        assert await violations(face) == [], f"{name} in {language}"
    if in_languages:
        await speak(face, FIRST)
    width, height = SIZES["portrait"]
    await face.page.set_viewport_size({"width": width, "height": height})
