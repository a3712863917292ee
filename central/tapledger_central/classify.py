"""Tell an event that can be applied from one that is only kept: a recorded fact is never refused.

Its node has signed it and printed receipts from it, so a bad one must not hold up those behind it. It stays
in the inbox under a verdict, counts for nothing, and is listed for the owner (sync.md sections 0 and 2.3).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tapledger.errors import Invalid
from tapledger.loyalty.ledger import EventBody, is_balanced
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import LedgerEvent

KNOWN_KINDS = frozenset({"join", "link", "sale", "hold", "fulfil", "release"})


def classify(raw: bytes, node: str, epoch: int, seq: int) -> tuple[LedgerEvent | None, str]:
    """Return the event and its verdict: empty when it can be applied, else the code of the reason why not."""
    try:
        event = decode_event(raw)
    except Invalid:
        return None, "EVENT_UNREADABLE"
    if (event.node, event.epoch, event.seq) != (node, epoch, seq):
        return event, "EVENT_MISPLACED"
    if not is_balanced(event.body.lines):
        return event, "EVENT_UNBALANCED"
    if not _is_possible(event.body):
        return event, "EVENT_IMPOSSIBLE"
    return event, ""


def _is_possible(body: EventBody) -> bool:
    """Tell whether every figure is in range and every instant has its zone: what folding relies on."""
    amounts = (*(line.amount for line in body.lines), body.qualifying_minor)
    return (
        all(abs(amount) <= MAX_AMOUNT_MINOR for amount in amounts)
        and all(0 <= points <= MAX_AMOUNT_MINOR for points in _points(body))
        and all(instant.tzinfo is not None for instant in _instants(body))
    )


def _points(body: EventBody) -> Iterator[int]:
    for lot in body.lots_added:
        yield from (lot.points, lot.remaining)
    yield from (take.points for take in body.lots_taken)
    if body.hold is not None:
        yield body.hold.points
        yield from (take.points for take in body.hold.taken)


def _instants(body: EventBody) -> Iterator[dt.datetime]:
    yield body.at
    for lot in body.lots_added:
        yield lot.available_at
        if lot.expires_at is not None:
            yield lot.expires_at
    if body.hold is not None:
        yield from (body.hold.at, body.hold.until)
