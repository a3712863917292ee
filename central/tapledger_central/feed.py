"""What every shop learns: the latest state of each member, in the order in which they last changed."""

from __future__ import annotations

import datetime as dt

from tapledger.errors import Conflict, Invalid
from tapledger.wire.messages import MAX_BATCH_BYTES, MAX_FEED_ROWS, FeedPage
from tapledger_central.store import Database, Transaction, members

MAX_PAGE_BYTES = MAX_BATCH_BYTES // 2
"""A page is cut here, well inside what a shop is ready to unpack."""


async def page(store: Database, cursor: int, limit: int, now: dt.datetime) -> FeedPage:
    """Return the members that changed after a version.

    Raises ``Invalid`` for figures out of range, and ``Conflict`` FEED_AHEAD when the shop has seen more than
    central has: central was restored from an older copy.
    """
    if not 0 <= cursor < 2**53 or not 0 < limit <= MAX_FEED_ROWS:
        raise Invalid("FEED_QUERY_INVALID", limit=MAX_FEED_ROWS)
    return await store.transact(lambda tx: _page(tx, cursor, limit, now))


def _page(tx: Transaction, cursor: int, limit: int, now: dt.datetime) -> FeedPage:
    version = members.version(tx)
    if cursor > version:
        raise Conflict("FEED_AHEAD", version=version)
    rows, more = members.page(tx, cursor, limit, MAX_PAGE_BYTES)
    return FeedPage(rows=rows, cursor=rows[-1].version if rows else cursor, more=more, at=now)
