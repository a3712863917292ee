"""The desk over real HTTP: each command once and once more, and what it refuses."""

from __future__ import annotations

import json

import msgspec
import pytest

from tapledger.loyalty.program.people import Prize
from tapledger.membership.desk.registry import COMMANDS
from tapledger.membership.identity import Presented
from tests.store.shops import card
from tests.web.desk import PHONE, STORIES, Body, Desk
from tests.web.faces import PIN

NO_EVENT = {
    "hire",
    "virtual-card",
    "lottery",
    "reveal",
    "partner-send",
    "partner-settle",
    "partner-taken",
    "set-pin",
    "staff-card",
}
"""What they record is in tables of its own, or their answer is something else than the event."""


def test_every_command_has_its_story() -> None:
    assert STORIES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_does_its_work_once(desk: Desk, name: str) -> None:
    """And again with the same key: the same answer, and nothing changed."""
    command = COMMANDS[name]
    asks, expected = await STORIES[name](desk)
    before = desk.tables()
    answer = await desk.give(name, **asks)
    assert expected.items() <= answer["values"].items()
    after = desk.tables()
    assert (after != before) == (command.records and name not in ("partner-taken",))
    if not command.records:
        assert not answer["receipt"]
        return
    assert bool(answer["receipt"]) == (name not in NO_EVENT)
    assert not answer["replayed"]
    if name == "hire":
        assert (await desk.post(name, **asks))[1]["code"] == "STAFF_ID_TAKEN"
        return
    again = await desk.give(name, **(asks | {"key": answer["key"]}))
    assert again["receipt"] == answer["receipt"]
    assert again["replayed"] == bool(answer["receipt"])
    assert name == "set-pin" or desk.tables() == after  # a PIN is salted anew


async def test_a_draw_is_told_again_though_its_prize_is_gone(desk: Desk) -> None:
    program = desk.bench.shop.program
    wheel = program.lotteries[0]
    never = Prize("never", {"en": "Never"}, 0)
    longer = msgspec.structs.replace(wheel, prizes=[never, *wheel.prizes])
    desk.bench.shop.program = msgspec.structs.replace(program, lotteries=[longer])
    asks, _ = await STORIES["draw"](desk)
    drawn = await desk.give("draw", **asks)
    assert drawn["values"]["prize"] == "thanks"
    desk.bench.shop.program = program
    again = await desk.give("draw", **(asks | {"key": drawn["key"]}))
    assert (again["receipt"], again["replayed"]) == (drawn["receipt"], True)
    assert again["values"]["prize"] is None


# ---- what comes of it ------------------------------------------------------------------------------------
async def test_what_a_command_does_is_there_afterwards(desk: Desk) -> None:
    granted = await desk.give("grant", member=PHONE, points=50, why="goodwill", key="g-1")
    assert granted["says"] and granted["key"] == "g-1"
    assert (await desk.show())["points"] == 349
    await desk.give("top-up", member=PHONE, amount_minor=10_000)
    shown = await desk.show()
    assert (shown["principal_minor"], shown["bonus_minor"]) == (10_000, 1000)
    await desk.give("block-card", member=PHONE, card=shown["cards"][0]["index"])
    assert (await desk.show())["cards"][0]["state"] == "lost"
    events = (await desk.values("history", member="a", limit=3))["events"]
    assert [one["kind"] for one in events] == ["block", "topup", "grant"]


async def test_points_for_a_partner_that_has_them_are_gone(desk: Desk) -> None:
    for credited, points in ((True, 269), (False, 269)):
        sent = await desk.give("partner-send", member=PHONE, partner="mall", theirs="ann", points=30)
        taken = sent["values"]["exchange"]
        assert (taken["taken"], taken["given"]) == (30, 20)
        state = await desk.values("partner-settle", exchange=sent["key"], credited=credited)
        assert state["exchange"]["state"] == ("sent" if credited else "released")
        assert (await desk.show())["points"] == points
        closed = await desk.values("partner-settle", exchange=sent["key"], credited=not credited)
        assert closed == state, "what was said first stays"


async def test_a_key_of_another_request_is_told(desk: Desk) -> None:
    await desk.give("grant", member=PHONE, points=50, why="goodwill", key="g-1")
    before = desk.tables()
    other = await desk.bench.join("Cy", phone="13500005555")
    del other
    for asks in (
        {"member": PHONE, "points": 51, "why": "goodwill"},
        {"member": "13500005555", "points": 50, "why": "goodwill"},
    ):
        status, answer = await desk.post("grant", key="g-1", **asks)
        assert (status, answer["code"]) == (409, "IDEMPOTENCY_MISMATCH")
    assert (await desk.show())["points"] == 349
    assert before != desk.tables(), "only Cy came"


