"""Events of the shop's hub that it gave this node while central was away, until central's word has them.

A row of central's that does not contain such an event yet is brought up to it, as to this node's own later
events (``members.replace_all``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tapledger.database import Transaction
from tapledger.loyalty.effects import LeaseClosed, Leased, LeaseDrawn
from tapledger.loyalty.ledger import EventBody
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import LedgerEvent

_OF = "SELECT own_epoch, own_seq, raw FROM ahead WHERE member IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Heard:
    event: LedgerEvent
    own: tuple[int, int]
    """(epoch, seq) of the last of this node's own events when it was heard."""

    @property
    def leases(self) -> frozenset[str]:
        return frozenset(one.lease.id for one in self.event.body.effects if isinstance(one, Leased))


def add(tx: Transaction, event: LedgerEvent, raw: bytes, own: tuple[int, int]) -> bool:
    """Keep an event that was heard; tell whether it is news."""
    row = (event.node, event.epoch, event.seq, event.body.member, *own, raw)
    return (
        tx.exec_driver_sql(
            "INSERT INTO ahead VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
        ).rowcount
        == 1
    )


def missing(tx: Transaction, names: Sequence[str], settled: Mapping[str, int]) -> list[Heard]:
    """Return what was heard of a member by any name and central's word, up to ``settled``, lacks; forget the
    rest."""
    found = []
    for own_epoch, own_seq, raw in tx.exec_driver_sql(_OF, (msgspec.json.encode(names).decode(),)).all():
        heard = Heard(decode_event(raw), (own_epoch, own_seq))
        if settled.get(f"{heard.event.node}/{heard.event.epoch}", 0) >= heard.event.seq:
            forget(tx, heard)
        else:
            found.append(heard)
    return found


def forget(tx: Transaction, heard: Heard) -> None:
    event = heard.event
    query = "DELETE FROM ahead WHERE node = ? AND epoch = ? AND seq = ?"
    tx.exec_driver_sql(query, (event.node, event.epoch, event.seq))


def of_leases(body: EventBody, leases: frozenset[str]) -> EventBody:
    """Return of an event what it does to some leases alone.

    Central has applied it without knowing them, so that this part of it did nothing there.
    """
    part = tuple(
        one for one in body.effects if isinstance(one, LeaseDrawn | LeaseClosed) and one.lease in leases
    )
    return msgspec.structs.replace(body, effects=part)
