"""What top-ups, their voids, closed cards and expiry post, to the last figure (sections 3.7, 3.12b)."""

from __future__ import annotations

import datetime as dt

import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    AvailableFrom,
    Credited,
    Debited,
    Lapsed,
    Lot,
    LotTake,
    Overdrawn,
    Tallied,
)
from tapledger.loyalty.facts import Reason, Tender
from tapledger.loyalty.gains import FAR
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Expiry
from tapledger.loyalty.program.values import StoredValue, TopUpRow
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.value import lapsing, storing
from tests.loyalty.givens import DAY, MEMBER, NOON, after, program
from tests.loyalty.lives import apply

CASH, CARD = "tender/cash", "tender/card"
MINE, MY_BONUS = "member/m-1/principal", "member/m-1/bonus"
COST, FORFEITED = "program/bonus", "program/forfeited"
RULES = program(
    stored_value=StoredValue(
        top_up=[TopUpRow(10_000, 1000)],
        bonus_expiry=Expiry("days", 30),
        max_top_up_minor=20_000,
        max_balance_minor=30_000,
        close_fee_minor=300,
    )
)
ENDS = dt.datetime(2026, 6, 3, 16, tzinfo=dt.UTC)
"""The end of the 30th local day after NOON."""
AWAY = Rights(online=False, last_feed_at=NOON - dt.timedelta(hours=1), top_up_left_minor=60_000)
PAID = (Tender("card", 6000), Tender("cash", 5000))


def nobody(*lots: Lot) -> Member:
    return Member(MEMBER, NOON - DAY, lots=lots)


def value(pool: str, amount: int, ends: dt.datetime | None = None, id_: str = "") -> Lot:
    return Lot(id_ or pool, amount, amount, NOON - DAY, ends, pool)


def lines(*amounts: tuple[str, int], unit: str = "CNY") -> tuple[Line, ...]:
    return tuple(Line(account, unit, amount) for account, amount in amounts)


def top_up(
    amount: int = 10_000, who: Member | None = None, rights: Rights | None = None, *paid: Tender
) -> Decision:
    command = storing.TopUp("t-1", amount, paid or (Tender("cash", amount),), "s-1", rights or Rights())
    return storing.decide_top_up(who or nobody(), command, RULES, NOON)


# ---- topping up -------------------------------------------------------------------------------------------
def test_a_top_up_posts_money_in_value_out_and_what_the_bonus_costs() -> None:
    body = top_up(10_000, None, None, *PAID).body
    assert body.lines == lines(
        (CARD, 6000), (CASH, 5000), (CASH, -1000), (MINE, -10_000), (MY_BONUS, -1000), (COST, 1000)
    )
    assert body.effects == (
        Credited(Lot("t-1/principal", 10_000, 10_000, NOON, None, PRINCIPAL, "t-1")),
        Credited(Lot("t-1/bonus", 1000, 1000, NOON, ENDS, BONUS, "t-1")),
    )
    assert body.reasons == (
        Reason("TOPPED_UP", {"amount_minor": 10_000, "currency": "CNY"}),
        Reason("BONUS_GIVEN", {"bonus_minor": 1000, "currency": "CNY"}),
    )
    assert body.facts == {
        "topup": "t-1",
        "amount_minor": 10_000,
        "bonus_minor": 1000,
        "change_minor": 1000,
        "away": 0,
    }


def test_without_central_the_bonus_waits_and_then_is_told_of() -> None:
    done = top_up(10_000, rights=AWAY)
    waiting = Lot("t-1/bonus", 1000, 1000, FAR, ENDS, BONUS, "t-1")
    assert done.body.effects[1] == Credited(waiting)
    assert done.body.reasons[1:] == (Reason("BONUS_WAITS", {"bonus_minor": 1000, "currency": "CNY"}),)
    assert done.body.facts["away"] == 1
    assert storing.waiting_bonus(after(done)) == (waiting,)
    known = storing.decide_confirm_bonus(after(done), RULES, NOON + DAY).body
    assert known.effects == (AvailableFrom(("t-1/bonus",), NOON + DAY),)
    assert known.reasons == (Reason("BONUS_GIVEN", {"bonus_minor": 1000, "currency": "CNY"}),)


def test_a_small_top_up_has_no_bonus_to_speak_of() -> None:
    body = top_up(9999).body
    assert body.lines == lines((CASH, 9999), (MINE, -9999))
    assert [one.code for one in body.reasons] == ["TOPPED_UP"]
    assert len(body.effects) == 1


