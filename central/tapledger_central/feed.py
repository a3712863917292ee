"""What every shop learns: the latest of each thing in its scope, in the order in which they last changed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import msgspec
import structlog

from tapledger.errors import Conflict, Invalid, TapledgerError
from tapledger.wire.messages import (
    EVERYWHERE,
    MAX_BATCH_BYTES,
    MAX_ERASED,
    MAX_FEED_ROWS,
    MEMBER,
    VERSION,
    SealedProfile,
)
from tapledger_central.store import CentralStore, Transaction, news, nodes
from tapledger_central.store.nodes import Node

MAX_PAGE_BYTES = MAX_BATCH_BYTES // 2
"""A page is cut here, well inside what a shop is ready to unpack."""
POLL_S = 1.0
"""How often it is looked for what another process has told."""
TOMBSTONES_KEPT = dt.timedelta(days=90)
MEMBERS_ONLY_V = 1
"""Shops of the first release know no other rows."""

_log = structlog.get_logger("central")


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ``FeedRow`` whose state goes out in the bytes in which it is stored."""

    version: int
    member: str = ""
    state: msgspec.Raw | None = None
    settled: msgspec.Raw | None = None
    profile: SealedProfile | None = None
    kind: str = MEMBER
    key: str = ""
    body: bytes = b""
    gone: bool = False


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A ``FeedPage`` of such rows."""

    v: int = VERSION
    rows: list[Row]
    cursor: int
    more: bool
    at: dt.datetime
    hlc: int
    scope: str
    erased: list[str]


class Watch:
    """Wakes those who wait for news."""

    def __init__(self, store: CentralStore) -> None:
        self._store = store
        self._news = asyncio.Event()
        self.waiting = 0
        """How many wait for news now."""
        self.draining = False
        """Nobody waits any more: this process is about to stop."""
        self.on_wait: Callable[[], None] = lambda: None

    def tell(self) -> None:
        """There may be news."""
        self._news.set()
        self._news = asyncio.Event()

    def drain(self) -> None:
        """Let everybody go who waits, and nobody wait again."""
        self.draining = True
        self.tell()

    def next(self) -> asyncio.Event:
        """Return what is set at the next news: take it before looking, so that none is missed."""
        return self._news

    async def wait(self, news_come: asyncio.Event, timeout_s: float) -> None:
        """Wait until news come, or for so long."""
        self.waiting += 1
        self.on_wait()
        try:
            async with asyncio.timeout(timeout_s):
                await news_come.wait()
        except TimeoutError:
            return
        finally:
            self.waiting -= 1

    async def run(self) -> None:
        """Look for ever for what other processes have told, while somebody waits."""
        known: dict[str, int] = {}
        while True:
            await asyncio.sleep(POLL_S)
            if self.waiting:
                try:
                    found = await self._store.transact(news.versions)
                except TapledgerError as error:
                    _log.warning("looking for news waits", code=error.code, **error.data)
                    continue
                if found != known:
                    known = found
                    self.tell()


async def page(
    store: CentralStore, node: Node, cursor: int, limit: int, now: dt.datetime, v: int = VERSION
) -> Page:
    """Return what changed after a version in the node's scope.

    Raises ``Invalid`` for figures out of range, ``Conflict`` FEED_AHEAD when the shop has seen more than
    central has (central was restored from an older copy) and FEED_GONE when what it missed is not told any
    more: it has to begin again from 0.
    """
    if not 0 <= cursor < 2**53 or not 0 < limit <= MAX_FEED_ROWS:
        raise Invalid("FEED_QUERY_INVALID", limit=MAX_FEED_ROWS)
    return await store.transact(lambda tx: _page(tx, node, cursor, limit, now, v))


async def has_news(store: CentralStore, node: Node, cursor: int, v: int = VERSION) -> bool:
    """Tell whether a page after a version would tell a node anything, or refuse the cursor."""

    def work(tx: Transaction) -> bool:
        scope = news.scope_of(tx, node.scope)
        is_refused = not scope.purged <= cursor <= scope.version
        return is_refused or news.has_more(tx, node.scope, node.node, cursor, _kind(v))

    return await store.transact(work)


def _page(tx: Transaction, node: Node, cursor: int, limit: int, now: dt.datetime, v: int) -> Page:
    # Others may commit between two statements: what is said of the rows is read after them, and is no older.
    found, more = news.page(tx, node.scope, node.node, cursor, limit, MAX_PAGE_BYTES, _kind(v))
    rows = [_row(version, item) for version, item in found]
    erased = news.erased(tx, node.scope, cursor, MAX_ERASED)
    scope = news.scope_of(tx, node.scope)
    if cursor > scope.version:
        raise Conflict("FEED_AHEAD", version=scope.version)
    _check_begun(tx, node, cursor, scope.purged)
    return Page(
        rows=rows,
        cursor=rows[-1].version if rows else cursor,
        more=more,
        at=now,
        hlc=scope.hlc,
        scope=node.scope,
        erased=erased,
    )


def _kind(v: int) -> str | None:
    return MEMBER if v <= MEMBERS_ONLY_V else None


def _check_begun(tx: Transaction, node: Node, cursor: int, purged: int) -> None:
    """Raise ``Conflict`` for a cursor of another scope's feed, and for one from before a purge, unless the
    node began from 0 after it and so never knew what was purged."""
    seen = nodes.purge_seen(tx, node.node)
    if cursor == 0:
        if seen != purged:
            nodes.set_purge_seen(tx, node.node, purged)
    elif seen == nodes.MOVED or (cursor < purged and seen < purged):
        raise Conflict("FEED_GONE", version=purged)


def _row(version: int, item: news.Item) -> Row:
    if item.kind != MEMBER:
        return Row(version=version, kind=item.kind, key=item.key, body=item.body, gone=item.gone)
    return member_row(version, item)


def member_row(version: int, item: news.Item) -> Row:
    """Return what a shop is told of a member."""
    profile = None
    if item.digest is not None and item.sealed is not None:
        profile = SealedProfile(member=item.key, digest=item.digest, sealed=item.sealed)
    return Row(
        version=version,
        member=item.key,
        state=msgspec.Raw(item.body),
        settled=msgspec.Raw(item.settled or b"\x80"),
        profile=profile,
    )


async def purge(store: CentralStore, now: dt.datetime) -> int:
    """Forget tombstones that are older than any shop may be; return how many."""
    before_ms = int((now - TOMBSTONES_KEPT).timestamp() * 1000)

    def work(tx: Transaction) -> int:
        return sum(news.purge(tx, scope, before_ms) for scope in {EVERYWHERE, *news.versions(tx)})

    return await store.transact(work)
