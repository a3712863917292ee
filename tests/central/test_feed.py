"""The feed: pages in the order of change, cut by count and by size, and complete whatever happens between."""

from __future__ import annotations

import pytest

from tapledger.errors import Conflict, Corrupt, Invalid
from tapledger.loyalty.members import Member
from tapledger.sync.puller import check_follows
from tapledger.wire.messages import FeedPage, FeedRow
from tapledger_central import feed
from tests.central.chains import Chain, earn, join
from tests.central.world import START, World

HERE = 1
"""Version under which the shop itself is told."""


async def test_pages_follow_each_other_without_loss(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    for number in range(7):
        chain.add(join(f"m-{number}", f"card-{number}"))
    await shop.client.send(chain.batch())
    seen, cursor, pages = [], HERE, 0
    more = True
    while more:
        page = await shop.client.feed(cursor, limit=3)
        check_follows(page, cursor)
        seen += [(row.version, row.member) for row in page.rows]
        cursor, more, pages = page.cursor, page.more, pages + 1
    assert seen == [(HERE + number + 1, f"m-{number}") for number in range(7)]
    assert pages == 3
    assert (await shop.client.feed(cursor)).rows == []


async def test_a_member_that_changes_between_two_pages_is_not_missed(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    for number in range(4):
        chain.add(join(f"m-{number}", f"card-{number}"))
    await shop.client.send(chain.batch())
    first = await shop.client.feed(HERE, limit=2)
    chain.add(earn("m-0", 5))
    chain.add(earn("m-3", 6))
    await shop.client.send(chain.batch())
    rest = await shop.client.feed(first.cursor)
    assert [(row.version, row.member) for row in rest.rows] == [
        (HERE + 3, "m-2"),
        (HERE + 5, "m-0"),
        (HERE + 6, "m-3"),
    ]
    assert not rest.more


async def test_a_page_is_cut_before_it_grows_too_large(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    for number in range(5):
        chain.add(join(f"m-{number}", f"card-{number}"))
    await shop.client.send(chain.batch())
    monkeypatch.setattr(feed, "MAX_PAGE_BYTES", 1)
    page = await shop.client.feed(0)
    assert (len(page.rows), page.more) == (1, True), "one row goes out however large it is"
    assert len(await shop.pull()) == 5


async def test_queries_that_cannot_be_meant_are_refused(world: World) -> None:
    shop = await world.shop("first")
    for cursor, limit in ((-1, 10), (0, 0), (0, 2001), (2**53, 10), (10**17, 10)):
        with pytest.raises(Invalid, match="FEED_QUERY_INVALID"):
            await shop.client.feed(cursor, limit)


async def test_a_cursor_that_central_has_not_reached_is_refused(world: World) -> None:
    shop = await world.shop("first")
    with pytest.raises(Conflict) as refused:
        await shop.client.feed(9)
    assert (refused.value.code, refused.value.data) == ("FEED_AHEAD", {"version": HERE})


def _page(versions: list[int], cursor: int, more: bool = False) -> FeedPage:
    rows = [FeedRow.of(Member(f"m-{one}", START), version=one) for one in versions]
    return FeedPage(rows=rows, cursor=cursor, more=more, at=START)


@pytest.mark.parametrize(
    "page",
    [
        _page([5], 5),
        _page([4], 4),
        _page([6, 6], 6),
        _page([7, 6], 6),
        _page([6, 7], 9),
        _page([6, 7], 6),
        _page([], 6),
        _page([], 4),
        _page([], 5, more=True),
    ],
)
def test_a_page_that_does_not_follow_the_cursor_is_refused(page: FeedPage) -> None:
    with pytest.raises(Corrupt, match="FEED_GAP"):
        check_follows(page, 5)


def test_a_page_may_skip_what_was_superseded() -> None:
    check_follows(_page([6, 9, 12], 12, more=True), 5)
    check_follows(_page([], 5), 5)
