"""Learn from central what other shops have recorded, and what else it tells."""

from __future__ import annotations

import itertools
from typing import Protocol

from tapledger.errors import Conflict, Corrupt, NotFound
from tapledger.sync.ports import SyncStore
from tapledger.wire.messages import FeedPage

START_OVER = frozenset({"FEED_AHEAD", "FEED_GONE"})
"""Central does not know our cursor (it was restored from a backup), or tells its tombstones no more."""


class Downlink(Protocol):
    async def feed(self, cursor: int, *, wait_s: int = 0) -> FeedPage: ...


async def pull_once(store: SyncStore, downlink: Downlink) -> list[str]:
    """Take every page that central has now; return the members that changed, each once.

    Pages already taken stay when a later one fails: the next call goes on from there.
    """
    changed: dict[str, None] = {}
    more = True
    while more:
        members, more = await pull_page(store, downlink)
        changed.update(dict.fromkeys(members))
    return list(changed)


async def pull_page(store: SyncStore, downlink: Downlink, wait_s: int = 0) -> tuple[list[str], bool]:
    """Take one page; return whose states changed and whether there are more pages.

    One without news is taken too: that central was heard is what the shop's rights without it rest on (R7).
    With ``wait_s`` central answers when there is news, or after so long.
    """
    cursor = await store.cursor()
    try:
        page = await downlink.feed(cursor, wait_s=wait_s)
    except (Conflict, NotFound) as error:
        if error.code not in START_OVER or not cursor:
            raise
        await store.start_over()
        return [], True
    check_follows(page, cursor)
    return await store.apply_page(page), page.more


def check_follows(page: FeedPage, cursor: int) -> None:
    """Raise ``Corrupt`` FEED_GAP unless a page is what comes right after a cursor."""
    versions = [cursor, *(row.version for row in page.rows)]
    rising = all(earlier < later for earlier, later in itertools.pairwise(versions))
    if not rising or page.cursor != versions[-1] or (page.more and not page.rows):
        raise Corrupt("FEED_GAP", expected=cursor, got=page.cursor)