async def test_a_number_of_two_members_names_nobody(desk: Desk) -> None:
    await desk.bench.join("Cy", Presented("barcode", "77001", 0, "test"))
    await desk.bench.join("Di", card("77001"))
    status, answer = await desk.post("show", member="77001")
    assert (status, answer["code"]) == (422, "MEMBER_AMBIGUOUS")


# ---- who may ---------------------------------------------------------------------------------------------
async def test_a_cashier_gives_no_command_of_a_manager(desk: Desk) -> None:
    await desk.sign_in("s-1")
    before = desk.tables()
    for command in COMMANDS.values():
        status, answer = await desk.post(command.name)
        if command.role == "cashier":
            assert answer.get("code") != "DESK_ROLE_MISSING", command.name
        else:
            assert (status, answer["code"]) == (403, "DESK_ROLE_MISSING"), command.name
            assert command.name in answer["sentence"] and answer["next_step"]
    assert desk.tables() == before


async def test_nobody_hires_above_themselves(desk: Desk) -> None:
    asks = {"staff": "t-1", "name": "T", "pin": "1357", "role": "technician"}
    assert (await desk.post("hire", **asks))[1]["code"] == "DESK_ROLE_MISSING"
    await desk.give("hire", **(asks | {"role": "manager"}))


async def test_without_a_session_nothing_is_done(desk: Desk) -> None:
    stale = {cookie.key: cookie.value for cookie in desk.faces.session.cookie_jar}
    assert (await desk.faces.post("/api/desk/sign-out"))[0] == 200
    before = desk.tables()
    for cookie in ("", "tapledger_desk=", "tapledger_desk=00", f"tapledger_desk={stale['tapledger_desk']}"):
        desk.faces.session.cookie_jar.clear()
        for name in COMMANDS:
            answer = await desk.faces.ask("POST", f"/api/desk/{name}", b"{}", {"Cookie": cookie})
            assert (answer[0], json.loads(answer[2])["code"]) == (403, "SIGN_IN_FIRST"), name
    assert desk.tables() == before


async def test_a_session_of_the_till_is_none_of_the_desk(desk: Desk) -> None:
    desk.faces.session.cookie_jar.clear()
    await desk.faces.sign_in()
    token = next(iter(desk.faces.session.cookie_jar)).value
    answer = await desk.faces.ask("POST", "/api/desk/show", b"{}", {"Cookie": f"tapledger_desk={token}"})
    assert answer[0] == 403


async def test_a_session_ends_with_the_shift(desk: Desk) -> None:
    await desk.show()
    desk.bench.clock.move(12 * 3600)
    assert (await desk.post("show", member=PHONE))[1]["code"] == "SIGN_IN_FIRST"


async def test_two_people_are_signed_in_at_once(desk: Desk) -> None:
    manager = {cookie.key: cookie.value for cookie in desk.faces.session.cookie_jar}["tapledger_desk"]
    await desk.sign_in("s-1")
    await desk.show()
    desk.faces.session.cookie_jar.clear()
    asks = json.dumps({"member": PHONE, "points": 1, "why": "goodwill"}).encode()
    answer = await desk.faces.ask("POST", "/api/desk/grant", asks, {"Cookie": f"tapledger_desk={manager}"})
    assert answer[0] == 200


async def test_above_the_days_limit_a_second_person_types_their_pin(desk: Desk) -> None:
    asks: Body = {"member": PHONE, "points": 1001, "why": "goodwill"}
    assert (await desk.post("grant", **asks))[1]["code"] == "SECOND_PERSON_NEEDED"
    wrong = await desk.post("grant", **asks, second="s-1", second_pin="0000")
    assert (wrong[0], wrong[1]["code"]) == (403, "SIGN_IN_WRONG")
    own = await desk.post("grant", **asks, second="m-1", second_pin=PIN)
    assert own[1]["code"] == "SECOND_PERSON_NEEDED"
    await desk.give("grant", **asks, second="s-1", second_pin=PIN)
    assert (await desk.show())["points"] == 1300


