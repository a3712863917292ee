"""The customer's screen: their basket as it grows, what they saved, what they paid, and then nothing."""

from __future__ import annotations

import pytest

from tapledger.loyalty import program as programs
from tapledger.web import display
from tests.store.shops import EARPHONES, PROGRAM, TOWEL, card
from tests.web.faces import Faces
from tests.web.test_till_offers import OFFERS


async def test_the_basket_grows_with_what_is_saved_and_earned(faces: Faces) -> None:
    await faces.rich_member("Annabel")
    faces.bench.shop.program = programs.load(OFFERS)
    await faces.sign_in()
    watcher = await faces.watch("display")
    await faces.daemon.till.card(card("a"))
    shown = await watcher.until(lambda snapshot: snapshot["member"] is not None)
    assert shown["member"] == "A**"
    await faces.daemon.till.enter(EARPHONES)
    shown = await watcher.until(lambda snapshot: bool(snapshot["lines"]))
    assert (shown["due"], shown["saved"], shown["earn_points"]) == ("¥269.10", "-¥29.90", 269)
    assert shown["lines"][0]["gross"] == "¥299.00"
    assert "nnabel" not in str(watcher.frames)


async def test_what_was_paid_stands_for_a_moment_with_its_proof(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "CLEARED_AFTER_S", 0.05)
    await faces.sign_in()
    watcher = await faces.watch("display")
    await faces.daemon.till.enter(TOWEL)
    await faces.did("/api/till/pay", tender="cash", received_minor=2000)
    paid = (await watcher.until(lambda snapshot: snapshot["paid"] is not None))["paid"]
    assert (paid["total"], paid["change"]) == ("¥12.00", "¥8.00")
    assert "<svg" in paid["receipt_svg"]
    gone = await watcher.until(lambda snapshot: snapshot["paid"] is None)
    assert gone["lines"] == []


async def test_a_sale_of_before_a_restart_is_not_shown_to_whoever_comes_next(faces: Faces) -> None:
    await faces.sign_in()
    await faces.daemon.till.enter(TOWEL)
    await faces.did("/api/till/pay", tender="cash", received_minor=1200)
    await faces.start()
    await faces.sign_in()
    watcher = await faces.watch("display")
    shown = await watcher.until(lambda snapshot: True)
    assert (shown["paid"], shown["lines"], shown["member"]) == (None, [], None)


async def test_a_sensitive_article_has_no_name_there(faces: Faces) -> None:
    faces.bench.shop.program = programs.load(PROGRAM | {"sensitive": {"categories": ["home"]}})
    await faces.sign_in()
    watcher = await faces.watch("display")
    await faces.daemon.till.enter(TOWEL)
    shown = await watcher.until(lambda snapshot: bool(snapshot["lines"]))
    assert [one["name"] for one in shown["lines"]] == ["An article"]
    assert "Towel" not in str(watcher.frames)


async def test_nobody_signed_in_shows_nothing(faces: Faces) -> None:
    await faces.sign_in()
    await faces.daemon.till.enter(TOWEL)
    watcher = await faces.watch("display")
    await watcher.until(lambda snapshot: bool(snapshot["lines"]))
    await faces.did("/api/till/sign-out")
    await watcher.until(lambda snapshot: not snapshot["lines"])
