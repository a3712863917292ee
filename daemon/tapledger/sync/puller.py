"""Learn from central what other shops have recorded, and what else it tells."""

from __future__ import annotations

import asyncio
import operator
from typing import Protocol

from tapledger.errors import Conflict, Corrupt, NotFound
from tapledger.sync.ports import SyncStore
from tapledger.wire.messages import FeedPage

START_OVER = frozenset({"FEED_AHEAD", "FEED_GONE"})
"""Central does not know our cursor (it was restored from a backup), or tells its tombstones no more."""


class Downlink(Protocol):
    async def feed(self, cursor: int, *, wait_s: int = 0) -> FeedPage: ...


class Puller:
    """Takes one page after the other; while one is written down, the next is on its way."""

    def __init__(self, store: SyncStore) -> None:
        self._store = store
        self._ahead: FeedPage | None = None
        self._follows = 0
        """The cursor that ``_ahead`` was asked for."""

    async def take(self, downlink: Downlink, wait_s: int = 0) -> tuple[list[str], bool]:
        """Take one page and return whose states changed and whether there are more pages.

        One without news is taken too: that central was heard is what the shop's rights without it rest on
        (R7). With ``wait_s`` central answers when there is news, or after so long.
        """
        cursor = await self._store.cursor()
        page, self._ahead = self._ahead, None
        try:
            if page is None or self._follows != cursor:
                page = await downlink.feed(cursor, wait_s=wait_s)
        except (Conflict, NotFound) as error:
            if error.code not in START_OVER or not cursor:
                raise
            await self._store.start_over()
            return [], True
        check_follows(page, cursor)
        if not page.more:
            return await self._store.apply_page(page), False
        changed, ahead = await asyncio.gather(
            self._store.apply_page(page), downlink.feed(page.cursor), return_exceptions=True
        )
        if isinstance(changed, BaseException):
            raise changed
        if not isinstance(ahead, BaseException):  # else it is asked for again, and says then what is wrong
            self._ahead, self._follows = ahead, page.cursor
        return changed, True


async def pull_once(store: SyncStore, downlink: Downlink) -> list[str]:
    """Take every page that central has now; return the members that changed, each once.

    Pages already taken stay when a later one fails: the next call goes on from there.
    """
    puller, changed, more = Puller(store), dict[str, None](), True
    while more:
        members, more = await puller.take(downlink)
        changed.update(dict.fromkeys(members))
    return list(changed)


def check_follows(page: FeedPage, cursor: int) -> None:
    """Raise ``Corrupt`` FEED_GAP unless a page is what comes right after a cursor."""
    versions = [cursor, *[row.version for row in page.rows]]
    rising = all(map(operator.lt, versions, versions[1:]))
    if not rising or page.cursor != versions[-1] or (page.more and not page.rows):
        raise Corrupt("FEED_GAP", expected=cursor, got=page.cursor)