def test_each_limit_of_a_top_up_holds_to_the_unit() -> None:
    top_up(20_000)
    with pytest.raises(Refused) as large:
        top_up(20_001)
    assert (large.value.code, large.value.data) == (
        "TOP_UP_TOO_LARGE",
        {"limit_minor": 20_000, "currency": "CNY"},
    )
    # 10.00 of it has expired, and 50.00 still waits; with the bonus it is 300.00 in all.
    lots = (value(PRINCIPAL, 14_000), value(BONUS, 1000, NOON), Lot("w", 5000, 5000, FAR, ENDS, BONUS))
    full = nobody(*lots)
    top_up(10_000, full)
    with pytest.raises(Refused) as too_much:
        top_up(10_001, full)
    assert (too_much.value.code, too_much.value.data) == (
        "BALANCE_TOO_LARGE",
        {"limit_minor": 30_000, "currency": "CNY"},
    )
    # What is owed leaves room.
    top_up(10_001, apply(full, Overdrawn(1, PRINCIPAL)))


@pytest.mark.parametrize(
    ("amount", "paid", "code", "figures"),
    [
        (0, (Tender("cash", 1),), "AMOUNT_IMPOSSIBLE", {"sku": "value"}),
        (10**12 + 1, (Tender("cash", 1),), "AMOUNT_IMPOSSIBLE", {"sku": "value"}),
        (100, (Tender("cash", 0), Tender("card", 100)), "AMOUNT_IMPOSSIBLE", {"sku": "cash"}),
        (100, (Tender("value", 100),), "TENDER_UNKNOWN", {"tender": "value"}),
    ],
)
def test_what_cannot_be_meant_is_named(
    amount: int, paid: tuple[Tender, ...], code: str, figures: dict[str, str | int]
) -> None:
    with pytest.raises(Invalid) as error:
        top_up(amount, None, None, *paid)
    assert (error.value.code, error.value.data) == (code, figures)


def test_a_top_up_is_paid_by_no_more_tenders_than_a_sale() -> None:
    most = (Tender("cash", 5),) * storing.MAX_TENDERS
    assert top_up(100, None, None, *most).body.facts["change_minor"] == 0
    with pytest.raises(Invalid) as many:
        top_up(100, None, None, *most, Tender("cash", 5))
    assert (many.value.code, many.value.data) == ("TENDERS_TOO_MANY", {"limit": storing.MAX_TENDERS})


def test_change_is_given_of_cash_alone() -> None:
    assert top_up(100, None, None, Tender("cash", 50), Tender("card", 100)).body.facts["change_minor"] == 50
    with pytest.raises(Refused) as refused:
        top_up(100, None, None, Tender("cash", 50), Tender("card", 101))
    assert refused.value.code == "CHANGE_ONLY_FROM_CASH"
    with pytest.raises(Refused) as short:
        top_up(100, None, None, Tender("cash", 50), Tender("card", 49))
    assert (short.value.code, short.value.data) == (
        "TENDER_TOO_SMALL",
        {"missing_minor": 1, "currency": "CNY"},
    )


# ---- taken back -------------------------------------------------------------------------------------------
def test_a_void_posts_the_top_up_the_other_way_round() -> None:
    done = top_up(10_000, None, None, *PAID)
    body = storing.decide_top_up_void(after(done), storing.TopUpVoid(done.body, "s-1"), RULES, NOON).body
    assert sorted((one.account, one.amount) for one in body.lines) == sorted(
        [(CARD, -6000), (CASH, -5000), (CASH, 1000), (MINE, 10_000), (MY_BONUS, 1000), (COST, -1000)]
    )
    assert {one.unit for one in body.lines} == {"CNY"}
    assert body.effects == (
        Debited((LotTake("t-1/principal", 10_000),), PRINCIPAL),
        Debited((LotTake("t-1/bonus", 1000, ENDS),), BONUS),
    )
    assert body.reasons == (
        Reason("TOP_UP_TAKEN_BACK", {"amount_minor": 10_000, "kept_minor": 0, "currency": "CNY"}),
    )
    assert body.facts == {"topup": "t-1", "amount_minor": 10_000, "bonus_minor": 1000, "kept_minor": 0}


def test_spent_bonus_is_kept_back_in_cash_and_told() -> None:
    done = top_up(10_000, None, None, *PAID)
    spent = apply(after(done), Debited((LotTake("t-1/bonus", 400),), BONUS))
    body = storing.decide_top_up_void(spent, storing.TopUpVoid(done.body, "s-1"), RULES, NOON).body
    by_account: dict[str, int] = {}
    for one in body.lines:
        by_account[one.account] = by_account.get(one.account, 0) + one.amount
    assert by_account == {CARD: -6000, CASH: -3600, MINE: 10_000, MY_BONUS: 600, COST: -1000}
    assert body.effects[1] == Debited((LotTake("t-1/bonus", 600, ENDS),), BONUS)
    assert body.reasons[0].data == {"amount_minor": 9600, "kept_minor": 400, "currency": "CNY"}
    assert body.facts["kept_minor"] == 400


