"""What can go wrong at most, and what is owed: the two numbers that an owner wants to see (section 5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import escrow, rights
from tapledger.loyalty.leases import own
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.value import lapsing
from tapledger.loyalty.value.lapsing import Owed
from tapledger.membership.shop import Shop
from tapledger.store import history, leases, members, news, outbox
from tapledger.wire.news import ExposureNews

PAGE = 500


@dataclass(frozen=True, slots=True)
class Risk:
    """The worst case now, in points."""

    shops_offline: int
    per_member: int
    in_all: int
    given_out: int
    """By this shop, not confirmed by central yet."""
    still_possible: int
    """That this shop may yet give out if it does not hear from central again."""
    last_feed_at: dt.datetime | None
    leased: int = 0
    """That this shop may give out besides, by leases: they cost nothing, whatever happens."""


def now(tx: Transaction, shop: Shop) -> Risk:
    """Return the worst case at this moment: with the shops that central misses, and this one when it is away.

    A shop that stands alone has nobody to lose anything to.
    """
    missed = news.all_of(tx, "exposure", ExposureNews).get("now")
    offline = 0 if missed is None else missed.nodes_offline
    if shop.store.keyring.enrolled and not shop.online:
        offline = max(1, offline)
    return risk(tx, shop.program, offline, shop.clock.now(), shop.store.keyring.node)


def risk(tx: Transaction, program: Program, shops_offline: int, now: dt.datetime, node: str = "") -> Risk:
    """Return the worst case with so many shops out of reach, and how far this one has gone."""
    worst = rights.exposure(program, shops_offline)
    given_out = members.unsettled_in_all(tx)
    heard = outbox.heard_at(tx)
    far = rights.stage(Rights(online=False, last_feed_at=heard), program, now)
    left = max(0, program.offline.node_points - given_out) if far == "full" else 0
    return Risk(shops_offline, worst.per_member, worst.total, given_out, left, heard, _leased(tx, node, now))


def _leased(tx: Transaction, node: str, now: dt.datetime) -> int:
    """Return the points that this shop holds on lease."""
    found = (members.load_alias(tx, name) for name in leases.holders(tx))
    return sum(
        escrow.worth(own(one.member, node, now), one.member.lots, now) for one in found if one is not None
    )


def liability(tx: Transaction, program: Program, now: dt.datetime) -> list[Owed]:
    """Return what is owed to all members that this shop knows, by the month in which it lapses."""
    return lapsing.liability(_everybody(tx), program, now)


def _everybody(tx: Transaction) -> Iterator[Member]:
    last = ""
    while page := history.members_after(tx, last, PAGE):
        for member in page:
            stored = members.load_alias(tx, member)
            if stored is not None:
                yield stored.member
        last = page[-1]
