"""Staff at the kiosk, a kiosk at a door, a call for help, opinions, and wishes that follow the card."""

from __future__ import annotations

import pytest

from tapledger.loyalty import program as programs
from tapledger.membership import sign_in, staff_cards
from tapledger.wire.codec import decode_event
from tests.store.shops import PROGRAM, card
from tests.web.faces import Faces, Snapshot, Watcher, kiosk_settings
from tests.web.test_kiosk import NOW_S, SOON_S, at_balance

PIN = "9753"


async def at_menu(faces: Faces) -> Watcher:
    """Let a technician come to the menu."""
    await sign_in.add_person(faces.bench.shop, "t-1", "Theo", "technician", PIN)
    await staff_cards.give_card(faces.bench.shop, "t-1", card("tech"))
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(card("tech"), NOW_S)
    assert (await watcher.screen("staff"))["step"] == "pin"
    await faces.did("/api/kiosk/prove", digits=PIN)
    await watcher.until(lambda snapshot: snapshot["screen"].get("step") == "menu")
    return watcher


async def test_a_cashier_is_greeted_and_no_more(faces: Faces) -> None:
    await staff_cards.give_card(faces.bench.shop, "s-1", card("staff"))
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(card("staff"), NOW_S)
    assert (await watcher.screen("staff"))["step"] == "hello"
    status, refused = await faces.post("/api/kiosk/staff", act="close")
    assert (status, refused["code"]) == (403, "STAFF_ONLY")


async def test_a_closed_kiosk_stays_closed_over_a_restart_until_staff_open_it(faces: Faces) -> None:
    await faces.rich_member()
    watcher = await at_menu(faces)
    await faces.did("/api/kiosk/staff", act="close")
    assert (await watcher.screen("out_of_service"))["why"] == "closed"
    assert await faces.daemon.kiosk.card(card("a"), NOW_S) is False
    await faces.start()
    watcher = await faces.watch("kiosk")
    assert (await watcher.screen("out_of_service"))["why"] == "closed"
    await faces.daemon.kiosk.card(card("tech"), NOW_S)
    await watcher.screen("staff")
    await faces.did("/api/kiosk/prove", digits=PIN)
    await faces.did("/api/kiosk/staff", act="open")
    await watcher.screen("attract")


async def test_cleaning_ends_by_itself_and_takes_no_card(faces: Faces) -> None:
    await faces.rich_member()
    watcher = await at_menu(faces)
    await faces.did("/api/kiosk/staff", act="cleaning")
    assert (await watcher.screen("out_of_service"))["left_s"] == 60
    assert await faces.daemon.kiosk.card(card("a"), NOW_S) is False
    assert (await faces.post("/api/kiosk/stay"))[1]["code"] == "NOT_ASKED"


async def test_a_wrong_staff_pin_opens_nothing(faces: Faces) -> None:
    await sign_in.add_person(faces.bench.shop, "t-1", "Theo", "technician", PIN)
    await staff_cards.give_card(faces.bench.shop, "t-1", card("tech"))
    await faces.daemon.kiosk.card(card("tech"), NOW_S)
    assert (await faces.post("/api/kiosk/prove", digits="1111"))[1]["code"] == "SIGN_IN_WRONG"
    assert (await faces.post("/api/kiosk/staff", act="close"))[1]["code"] == "STAFF_ONLY"


# ---- a door ------------------------------------------------------------------------------------------------
LOUNGE = PROGRAM | {
    "version": "2",
    "entitlements": [
        {"id": "lounge", "name": {"en": "Lounge"}, "kind": "access", "limit": {"times": 1, "window": "day"},
         "when": {"tiers": ["base"]}},
    ],
    "tiers": [PROGRAM["tiers"][0] | {"benefits": ["lounge"]}],
}  # fmt: skip


async def test_a_door_opens_once_a_tap_and_says_why_not(faces: Faces) -> None:
    await faces.rich_member()
    faces.bench.shop.program = programs.load(LOUNGE)
    await faces.start(kiosk_settings(mode="gate", gate="lounge", trouble_s=30.0))
    watcher = await faces.watch("kiosk")
    assert await faces.daemon.kiosk.card(card("a"), NOW_S) is True
    first = await watcher.screen("gate")
    assert (first["opened"], first["title"]) == (True, "Lounge")
    assert await faces.daemon.kiosk.card(card("a"), NOW_S) is True  # it still lies there
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'use'") == [(1,)]
    assert await faces.daemon.kiosk.card(card("who"), NOW_S) is False
    refused = await watcher.until(lambda snapshot: snapshot["screen"].get("opened") is False)
    assert refused["screen"]["sentences"]
    assert await faces.daemon.kiosk.card(card("a"), NOW_S) is False  # once a day
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'use'") == [(1,)]


