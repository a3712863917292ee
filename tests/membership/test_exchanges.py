"""Exchanges and the points of a receipt that are given afterwards (loyalty.md 3.14, decisions (a))."""

from __future__ import annotations

import dataclasses

import msgspec

from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import transfer_account
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.sales.selling import Wants
from tapledger.membership import exchange, late_credit, refund
from tapledger.membership.exchange import ExchangeCommand
from tapledger.membership.sale import record_sale
from tests.membership.counter import DAY_S, back, facts, new_sale, refused, rules, state
from tests.store.shops import EARPHONES, TOWEL, Bench, card


# ---- exchange ---------------------------------------------------------------------------------------------
async def g18(bench: Bench, member: str) -> str:
    """Sell basket G18 to a member who has 2000 points and wants to use them."""
    off = Promotion(id="minus30", benefit=Amount(off_minor=3000))
    rules(bench, promotions=[off], points_as_cash=PointsAsCash(1, 1))
    await bench.buy(member, EARPHONES, 7)
    line = bench.shop.catalogue.find(TOWEL).line(1000, "en")
    basket = tuple(
        msgspec.structs.replace(line, sku=sku, unit_minor=price, tax_bp=0)
        for sku, price in (("a", 9900), ("b", 4990), ("c", 2500))
    )
    have = await bench.points(member)
    command = dataclasses.replace(
        bench.sale(member, key="g18"),
        lines=basket,
        tenders=(Tender("cash", 12_390),),
        wants=Wants(points=2000),
    )
    sold = await record_sale(bench.shop, command)
    assert sold.event.body.sale is not None and sold.event.body.sale.earned == 123
    assert await bench.points(member) == have - 2000 + 123
    rules(bench, promotions=[])
    return "g18"


async def test_G75_an_exchange_pays_the_difference(bench: Bench, member: str) -> None:
    sale = await g18(bench, member)
    have = await bench.points(member)
    command = ExchangeCommand(back(bench, sale, (1, 1000), key="x-1"), new_sale(bench, member, 5000, 1445))
    done = await exchange.exchange(bench.shop, command)
    returned, sold = done.returned.event.body, done.sold.event.body
    assert (facts(done.returned).refund_minor, facts(done.returned).clawed) == (3555, 35)
    assert facts(done.returned).restored == 574
    assert sold.sale is not None and (sold.sale.earned, sold.sale.exchange) == (50, "x-1")
    assert await bench.points(member) == have - 35 + 574 + 50
    lines = [*returned.lines, *sold.lines]
    assert sum(one.amount for one in lines if one.account == transfer_account("x-1")) == 0
    assert sum(one.amount for one in lines if one.account == "tender/cash") == 1445
    again = await exchange.exchange(bench.shop, command)
    assert (again.returned.receipt, again.sold.receipt) == (done.returned.receipt, done.sold.receipt)


async def test_restored_points_pay_for_the_new_sale(bench: Bench, member: str) -> None:
    sale = await g18(bench, member)
    wants = Wants(points=574)
    new = new_sale(bench, member, 5000, 5000 - 574 - 3555, wants=wants)
    done = await exchange.exchange(bench.shop, ExchangeCommand(back(bench, sale, (1, 1000)), new))
    assert done.sold.event.body.sale is not None
    assert done.sold.event.body.sale.points_used == 574


async def test_an_exchange_for_something_cheaper_pays_out(bench: Bench, member: str) -> None:
    sale = await g18(bench, member)
    new = new_sale(bench, member, 1000, 0)
    done = await exchange.exchange(bench.shop, ExchangeCommand(back(bench, sale, (1, 1000), key="x"), new))
    lines = [*done.returned.event.body.lines, *done.sold.event.body.lines]
    assert sum(one.amount for one in lines if one.account == "tender/cash") == -2555
    new_id = done.sold.event.body.sale.id  # type: ignore[union-attr]
    later = await refund.return_sale(bench.shop, back(bench, new_id, (0, 1000)))
    assert [(one.kind, one.amount_minor) for one in facts(later).tenders] == [("cash", 1000)]


async def test_an_exchange_that_is_not_paid_changes_nothing(bench: Bench, member: str) -> None:
    sale = await g18(bench, member)
    new = new_sale(bench, member, 5000, 1444)
    command = ExchangeCommand(back(bench, sale, (1, 1000)), new)
    assert (await refused(bench, exchange.exchange(bench.shop, command))).code == "TENDER_TOO_SMALL"


# ---- late credit ------------------------------------------------------------------------------------------
async def test_the_points_of_a_receipt_are_given_once(bench: Bench, member: str) -> None:
    sold = await bench.buy(None, EARPHONES)
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    bench.clock.move(3 * DAY_S)
    done = await late_credit.late_credit(bench.shop, "l-1", member, sale, "s-1")
    assert done.event.body.kind == "late_credit"
    assert await bench.points(member) == 299
    again = await late_credit.late_credit(bench.shop, "l-1", member, sale, "s-1")
    assert (again.receipt, await bench.points(member)) == (done.receipt, 299)
    second = await refused(bench, late_credit.late_credit(bench.shop, "l-2", member, sale))
    assert second.code == "LATE_CREDIT_TAKEN"
    assert (await state(bench, member)).tallies == {}, "earn only"


async def test_what_was_credited_late_is_clawed_from_that_member(bench: Bench, member: str) -> None:
    sold = await bench.buy(None, EARPHONES, 2)
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    await refund.return_sale(bench.shop, back(bench, sale, (0, 1000)))
    await late_credit.late_credit(bench.shop, "l-1", member, sale)
    assert await bench.points(member) == 299
    last = await refund.return_sale(bench.shop, back(bench, sale, (0, 1000)))
    assert (last.event.body.member, facts(last).clawed) == (member, 299)
    assert await bench.points(member) == 0


async def test_a_receipt_without_points_left_or_too_old_or_of_a_member_is_refused(
    bench: Bench, member: str
) -> None:
    own = await bench.buy(member)
    stale = await bench.buy(None)
    returned = await bench.buy(None)
    ids = [one.event.body.sale.id for one in (own, stale, returned)]  # type: ignore[union-attr]
    await refund.return_sale(bench.shop, back(bench, ids[2], (0, 1000)))
    for sale, code in ((ids[0], "SALE_HAS_MEMBER"), (ids[2], "LATE_CREDIT_NOTHING"), ("x", "SALE_UNKNOWN")):
        error = await refused(bench, late_credit.late_credit(bench.shop, bench.key(), member, sale))
        assert error.code == code
    bench.clock.move(8 * DAY_S)
    error = await refused(bench, late_credit.late_credit(bench.shop, bench.key(), member, ids[1]))
    assert error.code == "LATE_CREDIT_TOO_LATE"


async def test_who_joined_after_the_sale_gets_nothing_for_it(bench: Bench) -> None:
    sold = await bench.buy(None)
    bench.clock.move(60)
    late = await bench.join("Wu", card("c9"))
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    error = await refused(bench, late_credit.late_credit(bench.shop, "l", late, sale))
    assert error.code == "LATE_CREDIT_JOINED_LATER"
