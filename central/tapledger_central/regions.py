"""Put a shop into a region: it follows that part of the chain's news, and knows there what it knew before."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

from tapledger.errors import Invalid
from tapledger.wire.messages import EVERYWHERE
from tapledger_central.store import CentralStore, Transaction, inbox, leases, members, news, nodes
from tapledger_central.store.following import Unseen

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
EVENTS_AT_ONCE = 500


async def put(store: CentralStore, shop: str, scope: str, now: dt.datetime) -> list[str]:
    """Let a shop follow a region and return its computers, which read that feed from its beginning.

    The region hears of every member whom the shop has met, as it does of those whom it meets from now on.
    Done again after a crash it goes on. Raises ``Invalid`` REGION_INVALID.
    """
    if not NAME.fullmatch(scope):
        raise Invalid("REGION_INVALID", region=scope)
    now_ms = int(now.timestamp() * 1000)
    names = await store.transact(lambda tx: _move(tx, shop, scope, now_ms))
    for node, epoch, upto, _ in await store.transact(inbox.all_heads):
        for after in range(0, upto, EVENTS_AT_ONCE) if node in names else ():
            met = Unseen(node, epoch, after, min(upto, after + EVENTS_AT_ONCE))
            await store.transact(lambda tx, met=met: _share(tx, met, scope, now_ms))  # type: ignore[misc]
    return names


def _move(tx: Transaction, shop: str, scope: str, now_ms: int) -> list[str]:
    news.lock(tx)
    mine = [one for one in nodes.everyone(tx) if one.shop == shop]
    names = [one.node for one in mine]
    there = {(item.kind, item.key) for item in news.rules(tx, scope)}
    everybodys = [item for item in news.rules(tx, EVERYWHERE) if item.only_for is None]
    known = [item for item in everybodys if (item.kind, item.key) not in there]
    for before in {one.scope for one in mine} - {scope}:  # what they were told alone, if not there, is older
        known += [item for item in news.rules(tx, before) if item.only_for in names]
    news.publish(tx, scope, known, now_ms)
    nodes.set_scope(tx, shop, scope)
    return names


def _share(tx: Transaction, met: Unseen, scope: str, now_ms: int) -> None:
    """Tell a region of the members in some events, and of whom they were merged into."""
    news.lock(tx)
    found = members.load_all(tx, leases.members_in(tx, met))
    heirs = {one.state.merged_into for one in found.values()}
    while wanted := heirs - {"", *found}:
        more = members.load_all(tx, sorted(wanted))
        heirs = {one.state.merged_into for one in more.values()}
        found |= more
    new = [
        dataclasses.replace(one, scopes=tuple(sorted({*one.scopes, scope})))
        for one in found.values()
        if scope not in one.scopes
    ]
    members.save_all(tx, new)
    heard = max((one.last[0] for one in new), default=0)
    news.publish(tx, scope, list(members.items(tx, new).values()), now_ms, heard)