def test_cash_is_kept_back_before_what_a_terminal_took() -> None:
    done = top_up(10_000, None, None, Tender("card", 4000), Tender("cash", 6000))
    spent = apply(after(done), Debited((LotTake("t-1/bonus", 400),), BONUS))
    body = storing.decide_top_up_void(spent, storing.TopUpVoid(done.body, "s-1"), RULES, NOON).body
    assert body.lines[:2] == lines((CASH, -5600), (CARD, -4000))


def test_a_top_up_whose_principal_is_spent_stays() -> None:
    done = top_up(10_000)
    spent = apply(after(done), Debited((LotTake("t-1/principal", 1),), PRINCIPAL))
    with pytest.raises(Refused) as refused:
        storing.decide_top_up_void(spent, storing.TopUpVoid(done.body, "s-1"), RULES, NOON)
    assert (refused.value.code, refused.value.data) == (
        "TOP_UP_SPENT",
        {"left_minor": 9999, "currency": "CNY"},
    )


# ---- closed -----------------------------------------------------------------------------------------------
def test_a_closed_card_pays_principal_less_the_fee_and_forfeits_bonus() -> None:
    who = nobody(value(PRINCIPAL, 900), value(BONUS, 500, ENDS))
    body = storing.decide_close_card(who, "s-1", RULES, NOON).body
    assert body.lines == lines((CASH, -600), (MINE, 900), (MY_BONUS, 500), (FORFEITED, -800))
    assert body.effects == (
        Debited((LotTake(PRINCIPAL, 900),), PRINCIPAL),
        Debited((LotTake(BONUS, 500, ENDS),), BONUS),
    )
    figures = {"paid_minor": 600, "fee_minor": 300, "bonus_minor": 500}
    assert body.reasons == (Reason("CARD_CLOSED", {**figures, "currency": "CNY"}),)
    assert body.facts == figures


def test_the_fee_is_no_more_than_there_is() -> None:
    body = storing.decide_close_card(nobody(value(PRINCIPAL, 200)), "s-1", RULES, NOON).body
    assert body.lines == lines((MINE, 200), (FORFEITED, -200))
    only_bonus = storing.decide_close_card(nobody(value(BONUS, 5)), "s-1", RULES, NOON).body
    assert only_bonus.lines == lines((MY_BONUS, 5), (FORFEITED, -5))
    assert only_bonus.effects == (Debited((LotTake(BONUS, 5),), BONUS),)
    with pytest.raises(Refused) as owed:
        storing.decide_close_card(apply(nobody(value(BONUS, 5)), Overdrawn(7, PRINCIPAL)), "s", RULES, NOON)
    assert (owed.value.code, owed.value.data) == ("VALUE_OWED", {"owed_minor": 7, "currency": "CNY"})


# ---- written off ------------------------------------------------------------------------------------------
def lapsed(who: Member) -> EventBody:
    done = lapsing.decide_expire(who, RULES, NOON)
    assert done is not None
    return done.body


def test_each_pool_is_written_off_in_its_own_unit() -> None:
    who = nobody(value(POINTS, 7, NOON), value(PRINCIPAL, 20, NOON), value(BONUS, 3, NOON))
    body = lapsed(who)
    assert body.lines == (
        *lines(("member/m-1/points", -7), ("program/points", 7), unit="POINT"),
        *lines((MINE, 20), (FORFEITED, -20), (MY_BONUS, 3), (FORFEITED, -3)),
    )
    assert body.effects == (
        Lapsed((LotTake(POINTS, 7, NOON),)),
        Lapsed((LotTake(PRINCIPAL, 20, NOON),), PRINCIPAL),
        Lapsed((LotTake(BONUS, 3, NOON),), BONUS),
    )
    assert body.reasons == (
        Reason("POINTS_EXPIRED", {"points": 7}),
        Reason("VALUE_EXPIRED", {"amount_minor": 20, "currency": "CNY"}),
        Reason("VALUE_EXPIRED", {"amount_minor": 3, "currency": "CNY"}),
    )


def test_what_was_written_off_wrongly_is_given_back_in_its_own_unit() -> None:
    who = apply(
        nobody(),
        Tallied(tallies.of_overlapse(POINTS), 5, 7),
        Tallied(tallies.of_overlapse(BONUS), 6, 3),
        Tallied(tallies.of_overlapse(BONUS), 4, 1),
    )
    body = lapsed(who)
    assert body.lines == (
        *lines(("member/m-1/points", 7), ("program/points", -7), unit="POINT"),
        *lines((MY_BONUS, -4), (FORFEITED, 4)),
    )
    assert body.effects == (
        Tallied(tallies.of_overlapse(POINTS), 5, -7),
        Tallied(tallies.of_overlapse(BONUS), 4, -1),
        Tallied(tallies.of_overlapse(BONUS), 6, -3),
    )
    assert body.reasons == (
        Reason("EXPIRY_TAKEN_BACK", {"points": 7}),
        Reason("VALUE_EXPIRY_TAKEN_BACK", {"amount_minor": 4, "currency": "CNY"}),
    )
