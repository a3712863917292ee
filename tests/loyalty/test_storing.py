"""Stored value: two pools, never below zero, and every cent accounted for (loyalty.md section 3.12b)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import TapledgerError
from tapledger.loyalty import gains, ledger, members
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Debited, Lot, LotTake, StatusSet
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Expiry, Program
from tapledger.loyalty.program.values import StoredValue, TopUpRow
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.value import storing
from tapledger.loyalty.value.storing import (
    SpendOrder,
    TopUp,
    TopUpVoid,
    bonus_of,
    decide_close_card,
    decide_confirm_bonus,
    decide_top_up,
    decide_top_up_void,
    split,
)
from tests.loyalty.givens import DAY, MEMBER, NOON, after, code_of, lots_added, posted, program

FIXED = [TopUpRow(10_000, 500), TopUpRow(50_000, 10_000), TopUpRow(100_000, 30_000)]
ROWS = StoredValue(top_up=FIXED, bonus_expiry=Expiry("days", 30))
RULES = program(stored_value=ROWS)
AWAY = Rights(online=False, last_feed_at=NOON - dt.timedelta(hours=1), top_up_left_minor=60_000)


def rules(**changes: Any) -> Program:
    return program(stored_value=StoredValue(**{"top_up": FIXED, **changes}))


def stored(principal: int = 0, bonus: int = 0) -> Member:
    lots = (
        Lot("p", principal, principal, NOON - DAY, None, PRINCIPAL),
        Lot("b", bonus, bonus, NOON - DAY, NOON + 30 * DAY, BONUS),
    )
    return Member(MEMBER, NOON - DAY, lots=tuple(lot for lot in lots if lot.amount))


def values(who: Member, now: dt.datetime = NOON) -> tuple[int, int]:
    return members.value(who, PRINCIPAL, now), members.value(who, BONUS, now)


def topping(amount: int, id_: str = "t-1", rights: Rights | None = None, *tenders: Tender) -> TopUp:
    return TopUp(id_, amount, tenders or (Tender("cash", amount),), "staff-1", rights or Rights())


def top_up(who: Member, amount: int, set_: Program = RULES, **more: Any) -> Decision:
    return decide_top_up(who, topping(amount, **more), set_, NOON)


def refused(call: Any, *args: Any) -> tuple[str, dict[str, str | int]]:
    with pytest.raises(TapledgerError) as error:
        call(*args)
    return code_of(error.value)


# ---- topping up -------------------------------------------------------------------------------------------
def test_G76_top_up_500_gives_100() -> None:
    done = top_up(stored(), 50_000)
    assert values(after(done)) == (50_000, 10_000)
    assert values(after(top_up(stored(), 20_000, rules(top_up=[TopUpRow(1, bonus_bp=1000)])))) == (
        20_000,
        2000,
    )


def test_a_top_up_balances_and_earns_nothing() -> None:
    done = top_up(stored(), 50_000)
    assert posted(done, "tender/cash", "CNY") == 50_000
    assert posted(done, ledger.member_value(MEMBER, PRINCIPAL), "CNY") == -50_000
    assert posted(done, ledger.member_value(MEMBER, BONUS), "CNY") == -10_000
    assert posted(done, ledger.BONUS_COST, "CNY") == 10_000
    assert not any(line.unit == ledger.POINT for line in done.body.lines)
    assert after(done).tallies == {}


@pytest.mark.parametrize(
    ("rows", "amount", "bonus"),
    [
        (FIXED, 9_999, 0),
        (FIXED, 10_000, 500),
        (FIXED, 49_999, 500),
        (FIXED, 99_999, 10_000),  # the highest row reached, once: not twice 500
        (FIXED, 300_000, 30_000),
        ([TopUpRow(50_000, 10_000, every=True)], 149_999, 20_000),
        ([TopUpRow(50_000, 10_000, every=True)], 150_000, 30_000),
        ([TopUpRow(100, bonus_bp=1000)], 20_000, 2000),
        ([TopUpRow(100, bonus_bp=1000)], 105, 11),  # 10.5, half up
        ([TopUpRow(100, bonus_bp=1000), TopUpRow(1000, 7)], 1000, 7),
        ([], 10_000, 0),
    ],
)
def test_the_table_of_bonuses(rows: list[TopUpRow], amount: int, bonus: int) -> None:
    assert bonus_of(StoredValue(top_up=rows), amount) == bonus


def test_the_bonus_lapses_and_the_principal_does_not() -> None:
    who = after(top_up(stored(), 50_000))
    ends = dt.datetime(2026, 6, 3, 16, 0, tzinfo=dt.UTC)  # 30 days on, whole local days
    assert values(who, ends - dt.timedelta(seconds=1)) == (50_000, 10_000)
    assert values(who, ends) == (50_000, 0)
    assert values(who, NOON + 3650 * DAY) == (50_000, 0)


@pytest.mark.parametrize(
    ("amount", "tenders", "expected"),
    [
        (0, (), ("AMOUNT_IMPOSSIBLE", {"sku": "value"})),
        (-1, (), ("AMOUNT_IMPOSSIBLE", {"sku": "value"})),
        (2**63, (), ("AMOUNT_IMPOSSIBLE", {"sku": "value"})),
        (100, (Tender("cash", -100),), ("AMOUNT_IMPOSSIBLE", {"sku": "cash"})),
        (100, (Tender("shells", 100),), ("TENDER_UNKNOWN", {"tender": "shells"})),
        (100, (Tender("principal", 100),), ("TENDER_UNKNOWN", {"tender": "principal"})),
        (100, (Tender("cash", 99),), ("TENDER_TOO_SMALL", {"missing_minor": 1, "currency": "CNY"})),
        (100, (Tender("card", 101),), ("CHANGE_ONLY_FROM_CASH", {})),
    ],
)
def test_money_that_cannot_be_is_refused(amount: int, tenders: tuple[Tender, ...], expected: Any) -> None:
    command = replace(topping(100), amount_minor=amount, tenders=tenders or (Tender("cash", 100),))
    assert refused(decide_top_up, stored(), command, RULES, NOON) == expected


def test_change_comes_from_cash() -> None:
    done = decide_top_up(stored(), topping(100, "t", None, Tender("cash", 300)), RULES, NOON)
    assert posted(done, "tender/cash", "CNY") == 100
    assert done.body.facts["change_minor"] == 200


def test_limits_of_a_top_up_and_of_a_balance() -> None:
    limited = rules(max_top_up_minor=60_000, max_balance_minor=100_000)
    assert refused(top_up, stored(), 60_001, limited)[0] == "TOP_UP_TOO_LARGE"
    assert values(after(top_up(stored(30_000), 60_000, limited))) == (90_000, 10_000)
    assert refused(top_up, stored(30_001), 60_000, limited) == (
        "BALANCE_TOO_LARGE",
        {"limit_minor": 100_000, "currency": "CNY"},
    )
    assert top_up(stored(), 60_000, limited)


def test_nobody_tops_up_without_the_rules_or_after_leaving() -> None:
    assert refused(top_up, stored(), 100, program())[0] == "NO_STORED_VALUE"
    gone = members.APPLY[StatusSet](stored(), StatusSet("cancelled", NOON), NOON)
    assert refused(top_up, gone, 100)[0] == "MEMBER_CANCELLED"
    frozen = members.APPLY[StatusSet](stored(), StatusSet("frozen", NOON), NOON)
    assert refused(top_up, frozen, 100)[0] == "MEMBER_FROZEN"


def test_the_same_top_up_folded_twice_is_one() -> None:
    done = top_up(stored(), 50_000)
    assert values(members.fold(after(done), done.body)) == (50_000, 10_000)


# ---- without central (R35) --------------------------------------------------------------------------------
def test_without_central_the_bonus_waits() -> None:
    done = top_up(stored(), 50_000, rights=AWAY)
    assert values(after(done)) == (50_000, 0)
    assert [lot.available_at for lot in lots_added(done)] == [NOON, gains.FAR]
    confirmed = decide_confirm_bonus(after(done), RULES, NOON + DAY)
    assert values(after(confirmed), NOON + DAY) == (50_000, 10_000)
    assert storing.waiting_bonus(after(confirmed)) == ()


def test_a_waiting_bonus_lapses_like_any() -> None:
    done = top_up(stored(), 50_000, rights=AWAY)
    assert lots_added(done)[1].expires_at == NOON + dt.timedelta(days=30, hours=12)


def test_without_central_only_cash_up_to_the_days_limit() -> None:
    assert top_up(stored(), 60_000, rights=AWAY)
    assert refused(decide_top_up, stored(), topping(60_001, rights=AWAY), RULES, NOON) == (
        "TOP_UP_DAY_LIMIT",
        {"left_minor": 60_000, "currency": "CNY"},
    )
    by_card = topping(100, "t", AWAY, Tender("card", 100))
    assert refused(decide_top_up, stored(), by_card, RULES, NOON)[0] == "TOP_UP_CASH_ONLY"
    long_ago = replace(AWAY, last_feed_at=NOON - dt.timedelta(hours=73))
    assert refused(decide_top_up, stored(), topping(100, rights=long_ago), RULES, NOON)[0] == "AWAY_TOO_LONG"


# ---- spent twice, by shops that could not hear each other ------------------------------------------------
def spend(who: Member, amount: int, now: dt.datetime = NOON, order: SpendOrder = "proportional") -> Decision:
    """Pay as a sale does: the shop owes less, and has sold."""
    paid = split(who, amount, order, now, "CNY")
    lines = (
        Line(ledger.member_value(MEMBER, PRINCIPAL), "CNY", paid.principal_minor),
        Line(ledger.member_value(MEMBER, BONUS), "CNY", paid.bonus_minor),
        Line(ledger.SALES, "CNY", -amount),
    )
    effects = (Debited(paid.principal, PRINCIPAL), Debited(paid.bonus, BONUS))
    return decision(
        who, EventBody(kind="sale", at=now, program="1", member=MEMBER, lines=lines, effects=effects)
    )


def test_a_double_spend_is_a_debt_that_the_next_top_up_fills() -> None:
    start = stored(10_000)
    one, other = spend(start, 8000), spend(start, 7000)
    both = members.fold(after(one), other.body)
    assert values(both) == (0, 0)
    assert both.debts == {PRINCIPAL: 5000}
    assert refused(split, both, 1, "proportional", NOON, "CNY")[1]["available_minor"] == 0
    refilled = after(top_up(both, 9000, rules(top_up=[])))
    assert values(refilled) == (4000, 0)
    assert members.deficit_of(refilled, PRINCIPAL) == 0


# ---- taking a top-up back ---------------------------------------------------------------------------------
def test_an_untouched_top_up_goes_back_whole() -> None:
    done = top_up(stored(1000), 50_000)
    back = decide_top_up_void(after(done), TopUpVoid(done.body, "staff-1"), RULES, NOON)
    assert values(after(back)) == (1000, 0)
    assert posted(back, "tender/cash", "CNY") == -50_000
    assert posted(back, ledger.BONUS_COST, "CNY") == -10_000


def test_bonus_that_was_spent_is_clawed_from_other_bonus_first() -> None:
    done = top_up(stored(), 50_000)
    again = top_up(after(done), 50_000, id_="t-2")
    spent = spend(after(again), 9000, order="bonus_first")  # all of it from the first
    back = decide_top_up_void(after(spent), TopUpVoid(done.body, "s"), RULES, NOON)
    assert values(after(back)) == (50_000, 1000)
    assert posted(back, "tender/cash", "CNY") == -50_000
    assert back.body.facts["kept_minor"] == 0


def test_bonus_that_is_nowhere_is_kept_back_from_the_money() -> None:
    done = top_up(stored(), 50_000)
    spent = spend(after(done), 9000, order="bonus_first")
    back = decide_top_up_void(after(spent), TopUpVoid(done.body, "s"), RULES, NOON)
    assert values(after(back)) == (0, 0)
    assert posted(back, "tender/cash", "CNY") == -41_000
    assert posted(back, ledger.BONUS_COST, "CNY") == -10_000
    assert back.body.facts["kept_minor"] == 9000


def test_a_top_up_whose_spent_bonus_is_worth_more_than_its_money_cannot_go_back() -> None:
    generous = rules(top_up=[TopUpRow(100, 500)])
    done = top_up(stored(), 100, generous)
    for spent, code in ((100, ""), (101, "TOP_UP_SPENT")):
        who = after(spend(after(done), spent, order="bonus_first"))
        if code:
            assert refused(decide_top_up_void, who, TopUpVoid(done.body, "s"), generous, NOON)[0] == code
        else:
            back = decide_top_up_void(who, TopUpVoid(done.body, "s"), generous, NOON)
            assert posted(back, "tender/cash", "CNY") == 0


def test_a_top_up_whose_principal_was_spent_cannot_go_back() -> None:
    done = top_up(stored(), 50_000)
    spent = spend(after(done), 6000)
    assert refused(decide_top_up_void, after(spent), TopUpVoid(done.body, "s"), RULES, NOON) == (
        "TOP_UP_SPENT",
        {"left_minor": 45_000, "currency": "CNY"},
    )


def test_a_top_up_goes_back_by_the_tenders_it_came_by() -> None:
    paid = (Tender("card", 30_000), Tender("cash", 25_000))
    done = decide_top_up(stored(), topping(50_000, "t", None, *paid), RULES, NOON)
    back = decide_top_up_void(after(done), TopUpVoid(done.body, "s"), RULES, NOON)
    assert posted(back, "tender/card", "CNY") == -30_000
    assert posted(back, "tender/cash", "CNY") == -20_000


def test_a_waiting_bonus_goes_back_too() -> None:
    done = top_up(stored(), 50_000, rights=AWAY)
    back = decide_top_up_void(after(done), TopUpVoid(done.body, "s"), RULES, NOON)
    assert after(back).lots == ()
    assert posted(back, "tender/cash", "CNY") == -50_000


def test_a_waiting_bonus_goes_back_whole_though_bonus_is_owed() -> None:
    """What waits pays no debt; what has become available since does, before anything is taken."""
    owing = msgspec.structs.replace(stored(bonus=300), debts={BONUS: 500})
    done = top_up(owing, 50_000, rights=AWAY)
    assert after(done).debts == {BONUS: 200}
    back = decide_top_up_void(after(done), TopUpVoid(done.body, "s"), RULES, NOON)
    assert (after(back).lots, after(back).debts) == ((), {BONUS: 200})
    assert posted(back, "tender/cash", "CNY") == -50_000

    later = Lot("b2", 10_100, 10_100, NOON + dt.timedelta(hours=1), None, BONUS)
    waiting = msgspec.structs.replace(after(done), lots=(*after(done).lots[:1], later))
    kept = decide_top_up_void(waiting, TopUpVoid(done.body, "s"), RULES, NOON + dt.timedelta(hours=1))
    assert kept.body.facts["kept_minor"] == 100
    assert (after(kept).lots, after(kept).debts) == ((), {BONUS: 0})
    assert posted(kept, "tender/cash", "CNY") == -49_900


def test_a_top_up_goes_back_only_on_its_local_day() -> None:
    done = top_up(stored(), 50_000)
    midnight = dt.datetime(2026, 5, 4, 16, 0, tzinfo=dt.UTC)
    command = TopUpVoid(done.body, "s")
    assert decide_top_up_void(after(done), command, RULES, midnight - dt.timedelta(seconds=1))
    assert refused(decide_top_up_void, after(done), command, RULES, midnight)[0] == "TOP_UP_TOO_OLD"


# ---- closing a card ---------------------------------------------------------------------------------------
def test_closing_pays_the_principal_and_forfeits_the_bonus() -> None:
    done = decide_close_card(stored(50_000, 10_000), "s", rules(close_fee_minor=500), NOON)
    assert after(done).lots == ()
    assert posted(done, "tender/cash", "CNY") == -49_500
    assert posted(done, ledger.FORFEITED, "CNY") == -10_500


def test_the_fee_is_never_more_than_there_is() -> None:
    done = decide_close_card(stored(300), "s", rules(close_fee_minor=500), NOON)
    assert posted(done, "tender/cash", "CNY") == 0
    assert posted(done, ledger.FORFEITED, "CNY") == -300


def test_there_must_be_something_to_close_and_nothing_owed() -> None:
    assert refused(decide_close_card, stored(), "s", RULES, NOON)[0] == "NOTHING_STORED"
    owing = Member(MEMBER, NOON, lots=stored(0, 100).lots, debts={PRINCIPAL: 700})
    assert refused(decide_close_card, owing, "s", RULES, NOON) == (
        "VALUE_OWED",
        {"owed_minor": 700, "currency": "CNY"},
    )


# ---- lives ------------------------------------------------------------------------------------------------
@given(st.data())
def test_I1_lots_and_debts_are_what_the_lines_say(data: st.DataObject) -> None:
    """Whatever happens, in shops that see each other or not: the lots and debts of a pool are its lines."""
    who, bodies, now = stored(), list[EventBody](), NOON
    before = who
    topups: list[EventBody] = []
    for number in range(data.draw(st.integers(1, 12))):
        now += data.draw(st.sampled_from([dt.timedelta(0), dt.timedelta(hours=5), 20 * DAY]))
        seen = data.draw(st.sampled_from([who, before]))  # what the shop knows may be old
        try:
            match data.draw(st.sampled_from(["top up", "spend", "spend", "void", "close", "give back"])):
                case "top up":
                    rights = data.draw(st.sampled_from([Rights(), replace(AWAY, last_feed_at=now)]))
                    amount = data.draw(st.integers(1, 70_000))
                    done = decide_top_up(seen, topping(amount, f"t-{number}", rights), RULES, now)
                    topups.append(done.body)
                case "spend":
                    order: SpendOrder = data.draw(
                        st.sampled_from(["proportional", "principal_first", "bonus_first"])
                    )
                    done = spend(seen, data.draw(st.integers(0, 40_000)), now, order)
                case "void" if topups:
                    done = decide_top_up_void(seen, TopUpVoid(topups.pop(), "s"), RULES, now)
                case "close":
                    done = decide_close_card(seen, "s", RULES, now)
                case _:
                    continue
        except TapledgerError:
            continue
        bodies.append(done.body)
        before, who = who, members.fold(who, done.body)
    for pool in (PRINCIPAL, BONUS):
        account = ledger.member_value(MEMBER, pool)
        lines = sum(line.amount for body in bodies for line in body.lines if line.account == account)
        kept = sum(lot.remaining for lot in who.lots if lot.pool == pool)
        assert kept - members.deficit_of(who, pool) == -lines
        assert members.value(who, pool, now) >= 0


def test_a_take_of_a_lot_unknown_here_is_a_debt() -> None:
    body = EventBody(
        kind="sale", at=NOON, program="1", member=MEMBER, effects=(Debited((LotTake("x", 5),), BONUS),)
    )
    assert members.fold(stored(), body).debts == {BONUS: 5}
