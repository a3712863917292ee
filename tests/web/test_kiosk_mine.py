"""What a member may look up at the kiosk: coupons, gifts of the tap, the way up, and why points changed."""

from __future__ import annotations

import pytest

from tapledger.loyalty import program as programs
from tapledger.loyalty.facts import Tender
from tapledger.membership import coupons, stored_value
from tapledger.membership.identity import Presented
from tapledger.membership.stored_value import TopUpCommand
from tests.store.shops import EARPHONES, PROGRAM, TOWEL, card
from tests.web.faces import Faces
from tests.web.test_kiosk import NOW_S, at_balance, told
from tests.web.test_till_offers import OFFERS


async def give(faces: Faces, member: str, *templates: str) -> None:
    for template in templates:
        await coupons.issue_coupon(faces.bench.shop, f"{member}-{template}", member, template, "staff", "s-1")


async def test_the_best_three_coupons_are_those_that_end_first(faces: Faces) -> None:
    member = await faces.rich_member()
    faces.bench.shop.program = programs.load(OFFERS)
    await give(faces, member, "thirty", "five", "alone", "paper")
    watcher, screen = await at_balance(faces)
    assert screen["coupons"] == 4
    assert [one["title"] for one in screen["best_coupons"]] == ["20 off, alone", "5 off", "30 off from 200"]
    assert screen["best_coupons"][0]["last_day"] == "2026-05-09"
    await faces.did("/api/kiosk/coupons")
    listed = await watcher.screen("coupons")
    assert [one["last_day"] for one in listed["coupons"]] == ["2026-05-09", "2026-05-14", "2026-06-03", None]
    await faces.did("/api/kiosk/back")
    await watcher.screen("balance")


async def test_what_the_tap_brought_is_said_once(faces: Faces) -> None:
    member = await faces.rich_member()
    campaign = {"id": "hello", "name": {"en": "Hello"}, "trigger": "tap", "gain": {"points": 100}}
    faces.bench.shop.program = programs.load(PROGRAM | {"version": "2", "campaigns": [campaign]})
    watcher, screen = await at_balance(faces)
    assert screen["points"] == 399
    assert any("100" in one for one in screen["given"])
    await faces.did("/api/kiosk/finish")
    await watcher.screen("goodbye")
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    assert (await watcher.screen("balance"))["given"] == []
    assert await faces.bench.points(member) == 399


async def test_the_way_up_is_said_where_it_is_not_spend_alone(faces: Faces) -> None:
    await faces.rich_member()
    gold = {"id": "gold", "name": {"en": "Gold"}, "reach": [[{"metric": "visits", "at_least": 5}]]}
    tiers = [*PROGRAM["tiers"], gold]
    faces.bench.shop.program = programs.load(PROGRAM | {"version": "2", "tiers": tiers})
    _, screen = await at_balance(faces)
    assert screen["next_tier"] is None
    assert len(screen["ways_up"]) == 1 and "Gold" in screen["ways_up"][0]


async def test_history_says_why_in_the_words_of_the_receipt(faces: Faces) -> None:
    member = await faces.rich_member()
    await faces.bench.redeem(member)
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/history")
    entries = (await watcher.screen("history"))["entries"]
    assert [(one["what"], one["points"]) for one in entries] == [("Reward", -100), ("Purchase", 299)]
    assert "299" in entries[1]["why"][0]
    await faces.did("/api/kiosk/language", language="zh-Hans")
    again = await watcher.until(lambda snapshot: snapshot["language"] == "zh-Hans")
    assert again["screen"]["entries"][1]["what"] == "消费"


async def test_history_names_no_article_and_no_stored_value(faces: Faces) -> None:
    member = await faces.rich_member()
    changed = OFFERS | {"sensitive": {"categories": ["home"]}}
    faces.bench.shop.program = programs.load(changed)
    await faces.bench.buy(member, TOWEL)
    topped = TopUpCommand("t", member, card("a"), 10_000, (Tender("cash", 10_000),), "s-1", "en")
    await stored_value.top_up(faces.bench.shop, topped)
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/history")
    entries = (await watcher.screen("history"))["entries"]
    assert [one["what"] for one in entries] == ["Purchase", "Purchase"]
    said = told(watcher.frames)
    assert not [word for word in ("Towel", "Earphones", TOWEL, EARPHONES, "110.00", "100.00") if word in said]


async def test_a_bare_number_sees_no_history(faces: Faces) -> None:
    await faces.bench.join("Bob", Presented("uid", "04A1B2C3D4E5F6", 0, "uid-only"))
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(Presented("uid", "04A1B2C3D4E5F6", 0, "uid-only"), NOW_S)
    await watcher.screen("balance")
    status, answer = await faces.post("/api/kiosk/history")
    assert (status, answer["code"]) == (422, "PIN_NOT_SET")
    assert watcher.frames[-1][1]["screen"]["screen"] == "balance"


@pytest.mark.parametrize("path", ["coupons", "history"])
async def test_without_a_session_nothing_is_looked_up(faces: Faces, path: str) -> None:
    status, answer = await faces.post(f"/api/kiosk/{path}")
    assert (status, answer["code"]) == (409, "SESSION_OVER")
