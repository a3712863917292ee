"""Who holds a lease: spending it first, giving back the rest, and members who merge or leave (X4, X10)."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.loyalty import escrow, leases, ledger, lots, members
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    Credited,
    Debited,
    LeaseClosed,
    LeaseDrawn,
    Lot,
    LotTake,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import lifecycle, merging
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.loyalty.members import fold
from tapledger.loyalty.rewards.redeeming import decide_hold, decide_release
from tapledger.loyalty.value import lapsing, storing
from tests.loyalty import escrows
from tests.loyalty.escrows import VALUE, granted, happened, net
from tests.loyalty.givens import (
    DAY,
    MEMBER,
    NOON,
    PROGRAM,
    after,
    hold_of,
    lot,
    member,
    of_kind,
    redeem,
)
from tests.loyalty.merges import merge, someone, undo


# ---- the holder -------------------------------------------------------------------------------------------
def test_a_reward_is_paid_from_the_lease_first_and_the_lines_say_so() -> None:
    who = granted(member(lot("a", 100), lot("b", 60)), 50)
    ready = leases.in_hand(who, "shop-a", NOON)
    assert members.points(ready, NOON).available == 160
    decided = decide_hold(ready, redeem("coffee"), PROGRAM, NOON)
    body = leases.drawn(who, decided.body, "shop-a", PROGRAM, NOON)
    held = fold(who, body)
    assert (held.leases, hold_of(decided).points, held.holds[0].leased) == ((), 80, 50)
    assert net(held) == 160
    assert held.deficit == 0
    posted = {line.account: 0 for line in body.lines}
    for line in body.lines:
        posted[line.account] += line.amount
    assert posted == {
        ledger.member_points(MEMBER): -30,
        ledger.member_leased(MEMBER, "shop-a"): -50,
        ledger.member_held(MEMBER): 80,
    }
    back = after(decide_release(held, "hold-1", None, PROGRAM, NOON))
    assert members.points(back, NOON).available == 160, "what was drawn goes back to the free lots"


def test_without_a_lease_of_ones_own_nothing_is_drawn() -> None:
    who = granted(member(lot("a", 200)), 50)
    body = decide_hold(leases.in_hand(who, "shop-b", NOON), redeem("coffee"), PROGRAM, NOON).body
    assert leases.drawn(who, body, "shop-b", PROGRAM, NOON) is body
    other = decide_hold(who, redeem("coffee"), PROGRAM, NOON + 4 * DAY).body
    assert leases.drawn(who, other, "shop-a", PROGRAM, NOON + 4 * DAY) is other


def test_a_lot_named_that_central_has_not_is_repaid_by_what_was_drawn() -> None:
    """The shop spends the lot that ends first by its own view; central has leased that one elsewhere."""
    who = granted(member(lot("a", 80, NOON + DAY), lot("b", 100)), 80, "shop-b")
    who = granted(who, 100, "shop-a", id_="lease-2")
    stale = msgspec.structs.replace(
        who, lots=(lot("a", 80, NOON + DAY), *who.lots[1:]), leases=who.leases[1:]
    )
    ready = leases.in_hand(stale, "shop-a", NOON)
    body = EventBody(
        kind="sale",
        at=NOON,
        program="p",
        member=MEMBER,
        effects=(Debited(lots.take(ready.lots, 90, NOON)),),
        lines=ledger.points_given(MEMBER, -90),
    )
    body = leases.drawn(stale, body, "shop-a", PROGRAM, NOON)
    true = fold(who, body)
    assert true.deficit == 0
    have = members.points(true, NOON)
    assert (have.available, have.leased) == (0, 90)


@pytest.mark.parametrize("pool", [PRINCIPAL, BONUS])
def test_stored_value_is_leased_the_same_with_the_signs_of_what_is_owed(pool: str) -> None:
    who = granted(member(Lot("p", 900, 900, NOON, None, pool)), 400, pool=pool)
    assert (members.value(who, pool, NOON), net(who, pool)) == (500, 900)
    ready = leases.in_hand(who, "shop-a", NOON)
    split = storing.split(ready, 300, "principal_first", NOON, "CNY")
    takes = split.principal or split.bonus
    paid = EventBody(kind="sale", at=NOON, program="p", member=MEMBER, effects=(Debited(takes, pool),))
    body = leases.drawn(who, paid, "shop-a", VALUE, NOON)
    assert [(line.account, line.amount) for line in body.lines] == [
        (ledger.member_value(MEMBER, pool), -300),
        (ledger.member_leased(MEMBER, "shop-a"), 300),
    ]
    left = fold(who, body)
    assert (members.value(left, pool, NOON), escrow.everything(left.leases, pool)) == (500, 100)


def test_a_close_gives_back_and_what_lapsed_meanwhile_lapses() -> None:
    who = granted(member(lot("a", 50, NOON + DAY), lot("b", 50)), 70)
    later = NOON + 2 * DAY
    done = leases.decide_close(who, who.leases[0], PROGRAM, later)
    assert sum(line.amount for line in done.body.lines if "/points" in line.account) == 70
    assert members.points(after(done), later).available == 50
    lapse = lapsing.decide_expire(after(done), PROGRAM, later)
    assert lapse is not None and net(after(lapse)) == 50


def test_X10_a_leased_point_spent_before_it_lapsed_counts_when_it_arrives_late() -> None:
    who = granted(member(lot("a", 50, NOON + DAY)), 50)
    ready = leases.in_hand(who, "shop-a", NOON)
    takes = lots.take(ready.lots, 50, NOON)
    body = EventBody(kind="sale", at=NOON, program="p", member=MEMBER, effects=(Debited(takes),))
    spent = leases.drawn(who, body, "shop-a", PROGRAM, NOON)
    later = NOON + 2 * DAY
    assert lapsing.decide_expire(who, PROGRAM, later) is None, "what is leased does not lapse yet"
    assert net(fold(who, spent)) == 0
    assert fold(who, spent).deficit == 0


# ---- two who become one, and those who leave --------------------------------------------------------------
def test_X4_a_lease_stays_with_the_alias_and_its_late_spends_reach_the_heir() -> None:
    old, into = granted(someone("a", lot("a", 100)), 40), someone("b", lot("b", 10))
    gone, one = (after(each) for each in merge(old, into))
    assert members.points(one, NOON).available == 70
    assert escrow.everything(gone.leases, POINTS) == 40
    seen = merging.with_late(one, gone)
    assert (members.points(seen, NOON).shown, seen.leases[0].alias) == (110, "a")
    assert leases.own(seen, "shop-a", NOON) == (), "nothing more is spent of it"
    late = EventBody(
        kind="sale",
        at=NOON,
        program="p",
        member="a",
        effects=(LeaseDrawn("lease-1", (LotTake("a", 30),)), Debited((LotTake("a", 30),))),
    )
    spent = merging.with_late(one, fold(gone, late))
    assert (members.points(spent, NOON).available, members.points(spent, NOON).leased) == (70, 10)
    assert fold(seen, merging.late(late, "b")).leases[0].taken == (LotTake("a", 10),)
    closed = leases.decide_close(fold(gone, late), fold(gone, late).leases[0], PROGRAM, NOON)
    whole = merging.with_late(one, after(closed))
    assert (members.points(whole, NOON).available, whole.leases) == (80, ())


def test_an_undone_merge_leaves_each_their_own_lease() -> None:
    old = granted(someone("a", lot("a", 100)), 40)
    into = granted(someone("b", lot("b", 50)), 20, "shop-b", id_="lease-2")
    merged = merge(old, into)
    gone, one = (after(each) for each in merged)
    again, rest, _ = undo(merged, gone, merging.with_late(one, gone))
    assert [lease.id for lease in again.leases] == ["lease-1"]
    assert [lease.id for lease in rest.leases] == ["lease-2"]
    assert (members.points(again, NOON + DAY).shown, members.points(rest, NOON + DAY).shown) == (100, 50)


def test_who_is_erased_leaves_no_lease_and_paid_in_money_on_lease_is_not_forgotten() -> None:
    who = granted(member(lot("a", 100), Lot("p", 9, 9, NOON, None, PRINCIPAL)), 40)
    who = granted(who, 9, pool=PRINCIPAL, id_="lease-2")
    with pytest.raises(Refused, match="PRINCIPAL_LEFT"):
        lifecycle.decide_erase(who, Erase("s-1"), VALUE, NOON)
    done = lifecycle.decide_erase(who, Erase("s-1", "paper 7"), VALUE, NOON)
    assert (net(after(done)), net(after(done), PRINCIPAL), after(done).leases) == (0, 0, ())
    assert [effect.lease for effect in of_kind(done, LeaseClosed)] == ["lease-1", "lease-2"]
    late = happened(after(done), LeaseDrawn("lease-1", (LotTake("a", 30),)), Debited((LotTake("a", 30),)))
    assert late.deficit == 30


def test_what_is_on_lease_is_owed_and_a_card_is_not_closed_over_it() -> None:
    who = granted(member(lot("a", 100, NOON + DAY), Lot("p", 9, 9, NOON, None, PRINCIPAL)), 40)
    assert sum(one.points for one in lapsing.liability([who], PROGRAM, NOON)) == 100
    who = granted(who, 4, pool=PRINCIPAL, id_="lease-2")
    with pytest.raises(Refused) as error:
        storing.decide_close_card(who, "s-1", VALUE, NOON)
    assert (error.value.code, error.value.data["leased_minor"]) == ("VALUE_LEASED", 4)


def test_a_member_without_leases_takes_no_more_room() -> None:
    assert b"lease" not in msgspec.msgpack.encode(member(lot("a", 100)))
    held = hold_of(decide_hold(member(lot("a", 100)), redeem("coffee"), PROGRAM, NOON))
    assert b"lease" not in msgspec.msgpack.encode(held)
    assert escrows.net(happened(member(), Credited(lot("x", 5)))) == 5
