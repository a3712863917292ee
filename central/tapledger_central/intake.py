"""Stage one: verify a node's batch and file its events, once for ever.

Filing touches rows of that one node only, so it runs on one shard and waits for nobody else (sync.md section
7). What the events do to members is stage two: ``applying`` reads them from the inbox afterwards.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.errors import Conflict, Denied, TapledgerError, Unavailable
from tapledger.wire import signing
from tapledger.wire.codec import check_version, link, pack
from tapledger.wire.messages import Batch, BatchAnswer, Verdict
from tapledger_central import telling
from tapledger_central.classify import classify, is_name
from tapledger_central.store import CentralStore, Transaction, inbox, nodes
from tapledger_central.store.inbox import Filed, Head
from tapledger_central.store.nodes import Node

MAX_QUARANTINED_BATCHES, MAX_QUARANTINED_BYTES = 1000, 64 * 1024 * 1024
"""Evidence kept of one suspended node; past it the node has to wait for an operator."""
MAX_AHEAD = dt.timedelta(minutes=5)
"""No event counts as later than this after its arrival, however wrong its node's clock is."""


async def take(store: CentralStore, node: Node, batch: Batch, now: dt.datetime) -> BatchAnswer:
    """File a batch and return up to where central holds the chain.

    Raises, with nothing changed: ``Invalid`` VERSION_UNKNOWN; ``Denied`` NODE_WRONG or SIGNATURE_WRONG;
    ``Conflict`` GAP (``need`` is the seq to send from) or CHAIN_BROKEN. Raises, with the batch kept as
    evidence: ``Conflict`` FORK, which suspends the node, and ``Denied`` NODE_SUSPENDED ever after.
    """
    check_version(batch.v)
    if batch.node != node.node:
        raise Denied("NODE_WRONG", node=batch.node)
    statement = signing.batch_statement(batch.node, batch.epoch, batch.first_seq, len(batch.raws), batch.head)
    signing.verify(node.public_key, statement, batch.signature)
    answer = await store.transact(lambda tx: _take(tx, batch, now))
    if isinstance(answer, TapledgerError):
        raise answer
    return answer


def _take(tx: Transaction, batch: Batch, now: dt.datetime) -> BatchAnswer | TapledgerError:
    """Do it in one transaction. Errors that leave evidence are returned, so that it is committed."""
    node = nodes.find(tx, batch.node)
    if node is None or node.status != nodes.ACTIVE:
        _keep_evidence(tx, batch, now)
        return Denied("NODE_SUSPENDED", status="unknown" if node is None else node.status)
    head = inbox.lock_head(tx, batch.node, batch.epoch)
    if batch.first_seq > head.seq + 1:
        raise Conflict("GAP", need=head.seq + 1)
    last_seq = batch.first_seq + len(batch.raws) - 1
    known = [head.hash]
    if batch.first_seq <= head.seq:
        known = inbox.hashes(tx, batch.node, batch.epoch, batch.first_seq - 1, min(head.seq, last_seq))
    chain = _chain(known[0], batch.raws)
    if chain[-1] != batch.head:
        raise Conflict("CHAIN_BROKEN", seq=batch.first_seq)
    for place, (ours, theirs) in enumerate(zip(known[1:], chain, strict=False)):
        if ours != theirs:
            telling.change_status(tx, batch.node, nodes.QUARANTINED, now)
            _keep_evidence(tx, batch, now)
            return Conflict("FORK", seq=batch.first_seq + place)
    filed = _read_new(batch, chain, head, now)
    if filed:
        inbox.add(tx, filed, _ms(now))
    ack = max(head.seq, last_seq)
    profiles = [one for one in batch.profiles if is_name(one.member) and is_name(one.digest)]
    inbox.add_profiles(tx, batch.node, batch.epoch, min(ack, last_seq), profiles)
    return BatchAnswer(
        ack=ack,
        hlc=filed[-1].hlc if filed else head.hlc,
        verdicts=[
            Verdict(seq=one.seq, verdict="quarantined", why=one.verdict) for one in filed if one.verdict
        ],
    )


def _chain(previous: bytes, raws: list[bytes]) -> list[bytes]:
    found = []
    for raw in raws:
        previous = link(previous, raw)
        found.append(previous)
    return found


def _read_new(batch: Batch, chain: list[bytes], head: Head, now: dt.datetime) -> list[Filed]:
    """Return the events behind the head as they are filed; those up to it are there already."""
    node, epoch, first = batch.node, batch.epoch, batch.first_seq
    latest = _ms(now + MAX_AHEAD) << 16
    hlc = head.hlc
    filed = []
    for place in range(head.seq + 1 - first, len(batch.raws)):
        raw, seq = batch.raws[place], first + place
        seen = classify(raw, node, epoch, seq)
        hlc = max(hlc, min(seen.hlc, latest))
        filed.append(Filed(node, epoch, seq, chain[place], hlc, seen.member, seen.verdict, raw))
    return filed


def _keep_evidence(tx: Transaction, batch: Batch, now: dt.datetime) -> None:
    """Keep what a node has signed for a person to look at: not the profiles, which no erasure would find
    there. The node sends them again when it is trusted again."""
    count, size = inbox.quarantined(tx, batch.node)
    if count >= MAX_QUARANTINED_BATCHES or size >= MAX_QUARANTINED_BYTES:
        raise Unavailable("QUARANTINE_FULL")
    kept = pack(msgspec.structs.replace(batch, profiles=[]))
    inbox.quarantine(tx, batch.node, batch.epoch, batch.first_seq, batch.head, kept, _ms(now))


def _ms(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
