"""A member's code at the kiosk, and a page that is loaded again in the middle."""

from __future__ import annotations

from tapledger.membership.identity import Presented
from tests.web.faces import Faces

MEMBER_CODE = "9012345678905"


async def test_a_members_code_is_as_good_as_the_card(faces: Faces) -> None:
    await faces.bench.join("Ann", Presented("barcode", MEMBER_CODE, 0, "test"))
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.code(MEMBER_CODE, False)
    assert (await watcher.screen("balance"))["member"]["name"] == "A**"


async def test_any_other_code_is_told_to_be_none(faces: Faces) -> None:
    watcher = await faces.watch("kiosk")
    for code in ("6901234567908", "9999999999994", "", "x" * 600, "\x00"):
        await faces.daemon.kiosk.code(code, False)
        assert (await watcher.screen("trouble"))["problem"]["sentence"]


async def test_a_page_loaded_again_after_a_tap_shows_the_same(faces: Faces) -> None:
    """The tap is the server's: a browser refreshed before it painted loses and doubles nothing."""
    await faces.bench.join("Ann", Presented("card", "a", 1, "test"))
    await faces.daemon.kiosk.card(Presented("card", "a", 1, "test"), faces.bench.clock.monotonic_s())
    first, second = await faces.watch("kiosk"), await faces.watch("kiosk")
    shown = [await page.screen("balance") for page in (first, second)]
    assert shown[0] == shown[1]
    assert len(first.frames) == 1
