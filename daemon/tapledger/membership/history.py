"""What happened to a member, the newest first, as screens and the command line show it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import ledger
from tapledger.loyalty.facts import Reason, SaleLine
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import sensitivity
from tapledger.membership.shop import Shop, known_member
from tapledger.store import history as recorded
from tapledger.store import members
from tapledger.store.journal import Recorded

MAX_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. Sensitive articles are named nowhere in it; their amounts are in the total."""

    receipt: str
    kind: str
    at: dt.datetime
    points: int
    """What it changed of the member's points; held ones count as gone."""
    total_minor: int | None
    currency: str
    lines: tuple[SaleLine, ...]
    hidden_lines: int
    """How many are not shown."""
    reasons: tuple[Reason, ...]


async def history(shop: Shop, member: str, limit: int = MAX_ENTRIES) -> tuple[Entry, ...]:
    """Return what this shop recorded of a member and of those merged into them, the newest first."""

    def work(tx: Transaction) -> tuple[Entry, ...]:
        names = members.names_of(tx, known_member(tx, member).member)
        found = recorded.of_members(tx, names, max(0, min(limit, MAX_ENTRIES)))
        return tuple(_entry(shop, one) for one in found)

    return await shop.store.transact(work)


def _entry(shop: Shop, one: Recorded) -> Entry:
    body, sale = one.event.body, one.event.body.sale
    lines = () if sale is None else sale.lines
    shown = sensitivity.shown(lines, shop.program)
    return Entry(
        receipt=one.receipt,
        kind=body.kind,
        at=body.at,
        points=_points(body),
        total_minor=None if sale is None else sale.total_minor,
        currency="" if sale is None else sale.currency,
        lines=shown,
        hidden_lines=len(lines) - len(shown),
        reasons=_reasons(body, lines, shown),
    )


def _points(body: EventBody) -> int:
    account = ledger.member_points(body.member or "")
    return sum(line.amount for line in body.lines if line.account == account)


def _reasons(body: EventBody, lines: tuple[SaleLine, ...], shown: tuple[SaleLine, ...]) -> tuple[Reason, ...]:
    """Leave out reasons that name an article which is not shown."""
    hidden = {text for line in lines if line not in shown for text in (line.sku, line.name)}
    hidden -= {text for line in shown for text in (line.sku, line.name)}
    return tuple(why for why in body.reasons if not hidden & {str(value) for value in why.data.values()})
