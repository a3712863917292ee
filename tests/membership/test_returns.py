"""Returns, voids, exchanges, late credits and payments that wait, through the real store."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import Any

import msgspec
import pytest

from tapledger.errors import Conflict, Invalid, NotFound, TapledgerError
from tapledger.loyalty import members
from tapledger.loyalty.effects import PRINCIPAL, Lot
from tapledger.loyalty.facts import ReturnFacts, Tender
from tapledger.loyalty.ledger import POINT, transfer_account
from tapledger.loyalty.members import Member
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.program.values import StoredValue
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.returning import ReturnedLine
from tapledger.loyalty.selling import Wants, pin
from tapledger.membership import exchange, late_credit, pending, receipts, refund
from tapledger.membership.exchange import ExchangeCommand
from tapledger.membership.refund import GiveBackCommand, ReturnCommand, VoidCommand
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.store import members as stored_members
from tapledger.store import sales
from tapledger.store.journal import Recorded
from tests.store.shops import EARPHONES, TOWEL, Bench, card

DAY_S = 86_400


def back(bench: Bench, sale: str, *lines: tuple[int, int], key: str = "", **more: Any) -> ReturnCommand:
    chosen = tuple(ReturnedLine(line, milli) for line, milli in lines)
    return ReturnCommand(key or bench.key(), sale, chosen, "s-1", "en", **more)


def facts(recorded: Recorded) -> ReturnFacts:
    assert recorded.event.body.returned is not None
    return recorded.event.body.returned


async def state(bench: Bench, member: str) -> Member:
    stored = await bench.shop.store.transact(lambda tx: stored_members.load(tx, member))
    assert stored is not None
    return stored.member


async def refused(bench: Bench, command: Any) -> TapledgerError:
    """Await a command that must be refused and leave the store as it was."""
    before = bench.tables()
    with pytest.raises(TapledgerError) as error:
        await command
    assert bench.tables() == before
    return error.value


def rules(bench: Bench, **changes: Any) -> None:
    bench.shop.program = msgspec.structs.replace(bench.shop.program, **changes)


@pytest.fixture
async def member(bench: Bench) -> str:
    return await bench.join("Lin", card("c1"))


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


# ---- exchange ---------------------------------------------------------------------------------------------
def new_sale(bench: Bench, member: str | None, price_minor: int, paid: int, **more: Any) -> SaleCommand:
    line = msgspec.structs.replace(
        bench.shop.catalogue.find(TOWEL).line(1000, "en"), unit_minor=price_minor, tax_bp=0
    )
    tenders = (Tender("cash", paid),) if paid else ()
    command = bench.sale(member, key=bench.key())
    return dataclasses.replace(command, lines=(line,), tenders=tenders, **more)


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


# ---- payments that wait -----------------------------------------------------------------------------------
async def waiting_sale(bench: Bench, member: str, **more: Any) -> SaleCommand:
    rules(bench, points_as_cash=PointsAsCash(1, 1))
    await bench.buy(member, EARPHONES)
    command = new_sale(bench, member, 5000, 0, wants=Wants(points=200))
    return dataclasses.replace(command, tenders=(Tender("mobile", 4800),), **more)


async def test_X1_a_sale_that_waits_earns_nothing_and_keeps_what_it_uses(bench: Bench, member: str) -> None:
    command = await waiting_sale(bench, member)
    waits = await pending.record_pending(bench.shop, command)
    assert (await pending.record_pending(bench.shop, command)).receipt == waits.receipt
    assert await bench.points(member) == 99
    assert [one.id for one in await pending.unresolved(bench.shop)] == [command.id]
    assert bench.rows("SELECT count(*) FROM event WHERE kind = 'sale'") == [(1,)]
    assert isinstance(await refused(bench, _sell(bench, command, Tender("cash", 4800))), Conflict)


async def _sell(bench: Bench, command: SaleCommand, tender: Tender) -> Recorded:
    return await record_sale(bench.shop, dataclasses.replace(command, tenders=(tender,)))


async def test_X1_a_late_confirmation_completes_the_same_sale_once(bench: Bench, member: str) -> None:
    command = await waiting_sale(bench, member)
    await pending.record_pending(bench.shop, command)
    bench.clock.move(3 * DAY_S)
    answers = await asyncio.gather(*(pending.confirm_pending(bench.shop, command.id) for _ in range(10)))
    assert len({one.receipt for one in answers}) == 1
    sold = answers[0].event.body.sale
    assert sold is not None and (sold.id, sold.earned, sold.points_used) == (command.id, 48, 200)
    assert await bench.points(member) == 99 + 48
    assert await pending.unresolved(bench.shop) == []
    assert (
        await refused(bench, pending.void_pending(bench.shop, command.id, "s"))
    ).code == "PENDING_CONFIRMED"
    done = await refund.return_sale(bench.shop, back(bench, command.id, (0, 1000)))
    assert (facts(done).restored, facts(done).clawed, facts(done).refund_minor) == (200, 48, 4800)
    assert await bench.points(member) == 299


async def test_X1_a_payment_that_never_came_lets_everything_go(bench: Bench, member: str) -> None:
    command = await waiting_sale(bench, member)
    before = await state(bench, member)
    await pending.record_pending(bench.shop, command)
    await pending.void_pending(bench.shop, command.id, "s-1")
    await pending.void_pending(bench.shop, command.id, "s-1")
    assert (await state(bench, member)).lots == before.lots
    assert await pending.unresolved(bench.shop) == []
    assert (await refused(bench, pending.confirm_pending(bench.shop, command.id))).code == "SALE_GIVEN_UP"
    assert (await refused(bench, pending.confirm_pending(bench.shop, "x"))).code == "PENDING_UNKNOWN"


async def test_X1_points_that_lapse_while_the_sale_waits_still_pay(bench: Bench, member: str) -> None:
    rules(bench, expiry=msgspec.structs.replace(bench.shop.program.expiry, mode="days", count=1))
    command = await waiting_sale(bench, member)
    await pending.record_pending(bench.shop, command)
    bench.clock.move(5 * DAY_S)
    assert await bench.points(member) == 0
    await pending.confirm_pending(bench.shop, command.id)
    assert (await state(bench, member)).deficit == 0


# ---- a quote that was shown -------------------------------------------------------------------------------
async def test_X5_a_quote_is_honoured_until_its_deadline(bench: Bench, member: str) -> None:
    off = Promotion(id="minus", benefit=Amount(off_minor=200))
    rules(bench, promotions=[off])
    command = bench.sale(member, TOWEL)
    who = await state(bench, member)
    pinned = pin(who, command.lines, Wants(), bench.shop.program, bench.clock.now())
    assert pinned.until - pinned.at == dt.timedelta(minutes=15)
    paid = dataclasses.replace(command, tenders=(Tender("cash", 1000),), pinned=pinned)
    dearer = tuple(msgspec.structs.replace(one, unit_minor=9900) for one in command.lines)
    bench.clock.move(15 * 60 - 1)
    sold = await record_sale(bench.shop, dataclasses.replace(paid, lines=dearer))
    assert sold.event.body.sale is not None and sold.event.body.sale.total_minor == 1000
    bench.clock.move(1)
    late = dataclasses.replace(paid, id=bench.key())
    assert (await refused(bench, record_sale(bench.shop, late))).code == "QUOTE_EXPIRED"


# ---- stored value -----------------------------------------------------------------------------------------
async def test_stored_value_needs_a_card_that_proves_itself(bench: Bench, member: str) -> None:
    rules(bench, stored_value=StoredValue())
    who = await state(bench, member)
    lot = Lot("p", 5000, 5000, bench.clock.now(), None, PRINCIPAL)
    rich = msgspec.structs.replace(who, lots=(lot,))
    raw = msgspec.msgpack.encode(rich)
    await bench.shop.store.transact(
        lambda tx: tx.exec_driver_sql("UPDATE member SET state = ? WHERE id = ?", (raw, member))
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
