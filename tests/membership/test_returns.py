"""Returns, voids and deposits through the real store."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
import pytest

from tapledger.errors import Conflict, Invalid, NotFound, TapledgerError
from tapledger.loyalty import members
from tapledger.loyalty.effects import PRINCIPAL, Lot
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import POINT
from tapledger.loyalty.program.values import StoredValue
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.membership import receipts, refund
from tapledger.membership.desk.asking import Staff
from tapledger.membership.desk.sales import Bottles, Item, bottles
from tapledger.membership.refund import GiveBackCommand, VoidCommand
from tapledger.membership.sale import record_sale
from tapledger.membership.sign_in import Throttle
from tapledger.store import keys, sales
from tapledger.store.journal import Recorded
from tests.membership.counter import DAY_S, back, facts, refused, rules, state
from tests.store.shops import EARPHONES, TOWEL, Bench, card


# ---- returns ----------------------------------------------------------------------------------------------
async def test_a_sale_is_found_by_its_receipt_and_comes_back(bench: Bench, member: str) -> None:
    sold = await bench.buy(member, EARPHONES, 2)
    found = await receipts.show(bench.shop, sold.receipt)
    by_code = await receipts.show(bench.shop, f"{sold.receipt}:{sold.hash.hex()}")
    assert found == by_code
    assert found.member is not None and found.member.id == member
    first = await refund.return_sale(bench.shop, back(bench, found.sold.facts.id, (0, 1000)))
    assert (facts(first).refund_minor, facts(first).clawed) == (29_900, 299)
    assert await bench.points(member) == 299
    second = await refund.return_sale(bench.shop, back(bench, found.sold.facts.id, (0, 1000)))
    assert (facts(second).refund_minor, facts(second).complete) == (29_900, True)
    assert await bench.points(member) == 0
    slips = bench.rows("SELECT kind FROM print_job ORDER BY number")
    assert slips == [("sale",), ("return",), ("return",)]


async def test_defect_the_same_return_asked_for_twice_is_one(bench: Bench, member: str) -> None:
    sold = await bench.buy(member, TOWEL, 2)
    command = back(bench, sold.event.body.sale.id, (0, 1000), key="r-1")  # type: ignore[union-attr]
    answers = await asyncio.gather(*(refund.return_sale(bench.shop, command) for _ in range(20)))
    assert len({one.receipt for one in answers}) == 1
    assert sum(not one.replayed for one in answers) == 1
    other = dataclasses.replace(command, lines=(ReturnedLine(0, 2000),))
    assert isinstance(await refused(bench, refund.return_sale(bench.shop, other)), Conflict)


async def test_at_once_no_more_comes_back_than_was_sold(bench: Bench) -> None:
    sold = await bench.buy(None, TOWEL, 3)
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    tries = [refund.return_sale(bench.shop, back(bench, sale, (0, 1000))) for _ in range(64)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Recorded) for one in done) == 3
    assert {one.code for one in done if isinstance(one, TapledgerError)} == {"RETURN_TOO_MUCH"}


@pytest.mark.parametrize(
    ("receipt", "kind", "code"),
    [
        ("", Invalid, "RECEIPT_INVALID"),
        ("nonsense", Invalid, "RECEIPT_INVALID"),
        ("a-b-c", Invalid, "RECEIPT_INVALID"),
        ("n" * 500, Invalid, "RECEIPT_INVALID"),
        ("other-1-1", NotFound, "SALE_UNKNOWN"),
        ("{node}-1-99", NotFound, "SALE_UNKNOWN"),
        ("{node}-9-1", NotFound, "SALE_UNKNOWN"),
        ("{node}-1-1", NotFound, "SALE_UNKNOWN"),
        ("{node}-999999999-999999999999999", NotFound, "SALE_UNKNOWN"),
    ],
)
async def test_what_is_no_receipt_of_a_sale_here_is_said(
    bench: Bench, member: str, receipt: str, kind: type[TapledgerError], code: str
) -> None:
    """The first event is a joining."""
    text = receipt.replace("{node}", bench.shop.store.keyring.node)
    error = await refused(bench, receipts.show(bench.shop, text))
    assert (type(error), error.code) == (kind, code)


async def test_R21_a_sale_of_another_shop_is_unknown_here(bench: Bench) -> None:
    error = await refused(bench, refund.return_sale(bench.shop, back(bench, "elsewhere", (0, 1000))))
    assert (type(error), error.code) == (NotFound, "SALE_UNKNOWN")


@pytest.mark.parametrize("milli", [0, -1000, 500, 2**40, 2**63, 2**64])
async def test_quantities_that_cannot_be_meant_change_nothing(bench: Bench, milli: int) -> None:
    sold = await bench.buy(None)
    await refused(
        bench,
        _return(bench, sold.event.body.sale.id, milli),  # type: ignore[union-attr]
    )


async def _return(bench: Bench, sale: str, milli: int) -> Recorded:
    return await refund.return_sale(bench.shop, back(bench, sale, (0, milli)))


async def test_a_return_after_the_window_changes_nothing_without_a_manager(bench: Bench) -> None:
    sold = await bench.buy(None)
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    bench.clock.move(8 * DAY_S)
    error = await refused(bench, refund.return_sale(bench.shop, back(bench, sale, (0, 1000))))
    assert error.code == "RETURN_TOO_LATE"
    late = back(bench, sale, (0, 1000), late_approved=True)
    assert facts(await refund.return_sale(bench.shop, late)).refund_minor == 1200


# ---- voids ------------------------------------------------------------------------------------------------
async def test_a_void_undoes_a_sale_on_its_day_once(bench: Bench, member: str) -> None:
    before = await state(bench, member)
    sold = await bench.buy(member)
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    command = VoidCommand("v-1", sale, "s-1", "en")
    done = await refund.void_sale(bench.shop, command)
    assert (done.event.body.kind, facts(done).refund_minor) == ("void", 1200)
    assert (await refund.void_sale(bench.shop, command)).receipt == done.receipt
    after = await state(bench, member)
    assert (after.lots, after.tier) == (before.lots, before.tier)
    again = VoidCommand("v-2", sale, "s-1", "en")
    assert (await refused(bench, refund.void_sale(bench.shop, again))).code == "SALE_ALREADY_RETURNED"


async def test_X8_the_next_day_a_sale_is_not_voided(bench: Bench) -> None:
    sold = await bench.buy(None)
    bench.clock.move(DAY_S)
    command = VoidCommand("v-1", sold.event.body.sale.id, "s-1", "en")  # type: ignore[union-attr]
    assert (await refused(bench, refund.void_sale(bench.shop, command))).code == "VOID_ONLY_SAME_DAY"


# ---- deposits ---------------------------------------------------------------------------------------------
async def test_X6_a_bottle_that_comes_back_is_a_payout(bench: Bench) -> None:
    article = dataclasses.replace(
        bench.shop.catalogue.find(TOWEL), sku="bottle", unit_minor=30, flags=frozenset({"deposit"})
    )
    bench.shop.catalogue.articles["bottle"] = article
    command = GiveBackCommand("g-1", (("bottle", 7),), "s-1", "en")
    done = await refund.give_back_deposit(bench.shop, command)
    assert (facts(done).kind, facts(done).refund_minor, done.event.body.member) == ("giveback", 210, None)
    assert (await refund.give_back_deposit(bench.shop, command)).receipt == done.receipt
    wrong = GiveBackCommand("g-2", ((TOWEL, 1),), "s-1", "en")
    assert (await refused(bench, refund.give_back_deposit(bench.shop, wrong))).code == "ARTICLE_NO_DEPOSIT"
    none = GiveBackCommand("g-3", (), "s-1", "en")
    assert (await refused(bench, refund.give_back_deposit(bench.shop, none))).code == "RETURN_EMPTY"
    many = GiveBackCommand("g-4", (("bottle", 2**63),), "s-1", "en")
    assert (await refused(bench, refund.give_back_deposit(bench.shop, many))).code == "QUANTITY_IMPOSSIBLE"


async def test_half_a_bottle_is_refused_at_the_desk(bench: Bench) -> None:
    asked = Bottles(key="half", items=(Item(sku="bottle", quantity="1.5"),))
    error = await refused(
        bench, bottles(bench.shop, asked, Staff("s-1", "cashier", "en", Throttle(bench.clock)))
    )
    assert error.code == "QUANTITY_IMPOSSIBLE"


# ---- stored value -----------------------------------------------------------------------------------------
async def test_stored_value_needs_a_card_that_proves_itself(bench: Bench, member: str) -> None:
    rules(bench, stored_value=StoredValue())
    who = await state(bench, member)
    lot = Lot("p", 5000, 5000, bench.clock.now(), None, PRINCIPAL)
    rich = msgspec.structs.replace(who, lots=(lot,))
    raw = msgspec.msgpack.encode(rich)
    await bench.shop.store.transact(
        lambda tx: tx.exec_driver_sql("UPDATE member SET state = ? WHERE id = ?", (raw, keys.of_uuid(member)))
    )
    command = dataclasses.replace(bench.sale(member), tenders=(Tender("value", 1200),))
    bare = dataclasses.replace(command, presented=card("any", 0))
    assert (await refused(bench, record_sale(bench.shop, bare))).code == "CARD_ONLY_IDENTIFIES"
    sold = await record_sale(bench.shop, command)
    assert members.value(await state(bench, member), PRINCIPAL, bench.clock.now()) == 3800
    assert not any(one.account.startswith("tender/") for one in sold.event.body.lines if one.unit != POINT)


async def test_what_changes_a_sale_is_noted_and_nothing_else(bench: Bench) -> None:
    sold = await bench.buy(None)
    sale = sold.event.body.sale.id  # type: ignore[union-attr]
    assert bench.rows("SELECT count(*) FROM sale_change") == [(0,)]
    await refund.return_sale(bench.shop, back(bench, sale, (0, 1000)))
    assert len(await bench.shop.store.transact(lambda tx: sales.changes(tx, sale))) == 1
