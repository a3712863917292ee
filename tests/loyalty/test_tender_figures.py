"""How a sale is paid, to the last figure: what is recorded, what is refused and with which numbers."""

from __future__ import annotations

import pytest

from tapledger.errors import Refused, TapledgerError
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Lot, LotTake
from tapledger.loyalty.facts import SaleLine, Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.program.values import StoredValue
from tapledger.loyalty.sales import tenders
from tapledger.loyalty.sales.tenders import NOTHING, Paid, Payer, settle
from tapledger.loyalty.value.storing import Split
from tests.loyalty.givens import DAY, MEMBER, NOON, program

RULES = program(stored_value=StoredValue(), money=Money(cash_rounding_minor=10))
LOTS = (
    Lot("p", 500, 500, NOON - DAY, None, PRINCIPAL),
    Lot("b", 100, 100, NOON - DAY, NOON + DAY, BONUS),
)
RICH = Payer(Member(MEMBER, NOON - DAY, lots=LOTS), trust=3)
MOST = 10**12


def paid(total: int, *given: Tender, payer: Payer | None = None) -> Paid:
    return settle(given, total, payer or RICH, RULES, NOON)


def test_cash_is_rounded_to_coins_and_the_rest_is_change() -> None:
    assert paid(996, Tender("cash", 1500)) == Paid(
        (Tender("cash", 1500), Tender("rounding", -4)), 500, NOTHING
    )
    assert paid(994, Tender("cash", 990)) == Paid((Tender("cash", 990), Tender("rounding", 4)), 0, NOTHING)
    assert paid(994, Tender("card", 994)) == Paid((Tender("card", 994),), 0, NOTHING)
    # Only what is due in cash is rounded.
    mixed = paid(994, Tender("card", 500), Tender("cash", 500))
    assert mixed == Paid((Tender("card", 500), Tender("cash", 500), Tender("rounding", 4)), 10, NOTHING)
    covered = paid(994, Tender("card", 994), Tender("cash", 5))
    assert covered == Paid((Tender("card", 994), Tender("cash", 5)), 5, NOTHING)


def test_stored_value_is_recorded_by_pool_after_what_came_from_outside() -> None:
    done = paid(604, Tender("value", 600), Tender("card", 4))
    value = Split((LotTake("p", 500),), (LotTake("b", 100, NOON + DAY),))
    assert done == Paid((Tender("card", 4), Tender("principal", 500), Tender("bonus", 100)), 0, value)
    assert done.takes == (("principal", value.principal), ("bonus", value.bonus))
    lines = [sold(400), sold(200), sold(4)]
    shares = tenders.with_shares(done, lines, tax_exclusive=False)
    assert shares == (
        Tender("card", 4),
        Tender("principal", 500, (331, 166, 3)),
        Tender("bonus", 100, (66, 33, 1)),
    )
    # Tax inside a price is paid with it and counts for nothing more.
    inside = tenders.with_shares(done, [sold(400, tax=350), sold(200), sold(4)], tax_exclusive=False)
    assert inside == shares
    assert NOTHING.principal_minor == NOTHING.bonus_minor == 0


def test_with_tax_on_top_stored_value_pays_the_tax_too() -> None:
    done = paid(220, Tender("value", 220))
    lines = [sold(100, tax=20), sold(100)]
    by_pool = {one.kind: one.shares for one in tenders.with_shares(done, lines, tax_exclusive=True)}
    assert [sum(parts) for parts in zip(*by_pool.values(), strict=True)] == [120, 100]


def sold(net: int, tax: int = 0) -> SaleLine:
    return SaleLine("a", "A", 1000, net, net, 0, "all", True, net, tax)


@pytest.mark.parametrize(
    ("total", "given", "code", "figures"),
    [
        (100, (Tender("cash", 90),), "TENDER_TOO_SMALL", {"missing_minor": 10, "currency": "CNY"}),
        (100, (Tender("card", 99),), "TENDER_TOO_SMALL", {"missing_minor": 1, "currency": "CNY"}),
        (100, (Tender("card", 101),), "CHANGE_ONLY_FROM_CASH", {}),
        (100, (Tender("card", 111), Tender("cash", 10)), "CHANGE_ONLY_FROM_CASH", {}),
        (100, (Tender("gold", 100),), "TENDER_UNKNOWN", {"tender": "gold"}),
        (100, (Tender("cash", -1),), "AMOUNT_IMPOSSIBLE", {"sku": "cash"}),
        (100, (Tender("cash", MOST + 1),), "AMOUNT_IMPOSSIBLE", {"sku": "cash"}),
        (100, (Tender("cash", MOST), Tender("cash", 1)), "AMOUNT_TOO_LARGE", {}),
        (100, (Tender("cash", 5),) * 21, "TENDERS_TOO_MANY", {"limit": 20}),
        (700, (Tender("value", 601),), "INSUFFICIENT", {"available_minor": 600, "currency": "CNY"}),
    ],
)
def test_what_does_not_pay_is_named(
    total: int, given: tuple[Tender, ...], code: str, figures: dict[str, int | str]
) -> None:
    with pytest.raises(TapledgerError) as error:
        paid(total, *given)
    assert (error.value.code, error.value.data) == (code, figures)


def test_the_most_that_can_be_tendered_is_taken() -> None:
    assert paid(100, Tender("cash", MOST)).change_minor == MOST - 100
    assert paid(100, *(Tender("cash", 5),) * 20).change_minor == 0
    assert paid(0, Tender("cash", 0)) == Paid((Tender("cash", 0),), 0, NOTHING)


def test_nobody_has_no_stored_value() -> None:
    with pytest.raises(Refused) as refused:
        paid(100, Tender("value", 100), payer=Payer())
    assert refused.value.code == "NO_STORED_VALUE"
    assert Payer() == Payer(None, 0, tenders.CENTRAL, False)


def test_what_is_due_in_coins() -> None:
    assert [tenders.cash_due(minor, RULES) for minor in (994, 995, 1000, 4)] == [990, 1000, 1000, 0]