# ---- bad requests ----------------------------------------------------------------------------------------
async def test_a_bad_request_is_told_and_changes_nothing(desk: Desk) -> None:
    before = desk.tables()
    good = {"member": PHONE, "points": 1, "why": "goodwill"}
    bad: list[bytes] = [
        b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 30_000,
        json.dumps(good | {"colour": "red"}).encode(),
        json.dumps({"member": PHONE, "why": "goodwill"}).encode(),
        json.dumps(good | {"points": "1"}).encode(),
        json.dumps(good | {"points": 1.5}).encode(),
        json.dumps(good | {"points": True}).encode(),
        json.dumps(good | {"points": 2**63}).encode(),
        json.dumps(good | {"points": -(2**200)}).encode(),
        json.dumps(good | {"why": "x" * 201}).encode(),
        json.dumps(good | {"member": ""}).encode(),
        json.dumps(good | {"member": "x" * 5000}).encode(),
        json.dumps(good | {"member": None}).encode(),
        json.dumps(good | {"key": "night/expire"}).encode(),
        json.dumps(good | {"key": "x" * 65}).encode(),
    ]  # fmt: skip
    for body in bad:
        status, _, answer = await desk.faces.ask("POST", "/api/desk/grant", body)
        told = json.loads(answer)
        assert (status, told["code"]) == (400, "DESK_REQUEST_INVALID"), body[:80]
        assert "grant" in told["sentence"] and "docs/desk.md" in told["next_step"]
    huge = json.dumps(good | {"why": "x" * 100_000}).encode()
    status, _, answer = await desk.faces.ask("POST", "/api/desk/grant", huge)
    assert (status, json.loads(answer)["code"]) == (413, "BODY_TOO_LARGE")
    assert desk.tables() == before


@pytest.mark.parametrize("name", COMMANDS)
async def test_no_command_takes_what_it_does_not_know(desk: Desk, name: str) -> None:
    asks, _ = await STORIES[name](desk)
    before = desk.tables()
    status, answer = await desk.post(name, **(asks | {"colour": "red"}))
    assert (status, answer["code"]) == (400, "DESK_REQUEST_INVALID")
    for needed in (key for key in asks if key in COMMANDS[name].asks.__struct_fields__):
        status, answer = await desk.post(name, **(asks | {needed: {"not": "meant"}}))
        assert (status, answer["code"]) == (400, "DESK_REQUEST_INVALID"), needed
    assert desk.tables() == before


async def test_strangers_and_unknown_commands_are_told(desk: Desk) -> None:
    status, answer = await desk.post("show", member="nobody")
    assert (status, answer["code"]) == (404, "MEMBER_UNKNOWN")
    status, answer = await desk.post("sing", member=PHONE)
    assert (status, answer["code"]) == (404, "DESK_COMMAND_UNKNOWN")


async def test_wrong_pins_wait_here_too(desk: Desk) -> None:
    for _ in range(5):
        assert (await desk.post("sign-in", staff="s-1", pin="0000"))[1]["code"] == "SIGN_IN_WRONG"
    assert (await desk.post("sign-in", staff="s-1", pin=PIN))[1]["code"] == "TOO_MANY_TRIES"


# ---- the list --------------------------------------------------------------------------------------------
async def test_the_list_says_how_each_command_is_asked(desk: Desk) -> None:
    status, _, body = await desk.faces.ask("GET", "/api/desk")
    listed = {one["command"]: one for one in json.loads(body)}
    assert status == 200 and listed.keys() == COMMANDS.keys()
    for name, one in listed.items():
        assert one["does"].endswith(".") and one["role"] in ("cashier", "manager", "technician")
        schema = one["schema"]["$defs"][COMMANDS[name].asks.__name__]
        assert schema["additionalProperties"] is False, name
        assert "key" in schema["properties"]


async def test_looking_at_the_list_does_nothing(desk: Desk) -> None:
    """And no command answers a GET: a picture on another page could ask for one."""
    before = desk.tables()
    for name in COMMANDS:
        assert (await desk.faces.ask("GET", f"/api/desk/{name}"))[0] == 405, name
    assert desk.tables() == before


async def test_the_till_shows_what_the_desk_did(desk: Desk) -> None:
    await desk.faces.sign_in()
    watcher = await desk.faces.watch("till")
    await desk.faces.did("/api/till/enter", text=PHONE)
    await watcher.until(lambda till: till["member"] is not None and till["member"]["points"] == 299)
    await desk.give("grant", member=PHONE, points=50, why="goodwill")
    await watcher.until(lambda till: till["member"] is not None and till["member"]["points"] == 349)
