"""How a return is paid: shares, tax, coins, stored value, gifts, deposits (loyalty.md 3.13, X2, X6, X7)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.program.values import Returns, StoredValue
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.gift_item import GiftItem
from tests.loyalty.counter import Counter, by_kind, goods, rules, value, weighed
from tests.loyalty.givens import DAY, NOON, earning, member, program


# ---- money ------------------------------------------------------------------------------------------------
def test_pieces_come_back_with_the_larger_shares_first() -> None:
    counter = Counter(None, program())
    counter.sell([goods(1000, pieces=3)], [Tender("card", 3000)])
    off = Promotion(id="off", benefit=Amount(off_minor=1000))
    counter = Counter(None, program(promotions=[off]))
    counter.sell([goods(1000, pieces=3)])  # 20.00 for three
    assert [counter.back((0, 1000)).refund_minor for _ in range(3)] == [667, 667, 666]


def test_X6_a_weighed_line_comes_back_by_share() -> None:
    counter = Counter(None, program())
    counter.sell([weighed(999, 1234)])  # 12.33
    first, second = counter.back((0, 617)).refund_minor, counter.back((0, 617)).refund_minor
    assert (first, second) == (617, 616)


def test_tax_goes_back_with_its_line() -> None:
    counter = Counter(None, program())
    sale = counter.sell([goods(1000, tax_bp=1300), goods(500, tax_bp=1300)])
    assert counter.back((0, 1000)).tax_minor == sale.lines[0].tax_minor
    assert counter.back((1, 1000)).tax_minor == sale.lines[1].tax_minor


def test_X7_tax_on_top_is_paid_back_with_its_line() -> None:
    counter = Counter(None, program(money=Money(tax="exclusive")))
    sale = counter.sell([goods(1000, tax_bp=1300), goods(500, tax_bp=600)])
    assert sale.total_minor == 1000 + 130 + 500 + 30
    assert counter.back((0, 1000)).refund_minor == 1130
    assert counter.back((1, 1000)).refund_minor == 530


def test_X7_cash_of_all_returns_together_is_rounded_and_all_of_it_is_what_was_paid() -> None:
    counter = Counter(None, program(money=Money(cash_rounding_minor=10)))
    sale = counter.sell([goods(333, pieces=3)], [Tender("cash", 1500)])
    assert (by_kind(sale), sale.change_minor) == ({"cash": 1500, "rounding": -1}, 500)
    paid = [by_kind(counter.back((0, 1000))) for _ in range(3)]
    assert paid == [
        {"cash": 330, "rounding": 3},
        {"cash": 340, "rounding": -7},
        {"cash": 330, "rounding": 3},
    ]
    assert sum(one["cash"] for one in paid) == 1000


def test_X7_rounding_is_no_basis_of_points() -> None:
    rounded = msgspec.structs.replace(earning(1, 1000), money=Money(cash_rounding_minor=10))
    assert Counter(member(), rounded).sell([goods(996)], [Tender("cash", 1000)]).earned == 0


# ---- stored value -----------------------------------------------------------------------------------------
Order = Literal["proportional", "principal_first", "bonus_first"]


def stored(order: Order = "proportional", **returns: Any) -> Counter:
    """A member with 500.00 of principal and 100.00 of bonus that lapses in five days."""
    rules_ = rules(stored_value=StoredValue(spend_order=order), returns=Returns(**returns))
    who = member(value(PRINCIPAL, 50_000), value(BONUS, 10_000, NOON + 5 * DAY))
    return Counter(who, rules_)


@pytest.mark.parametrize(
    ("order", "principal", "bonus"),
    [("proportional", 5833, 1167), ("principal_first", 7000, 0), ("bonus_first", 0, 7000)],
)
def test_G77_stored_value_pays_by_the_order(order: Order, principal: int, bonus: int) -> None:
    counter = stored(order)
    facts = by_kind(counter.sell([goods(7000)], [Tender("value", 7000)]))
    assert (facts.get("principal", 0), facts.get("bonus", 0)) == (principal, bonus)
    assert counter.worth() == (50_000 - principal, 10_000 - bonus)


def test_G79_all_of_it_pays_and_one_more_does_not() -> None:
    counter = stored()
    with pytest.raises(Refused) as refused:
        counter.sell([goods(60_001)], [Tender("value", 60_001)])
    assert (refused.value.code, refused.value.data["available_minor"]) == ("INSUFFICIENT", 60_000)
    assert counter.worth() == (50_000, 10_000)
    counter.sell([goods(60_000)], [Tender("value", 60_000)])
    assert counter.worth() == (0, 0)


def test_bonus_earns_nothing_and_its_shares_are_stored() -> None:
    counter = stored("bonus_first")
    facts = counter.sell([goods(9000), goods(3000)], [Tender("value", 12_000)])
    shares = {one.kind: one.shares for one in facts.tenders}
    assert shares == {"bonus": (7500, 2500), "principal": (1500, 500)}
    assert facts.earned == 20
    assert counter.back((0, 1000)).clawed == 15


def test_the_default_refunds_bonus_then_principal_then_money_from_outside() -> None:
    counter = stored("bonus_first")
    counter.sell([goods(4000), goods(9000), goods(2000)], [Tender("value", 12_000), Tender("card", 3000)])
    assert by_kind(counter.back((0, 1000))) == {"bonus": 4000}
    assert by_kind(counter.back((1, 1000))) == {"bonus": 6000, "principal": 2000, "card": 1000}
    assert by_kind(counter.back((2, 1000))) == {"card": 2000}
    assert counter.worth() == (50_000, 10_000)


@pytest.mark.parametrize("how", [{"tenders": "external_first"}, {}])
def test_money_from_outside_comes_first_by_rule_or_for_the_shops_fault(how: dict[str, Any]) -> None:
    counter = stored(**how)
    counter.sell([goods(4000), goods(9000)], [Tender("value", 6000), Tender("card", 7000)])
    assert by_kind(counter.back((0, 1000), shop_fault=not how)) == {"card": 4000}


@pytest.mark.parametrize(("shop_fault", "bonus"), [(False, 0), (True, 10_000)])
def test_X2_bonus_that_lapsed_meanwhile_comes_back_only_for_the_shops_fault(
    shop_fault: bool, bonus: int
) -> None:
    counter = stored()
    counter.sell([goods(60_000)], [Tender("value", 60_000)])
    counter.now += 6 * DAY
    facts = counter.back((0, 1000), shop_fault=shop_fault)
    assert by_kind(facts) == {"bonus": 10_000, "principal": 50_000}
    assert counter.worth() == (50_000, bonus)
    counter.now += 30 * DAY
    assert counter.worth() == (50_000, bonus)
    counter.now += DAY
    assert counter.worth() == (50_000, 0)


# ---- gifts and deposits -----------------------------------------------------------------------------------
def with_gift() -> Counter:
    gift = GiftItem(sku="cup", name="Cup", shadow_minor=900)
    terms = Promotion(id="cup", benefit=gift, scope=Scope(skus=["a"]), min_minor=5000)
    counter = Counter(None, program(promotions=[terms]))
    counter.sell([goods(3000, pieces=2, sku="a"), goods(700, sku="b")])
    return counter


def test_X6_a_kept_gift_is_deducted_once_it_is_not_deserved() -> None:
    counter = with_gift()
    assert counter.back((1, 1000)).refund_minor == 700
    facts = counter.back((0, 1000))
    assert (facts.refund_minor, facts.gifts_kept_minor) == (2100, 900)
    assert counter.back((0, 1000)).refund_minor == 3000


def test_X6_a_gift_that_comes_back_costs_nothing() -> None:
    counter = with_gift()
    assert counter.back(*counter.everything()).refund_minor == 6700


def test_X6_a_gift_that_comes_back_later_is_paid_back_then() -> None:
    counter = with_gift()
    assert counter.back((0, 2000)).refund_minor == 5100
    assert counter.back((2, 1000)).refund_minor == 900


def test_X6_a_kept_gift_never_makes_a_refund_negative() -> None:
    gift = GiftItem(sku="cup", name="Cup", shadow_minor=9000)
    counter = Counter(None, program(promotions=[Promotion(id="cup", benefit=gift)]))
    counter.sell([goods(3000)])
    facts = counter.back((0, 1000))
    assert (facts.refund_minor, facts.tenders, facts.gifts_kept_minor) == (0, (), 3000)


def test_X6_a_deposit_earns_nothing_counts_nothing_and_is_paid_back_whole() -> None:
    counter = Counter(member(), earning(1, 100))
    facts = counter.sell([goods(1000), goods(300, sku="bottle", kind="deposit")])
    assert (facts.total_minor, facts.earned) == (1300, 10)
    assert counter.member is not None
    assert tallies.total(counter.member.tallies, tallies.SPEND) == 1000
    back = counter.back((1, 1000))
    assert (back.refund_minor, back.clawed, back.complete) == (300, 0, False)
    assert tallies.total(counter.member.tallies, tallies.SPEND) == 1000
