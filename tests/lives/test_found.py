"""What whole lives have found, each alone: it must not come back."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tapledger.loyalty import members as fold
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.membership import (
    alliance,
    coupons,
    exchange,
    history,
    looking_up,
    merging,
    pending,
    privacy,
    referral,
    refund,
    sale,
    scanning,
    slips,
    stored_value,
)
from tapledger.membership.sale import SaleCommand
from tapledger.store import people
from tests.lives.invariants import Watch
from tests.lives.life import Life
from tests.lives.rules import PHONE, TOWEL


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    made = Life(tmp_path, "found")
    await made.open()
    yield made
    await made.close()


def basket(life: Life, number: int, sku: str = PHONE) -> SaleCommand:
    (place,) = life.places
    line = place.shop.catalogue.find(sku).line(1000, "en")
    tenders = (Tender("cash", line.unit_minor),)
    return SaleCommand(life.key(), "till", (line,), tenders, "s-1", "en", life.who[number], life.card(number))


async def whole(life: Life) -> None:
    """Check that what is kept is what the events make of it, and what the lines come to."""
    watch = Watch(life)
    await watch.look()
    await watch.end()


async def test_a_payment_that_comes_after_a_merge_is_booked_on_who_is_left(life: Life) -> None:
    (place,) = life.places
    waiting = dataclasses.replace(
        basket(life, 0), wants=dataclasses.replace(basket(life, 0).wants, points=50)
    )
    await pending.record_pending(place.shop, waiting)
    await merging.merge_members(place.shop, life.key(), life.who[0], life.who[1], "s-1")
    await pending.confirm_pending(place.shop, waiting.id)
    await whole(life)
    await merging.undo_merge(place.shop, life.key(), life.who[0], "s-1")
    await whole(life)


async def test_a_coupon_is_held_in_the_name_of_who_is_left(life: Life) -> None:
    (place,) = life.places
    await merging.merge_members(place.shop, life.key(), life.who[0], life.who[1], "s-1")
    member = await life.member(place, 0)
    assert member is not None
    chosen = (member.coupons[0].id,)
    await coupons.hold_for_sale(place.shop, life.key(), life.who[0], chosen, "a-sale")
    await whole(life)


async def test_who_buys_may_have_sent_who_brings_back(life: Life) -> None:
    (place,) = life.places
    by = life.card(0, 1)
    command = referral.ReferrerCommand(life.key(), life.who[1], by, looked_at=True, staff="s-1")
    await referral.set_referrer(place.shop, command)
    sold = await sale.record_sale(place.shop, basket(life, 1))
    assert sold.event.body.sale is not None
    lines = (ReturnedLine(0, 1000),)
    back = refund.ReturnCommand(life.key(), sold.event.body.sale.id, lines, "s-1", "en")
    new = dataclasses.replace(basket(life, 0), tenders=(Tender("cash", 100_000),))
    await exchange.exchange(place.shop, exchange.ExchangeCommand(back, new))
    await whole(life)


async def test_points_of_joining_stay_when_the_purchase_comes_back(life: Life) -> None:
    (place,) = life.places
    before = await life.member(place, 0)
    by = life.card(0, 1)
    command = referral.ReferrerCommand(life.key(), life.who[1], by, looked_at=True, staff="s-1")
    await referral.set_referrer(place.shop, command)
    sold = await sale.record_sale(place.shop, basket(life, 1))
    assert sold.event.body.sale is not None
    void = refund.VoidCommand(life.key(), sold.event.body.sale.id, "s-1", "en")
    await refund.void_sale(place.shop, void)
    after = await life.member(place, 0)
    assert before is not None and after is not None
    had, has = fold.points(before, life.now), fold.points(after, life.now)
    assert (has.available, has.pending) == (had.available + 5, 0)


async def test_whoever_became_part_of_a_member_is_forgotten_with_them(life: Life) -> None:
    """A became part of B and B of C: what names A goes when C is erased, and is in what C may see before."""
    (place,) = life.places
    a, b, c = life.who
    await alliance.take_points(place.shop, life.key(), "air", a, 7)
    await merging.merge_members(place.shop, life.key(), a, b, "s-1")
    await merging.merge_members(place.shop, life.key(), b, c, "s-1")
    exported = await privacy.export_member(place.shop, c)
    assert set(exported["profiles"]) == {a, b, c}
    assert any(entry.kind == "partner_in" for entry in await history.history(place.shop, c))

    await privacy.erase_member(place.shop, life.key(), c, Erase("s-1", "waiver-1"))
    left = await place.shop.store.transact(lambda tx: [people.get(tx, name) for name in (a, b, c)])
    assert left == [None, None, None]
    assert await looking_up.look_up(place.shop, scanning.read("13800000000")) == []


async def test_a_top_up_can_be_taken_back_after_a_merge(life: Life) -> None:
    (place,) = life.places
    paid = (Tender("cash", 5000),)
    command = stored_value.TopUpCommand("top-up", life.who[0], life.card(0, 1), 5000, paid, "s-1", "en")
    await stored_value.top_up(place.shop, command)
    await merging.merge_members(place.shop, life.key(), life.who[0], life.who[1], "s-1")
    back = stored_value.TakeBackCommand(life.key(), life.who[1], life.card(1, 1), "top-up", "s-1", "en")
    await stored_value.take_back_top_up(place.shop, back)
    await whole(life)


async def test_a_language_that_nobody_speaks_is_printed_in_the_shops(life: Life) -> None:
    (place,) = life.places
    command = dataclasses.replace(basket(life, 0, TOWEL), language="tlh")
    recorded = await sale.record_sale(place.shop, command)
    slip = await place.shop.store.transact(lambda tx: slips.stored(tx, place.shop, slips.job_id(recorded)))
    assert slip is not None
    assert slip.language == place.shop.language
