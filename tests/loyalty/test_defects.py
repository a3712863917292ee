"""A named regression test for each defect that real engines had (loyalty.md section 2), and the list of all.

The ones below go through the use cases and a real store; the others stand where their subject is tested.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from tapledger.errors import Refused, TapledgerError, Unavailable
from tapledger.loyalty import members as fold
from tapledger.loyalty import program as programs
from tapledger.loyalty.facts import SaleFacts, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.loyalty.sales.selling import Wants, pin
from tapledger.membership import basket as baskets
from tapledger.membership import coupons, night, occasions, pending, quoting, refund
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.store import history, members
from tests.lives.life import Life
from tests.lives.rules import TOWEL
from tests.store.shops import EARPHONES, PROGRAM, Bench, card
from tests.store.shops import bench as bench

TESTS = Path(__file__).parents[1]
SHANGHAI = dt.timezone(dt.timedelta(hours=8))

ROWS: dict[str, tuple[str, ...]] = {
    "refund leaves points": ("test_defect_refund_leaves_points",),
    "refund charges points again": ("test_defect_refund_charges_points_again",),
    "reward line earns points": ("test_defect_reward_line_earns_points",),
    "points of this order spent in this order": ("test_defect_points_of_this_order_are_not_spent_in_it",),
    "reward cost not reduced to what was used": ("test_defect_a_reward_costs_only_what_was_used",),
    "till rounds half-up, web rounds down": ("test_defect_till_and_web_round_differently",),
    "float points": ("test_defect_float_points",),
    "cent lost/invented in allocation": ("test_defect_cent_lost_or_invented",),
    "coupon over-redeemed under concurrency": ("test_defect_coupon_over_redeemed",),
    "payable below zero": ("test_defect_payable_below_zero",),
    "limit counter checked after order committed / never incremented": (
        "test_defect_limit_counter_after_commit",
    ),
    "same payment retried refunds a good order": (
        "test_defect_payment_retried_refunds_a_good_order",
        "test_defect_the_same_return_asked_for_twice_is_one",
    ),
    "redeem validated on total but consumed from a subset": (
        "test_defect_validated_and_consumed_lots",
        "test_defect_what_is_validated_is_what_is_consumed",
    ),
    "wrong tier chosen": ("test_defect_wrong_tier_chosen",),
    "expired a day early": ("test_defect_expired_a_day_early",),
    "validity differs between quote and payment": ("test_defect_validity_differs_between_quote_and_payment",),
    "Feb 29": ("test_defect_feb_29",),
    "offline retry doubles points": ("test_defect_offline_retry_doubles_points",),
    "transient read failure drops points": ("test_defect_transient_failure_drops_points",),
    "settling a debt earns again": (
        "test_defect_settling_a_debt_earns_again",
        "test_defect_settling_a_sale_again_earns_nothing_more",
    ),
    "guessable codes": ("test_defect_guessable_codes",),
    "refund split into small pieces keeps points": (
        "test_defect_refund_split_into_small_pieces_keeps_points",
    ),
}
"""Each class of the table, and the tests that bear its name."""


def test_every_row_has_a_test_that_exists() -> None:
    there = {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_defect_")
    }
    named = {name for names in ROWS.values() for name in names}
    assert len(ROWS) == 22
    assert named == there, "a row without its test, or a test that no row names"


def rules(bench: Bench, **more: Any) -> None:
    bench.shop.program = programs.load({**PROGRAM, **more})


async def state(bench: Bench, member: str) -> Member:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return stored.member


async def events(bench: Bench) -> list[EventBody]:
    return await bench.shop.store.transact(lambda tx: list(history.everything(tx)))


# ---- one engine, one rounding, integers -------------------------------------------------------------------
ODD = {
    "tiers": [
        {"id": "base", "name": {"en": "Base"}, "multiplier_milli": 1330, "discount_bp": 333},
    ],
    "points_as_cash": {"unit_points": 3, "unit_minor": 7},
    "promotions": [{"id": "p", "benefit": {"type": "percent", "rate_bp": 1499}, "name": {"en": "P"}}],
}


async def test_defect_till_and_web_round_differently(bench: Bench) -> None:
    """What a screen quotes is what the till records, to the fen and to the point, for any basket."""
    rules(bench, **ODD)
    member = await bench.join("Lin", card("c1"))
    chosen = random.Random(6)
    for number in range(25):
        command = bench.sale(member, key=f"sale-{number}")
        lines = tuple(
            msgspec.structs.replace(
                line, unit_minor=chosen.randrange(1, 9999), quantity_milli=1000 * chosen.randrange(1, 4)
            )
            for line in command.lines * 3
        )
        wants = Wants(points=chosen.choice([0, 10, 1000]))
        basket = baskets.Basket(f"sale-{number}", member=member, presented=card("c1", 3), points=wants.points)
        shown = await quoting.quote(bench.shop, basket, "en", lines)
        assert shown.sale is not None
        tenders = (Tender("card", shown.due_minor),) if shown.due_minor else ()
        paid = await record_sale(
            bench.shop,
            dataclasses.replace(
                command, lines=lines, wants=wants, tenders=tenders, presented=card("c1", 3), card=""
            ),
        )
        sold = paid.event.body.sale
        assert sold is not None
        assert _figures(sold) == _figures(shown.sale)


def _figures(sold: SaleFacts) -> tuple[Any, ...]:
    return (
        sold.total_minor,
        sold.tax_minor,
        sold.earned,
        sold.points_used,
        [line.net_minor for line in sold.lines],
        [(one.id, one.amount_minor, one.shares) for one in sold.discounts],
    )


def _types(kind: Any, seen: set[Any]) -> Iterator[Any]:
    """Yield every type that a struct is made of."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    for part in get_args(kind):
        yield from _types(part, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for part in get_type_hints(kind).values():
            yield from _types(part, seen)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(key)
            yield from _leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


async def test_defect_float_points(bench: Bench) -> None:
    """No type of the ledger, of a member or of the rules can hold a fraction, and no event does."""
    for root in (EventBody, Member, programs.Program):
        assert float not in set(_types(root, set()))
    rules(bench, **ODD)
    member = await bench.join("Lin", card("c1"))
    sold = await bench.buy(member, EARPHONES)
    assert sold.event.body.sale is not None
    await refund.return_sale(
        bench.shop, refund.ReturnCommand("r", sold.event.body.sale.id, (ReturnedLine(0, 1000),), "s-1", "en")
    )
    raws = [msgspec.msgpack.decode(raw) for (raw,) in bench.rows("SELECT raw FROM event")]
    assert len(raws) == 3
    assert not [leaf for leaf in _leaves(raws) if isinstance(leaf, float)]


@pytest.mark.parametrize(
    ("prices", "benefit", "off"),
    [
        ((10_000, 10_000, 10_000), {"type": "amount", "off_minor": 1000}, [334, 333, 333]),
        ((1323, 1323), {"type": "percent", "rate_bp": 10_000}, [1323, 1323]),
        ((999, 1, 333), {"type": "amount", "off_minor": 1000}, [749, 1, 250]),
    ],
)
async def test_defect_cent_lost_or_invented(
    bench: Bench, prices: tuple[int, ...], benefit: dict[str, Any], off: list[int]
) -> None:
    """The shares are the discount, and line by line the same money comes back that was paid."""
    rules(bench, coupons=[{"id": "c", "benefit": benefit, "name": {"en": "C"}, "code": "CUT"}])
    command = bench.sale(None, key="sale")
    lines = tuple(msgspec.structs.replace(command.lines[0], unit_minor=price) for price in prices)
    total = sum(prices) - sum(off)
    tenders = (Tender("card", total),) if total else ()
    paid = await record_sale(
        bench.shop, dataclasses.replace(command, lines=lines, tenders=tenders, scanned=("code/c",))
    )
    sold = paid.event.body.sale
    assert sold is not None
    assert (sold.total_minor, sum(line.net_minor for line in sold.lines)) == (total, total)
    (discount,) = sold.discounts
    shares = [discount.shares.get(number, 0) for number in range(len(prices))]
    assert (sum(shares), shares) == (discount.amount_minor, off)
    back = 0
    for number in range(len(prices)):
        asked = refund.ReturnCommand(f"r{number}", "sale", (ReturnedLine(number, 1000),), "s-1", "en")
        facts = (await refund.return_sale(bench.shop, asked)).event.body.returned
        assert facts is not None
        back += facts.refund_minor
    assert back == total


# ---- once -------------------------------------------------------------------------------------------------
async def test_defect_payment_retried_refunds_a_good_order(bench: Bench) -> None:
    """A payment that is reported twice, late, or sent again changes nothing about a sale that is good."""
    member = await bench.join("Lin", card("c1"))
    command = bench.sale(member, EARPHONES, key="sale")
    await pending.record_pending(bench.shop, command)
    first = await pending.confirm_pending(bench.shop, "sale")
    before = bench.tables()
    assert (await pending.confirm_pending(bench.shop, "sale")).hash == first.hash
    with pytest.raises(Refused, match="PENDING_CONFIRMED"):
        await pending.void_pending(bench.shop, "sale", "s-1")
    assert (await pending.record_pending(bench.shop, command)).replayed
    assert bench.tables() == before
    assert [body.kind for body in await events(bench)] == ["join", "hold", "sale"]
    assert await bench.points(member) == 299


async def test_defect_settling_a_debt_earns_again(bench: Bench) -> None:
    """A deficit that is filled is filled by what is earned, and paying late earns for its own sale only."""
    member = await bench.join("Lin", card("c1"))
    await bench.buy(member, EARPHONES)
    sale = (await events(bench))[-1].sale
    assert sale is not None
    await bench.redeem(member)
    everything = (ReturnedLine(0, 1000),)
    await refund.return_sale(bench.shop, refund.ReturnCommand("r", sale.id, everything, "s-1", "en"))
    owed = fold.points(await state(bench, member), bench.clock.now())
    assert (owed.available, owed.deficit) == (0, 100)
    await bench.buy(member, EARPHONES)
    settled = fold.points(await state(bench, member), bench.clock.now())
    assert (settled.available, settled.deficit) == (199, 0)
    assert sum(body.sale.earned for body in await events(bench) if body.sale is not None) == 2 * 299


# ---- days -------------------------------------------------------------------------------------------------
async def test_defect_expired_a_day_early(bench: Bench) -> None:
    """Earned on 4 May for 30 days: good until the last instant of 3 June, whatever is saved in between."""
    rules(bench, expiry={"mode": "days", "count": 30})
    member = await bench.join("Lin", card("c1"))
    await bench.buy(member, EARPHONES)
    ends = dt.datetime(2026, 6, 4, tzinfo=SHANGHAI)
    for _ in range(29):
        bench.clock.move(24 * 3600)
        await night.run(bench.shop)
        (lot,) = (await state(bench, member)).lots
        assert lot.expires_at == ends
    bench.clock.move((ends - bench.clock.now()).total_seconds() - 0.001)
    await night.run(bench.shop)
    assert await bench.points(member) == 299
    await bench.redeem(member)
    bench.clock.move(0.001)
    assert await bench.points(member) == 0
    with pytest.raises(Refused, match="POINTS_MISSING"):
        await bench.redeem(member)


NOON_ENDS = {
    "id": "noon",
    "benefit": {"type": "percent", "rate_bp": 5000},
    "name": {"en": "Until noon"},
    "valid_to": dt.datetime(2026, 5, 5, 12, 0),  # noqa: DTZ001 - local by intent
}


async def test_defect_validity_differs_between_quote_and_payment(bench: Bench) -> None:
    """The coupon ends at noon of the shop's zone; who was quoted before pays that for 15 minutes."""
    rules(bench, coupons=[NOON_ENDS])
    member = await bench.join("Lin", card("c1"))
    given = await coupons.issue_coupon(bench.shop, "give", member, "noon", "test")
    coupon = (await state(bench, member)).coupons[0].id
    assert not given.replayed
    bench.clock.move((dt.datetime(2026, 5, 5, 11, 55, tzinfo=SHANGHAI) - bench.clock.now()).total_seconds())
    wants = Wants(coupons=(coupon,))
    half = dataclasses.replace(bench.sale(member, key="quoted"), wants=wants, tenders=(Tender("cash", 600),))
    shown = pin(await state(bench, member), half.lines, wants, bench.shop.program, bench.clock.now())

    bench.clock.move(10 * 60)  # 12:05
    with pytest.raises(TapledgerError, match="COUPON_EXPIRED"):
        await record_sale(bench.shop, dataclasses.replace(half, id="unquoted"))
    bench.clock.move(5 * 60)  # 12:10: the quote has run out
    with pytest.raises(Refused, match="QUOTE_EXPIRED"):
        await record_sale(bench.shop, dataclasses.replace(half, pinned=shown))
    bench.clock.move(-1)
    paid = (await record_sale(bench.shop, dataclasses.replace(half, pinned=shown))).event.body.sale
    assert paid is not None
    assert paid.total_minor == 600


@pytest.mark.parametrize(("policy", "day"), [("feb28", dt.date(2027, 2, 28)), ("mar1", dt.date(2027, 3, 1))])
async def test_defect_feb_29(bench: Bench, policy: str, day: dt.date) -> None:
    """Born on 29 February: in a common year the shop chose a day, and the gift comes on it, once."""
    rules(bench, birthday={"leap_day": policy, "gain": {"points": 50}})
    joined = await register_member(
        bench.shop, Joining("join", "Lin", "", (card("c1"),), "s-1", birthday=(2, 29, 2000))
    )
    member = joined.event.body.member
    assert member is not None
    given: dict[dt.date, int] = {}
    for one in (dt.date(2027, 2, 27), dt.date(2027, 2, 28), dt.date(2027, 3, 1), dt.date(2027, 3, 2)):
        noon = dt.datetime.combine(one, dt.time(12), SHANGHAI)
        bench.clock.move((noon - bench.clock.now()).total_seconds())
        for _ in range(2):
            given[one] = given.get(one, 0) + len((await occasions.give_due(bench.shop, member)).recorded)
    assert given == {one: int(one == day) for one in given}
    assert await bench.points(member) == 50


# ---- offline ----------------------------------------------------------------------------------------------
@pytest.fixture
async def shops(tmp_path: Path) -> AsyncIterator[Life]:
    life = Life(tmp_path, "defects", ("A", "B"))
    await life.open()
    yield life
    await life.close()


async def _buys(life: Life, number: int) -> int:
    """Let a member buy at shop A while it has no line; return what they earn."""
    place = life.places[0]
    who = await life.member(place, number)
    assert who is not None
    line = place.shop.catalogue.find(TOWEL).line(1000, "en")
    command = SaleCommand(
        life.key(), "till", (line,), (Tender("cash", 1200),), "s-1", "en", who.id, life.card(number)
    )
    sold = (await record_sale(place.shop, command)).event.body.sale
    assert sold is not None
    return sold.earned


async def _points(life: Life) -> list[int]:
    found = [await life.member(place, 0) for place in life.places]
    return [fold.points(one, life.now).available for one in found if one is not None]


async def test_defect_offline_retry_doubles_points(shops: Life) -> None:
    """A batch that is delivered again and again is applied once, in the shop and in every other."""
    a, b = shops.places
    (before, _) = await _points(shops)
    a.shop.reachable = False
    earned = await _buys(shops, 0)
    a.shop.reachable = True
    for _ in range(3):
        await a.shop.store.rewind(1, 0)
        await a.sync()
        await b.sync()
    assert await _points(shops) == [before + earned] * 2


async def test_defect_transient_failure_drops_points(shops: Life) -> None:
    """What central did not acknowledge stays in the outbox, whether it was lost on the way there or back."""
    a, b = shops.places
    (before, _) = await _points(shops)
    a.shop.reachable = False
    earned = await _buys(shops, 0)
    with pytest.raises(Unavailable):
        await a.sync()
    assert await a.shop.store.unsynced() > 0
    a.shop.reachable = True
    a.lost_answers = 1
    with pytest.raises(Unavailable):
        await a.sync()
    assert await a.shop.store.unsynced() > 0
    await a.sync()
    assert await a.shop.store.unsynced() == 0
    await b.sync()
    assert await _points(shops) == [before + earned] * 2
