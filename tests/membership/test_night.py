"""What the calendar makes due is written once, whenever it is run and however often (section 3.7)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.loyalty import days, gains
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import BONUS, Credited, Lot
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import lifecycle
from tapledger.loyalty.life.lifecycle import Change
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Expiry, Program
from tapledger.loyalty.rewards import redeeming
from tapledger.loyalty.value import storing
from tapledger.membership import night
from tapledger.membership.night import Done
from tapledger.membership.shop import change_member, operation
from tapledger.store import members
from tapledger.wire.messages import FeedPage, FeedRow, SealedProfile
from tests.store.shops import TOWEL, Bench, HandClock, card

HOUR_S, DAY_S = 3600, 86_400
ZONES = ("Asia/Shanghai", "America/New_York", "Africa/Cairo")


def change(bench: Bench, **changes: Any) -> Program:
    bench.shop.program = msgspec.structs.replace(bench.shop.program, **changes)
    return bench.shop.program


def expiring(bench: Bench, count: int = 30, zone: str = "Asia/Shanghai") -> Program:
    return change(bench, expiry=Expiry("days", count), timezone=zone)


def kinds(bench: Bench) -> list[str]:
    return [kind for (kind,) in bench.rows("SELECT kind FROM event ORDER BY epoch, seq")]


def move_to(clock: HandClock, instant: dt.datetime) -> None:
    clock.move((instant - clock.now()).total_seconds())


@pytest.mark.parametrize("zone", ZONES)
async def test_points_expire_at_the_first_instant_of_a_local_day(bench: Bench, zone: str) -> None:
    rules = expiring(bench, 30, zone)
    li = await bench.join("Li", card("li"))
    await bench.buy(li)
    assert (await night.run(bench.shop)).events == 0
    ends = days.expires_at(rules.expiry, bench.clock.now(), rules.zone())
    assert ends is not None
    move_to(bench.clock, ends - dt.timedelta(seconds=1))
    assert (await night.run(bench.shop)).events == 0
    assert await bench.points(li) == 12
    bench.clock.move(1)
    assert await bench.points(li) == 0
    assert (await night.run(bench.shop)).events == 1, "at the very instant"
    assert kinds(bench).count("expire") == 1


async def test_a_second_run_finds_nothing_to_do(bench: Bench) -> None:
    expiring(bench)
    for name in ("Li", "Wu"):
        await bench.buy(await bench.join(name, card(name)))
    bench.clock.move(31 * DAY_S)
    assert (await night.run(bench.shop)).events == 2
    before = bench.tables()
    assert await night.run(bench.shop) == Done()
    assert bench.tables() == before


async def test_a_shop_that_was_closed_skips_nothing(bench: Bench) -> None:
    expiring(bench, 1)
    li = await bench.join("Li", card("li"))
    for _ in range(3):
        await bench.buy(li)
        bench.clock.move(DAY_S)
    bench.clock.move(100 * DAY_S)
    await night.run(bench.shop)
    ((raw,),) = bench.rows("SELECT count(*) FROM event WHERE kind = 'expire'")
    assert raw == 1
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, li))
    assert stored is not None
    assert stored.member.lots == ()


async def test_a_run_that_is_cut_short_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    expiring(bench)
    for name in ("Li", "Wu", "Ma"):
        await bench.buy(await bench.join(name, card(name)))
    bench.clock.move(31 * DAY_S)
    kept, calls = night._do_all, []

    def stops(*args: Any) -> int:
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit
        return kept(*args)

    monkeypatch.setattr(night, "_do_all", stops)
    with pytest.raises(SystemExit):
        await night.run(bench.shop)
    monkeypatch.undo()
    await bench.restart()
    expiring(bench)
    assert (await night.run(bench.shop)).events == 2
    assert kinds(bench).count("expire") == 3


async def test_one_member_in_trouble_does_not_keep_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiring(bench)
    people = [await bench.join(name, card(name)) for name in ("Li", "Wu")]
    for one in people:
        await bench.buy(one)
    bench.clock.move(31 * DAY_S)
    kept = night._do_all

    def refuses(shop: Any, member: str, tx: Any) -> int:
        if member == people[0]:
            raise Refused("MEMBER_FROZEN")
        return kept(shop, member, tx)

    monkeypatch.setattr(night, "_do_all", refuses)
    done = await night.run(bench.shop)
    assert (done.events, done.failed) == (1, (f"{people[0]} MEMBER_FROZEN",))
    monkeypatch.undo()
    assert (await night.run(bench.shop)).events == 0
    bench.clock.move(HOUR_S + 1)
    assert (await night.run(bench.shop)).events == 1


async def test_nothing_is_decided_by_a_clock_that_went_back(bench: Bench) -> None:
    expiring(bench, 1)
    li = await bench.join("Li", card("li"))
    await bench.buy(li)
    bench.clock.move(30 * DAY_S)
    await bench.buy(li)
    bench.clock.move(-20 * DAY_S)
    before = bench.tables()
    assert await night.run(bench.shop) == Done(waits_for_clock=True)
    assert bench.tables() == before
    bench.clock.move(20 * DAY_S)
    assert (await night.run(bench.shop)).events == 1


async def test_spending_keeps_points_that_lapse_by_inactivity(bench: Bench) -> None:
    change(bench, expiry=Expiry("inactivity", 1))
    li = await bench.join("Li", card("li"))
    await bench.buy(li)
    for _ in range(3):
        bench.clock.move(25 * DAY_S)
        await bench.buy(li)
        assert (await night.run(bench.shop)).events == 0
    assert await bench.points(li) == 48
    bench.clock.move(33 * DAY_S)
    assert (await night.run(bench.shop)).events == 1
    assert await bench.points(li) == 0


async def test_points_of_a_lapsed_voucher_expire_with_their_lot(bench: Bench) -> None:
    """Their lot expired while they were set aside: they come back worth nothing, and are written off."""
    expiring(bench, 10)
    li = await bench.join("Li", card("li"))
    await bench.buy(li)
    await bench.redeem(li, "cup")
    bench.clock.move(32 * DAY_S)
    done = await night.run(bench.shop)
    assert (done.vouchers, done.events) == (1, 1)
    assert await bench.points(li) == 0
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, li))
    assert stored is not None
    assert stored.member.lots == ()
    assert await night.run(bench.shop) == Done()


async def test_what_expires_after_todays_entry_is_written_tomorrow(bench: Bench) -> None:
    expiring(bench, 10)
    li = await bench.join("Li", card("li"))
    await bench.buy(li)
    await bench.redeem(li, "cup")
    bench.clock.move(12 * DAY_S)
    assert (await night.run(bench.shop)).events == 1  # 2 of the 12 points
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, li))
    assert stored is not None
    hold = stored.member.holds[0].id

    await change_member(
        bench.shop,
        operation("undo", hold),
        li,
        lambda tx, known, now: redeeming.decide_release(known.member, hold, None, bench.shop.program, now),
    )
    assert (await night.run(bench.shop)).events == 0
    bench.clock.move(DAY_S)
    assert (await night.run(bench.shop)).events == 1
    assert kinds(bench).count("expire") == 2


async def test_members_who_left_lose_their_points_when_the_window_closes(bench: Bench) -> None:
    li = await bench.join("Li", card("li"))
    await bench.buy(li)
    await change_member(
        bench.shop,
        operation("bye", li),
        li,
        lambda tx, known, now: lifecycle.decide_cancel(known.member, Change("s-1"), bench.shop.program, now),
    )
    bench.clock.move(30 * DAY_S)
    assert (await night.run(bench.shop)).lapsed == 0
    bench.clock.move(DAY_S)
    assert (await night.run(bench.shop)).lapsed == 1
    assert await bench.points(li) == 0
    assert await night.run(bench.shop) == Done()


async def test_a_tier_is_reviewed_on_its_day(bench: Bench) -> None:
    from tapledger.loyalty.program import Tier

    base = bench.shop.program.tiers[0]
    change(bench, tiers=[base, Tier("gold", {"en": "Gold"}, 1000, valid_days=30)])
    li = await bench.join("Li", card("li"))
    await bench.buy(li, TOWEL)
    bench.clock.move(32 * DAY_S)
    done = await night.run(bench.shop)
    assert done.events == kinds(bench).count("review") == 1
    assert await night.run(bench.shop) == Done()


async def test_members_of_a_first_release_store_are_looked_after(bench: Bench) -> None:
    """The migration lists everybody who joined here; those of other shops are theirs."""
    li = await bench.join("Li", card("li"))
    assert bench.rows("SELECT member FROM due") == [(li,)]
    assert (await night.run(bench.shop)).looked_at == 1
    assert bench.rows("SELECT at_ms FROM due") == [(None,)]


async def test_any_number_of_bonuses_that_waited_is_given(bench: Bench) -> None:
    li = await bench.join("Li", card("li"))
    lots = [Lot(f"{number:064}", 100, 100, gains.FAR, None, pool=BONUS) for number in range(100)]
    body = EventBody(
        kind="topup",
        at=bench.clock.now(),
        program=bench.shop.program.version,
        member=li,
        effects=tuple(Credited(lot) for lot in lots),
    )
    await change_member(
        bench.shop, operation("topups"), li, lambda tx, known, now: decision(known.member, body)
    )
    bench.shop.reachable = True
    await bench.shop.store.acknowledge(1, len(kinds(bench)))
    done = await night.run(bench.shop)
    assert (done.events, done.failed) == (1, ())
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, li))
    assert stored is not None and storing.waiting_bonus(stored.member) == ()
    assert await night.run(bench.shop) == Done()


async def test_what_central_told_of_a_member_is_let_go_after_a_week(bench: Bench) -> None:
    own = await bench.join("Ann", card("own"))
    told = [Member(f"m-{number}", bench.clock.now()) for number in range(2)]

    async def hear(member: Member, version: int) -> None:
        profile = SealedProfile(member=member.id, digest="0" * 64, sealed=b"sealed")
        row = FeedRow.of(member, version=version, profile=profile)
        await bench.shop.store.apply_page(
            FeedPage(rows=[row], cursor=version, more=False, at=bench.clock.now())
        )

    async def named() -> set[str]:
        await night.run(bench.shop)
        return {name for (name,) in bench.rows("SELECT member FROM profile")}

    for version, member in enumerate(told, 1):
        await hear(member, version)
    assert await named() == {own, "m-0", "m-1"}
    bench.clock.move(6 * DAY_S)
    await hear(told[1], 3)
    assert await named() == {own, "m-0", "m-1"}
    bench.clock.move(DAY_S)
    assert await named() == {own, "m-0", "m-1"}, "seven days to the second"
    bench.clock.move(1)
    assert await named() == {own, "m-1"}, "who changed since is kept"
    bench.clock.move(6 * DAY_S)
    assert await named() == {own}, "its own members stay"
    await hear(told[0], 4)
    assert await named() == {own, "m-0"}, "told again, known again"
