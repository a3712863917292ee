"""What head office has told is used, whatever becomes of the questions that follow."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from tapledger.database import Transaction
from tapledger.errors import Unavailable
from tapledger.membership.received import CURRENT
from tapledger.store import news
from tapledger.wire.messages import FeedRow
from tapledger.wire.news import AllotmentNews, CatalogueNews
from tests.membership.leasing import Leasing
from tests.membership.leasing import leasing as leasing
from tests.membership.test_distrust import office_of

ARTICLES = "sku,name,price,tax,category,flags\nnew-tea,Tea,12.50,13,drinks,\n"


class Deaf:
    """A central that tells, and then answers nothing."""

    async def report(self, telemetry: object) -> None:
        raise Unavailable("CENTRAL_UNREACHABLE", why="the line is cut")


async def test_a_report_that_fails_keeps_no_articles_from_being_used(leasing: Leasing) -> None:
    shop = leasing[0].shop
    office = office_of(shop)
    body = msgspec.msgpack.encode(CatalogueNews(digest="", text=ARTICLES))
    row = FeedRow(version=1, kind="catalogue", key=CURRENT, body=body)
    await shop.store.transact(lambda tx: news.take(tx, row))
    shop.store.told = {"catalogue"}
    with pytest.raises(Unavailable):
        await office.sync.after_round(cast(Any, Deaf()))
    assert shop.catalogue.find("new-tea").sku == "new-tea"


async def test_stock_that_is_asked_back_is_given_back_in_the_round_that_tells_it(leasing: Leasing) -> None:
    shop = leasing[0].shop
    office, node = office_of(shop), shop.store.keyring.node
    told = msgspec.msgpack.encode(AllotmentNews(limits={"reward/cup": 3}, back={"reward/cup": 2}))

    def hear(tx: Transaction) -> None:
        news.take(tx, FeedRow(version=1, kind="program", key=CURRENT))
        news.take(tx, FeedRow(version=2, kind="allotment", key=node, body=told))

    await shop.store.transact(hear)
    with pytest.raises(Unavailable):
        await office.sync.after_round(cast(Any, Deaf()))
    found = await shop.store.transact(lambda tx: list(shop.store.journal.all_of(tx, "stock_back")))
    assert [one.event.body.facts for one in found] == [{"reward/cup": 2}]
