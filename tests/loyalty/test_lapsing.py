"""Expiry is written once, changes no balance, and yields to what was spent in time (sections 3.7, 5.14)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty import days, gains, ledger, lots, members, tallies
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Debited, Hold, Lapsed, Lot, LotTake
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Expiry
from tapledger.loyalty.value.lapsing import Owed, decide_expire, expired, liability, next_expiry
from tests.loyalty.givens import (
    DAY,
    MEMBER,
    NOON,
    PROGRAM,
    after,
    available,
    lot,
    member,
    posted,
    program,
)

SECOND = dt.timedelta(seconds=1)
ENDS = NOON + DAY
POINTS_ACCOUNT = ledger.member_points(MEMBER)


def spend(who: Member, points: int, now: dt.datetime) -> EventBody:
    takes = lots.take(who.lots, points, now)
    lines = (Line(POINTS_ACCOUNT, "POINT", -points), Line(ledger.PROGRAM_POINTS, "POINT", points))
    return EventBody(
        kind="sale", at=now, program="1", member=MEMBER, lines=lines, effects=(Debited(takes, POINTS),)
    )


def value_lot(id_: str, amount: int, pool: str, ends: dt.datetime | None) -> Lot:
    return Lot(id_, amount, amount, NOON - DAY, ends, pool)


def test_what_expired_is_written_off_once() -> None:
    who = member(lot("old", 100, ENDS), lot("older", 30, NOON), lot("kept", 5))
    done = decide_expire(who, PROGRAM, ENDS)
    assert done is not None
    assert posted(done, POINTS_ACCOUNT) == -130
    assert posted(done, ledger.PROGRAM_POINTS) == 130
    assert [kept.id for kept in after(done).lots] == ["kept"]
    assert done.body.reasons[0].data == {"points": 130}
    assert decide_expire(after(done), PROGRAM, ENDS + 99 * DAY) is None


def test_nothing_is_written_a_moment_too_early() -> None:
    who = member(lot("old", 100, ENDS))
    assert decide_expire(who, PROGRAM, ENDS - SECOND) is None
    assert decide_expire(who, PROGRAM, ENDS) is not None


def test_writing_it_changes_no_balance() -> None:
    who = member(lot("old", 100, ENDS), lot("kept", 5))
    done = decide_expire(who, PROGRAM, ENDS)
    assert done is not None
    for now in (ENDS, ENDS + 9 * DAY):
        assert members.points(who, now) == members.points(after(done), now)


def test_points_that_wait_expire_too_and_a_deficit_stays() -> None:
    waits = Lot("waits", 40, 40, gains.FAR, ENDS)
    owing = Member(MEMBER, NOON, lots=(waits,), deficit=7)
    done = decide_expire(owing, PROGRAM, ENDS)
    assert done is not None
    assert posted(done, POINTS_ACCOUNT) == -40
    assert after(done).deficit == 7


def test_a_deficit_is_repaid_before_the_rest_expires() -> None:
    done = decide_expire(
        Member(MEMBER, NOON, lots=(lot("old", 100, ENDS),), deficit=30), PROGRAM, ENDS - SECOND
    )
    assert done is None
    repaid = members.as_of(Member(MEMBER, NOON, lots=(lot("old", 100, ENDS),), deficit=30), NOON)
    done = decide_expire(repaid, PROGRAM, ENDS)
    assert done is not None
    assert posted(done, POINTS_ACCOUNT) == -70


def test_bonus_is_forfeited_as_money_and_principal_stays() -> None:
    who = member(value_lot("p", 900, PRINCIPAL, None), value_lot("b", 100, BONUS, ENDS))
    done = decide_expire(who, PROGRAM, ENDS)
    assert done is not None
    assert posted(done, ledger.member_value(MEMBER, BONUS), "CNY") == 100
    assert posted(done, ledger.FORFEITED, "CNY") == -100
    assert members.value(after(done), PRINCIPAL, ENDS) == 900


# ---- X10: a spend made in time that arrives late ----------------------------------------------------------
def test_X10_a_late_spend_from_an_expired_lot_makes_no_deficit() -> None:
    start = member(lot("old", 100, ENDS))
    late = spend(start, 40, ENDS - SECOND)
    done = decide_expire(start, PROGRAM, ENDS)
    assert done is not None
    in_order = members.fold(members.fold(start, late), done.body)
    assert (available(in_order, ENDS), in_order.deficit) == (0, 0)
    fixed = decide_expire(in_order, PROGRAM, ENDS + DAY)
    assert fixed is not None
    assert posted(fixed, POINTS_ACCOUNT) == 40
    assert fixed.body.reasons[0].code == "EXPIRY_TAKEN_BACK"
    assert after(fixed).tallies == {}
    bodies = (late, done.body, fixed.body)
    assert (
        100 + sum(line.amount for body in bodies for line in body.lines if line.account == POINTS_ACCOUNT)
        == 0
    )
    assert decide_expire(after(fixed), PROGRAM, ENDS + 2 * DAY) is None


def test_X10_the_correction_and_the_next_expiry_are_one_entry() -> None:
    who = member(lot("old", 100, ENDS), lot("next", 60, ENDS + DAY))
    late = spend(member(lot("old", 100, ENDS)), 40, NOON)
    done = decide_expire(who, PROGRAM, ENDS)
    assert done is not None
    both = members.fold(members.fold(who, late), done.body)
    again = decide_expire(both, PROGRAM, ENDS + DAY)
    assert again is not None
    assert posted(again, POINTS_ACCOUNT) == 40 - 60


def test_a_take_that_is_gone_is_counted_for_its_pool() -> None:
    body = EventBody(
        kind="expire", at=NOON, program="1", member=MEMBER, effects=(Lapsed((LotTake("x", 5),), BONUS),)
    )
    assert members.fold(member(), body).tallies == {tallies.of_overlapse(BONUS): {NOON.toordinal(): 5}}


# ---- dates ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Africa/Cairo"])
def test_the_first_instant_of_the_next_local_day(zone: str) -> None:
    rules = program(timezone=zone, expiry=Expiry("days", 1))
    ends = days.expires_at(rules.expiry, NOON, rules.zone())
    assert ends is not None
    who = member(lot("old", 100, ends))
    assert decide_expire(who, rules, ends - SECOND) is None
    done = decide_expire(who, rules, ends)
    assert done is not None
    assert ends.astimezone(rules.zone()).date() == days.local_day(NOON, rules.zone()) + 2 * DAY


def test_next_expiry_is_the_first_that_is_still_to_come() -> None:
    who = member(lot("gone", 1, NOON), lot("b", 1, ENDS + DAY), lot("a", 1, ENDS), lot("never", 1))
    assert next_expiry(who, NOON) == ENDS
    assert next_expiry(who, ENDS) == ENDS + DAY
    assert next_expiry(member(lot("never", 1)), NOON) is None
    assert expired(who, POINTS, NOON) == (LotTake("gone", 1, NOON),)


LOTS = st.lists(
    st.tuples(st.integers(1, 500), st.integers(-3, 6), st.one_of(st.none(), st.integers(1, 8))), max_size=6
)


def made_of(made: list[tuple[int, int, int | None]], deficit: int = 0) -> Member:
    """Return a member with lots of so many points, from and for so many days."""
    begun = tuple(
        Lot(
            str(number),
            points,
            points,
            NOON + begins * DAY,
            None if lasts is None else NOON + (begins + lasts) * DAY,
        )
        for number, (points, begins, lasts) in enumerate(made)
    )
    return Member(MEMBER, NOON, lots=begun, deficit=deficit)


@given(LOTS, st.integers(0, 800))
def test_P8_what_is_there_and_to_come_never_grows_by_time_alone(
    made: list[tuple[int, int, int | None]], deficit: int
) -> None:
    who = made_of(made, deficit)
    seen = []
    for hours in range(0, 15 * 24, 12):
        now = members.points(who, NOON + dt.timedelta(hours=hours))
        seen.append(now.available + now.pending - now.deficit)
    assert seen == sorted(seen, reverse=True)


@given(LOTS, st.lists(st.tuples(st.integers(0, 14), st.integers(1, 400)), max_size=5), st.integers(1, 14))
def test_I1_lots_less_deficit_is_what_the_lines_say(
    made: list[tuple[int, int, int | None]], spends: list[tuple[int, int]], every: int
) -> None:
    """Spends of a shop that was away are folded in their order, whenever the expiries were written."""
    start = made_of([(points, 0, lasts) for points, _, lasts in made])
    written, unaware = list[EventBody](), start
    for day in range(0, 15, every):
        done = decide_expire(unaware, PROGRAM, NOON + day * DAY)
        if done is not None:
            written.append(done.body)
            unaware = after(done)
    away, elsewhere = list[EventBody](), start
    for day, points in sorted(spends):
        now = NOON + day * DAY + SECOND
        points = min(points, available(elsewhere, now))
        if points:
            away.append(spend(elsewhere, points, now))
            elsewhere = members.fold(elsewhere, away[-1])
    who, posted_points = start, sum(one.amount for one in start.lots)
    for body in sorted((*written, *away), key=lambda one: one.at):
        who = members.fold(who, body)
        posted_points += sum(line.amount for line in body.lines if line.account == POINTS_ACCOUNT)
    last = decide_expire(who, PROGRAM, NOON + 20 * DAY)
    if last is not None:
        who = after(last)
        posted_points += sum(line.amount for line in last.body.lines if line.account == POINTS_ACCOUNT)
    assert sum(one.remaining for one in who.lots) - who.deficit == posted_points
    assert who.deficit == 0
    assert who.tallies == {}


# ---- what the shop owes -----------------------------------------------------------------------------------
def test_liability_by_the_month_of_the_last_valid_day() -> None:
    rules = program(point_value_micro=15_000)  # 0.015 fen a point
    end_of_may = dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC)  # the last day is 31 May in Shanghai
    one = member(
        lot("a", 1100, end_of_may),
        lot("waits", 500, end_of_may + DAY, NOON + DAY),
        lot("gone", 70, NOON),
        lot("first moment", 1, end_of_may + dt.timedelta(microseconds=1)),
        value_lot("p", 900, PRINCIPAL, None),
        value_lot("b", 100, BONUS, end_of_may + DAY),
    )
    held = Hold("h", "tea", "Tea", 50, (LotTake("never", 50),), NOON, "v", NOON + DAY)
    other = Member("m-2", NOON, lots=(lot("never", 30),), holds=(held,))
    assert liability([one, other], rules, NOON) == [
        Owed("2026-05", 1100, 17),  # 16.5, half up
        Owed("2026-06", 501, 8, 0, 100),  # 7.515
        Owed("", 80, 1, 900, 0),
    ]
    assert liability([], rules, NOON) == []


def test_liability_is_less_what_a_member_owes_themselves() -> None:
    owing = Member(MEMBER, NOON, lots=(lot("a", 100),), deficit=30)
    other = Member("m-2", NOON, lots=(lot("b", 10),), deficit=50)
    assert liability([owing, other], PROGRAM, NOON) == [Owed("", 70, 0)]


def test_expiry_of_a_member_without_lots_is_nothing() -> None:
    assert decide_expire(member(), PROGRAM, NOON) is None
