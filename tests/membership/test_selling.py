"""A sale: money, points and paper in one transaction, once."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
import pytest

from tapledger.errors import Conflict, Invalid, TapledgerError
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.membership import basket as baskets
from tapledger.membership import quoting, slips
from tapledger.membership.sale import last_sale, record_sale
from tapledger.store import drafts
from tests.membership.counter import rules
from tests.store.shops import EARPHONES, TOWEL, Bench, card


async def test_sale_points_receipt_and_basket_are_one_transaction(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await bench.join("Ann", card("a"))
    await baskets.keep(bench.shop, "till-1", baskets.add(baskets.Basket("sale-1"), TOWEL, 2))
    before = bench.tables()

    def fails(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError

    for step in ((slips, "enqueue"), (drafts, "discard")):
        with monkeypatch.context() as patch:
            patch.setattr(*step, fails)
            with pytest.raises(ZeroDivisionError):
                await record_sale(bench.shop, bench.sale(member, EARPHONES, key="sale-1"))
        assert bench.tables() == before

    recorded = await record_sale(bench.shop, bench.sale(member, EARPHONES, key="sale-1"))
    assert await bench.points(member) == 299
    assert bench.rows("SELECT id, state FROM print_job") == [(f"slip-{recorded.receipt}", "queued")]
    assert bench.rows("SELECT * FROM draft") == []
    slip = await bench.shop.store.transact(lambda tx: slips.stored(tx, bench.shop, slips.job_id(recorded)))
    assert slip is not None
    assert (slip.receipt, slip.proof, slip.points) == (recorded.receipt, recorded.hash.hex()[:16], 299)


async def test_a_sale_asks_the_store_for_little(bench: Bench) -> None:
    """Its time is held by benchmarks.spine, alone; a statement more is seen here at once."""
    member = await bench.join("Ann", card("a"))
    said = await bench.listen()
    await record_sale(bench.shop, bench.sale(member, EARPHONES))
    wrote = ["INSERT", "INSERT", "UPDATE", "UPDATE", "INSERT", "DELETE"]
    assert [text.split()[0] for text in said] == ["BEGIN", "SELECT", "SELECT", *wrote, "COMMIT"]


async def test_a_hundred_deliveries_of_one_sale_are_one_sale(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    command = bench.sale(member, EARPHONES, key="sale-1")
    answers = await asyncio.gather(*(record_sale(bench.shop, command) for _ in range(100)))
    assert {one.receipt for one in answers} == {answers[0].receipt}
    assert sum(not one.replayed for one in answers) == 1
    assert await bench.points(member) == 299
    assert len(bench.rows("SELECT * FROM print_job")) == 1


@pytest.mark.parametrize(
    ("tenders", "code"),
    [
        ((), "TENDER_TOO_SMALL"),
        ((Tender("cash", 1199),), "TENDER_TOO_SMALL"),
        ((Tender("cash", -1),), "AMOUNT_IMPOSSIBLE"),
        ((Tender("cash", 1300), Tender("cash", -100)), "AMOUNT_IMPOSSIBLE"),
        ((Tender("cash", MAX_AMOUNT_MINOR + 1),), "AMOUNT_IMPOSSIBLE"),
        ((Tender("cash", 2**63),), "AMOUNT_IMPOSSIBLE"),
        ((Tender("cash", 2**64),), "AMOUNT_TOO_LARGE"),
        ((Tender("cash", -(2**64)),), "AMOUNT_TOO_LARGE"),
        ((Tender("cash", 10**400),), "AMOUNT_TOO_LARGE"),
        ((Tender("card", 1300),), "CHANGE_ONLY_FROM_CASH"),
        ((Tender("gold", 1200),), "TENDER_UNKNOWN"),
        ((Tender("\x1b@", 1200),), "TENDER_UNKNOWN"),
    ],
)
async def test_money_that_cannot_be_meant_is_refused(
    bench: Bench, tenders: tuple[Tender, ...], code: str
) -> None:
    before = bench.tables()
    with pytest.raises(TapledgerError) as caught:
        await record_sale(bench.shop, dataclasses.replace(bench.sale(None), tenders=tenders))
    assert caught.value.code == code
    assert bench.tables() == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity_milli": 0}, "QUANTITY_IMPOSSIBLE"),
        ({"quantity_milli": -1000}, "QUANTITY_IMPOSSIBLE"),
        ({"quantity_milli": 2**63}, "QUANTITY_IMPOSSIBLE"),
        ({"unit_minor": -1}, "AMOUNT_IMPOSSIBLE"),
        ({"unit_minor": 2**64}, "AMOUNT_TOO_LARGE"),
        ({"tax_bp": -1}, "AMOUNT_IMPOSSIBLE"),
        ({"tax_bp": 10_001}, "AMOUNT_IMPOSSIBLE"),
        ({"unit_minor": MAX_AMOUNT_MINOR, "quantity_milli": 2000}, "AMOUNT_TOO_LARGE"),
    ],
    ids=str,
)
async def test_lines_that_cannot_be_meant_are_refused(
    bench: Bench, changes: dict[str, int], code: str
) -> None:
    command = bench.sale(None)
    line = msgspec.structs.replace(command.lines[0], **changes)
    before = bench.tables()
    with pytest.raises(Invalid) as caught:
        await record_sale(bench.shop, dataclasses.replace(command, lines=(line,)))
    assert caught.value.code == code
    assert bench.tables() == before


async def test_an_empty_basket_is_no_sale(bench: Bench) -> None:
    with pytest.raises(Invalid, match="BASKET_EMPTY"):
        await record_sale(bench.shop, dataclasses.replace(bench.sale(None), lines=()))


async def test_cash_gives_change_and_every_unit_balances(bench: Bench) -> None:
    recorded = await record_sale(
        bench.shop, dataclasses.replace(bench.sale(None), tenders=(Tender("cash", 2000),))
    )
    body = recorded.event.body
    assert body.sale is not None and body.sale.change_minor == 800
    assert sum(line.amount for line in body.lines) == 0
    assert {line.account: line.amount for line in body.lines}["sales"] == 138 - 1200


async def test_the_last_sale_is_remembered_for_a_while(bench: Bench) -> None:
    assert await last_sale(bench.shop) is None
    recorded = await bench.buy(None)
    await bench.restart()
    found = await last_sale(bench.shop)
    assert found is not None and found.receipt == recorded.receipt
    bench.clock.move(16 * 60)
    assert await last_sale(bench.shop) is None


async def test_an_open_basket_survives_a_restart(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    basket = baskets.add(baskets.add(baskets.Basket("sale-1", member=member), TOWEL, 2), EARPHONES, 1)
    await baskets.keep(bench.shop, "till-1", basket)
    await bench.restart()
    assert await baskets.restore(bench.shop, "till-1") == basket
    assert (await baskets.restore(bench.shop, "till-2")).entries == ()


async def test_the_basket_that_was_paid_as_the_daemon_stopped_is_not_paid_again(bench: Bench) -> None:
    """The sale had its id before it was paid: whoever pays the same basket again gets the same sale."""
    basket = baskets.add(baskets.Basket("sale-1"), TOWEL, 1)
    await baskets.keep(bench.shop, "till-1", basket)
    command = bench.sale(None, key=basket.sale)
    first = await record_sale(bench.shop, command)
    await bench.restart()
    assert (await record_sale(bench.shop, command)).receipt == first.receipt
    with pytest.raises(Conflict):
        await record_sale(bench.shop, bench.sale(None, count=2, key=basket.sale))
    assert bench.rows("SELECT count(*) FROM event") == [(1,)]


@pytest.mark.parametrize(("min_points", "code"), [(250, "POINTS_TOO_FEW"), (150, "POINTS_BASKET_TOO_SMALL")])
async def test_too_few_points_are_told_in_whole_units(bench: Bench, min_points: int, code: str) -> None:
    """At least 250 points in units of 200 are 400: whoever has 299 has too few for any basket."""
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    rules(bench, points_as_cash=PointsAsCash(200, 100, min_points=min_points, min_basket_minor=10**6))
    basket = baskets.add(baskets.Basket("sale-1", member=member, presented=card("a", 3)), TOWEL, 1)
    refusal = (await quoting.quote(bench.shop, basket, "en")).points.refusal
    assert refusal is not None
    assert (refusal.code, refusal.data.get("least", 400)) == (code, 400)
