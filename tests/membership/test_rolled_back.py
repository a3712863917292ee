"""What came back to a disk that was rolled back is not done a second time when it is asked for again."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from tapledger.database import Transaction
from tapledger.errors import Conflict
from tapledger.loyalty import tallies
from tapledger.membership import alliance, restoring, stock
from tapledger.membership.shop import Shop
from tapledger.membership.stored_value import take_back_top_up, top_up
from tapledger.store import epochs, news, partners
from tapledger.store.journal import Recorded
from tapledger.wire.asking import Tail
from tapledger.wire.messages import FeedRow
from tapledger.wire.news import AllotmentNews
from tests.membership.leasing import Leasing
from tests.membership.leasing import leasing as leasing
from tests.membership.test_alliance import Two
from tests.membership.test_alliance import two as two
from tests.membership.test_stored_value import back, command, li, values
from tests.store.shops import Bench


async def lose_and_get_back(shop: Shop, last: Recorded) -> None:
    """Roll the disk back to before its last event, and let central give that back."""
    event = last.event

    def work(tx: Transaction) -> None:
        for table in ("operation", "event"):
            tx.exec_driver_sql(f"DELETE FROM {table} WHERE (epoch, seq) = (?, ?)", (event.epoch, event.seq))
        tx.exec_driver_sql("DELETE FROM claim")
        tx.exec_driver_sql("DELETE FROM partner_account")
        tail = Tail(epoch=event.epoch, first_seq=event.seq, raws=[last.raw], head=last.hash)
        epochs.put_back(tx, event.node, tail, partial(restoring.settle, shop))
        shop.store.journal.forget()

    await shop.store.transact(work)


async def test_a_top_up_is_not_taken_twice_and_can_be_taken_back(bench: Bench) -> None:
    member = await li(bench)
    asked = command(bench, member)
    await lose_and_get_back(bench.shop, await top_up(bench.shop, asked))
    with pytest.raises(Conflict, match="IDEMPOTENCY_MISMATCH"):
        await top_up(bench.shop, asked)
    assert await values(bench, member) == (50_000, 10_000)
    await take_back_top_up(bench.shop, back(bench, member, asked.id))
    assert await values(bench, member) == (0, 0)


async def test_a_partners_points_are_known_to_be_credited(two: Two) -> None:
    """Who asks must not be told that they were not: the partner would give them back as well."""
    shop = two.there.shop
    await lose_and_get_back(shop, await alliance.take_points(shop, "x", "mall", two.theirs, 300))
    assert await alliance.has_taken(shop, "x", "mall")
    with pytest.raises(Conflict, match="IDEMPOTENCY_MISMATCH"):
        await alliance.take_points(shop, "x", "mall", two.theirs, 300)
    assert await two.over_there() == 200
    assert await shop.store.transact(lambda tx: partners.account(tx, "mall")) == 200


async def test_what_was_given_back_of_the_shops_stock_is_not_given_out_again(leasing: Leasing) -> None:
    shop, key = leasing[0].shop, tallies.of_reward("cup")
    told = msgspec.msgpack.encode(AllotmentNews(limits={key: 3}, back={key: 2}))

    def hear(tx: Transaction) -> None:
        news.take(tx, FeedRow(version=1, kind="program", key="current"))
        news.take(tx, FeedRow(version=2, kind="allotment", key=shop.store.keyring.node, body=told))

    await shop.store.transact(hear)
    assert await stock.give_back(shop)
    (event,) = await shop.store.transact(lambda tx: list(shop.store.journal.all_of(tx, "stock_back")))
    await lose_and_get_back(shop, event)
    assert not await stock.give_back(shop)
    assert await shop.store.transact(lambda tx: stock.left(tx, shop, {key: 3})) == {key: 1}
