"""What single effects do to a member, and how two members' counts become one's."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty import tallies
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.effects import (
    BONUS,
    AvailableFrom,
    BirthdaySet,
    Consent,
    ConsentGiven,
    Coupon,
    CouponIssued,
    CouponMoved,
    Credential,
    Debited,
    Lapsed,
    Linked,
    LotTake,
    RefereeCounted,
    Referred,
    Slid,
    StatusSet,
    Tagged,
    Tallied,
)
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, fold
from tapledger.loyalty.sales import refunding
from tests.loyalty.givens import DAY, MEMBER, NOON, TODAY, lot, member

SLIDING = msgspec.structs.replace(lot("l", 10, NOON + DAY), slides=True)
SECOND = dt.timedelta(seconds=1)


def happened(who: Member, effect: object, now: dt.datetime = NOON) -> Member:
    body = EventBody(kind="sale", at=now, program="p", member=MEMBER, effects=(effect,))  # type: ignore[arg-type]
    return fold(who, body)


# ---- lots -------------------------------------------------------------------------------------------------
def test_activity_moves_the_end_of_sliding_lots_alone_and_never_back() -> None:
    fixed, endless = lot("fixed", 10, NOON + DAY), msgspec.structs.replace(SLIDING, id="x", expires_at=None)
    over = msgspec.structs.replace(SLIDING, id="over", expires_at=NOON)
    who = happened(member(SLIDING, fixed, endless, over), Slid(NOON + 9 * DAY))
    assert [one.expires_at for one in who.lots] == [NOON + 9 * DAY, NOON + DAY, None, NOON]
    assert happened(who, Slid(NOON + 2 * DAY)) == who
    # A moment before its end a lot can still be saved.
    late = happened(member(SLIDING), Slid(NOON + 9 * DAY), NOON + DAY - SECOND)
    assert late.lots[0].expires_at == NOON + 9 * DAY


def test_lots_become_available_at_another_instant_each_by_its_name() -> None:
    who = happened(member(lot("a", 1), lot("b", 2)), AvailableFrom(("b",), NOON + DAY))
    assert [one.available_at for one in who.lots] == [NOON - DAY, NOON + DAY]


def test_what_a_lot_cannot_pay_is_owed_by_its_pool() -> None:
    who = happened(member(lot("a", 3)), Debited((LotTake("b", 5),), BONUS))
    assert (who.debts, who.deficit) == ({BONUS: 5}, 0)
    who = happened(who, Debited((LotTake("b", 2),), BONUS))
    assert who.debts == {BONUS: 7}


def test_what_lapsed_though_it_was_spent_is_counted_by_pool_and_day() -> None:
    who = happened(member(lot("a", 3)), Lapsed((LotTake("a", 5),)))
    assert who.tallies == {tallies.of_overlapse("points"): {NOON.toordinal(): 2}}
    assert who.lots == ()


# ---- coupons ----------------------------------------------------------------------------------------------
def test_a_coupon_redeemed_by_two_sales_is_counted_once_for_each_too_many() -> None:
    who = happened(member(), CouponIssued(Coupon("c", "ten", NOON, None)))
    who = happened(who, CouponMoved("c", "redeemed", "sale-1"))
    assert happened(who, CouponMoved("c", "redeemed", "sale-1")) == who
    twice = happened(who, CouponMoved("c", "redeemed", "sale-2"))
    assert twice.tallies == {wallet.OVERUSE: {NOON.toordinal(): 1}}
    assert twice.coupons[0].sale == "sale-1"


def test_coupons_long_done_with_leave_the_wallet_when_another_comes() -> None:
    ends = NOON - wallet.KEPT_AFTER_EXPIRY
    done = [Coupon(state, "ten", NOON, ends, state=state) for state in ("redeemed", "void", "expired")]
    young = Coupon("young", "ten", NOON, ends + SECOND, state="redeemed")
    endless = Coupon("endless", "ten", NOON, None, state="redeemed")
    unused = Coupon("unused", "ten", NOON, ends)
    who = msgspec.structs.replace(member(), coupons=(*done, young, endless, unused))
    after = happened(who, CouponIssued(Coupon("new", "ten", NOON, None)))
    assert [one.id for one in after.coupons] == ["young", "endless", "unused", "new"]
    assert happened(after, CouponIssued(Coupon("new", "other", NOON, NOON))) == after


# ---- people -----------------------------------------------------------------------------------------------
def test_what_those_one_sent_reached_is_remembered_until_it_comes_back() -> None:
    who = happened(member(), RefereeCounted("m-2", "bought", TODAY))
    who = happened(who, RefereeCounted("m-2", "qualified"))
    who = happened(who, RefereeCounted("m-2", "bought"))
    who = happened(who, RefereeCounted("m-2", "gold"))
    known = who.referees["m-2"]
    assert (known.reached, known.counts_on) == (("bought", "qualified", "gold"), TODAY)
    back = happened(who, RefereeCounted("m-2", "returned")).referees["m-2"]
    assert (back.reached, back.counts_on) == (("gold",), 0)
    assert happened(who, RefereeCounted("m-2", "dropped")).referees == {}


def test_the_first_who_sent_a_member_stays() -> None:
    who = happened(happened(member(), Referred("m-2")), Referred("m-3"))
    assert who.referrer == "m-2"


def test_who_is_merged_or_erased_leaves_behind_what_was_personal() -> None:
    said = Consent("profiling", True, "v1", NOON, "till")
    who = happened(member(), ConsentGiven(said))
    who = happened(happened(who, Linked(Credential("card", "i", 2))), Tagged("vip", ("a",)))
    who = happened(who, BirthdaySet(5, 9, None, counts_from=TODAY, set_on=TODAY))
    assert who.consents == (said,)
    merged = happened(who, StatusSet("merged", NOON, into="m-2"))
    assert merged == msgspec.structs.replace(
        who, consents=(), status="merged", status_at=NOON, merged_into="m-2"
    )
    erased = happened(who, StatusSet("erased", NOON))
    assert erased == Member(MEMBER, who.joined_at, "normal", status="erased", status_at=NOON)
    frozen = happened(who, StatusSet("frozen", NOON, NOON + DAY))
    assert frozen == msgspec.structs.replace(who, status="frozen", status_at=NOON, restore_until=NOON + DAY)


# ---- counts -----------------------------------------------------------------------------------------------
def test_windows_count_both_their_ends() -> None:
    days = {"k": {10: 1, 11: 2, 12: 4, 13: -8}}
    assert tallies.total(days, "k") == -1
    assert tallies.total(days, "k", 11) == -2
    assert tallies.total(days, "k", 11, 12) == 6
    assert tallies.total(days, "k", until=11) == 3
    assert tallies.total(days, "other") == 0
    assert tallies.days_counted(days, "k") == 3
    assert tallies.days_counted(days, "k", 11) == 2
    assert tallies.days_counted(days, "k", 10, 11) == 2
    assert tallies.days_counted(days, "k", until=10) == 1
    assert tallies.days_counted(days, "other") == 0


def test_old_days_are_summed_up_and_no_sum_changes() -> None:
    counted: tallies.Tallies = {}
    newest = 2 * tallies.KEPT_DAYS
    for day in range(1, newest + 1):
        counted = tallies.add(counted, Tallied("k", day, 1))
    assert tallies.total(counted, "k") == newest
    assert min(day for day in counted["k"] if day != tallies.BEFORE) == newest - tallies.KEPT_DAYS
    assert counted["k"][tallies.BEFORE] == newest - tallies.KEPT_DAYS - 1


# ---- exchanges --------------------------------------------------------------------------------------------
def test_what_an_exchange_carries_over_is_taken_from_the_last_money_first() -> None:
    refund = (Tender("bonus", 100), Tender("card", 500), Tender("cash", 300))
    carried = refunding.carry_over(refund, 400)
    assert carried == (Tender("bonus", 100), Tender("card", 400), Tender("exchange", 400))
    assert refunding.carry_over(refund, 0) == refund
    assert refunding.carry_over(refund, 800) == (Tender("bonus", 100), Tender("exchange", 800))
    rounded = (Tender("principal", 50), Tender("cash", 300), Tender("rounding", 2))
    assert refunding.carry_over(rounded, 100) == (
        Tender("principal", 50),
        Tender("cash", 200),
        Tender("rounding", 2),
        Tender("exchange", 100),
    )


def test_what_leaves_the_shop_is_neither_stored_value_nor_rounding() -> None:
    refund = (Tender("bonus", 1), Tender("principal", 2), Tender("cash", 4), Tender("rounding", 8))
    assert refunding.outside_minor((*refund, Tender("card", 16), Tender("exchange", 32))) == 52


def test_each_tender_has_its_account() -> None:
    accounts = {
        kind: refunding.account(kind, "m-1", "x-1") for kind in ("bonus", "principal", "rounding", "exchange")
    }
    assert accounts == {
        "bonus": "member/m-1/bonus",
        "principal": "member/m-1/principal",
        "rounding": "rounding",
        "exchange": "transfer/x-1",
    }
    assert refunding.account("card", None) == "tender/card"
    assert refunding.account("exchange", None) == "transfer/"
