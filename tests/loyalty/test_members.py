"""What a member has is a fold: nothing is lost, nothing is made, and every order of events is survived."""

from __future__ import annotations

import datetime as dt
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.effects import (
    Credential,
    Credited,
    Debited,
    Effect,
    HoldSettled,
    Lot,
    LotTake,
    Tallied,
    TierSet,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life.cards import decide_link
from tapledger.loyalty.members import Member, Points, fold, points, replace
from tapledger.loyalty.people.joining import Join, decide_join
from tapledger.loyalty.rewards.redeeming import decide_fulfil, decide_hold, decide_release
from tests.loyalty.givens import (
    DAY,
    MEMBER,
    NOON,
    PROGRAM,
    TODAY,
    after,
    available,
    buy,
    hold_of,
    line,
    lot,
    member,
    posted,
    program,
    redeem,
    rich,
    spend_of,
)

CARD = Credential("card", "index-1", 1)
OPEN_HANDED = program(unsettled_points=10**9)


def event(kind: str, *effects: Effect, at: dt.datetime = NOON) -> EventBody:
    return EventBody(kind=kind, at=at, program="test-1", member=MEMBER, effects=effects)


def earn(id_: str, amount: int, ends: dt.datetime | None = None, at: dt.datetime = NOON) -> EventBody:
    lot = Lot(id_, amount, amount, at, ends)
    return event("sale", Credited(lot), Tallied(tallies.SPEND, TODAY, amount * 100), at=at)


def spend(*taken: LotTake, at: dt.datetime = NOON) -> EventBody:
    return event("sale", Debited(taken), at=at)


def worth(who: Member) -> int:
    """I1: what all entries of the member sum to."""
    return sum(one.remaining for one in who.lots) - who.deficit


# ---- joining ---------------------------------------------------------------------------------------------
def test_joining_starts_in_the_lowest_tier_with_nothing() -> None:
    who = after(decide_join(Join(MEMBER, (CARD,), "digest", "staff-1"), PROGRAM, NOON))
    assert (who.id, who.joined_at, who.tier, who.credentials) == (MEMBER, NOON, "normal", (CARD,))
    assert points(who, NOON) == Points(0, 0, 0, 0, None)


def test_a_second_credential_is_linked_once() -> None:
    who = after(decide_join(Join(MEMBER, (CARD,), None, None), PROGRAM, NOON))
    phone = Credential("phone", "index-2", 0)
    linked = after(decide_link(who, phone, None, PROGRAM, NOON))
    assert linked.credentials == (CARD, phone)
    with pytest.raises(Refused, match="CREDENTIAL_ALREADY_YOURS"):
        decide_link(linked, replace(phone, kind="barcode"), None, PROGRAM, NOON)


def test_an_event_of_nobody_changes_no_member() -> None:
    with pytest.raises(ValueError, match="without a member"):
        fold(None, EventBody(kind="sale", at=NOON, program="test-1"))


def test_a_fact_is_taken_even_when_the_joining_comes_later() -> None:
    sold = fold(None, earn("a", 5, at=NOON + DAY))
    joined = fold(sold, event("join", TierSet("normal")))
    assert (joined.joined_at, available(joined, NOON + DAY)) == (NOON, 5)


# ---- counting --------------------------------------------------------------------------------------------
def test_numbers_are_right_without_any_expiry_job() -> None:
    who = member(lot("a", 100, NOON + DAY), lot("b", 30), lot("p", 7, begins=NOON + DAY), lot("old", 9, NOON))
    counted = points(who, NOON)
    assert (counted.available, counted.pending, counted.next_expiry) == (130, 7, (100, NOON + DAY))
    assert points(who, NOON + DAY).available == 37
    assert points(who, NOON + DAY).next_expiry is None


def test_points_that_lapse_together_are_told_together() -> None:
    """G29: 100 until March, 200 until June, 50 for ever."""
    march, june = NOON + 10 * DAY, NOON + 100 * DAY
    who = member(lot("a", 60, march), lot("b", 40, march), lot("c", 200, june), lot("d", 50))
    assert points(who, NOON).next_expiry == (100, march)
    assert points(who, march).next_expiry == (200, june)
    assert points(who, june).next_expiry is None


def test_nothing_is_available_while_there_is_a_deficit() -> None:
    counted = points(member(lot("p", 50, begins=NOON + DAY), deficit=20), NOON)
    assert (counted.available, counted.deficit, counted.next_expiry) == (0, 20, None)


def test_a_pending_lot_repays_once_it_is_available() -> None:
    """Decisions (e): pending points may still be taken back, so they pay nothing before their day."""
    who = member(lot("p", 50, NOON + 9 * DAY, begins=NOON + DAY), deficit=20)
    assert points(who, NOON) == Points(0, 50, 0, 20, None)
    assert points(who, NOON + DAY) == Points(30, 0, 0, 0, (30, NOON + 9 * DAY))
    later = fold(who, event("link", at=NOON + DAY))
    assert (later.deficit, [one.remaining for one in later.lots]) == (0, [30])
    assert points(later, NOON + DAY) == points(who, NOON + DAY)


@given(
    st.lists(st.tuples(st.integers(1, 99), st.integers(-5, 40)), max_size=8),
    st.integers(0, 40),
    st.integers(0, 9),
)
def test_available_never_grows_by_waiting(lots: list[tuple[int, int]], day: int, later: int) -> None:
    """P8: available and pending together do not grow between entries."""
    who = member(*(lot(f"lot-{n}", amount, NOON + days * DAY) for n, (amount, days) in enumerate(lots)))
    now, then = points(who, NOON + day * DAY), points(who, NOON + (day + later) * DAY)
    assert 0 <= then.available + then.pending <= now.available + now.pending


# ---- hold, fulfil, release -------------------------------------------------------------------------------
savings = st.lists(
    st.tuples(st.integers(1, 900), st.none() | st.integers(1, 400)), min_size=1, max_size=6
).map(
    lambda drawn: member(
        lot("first", 500, NOON + DAY),
        *(
            lot(f"lot-{n}", amount, None if d is None else NOON + d * DAY)
            for n, (amount, d) in enumerate(drawn)
        ),
    )
)


@given(savings)
def test_release_restores_exactly(who: Member) -> None:
    held = decide_hold(who, redeem("mug"), PROGRAM, NOON)
    released = decide_release(after(held), "hold-1", "staff-1", PROGRAM, NOON)
    assert after(released) == who
    assert posted(held, f"member/{MEMBER}/points") == -posted(released, f"member/{MEMBER}/points") == -500
    assert posted(held, f"member/{MEMBER}/held") == -posted(released, f"member/{MEMBER}/held") == 500


@given(savings)
def test_fulfil_spends_exactly(who: Member) -> None:
    held = decide_hold(who, redeem("mug"), PROGRAM, NOON)
    fulfilled = decide_fulfil(after(held), "hold-1", "staff-1", PROGRAM, NOON)
    done = after(fulfilled)
    assert worth(done) == worth(who) - 500
    assert (available(done), points(done, NOON).held, done.holds) == (available(who) - 500, 0, ())
    assert all(one.remaining for one in done.lots), "what is used up is forgotten"
    assert posted(fulfilled, f"member/{MEMBER}/held") == -500
    assert posted(fulfilled, "program/points") == 500


@given(savings)
def test_held_points_are_neither_available_nor_gone(who: Member) -> None:
    counted = points(after(decide_hold(who, redeem("mug"), PROGRAM, NOON)), NOON)
    assert (counted.available, counted.held) == (available(who) - 500, 500)


def test_released_points_keep_their_own_expiry() -> None:
    who = member(lot("short", 500, NOON + DAY))
    held = after(decide_hold(who, redeem("mug"), PROGRAM, NOON))
    late = after(decide_release(held, "hold-1", None, PROGRAM, NOON + 2 * DAY))
    assert available(late, NOON + 2 * DAY) == 0
    assert late.lots == who.lots


def test_a_used_up_lot_is_kept_while_any_hold_may_give_it_back() -> None:
    who = member(lot("a", 160, NOON + DAY))
    for hold in ("first", "second"):
        who = after(decide_hold(who, redeem("coffee", hold), PROGRAM, NOON))
    who = after(decide_fulfil(who, "first", None, PROGRAM, NOON))
    who = after(decide_release(who, "second", None, PROGRAM, NOON))
    assert points(who, NOON).next_expiry == (80, NOON + DAY)


def test_an_unknown_settlement_changes_nothing() -> None:
    who = rich()
    for kind, given_back in (("fulfil", False), ("release", True)):
        assert fold(who, event(kind, HoldSettled("elsewhere", given_back))) == who


# ---- two shops at once -----------------------------------------------------------------------------------
def overspent(who: Member, *holds: str) -> Member:
    """Fold holds that shops decided without knowing of each other."""
    for decided in [decide_hold(who, redeem("mug", hold), OPEN_HANDED, NOON) for hold in holds]:
        who = fold(who, decided.body)
    return who


def test_two_shops_spend_the_same_points_and_the_next_credit_repays() -> None:
    """G100: 600 points, 500 spent in each of two shops; then 450 are earned."""
    who = overspent(member(lot("a", 600)), "here", "there")
    assert (available(who), who.deficit, points(who, NOON).held) == (0, 400, 1000)
    who = fold(who, earn("next", 450))
    assert (available(who), who.deficit) == (50, 0)


def test_a_deficit_larger_than_the_next_credit_stays() -> None:
    who = fold(overspent(member(lot("a", 600)), "here", "there"), earn("next", 150))
    assert (available(who), who.deficit) == (0, 250)


def test_releasing_the_second_of_two_holds_settles_the_deficit() -> None:
    who = overspent(member(lot("a", 500)), "here", "there")
    assert who.deficit == 500
    who = after(decide_release(who, "there", None, PROGRAM, NOON))
    assert (available(who), who.deficit, points(who, NOON).held) == (0, 0, 500)
    who = after(decide_release(who, "here", None, PROGRAM, NOON))
    assert (available(who), who.deficit, points(who, NOON).held) == (500, 0, 0)


def test_releasing_after_the_lot_was_used_up_elsewhere_loses_no_point() -> None:
    """The first shop has handed its reward over, so the lot is forgotten when the second gives it back."""
    start = member(lot("a", 500))
    first, second = (decide_hold(start, redeem("mug", hold), OPEN_HANDED, NOON) for hold in ("here", "there"))
    who = after(decide_fulfil(fold(start, first.body), "here", None, PROGRAM, NOON))
    who = fold(who, second.body)
    assert who.deficit == 500
    repaid = fold(who, earn("next", 500))
    for before, left in ((who, 0), (repaid, 500)):
        released = after(decide_release(before, "there", None, PROGRAM, NOON))
        assert (available(released), released.deficit) == (left, 0)


def test_lapsed_points_do_not_repay_a_deficit() -> None:
    who = member(lot("lapsed", 300, NOON - DAY), lot("a", 100))
    who = fold(fold(who, spend(LotTake("a", 100))), spend(LotTake("a", 100)))
    assert who.deficit == 100
    assert (available(fold(who, earn("next", 150))), fold(who, earn("next", 150)).deficit) == (50, 0)


def added(body: EventBody) -> list[Lot]:
    return [effect.lot for effect in body.effects if isinstance(effect, Credited)]


def taken(body: EventBody) -> list[LotTake]:
    return [take for effect in body.effects if isinstance(effect, Debited) for take in effect.takes]


events = st.lists(
    st.one_of(
        st.builds(earn, st.sampled_from(["x", "y", "z"]), st.integers(1, 300)),
        st.builds(
            lambda one, amount: spend(LotTake(one, amount)), st.sampled_from(["a", "b"]), st.integers(1, 300)
        ),
    ),
    min_size=2,
    max_size=5,
    unique_by=lambda body: added(body)[0].id if added(body) else id(body),
)


@given(events)
def test_independent_events_give_the_same_numbers_in_every_order(happened: list[EventBody]) -> None:
    start = member(lot("a", 200), lot("b", 200))
    ends = set()
    for order in permutations(happened):
        who: Member = start
        for body in order:
            who = fold(who, body)
            assert available(who) >= 0
            assert who.deficit == 0 or available(who) == 0
        ends.add((available(who), who.deficit, spend_of(who)))
    assert len(ends) == 1


@given(events)
def test_points_are_the_sum_of_all_entries(happened: list[EventBody]) -> None:
    who: Member = member(lot("a", 200), lot("b", 200))
    total = worth(who)
    for body in happened:
        who = fold(who, body)
        total += sum(one.amount for one in added(body)) - sum(one.amount for one in taken(body))
        assert worth(who) == total


# ---- what the daily limit needs --------------------------------------------------------------------------
def test_every_redemption_of_a_day_is_remembered() -> None:
    who, now = rich(), NOON
    for number in range(120):
        who = after(decide_hold(who, redeem("coffee", f"hold-{number}"), OPEN_HANDED, now))
        now += dt.timedelta(minutes=1)
    assert who.tallies[tallies.TRUST] == {TODAY: 120 * 80}


def test_redemptions_of_each_local_day_are_counted_apart() -> None:
    who = after(decide_hold(rich(), redeem("coffee", "old"), PROGRAM, NOON))
    who = after(decide_hold(who, redeem("coffee", "new"), PROGRAM, NOON + 2 * DAY))
    assert who.tallies[tallies.TRUST] == {TODAY: 80, TODAY + 2: 80}


def test_joined_through_a_real_sale() -> None:
    who = after(decide_join(Join(MEMBER, (CARD,), None, None), PROGRAM, NOON))
    who = after(buy(who, [line(8000)]))
    assert available(who) == 80
    taken_of = hold_of(decide_hold(who, redeem("coffee"), PROGRAM, NOON)).taken
    assert taken_of == (LotTake("lot-of-sale", 80, who.lots[0].expires_at),)