# ---- help and opinions -------------------------------------------------------------------------------------
async def test_a_call_for_help_is_seen_at_the_till_and_answered(faces: Faces) -> None:
    watcher, till = await faces.watch("kiosk"), await faces.watch("till")
    await faces.did("/api/kiosk/help")
    await watcher.screen("help")
    await faces.did("/api/kiosk/call")
    await till.until(lambda snapshot: snapshot["help"] == "called")
    assert (await faces.post("/api/till/help"))[1]["code"] == "SIGN_IN_FIRST"
    await faces.sign_in()
    await faces.did("/api/till/help")
    await watcher.until(lambda snapshot: snapshot["help"] == "coming")


async def test_whoever_waits_is_told_that_everybody_is_busy(faces: Faces) -> None:
    faces.daemon.help._busy_after_s = SOON_S
    watcher = await faces.watch("kiosk")
    await faces.did("/api/kiosk/call")
    await watcher.until(lambda snapshot: snapshot["help"] == "busy")
    await faces.did("/api/kiosk/call")
    await watcher.until(lambda snapshot: snapshot["help"] == "called")


async def test_an_opinion_has_no_name_beside_it(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/feedback")
    await watcher.screen("feedback")
    await faces.did("/api/kiosk/score", score=4)
    asked = await watcher.until(lambda snapshot: snapshot["screen"].get("score") == 4)
    assert len(asked["screen"]["reasons"]) == 4
    await faces.did("/api/kiosk/reason", number=1)
    await watcher.screen("goodbye")
    raws = faces.bench.rows("SELECT raw FROM event WHERE kind = 'feedback' ORDER BY seq")
    bodies = [decode_event(raw).body for (raw,) in raws]
    assert [body.member for body in bodies] == [None, None]
    said = [body.facts for body in bodies]
    assert said == [{"score": 4}, {"of_score": 4, "reason": "staff"}]  # an average counts it once


@pytest.mark.parametrize("score", [0, 6, -1])
async def test_an_opinion_is_one_of_five(faces: Faces, score: int) -> None:
    await faces.did("/api/kiosk/feedback")
    assert (await faces.post("/api/kiosk/score", score=score))[1]["code"] == "ANSWER_UNKNOWN"


# ---- comfort -----------------------------------------------------------------------------------------------
def comfort(snapshot: Snapshot) -> dict[str, bool]:
    wishes: dict[str, bool] = snapshot["comfort"]
    return wishes


async def test_wishes_end_with_the_session(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/comfort", large=True, contrast=True)
    await watcher.until(lambda snapshot: comfort(snapshot)["large"] and comfort(snapshot)["contrast"])
    await faces.did("/api/kiosk/finish")
    await watcher.screen("attract")
    assert not any(comfort(watcher.frames[-1][1]).values())


async def test_wishes_follow_the_card_of_whoever_wants_that(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    assert watcher.frames[-1][1]["remembers"] is False
    await faces.did("/api/kiosk/comfort", large=True)
    await faces.did("/api/kiosk/remember", on=True)
    await faces.did("/api/kiosk/language", language="ja")
    await faces.did("/api/kiosk/finish")
    await watcher.screen("attract")
    await faces.start()
    watcher, _ = await at_balance(faces)
    shown = watcher.frames[-1][1]
    assert (comfort(shown)["large"], shown["language"], shown["remembers"]) == (True, "ja", True)
    await faces.did("/api/kiosk/remember", on=False)
    await faces.did("/api/kiosk/finish")
    await watcher.screen("attract")
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    await watcher.screen("balance")
    assert not comfort(watcher.frames[-1][1])["large"]


async def test_where_nobody_reads_aloud_it_is_not_promised(faces: Faces) -> None:
    assert (await faces.post("/api/kiosk/comfort", speech=True))[1]["code"] == "NO_VOICE"
    assert (await faces.post("/api/kiosk/speak", text="hello"))[1]["code"] == "NO_VOICE"
