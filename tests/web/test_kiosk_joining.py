"""Becoming a member at the kiosk: consent before any data, a proven phone, and the card in the hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tapledger.loyalty import program as programs
from tapledger.membership import pins
from tapledger.membership.identity import Presented
from tapledger.wire.codec import decode_event
from tests.store.shops import EARPHONES, PROGRAM, card
from tests.web.faces import Faces, Watcher, kiosk_settings
from tests.web.test_kiosk import NOW_S, told

PHONE = "13800138000"
WELCOME = PROGRAM | {"version": "2", "membership": {"welcome": {"points": 50}}}


async def typed_phone(faces: Faces, watcher: Watcher) -> str:
    """Agree and type the number; return the code that staff see."""
    assert (await watcher.screen("join"))["step"] == "consent"
    await faces.did("/api/kiosk/agree")
    await faces.did("/api/kiosk/phone", digits=PHONE)
    asked = await watcher.until(lambda snapshot: snapshot["screen"].get("step") == "code")
    assert asked["screen"]["phone"] == "*** 8000"
    (waiting,) = faces.daemon.codes.waiting()
    return waiting.code


async def test_a_strange_card_becomes_a_members_in_three_touches(faces: Faces) -> None:
    faces.bench.shop.program = programs.load(WELCOME)
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(card("new"), NOW_S)
    assert (await watcher.screen("trouble"))["can_join"] is True
    await faces.did("/api/kiosk/join")
    code = await typed_phone(faces, watcher)
    await faces.did("/api/kiosk/code", digits=code)
    joined = (await watcher.until(lambda snapshot: snapshot["screen"].get("step") == "joined"))["screen"]
    assert (joined["points"], joined["has_card"]) == (50, True)
    assert PHONE not in told(watcher.frames)
    await faces.did("/api/kiosk/finish")
    await faces.daemon.kiosk.card(card("new"), NOW_S)
    assert (await watcher.screen("balance"))["points"] == 50
    (consents,) = faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'consent'")
    assert consents == (1,)


async def test_whoever_has_the_number_already_is_welcomed_back_with_their_new_card(faces: Faces) -> None:
    member = await faces.bench.join("Ann", phone=PHONE)
    await faces.bench.buy(member, EARPHONES)
    watcher = await faces.watch("kiosk")
    bare = replace(card("new"), level=0)
    await faces.daemon.kiosk.card(bare, NOW_S)
    await watcher.screen("trouble")
    await faces.did("/api/kiosk/join")
    code = await typed_phone(faces, watcher)
    await faces.did("/api/kiosk/code", digits=code)
    assert (await watcher.screen("balance"))["member"]["name"] == "A**"
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'join'") == [(1,)]
    await faces.did("/api/kiosk/choose", reward="tea")
    await faces.did("/api/kiosk/confirm", reward="tea")
    ((raw,),) = faces.bench.rows("SELECT raw FROM event ORDER BY seq DESC LIMIT 1")
    body = decode_event(raw).body
    assert (body.member, body.trust, body.evidence) == (member, 1, f"{bare.evidence} + code")


async def test_away_from_central_a_code_gives_the_card_but_lifts_it_only_where_points_wait(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever reads one phone could spend at each shop that the line is cut from (R8)."""
    monkeypatch.setattr(pins, "_is_away", lambda shop: True)
    await faces.bench.join("Ann", phone=PHONE)
    watcher = await faces.watch("kiosk")
    bare = replace(card("new"), level=0)
    await faces.daemon.kiosk.card(bare, NOW_S)
    await watcher.screen("trouble")
    await faces.did("/api/kiosk/join")
    await faces.did("/api/kiosk/code", digits=await typed_phone(faces, watcher))
    member = (await watcher.screen("balance"))["member"]
    assert (member["name"], member["trust"]) == ("A**", 0)
    await faces.did("/api/kiosk/finish")
    await faces.daemon.kiosk.card(bare, NOW_S)
    assert (await watcher.screen("balance"))["member"]["name"] == "A**"


async def test_a_wrong_code_makes_nobody_a_member(faces: Faces) -> None:
    watcher = await faces.watch("kiosk")
    await faces.did("/api/kiosk/join")
    code = await typed_phone(faces, watcher)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    codes = [(await faces.post("/api/kiosk/code", digits=wrong))[1]["code"] for _ in range(5)]
    assert codes == ["PHONE_CODE_WRONG"] * 4 + ["PHONE_CODE_OVER"]
    assert (await faces.post("/api/kiosk/code", digits=code))[1]["code"] == "PHONE_CODE_OVER"
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'join'") == [(0,)]
    await faces.did("/api/kiosk/back")
    again = await watcher.until(lambda snapshot: snapshot["screen"].get("step") == "phone")
    assert again["in_session"]


@pytest.mark.parametrize("digits", ["", "12", "abc", "9" * 40, "+", "１３８００１３８０００"])
async def test_what_is_no_number_is_said_and_stays(faces: Faces, digits: str) -> None:
    watcher = await faces.watch("kiosk")
    await faces.did("/api/kiosk/join")
    await faces.did("/api/kiosk/agree")
    assert (await faces.post("/api/kiosk/phone", digits=digits))[1]["code"] == "PHONE_INVALID"
    await watcher.until(lambda snapshot: snapshot["screen"].get("step") == "phone")
    assert faces.daemon.codes.waiting() == []


async def test_nothing_is_asked_before_somebody_agrees(faces: Faces) -> None:
    await faces.did("/api/kiosk/join")
    assert (await faces.post("/api/kiosk/phone", digits=PHONE))[1]["code"] == "NOT_ASKED"


async def test_where_members_register_a_strange_card_begins_it(faces: Faces) -> None:
    await faces.start(kiosk_settings(mode="register"))
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(card("new"), NOW_S)
    screen = await watcher.screen("join")
    assert (screen["step"], screen["has_card"]) == ("consent", True)


async def test_a_card_that_was_reported_lost_is_not_offered_to_join(faces: Faces) -> None:
    await faces.rich_member()
    weak = Presented("card", "a", 0, "copy")
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(weak, NOW_S)
    assert (await watcher.screen("trouble"))["can_join"] is False
