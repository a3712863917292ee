"""Which chain this disk writes, and how events that it has lost come back from central (decisions R23)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from tapledger.database import Transaction
from tapledger.errors import Corrupt
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import fold
from tapledger.store import facts, members, outbox, partners, sales
from tapledger.wire.asking import Tail
from tapledger.wire.codec import GENESIS, decode_event, link

FIRST = 1
ROLLED_BACK = "ROLLED_BACK"
"""Why nothing is spent until central has given back what this disk lost."""

BEGINNING = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
"""From here the epochs of restored disks are counted, in minutes."""

Projection = Callable[[Transaction, EventBody], None]
"""Brings what the rooms above keep beside the ledger in step with an event that came back."""


def current(tx: Transaction) -> int:
    return int(facts.get(tx, "epoch") or FIRST)


def begin(tx: Transaction, epoch: int) -> None:
    facts.put(tx, "epoch", b"%d" % epoch)


def after_restore(known: Iterable[int], now: dt.datetime) -> int:
    """Return the epoch of a disk that is being restored: one that this node has surely never used.

    Later than all that is known here, and by the clock, because what was used after the backup may be lost
    with the disk (docs/decisions/0018).
    """
    return max((now - BEGINNING) // dt.timedelta(minutes=1), max(known, default=0) + 1)


def stopped(tx: Transaction) -> str:
    """Return the reason why nothing may be spent; empty when there is none."""
    return (facts.get(tx, "stopped") or b"").decode()


def stop(tx: Transaction, why: str) -> None:
    if stopped(tx) != why:
        facts.put(tx, "stopped", why.encode())


def last_seq(tx: Transaction, epoch: int) -> int:
    row = tx.exec_driver_sql("SELECT max(seq) FROM event WHERE epoch = ?", (epoch,)).first()
    return 0 if row is None else int(row[0] or 0)


def hash_of(tx: Transaction, epoch: int, seq: int) -> bytes:
    """Return the chain's hash at an event; that of genesis where there is none."""
    row = tx.exec_driver_sql("SELECT hash FROM event WHERE epoch = ? AND seq = ?", (epoch, seq)).first()
    return GENESIS if row is None else bytes(row[0])


def restore(tx: Transaction, node: str, tail: Tail, project: Projection) -> None:
    """Put back events that follow what is here; central has them all, so they count as acknowledged."""
    put_back(tx, node, tail, project)
    outbox.set_acknowledged(tx, tail.epoch, tail.first_seq + len(tail.raws) - 1)


def put_back(tx: Transaction, node: str, tail: Tail, project: Projection) -> None:
    """Put back events that follow what is here; raise ``Corrupt`` TAIL_BROKEN for others."""
    epoch = tail.epoch
    if last_seq(tx, epoch) != tail.first_seq - 1:
        raise Corrupt("TAIL_BROKEN", epoch=epoch, seq=tail.first_seq)
    digest = hash_of(tx, epoch, tail.first_seq - 1)
    for seq, raw in enumerate(tail.raws, tail.first_seq):
        event = decode_event(raw)
        if (event.node, event.epoch, event.seq) != (node, epoch, seq):
            raise Corrupt("TAIL_BROKEN", epoch=epoch, seq=seq)
        digest, body = link(digest, raw), event.body
        row = (epoch, seq, digest, body.kind, body.member, raw)
        tx.exec_driver_sql("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
        sales.record(tx, event)
        if key := _key_of(body):
            _name(tx, key, epoch, seq)
        if body.member is not None:
            stored = members.load_alias(tx, body.member)
            members.record(tx, fold(None if stored is None else stored.member, body), body)
        project(tx, body)
    if digest != tail.head:
        raise Corrupt("TAIL_BROKEN", epoch=epoch, seq=tail.first_seq)


def _key_of(body: EventBody) -> str:
    """Return the key of the command that an event itself tells; empty when it tells none."""
    match body.kind:
        case "sale":
            return "" if body.sale is None else body.sale.id
        case "topup":
            return str(body.facts.get("topup", ""))
        case "partner_in":
            return partners.taking(str(body.facts.get("partner", "")), str(body.facts.get("exchange", "")))
    return ""


def _name(tx: Transaction, key: str, epoch: int, seq: int) -> None:
    """Let an event be found by its command's key again. What was asked then is not known: the same command
    that comes again is refused as another one, and never done twice."""
    tx.exec_driver_sql(
        "INSERT INTO operation VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (key, b"", epoch, seq)
    )
