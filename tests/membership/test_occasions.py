"""What members are given besides points for purchases, through the real store: once, whole, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tapledger.errors import Conflict, TapledgerError
from tapledger.loyalty import program as programs
from tapledger.loyalty.members import Member
from tapledger.loyalty.tiers import tiering
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tapledger.membership import night
from tapledger.membership.check_in import CheckInCommand, check_in
from tapledger.membership.desk import registry
from tapledger.membership.desk.asking import Staff
from tapledger.membership.entitlement import UseCommand, rights_of, use_entitlement
from tapledger.membership.identity import Presented
from tapledger.membership.occasions import give_due
from tapledger.membership.participation import answer_survey, approve_share
from tapledger.membership.refund import VoidCommand, void_sale
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sign_in import Throttle
from tapledger.membership.tap import welcome_member
from tapledger.membership.tiers import give_tier
from tapledger.store import members
from tests.loyalty.lives import at
from tests.store.shops import EARPHONES, PROGRAM, Bench, card

NAME = {"en": "x"}
TABLE: dict[str, Any] = PROGRAM | {
    "tiers": [
        {"id": "base", "name": NAME},
        {"id": "gold", "name": NAME, "reach": [[{"metric": "spend", "at_least": 20_000}]],
         "valid_days": 30, "benefits": ["lounge"]},
    ],
    "membership": {"welcome": {"points": 30}},
    "birthday": {"gain": {"points": 100}},
    "check_in": {"gain": {"points": 1}, "gifts": [{"tier": "base", "gain": {"gift": "cup"}}]},
    "surveys": [{"id": "s", "name": NAME, "gain": {"points": 20},
                 "questions": [{"id": "q", "text": NAME, "answers": [NAME, NAME]}]}],
    "shares": [{"id": "story", "name": NAME, "points": 15}],
    "entitlements": [{"id": "lounge", "name": NAME, "limit": {"times": 1, "window": "day"}}],
    "missions": [{"id": "m", "name": NAME, "metric": "visits", "at_least": 2, "days": 7,
                  "gain": {"points": 40}}],
    "campaigns": [{"id": "c", "name": NAME, "trigger": "sleeping", "gain": {"points": 5},
                   "budget_points": 9}],
    "rewards": [{"id": "cup", "title": NAME, "cost_points": 0, "stock": 3,
                 "per_member": {"times": 1, "window": "day"}}],
}  # fmt: skip


@pytest.fixture
def shop_of_people(bench: Bench) -> Bench:
    set_rules(bench)
    return bench


def set_rules(bench: Bench, **changes: Any) -> None:
    bench.shop.program = programs.load(TABLE | changes)


async def state(bench: Bench, member: str) -> Member:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return stored.member


def go_to(bench: Bench, instant: dt.datetime) -> None:
    bench.clock.move((instant - bench.clock.now()).total_seconds())


async def refused(bench: Bench, attempt: Callable[[], Awaitable[object]], code: str) -> None:
    """The command is refused with a code, and the store is what it was."""
    before = bench.tables()
    with pytest.raises(TapledgerError) as caught:
        await attempt()
    assert caught.value.code == code
    assert bench.tables() == before


# ---- joining and tapping ----------------------------------------------------------------------------------
async def test_joining_brings_the_welcome_once(shop_of_people: Bench) -> None:
    bench = shop_of_people
    joining = Joining("k1", "Ann", "", (card("a"),), "s-1")
    member = (await register_member(bench.shop, joining)).event.body.member or ""
    await register_member(bench.shop, joining)
    assert await bench.points(member) == 30
    assert bench.rows("SELECT kind FROM event ORDER BY seq") == [("join",), ("benefit",)]


async def test_a_tap_says_happy_birthday_once(shop_of_people: Bench) -> None:
    bench = shop_of_people
    joining = Joining("k1", "Ann", "", (card("a"),), "s-1", birthday=(5, 4, 1990))
    await register_member(bench.shop, joining)
    greeted = await welcome_member(bench.shop, card("a"))
    assert [reason.code for reason in greeted.given] == ["BIRTHDAY_GAIN", "GAINED_POINTS"]
    assert greeted.summary.points.available == 130
    await bench.restart()
    set_rules(bench)
    before = bench.tables()
    assert (await welcome_member(bench.shop, card("a"))).given == ()
    assert bench.tables() == before


async def test_a_mission_is_told_at_the_next_tap(shop_of_people: Bench) -> None:
    bench = shop_of_people
    member = await bench.join("Ann", card("a"))
    await bench.buy(member)
    bench.clock.move(86_400)
    await bench.buy(member)
    given = await give_due(bench.shop, member)
    assert [reason.code for reason in given.reasons] == ["MISSION_GAIN", "GAINED_POINTS"]
    assert await bench.points(member) == 30 + 24 + 40


async def test_a_stranger_is_due_nothing(shop_of_people: Bench) -> None:
    await refused(shop_of_people, lambda: give_due(shop_of_people.shop, "nobody"), "MEMBER_UNKNOWN")


async def test_a_sleeper_is_woken_at_night_while_the_budget_lasts(shop_of_people: Bench) -> None:
    bench = shop_of_people
    for name in "abc":
        await bench.join(name, card(name))
    await night.run(bench.shop)
    go_to(bench, at("2026-08-04", "23:59"))
    await night.run(bench.shop)
    assert ("campaign",) not in bench.rows("SELECT kind FROM event")
    go_to(bench, at("2026-08-05", "00:01"))
    await night.run(bench.shop)
    await night.run(bench.shop)
    assert bench.rows("SELECT kind FROM event").count(("campaign",)) == 1
    assert bench.rows("SELECT used FROM claim WHERE key = 'budget/c'") == [(5,)]


# ---- a card is free after a spend -------------------------------------------------------------------------
async def test_a_card_after_receipts(shop_of_people: Bench) -> None:
    bench = shop_of_people
    set_rules(bench, membership={"gate": "cumulative_spend", "gate_minor": 2400})
    receipts = [(await bench.buy(None)).receipt for _ in range(3)]
    of_member = (await bench.buy(await free_card(bench, "m"))).receipt

    def join(name: str, *shown: str, paying: int = 0) -> Callable[[], Awaitable[object]]:
        joining = Joining(bench.key(), name, "", (card(name),), "s-1", receipts=shown, paying_minor=paying)
        return lambda: register_member(bench.shop, joining)

    await refused(bench, join("a"), "GATE_SPEND_MISSING")
    await refused(bench, join("a", receipts[0]), "GATE_SPEND_MISSING")
    await refused(bench, join("a", receipts[0], receipts[0]), "GATE_RECEIPT_USED")
    await refused(bench, join("a", receipts[0], of_member), "GATE_RECEIPT_USED")
    await refused(bench, join("a", "never sold"), "RECEIPT_INVALID")
    await join("a", receipts[0], receipts[1])()
    await refused(bench, join("b", receipts[1], receipts[2]), "GATE_RECEIPT_USED")
    returned = await bench.buy(None)
    assert returned.event.body.sale is not None
    await void_sale(bench.shop, VoidCommand(bench.key(), returned.event.body.sale.id, "s-1", "en"))
    await refused(bench, join("b", receipts[2], returned.receipt), "GATE_SPEND_MISSING")
    await join("b", receipts[2], paying=1200)()
    assert len(bench.rows("SELECT 1 FROM member")) == 3


async def free_card(bench: Bench, name: str) -> str:
    joining = Joining(bench.key(), name, "", (card(name),), "s-1", paying_minor=2400)
    return (await register_member(bench.shop, joining)).event.body.member or ""


# ---- check-in ---------------------------------------------------------------------------------------------
async def test_check_in_once_a_day_with_a_gift_from_stock(shop_of_people: Bench) -> None:
    bench = shop_of_people
    for name in "abcd":
        await bench.join(name, card(name))
    first = await check_in(bench.shop, CheckInCommand("k1", card("a")))
    assert [reason.code for reason in first.event.body.reasons] == [
        "CHECKED_IN",
        "GAINED_POINTS",
        "GAINED_GIFT",
    ]
    assert (await check_in(bench.shop, CheckInCommand("k1", card("a")))).replayed
    with pytest.raises(Conflict, match="IDEMPOTENCY_MISMATCH"):
        await check_in(bench.shop, CheckInCommand("k1", card("b")))
    await refused(bench, lambda: check_in(bench.shop, CheckInCommand("k2", card("a"))), "CHECK_IN_ALREADY")
    for key, name in (("k3", "b"), ("k4", "c")):
        await check_in(bench.shop, CheckInCommand(key, card(name)))
    last = await check_in(bench.shop, CheckInCommand("k5", card("d")))
    assert "GAIN_EXHAUSTED" in [reason.code for reason in last.event.body.reasons], "three cups in all"
    go_to(bench, at("2026-05-05", "00:00"))
    assert not (await check_in(bench.shop, CheckInCommand("k6", card("a")))).replayed


async def test_check_in_needs_a_card_that_is_known(shop_of_people: Bench) -> None:
    bench = shop_of_people
    await bench.join("a", card("a"), phone="13812345678")
    phone = Presented("phone", "13812345678", 0, "typed")
    await refused(bench, lambda: check_in(bench.shop, CheckInCommand("k1", phone)), "CHECK_IN_NEEDS_CARD")
    await refused(bench, lambda: check_in(bench.shop, CheckInCommand("k1", card("x"))), "CARD_UNKNOWN")
    assert not (await check_in(bench.shop, CheckInCommand("k1", phone, at_kiosk=False, staff="s-1"))).replayed


# ---- surveys and shares -----------------------------------------------------------------------------------
async def test_a_survey_is_answered_once(shop_of_people: Bench) -> None:
    bench = shop_of_people
    member = await bench.join("a", card("a"))
    await refused(bench, lambda: answer_survey(bench.shop, "k0", member, "s", (2,)), "ANSWER_UNKNOWN")
    await refused(bench, lambda: answer_survey(bench.shop, "k0", member, "s", (2**63,)), "ANSWER_UNKNOWN")
    await refused(bench, lambda: answer_survey(bench.shop, "k0", "nobody", "s", (1,)), "MEMBER_UNKNOWN")
    recorded = await answer_survey(bench.shop, "k1", member, "s", (1,))
    assert recorded.event.body.facts == {"survey": "s", "answers": "1", "right": 0}
    assert (await answer_survey(bench.shop, "k1", member, "s", (1,))).replayed
    await refused(bench, lambda: answer_survey(bench.shop, "k2", member, "s", (1,)), "SURVEY_ANSWERED")
    assert await bench.points(member) == 50


async def test_a_story_counts_once(shop_of_people: Bench) -> None:
    bench = shop_of_people
    member = await bench.join("a", card("a"))
    await approve_share(bench.shop, "k1", member, "story", "story-1", "s-1")
    await refused(
        bench, lambda: approve_share(bench.shop, "k2", member, "story", "story-1", "s-1"), "SHARE_COUNTED"
    )
    await refused(
        bench, lambda: approve_share(bench.shop, "k2", member, "story", "story-2", "s-1"), "SHARE_LIMIT"
    )
    assert await bench.points(member) == 45


# ---- entitlements and tiers -------------------------------------------------------------------------------
async def test_a_right_comes_and_goes_with_its_tier(shop_of_people: Bench) -> None:
    bench = shop_of_people
    member = await bench.join("a", card("a"))
    use = UseCommand("k1", card("a"), "lounge", place="door 1")
    await refused(bench, lambda: use_entitlement(bench.shop, use), "ENTITLEMENT_NOT_YOURS")
    await bench.buy(member, EARPHONES)
    assert [right.entitlement.id for right in await rights_of(bench.shop, card("a"))] == ["lounge"]
    await use_entitlement(bench.shop, use)
    again = UseCommand("k2", card("a"), "lounge")
    await refused(bench, lambda: use_entitlement(bench.shop, again), "ENTITLEMENT_USED_UP")
    go_to(bench, at("2026-06-03", "23:59:59"))
    assert [right.entitlement.id for right in await rights_of(bench.shop, card("a"))] == ["lounge"]
    go_to(bench, at("2026-06-04", "00:00"))
    assert (await state(bench, member)).tier == "gold", "the rule of a lifetime's spend renews it"


async def test_staff_give_a_tier_with_a_reason(shop_of_people: Bench) -> None:
    bench = shop_of_people
    member = await bench.join("a", card("a"))
    gift = GiveTier("gold", "anniversary", "s-1", at("2026-07-01", "00:00"))
    recorded = await give_tier(bench.shop, "k1", member, gift)
    assert recorded.event.body.facts == {"why": "anniversary"}
    assert (await give_tier(bench.shop, "k1", member, gift)).replayed
    await refused(
        bench, lambda: give_tier(bench.shop, "k2", member, GiveTier("platinum", "x", "s-1")), "TIER_UNKNOWN"
    )
    await refused(bench, lambda: give_tier(bench.shop, "k2", "nobody", gift), "MEMBER_UNKNOWN")
    go_to(bench, at("2026-06-30", "23:59:59"))
    await night.run(bench.shop)
    assert (await state(bench, member)).tier == "gold"
    go_to(bench, at("2026-07-01", "00:00:01"))
    await night.run(bench.shop)
    held = await state(bench, member)
    assert (held.tier, tiering.current(held, bench.shop.program, bench.clock.now()).id) == ("base", "base")


async def test_a_tier_below_the_rule_is_not_given(shop_of_people: Bench) -> None:
    bench = shop_of_people
    member = await bench.join("a", card("a"))
    await bench.buy(member, EARPHONES)
    lower = GiveTier("base", "x", "s-1")
    await refused(bench, lambda: give_tier(bench.shop, "k", member, lower), "TIER_BELOW_RULE")


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-08:00"])
async def test_a_tier_is_not_locked_until_the_end_of_the_calendar(shop_of_people: Bench, until: str) -> None:
    bench = shop_of_people
    await bench.join("a", card("a"))
    staff = Staff("s-1", "manager", "en", Throttle(bench.clock))
    asked = {"member": "a", "tier": "gold", "why": "x", "locked_until": until}
    tier = registry.find("tier")
    await refused(
        bench,
        lambda: registry.run(bench.shop, tier, registry.read_words(tier, asked), staff),
        "TIER_LOCK_IMPOSSIBLE",
    )
