"""What central decides itself: events of a chain of its own, like those of any node."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.identifiers import Randomness, uuid7
from tapledger.loyalty.decisions import Decision
from tapledger.wire import signing
from tapledger.wire.codec import encode_event, link
from tapledger.wire.messages import EVENT_VERSION, LedgerEvent
from tapledger_central.apply import apply_next
from tapledger_central.keys import CentralKeys
from tapledger_central.store import Transaction, inbox
from tapledger_central.store.inbox import Filed

EPOCH = 1


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where an event of central's own stands."""

    epoch: int
    seq: int


class OwnChain:
    """Records as the node whose name is made of central's own key."""

    def __init__(self, keys: CentralKeys, randomness: Randomness) -> None:
        self.node = signing.node_id(keys.public_key)
        self._randomness = randomness

    def record(self, tx: Transaction, decision: Decision, scope: str, now: dt.datetime) -> Recorded:
        """File an event and apply it, later than all that was heard; the caller holds ``news.lock``.

        ``scope`` is who is told, beside those who know the member.
        """
        head = inbox.lock_head(tx, self.node, EPOCH)
        event = LedgerEvent(
            v=EVENT_VERSION,
            id=uuid7(now, self._randomness),
            node=self.node,
            epoch=EPOCH,
            seq=head.seq + 1,
            hlc=max(ms(now) << 16, inbox.latest(tx) + 1),
            body=decision.body,
        )
        raw = encode_event(event)
        digest, member = link(head.hash, raw), decision.body.member
        filed = Filed(self.node, EPOCH, event.seq, digest, event.hlc, member, "", raw)
        inbox.add(tx, [filed], ms(now))
        apply_next(tx, self.node, EPOCH, ms(now), scope=scope)
        return Recorded(EPOCH, event.seq)


def ms(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
