"""Which leases were granted and not closed yet: what holders may spend, and what they were not asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.loyalty import escrow
from tapledger_central.store import CentralStore, Transaction, leases, members

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Outstanding:
    lease: str
    member: str
    node: str
    pool: str
    rest: int
    """What is left of it, as far as its holder has said: points, or minor units of money."""
    granted_ms: int
    until: dt.datetime
    recalled: bool


async def find(store: CentralStore, node: str | None = None) -> list[Outstanding]:
    """Return all that are open, or those of one node, the oldest first; read in many small transactions."""
    found: list[Outstanding] = []
    after = ""
    while page := await store.transact(lambda tx, after=after: _page(tx, after, node)):  # type: ignore[misc]
        after, some = page
        found += some
    return sorted(found, key=lambda one: (one.granted_ms, one.lease))


def _page(tx: Transaction, after: str, node: str | None) -> tuple[str, list[Outstanding]] | None:
    granted = leases.after(tx, after, AT_ONCE, node)
    if not granted:
        return None
    known = members.load_all(tx, sorted({one.member for one in granted}))
    found = []
    for one in granted:
        open_ = escrow.find(known[one.member].state.leases, one.lease) if one.member in known else None
        if open_ is not None:
            rest = sum(take.amount for take in open_.taken)
            what = (one.lease, one.member, one.node, one.pool, rest, one.granted_ms)
            found.append(Outstanding(*what, open_.until, open_.recalled))
    return granted[-1].lease, found
