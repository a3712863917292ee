"""Stage one: verify a node's batch and file its events, once for ever.

Filing needs rows of one node only and applying needs rows of one member only; they meet in the list of filed
events and nowhere else. SQLite does both in one transaction, so an acknowledged event is also an applied one;
on a sharded engine ``apply`` becomes a job of its own that reads the inbox (sync.md section 7).
"""

from __future__ import annotations

import datetime as dt
import hashlib

from tapledger.errors import Conflict, Denied, TapledgerError, Unavailable
from tapledger.loyalty.ledger import KINDS
from tapledger.wire import signing
from tapledger.wire.codec import check_version, link, pack
from tapledger.wire.messages import Batch, BatchAnswer
from tapledger_central.apply import apply
from tapledger_central.classify import classify
from tapledger_central.store import Database, Transaction, inbox, members, nodes
from tapledger_central.store.inbox import Filed, Head
from tapledger_central.store.members import Difference
from tapledger_central.store.nodes import Node

MAX_QUARANTINED_BATCHES = 1000
"""Evidence kept of one suspended node; past it the node has to wait for an operator."""


async def take(store: Database, tenant: str, node: Node, batch: Batch, now: dt.datetime) -> BatchAnswer:
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
    answer = await store.transact(lambda tx: _take(tx, tenant, batch, now))
    if isinstance(answer, TapledgerError):
        raise answer
    return answer


def _take(tx: Transaction, tenant: str, batch: Batch, now: dt.datetime) -> BatchAnswer | TapledgerError:
    """Do it in one transaction. Errors that leave evidence are returned, so that it is committed."""
    node = nodes.find(tx, batch.node)
    if node is None or node.status != nodes.ACTIVE:
        _keep_evidence(tx, batch, now)
        return Denied("NODE_SUSPENDED", status="unknown" if node is None else node.status)
    head = inbox.head(tx, batch.node, batch.epoch)
    if batch.first_seq > head.seq + 1:
        raise Conflict("GAP", need=head.seq + 1)
    last_seq = batch.first_seq + len(batch.raws) - 1
    known = inbox.hashes(tx, batch.node, batch.epoch, batch.first_seq - 1, min(head.seq, last_seq))
    chain = _chain(known[0], batch.raws)
    if chain[-1] != batch.head:
        raise Conflict("CHAIN_BROKEN", seq=batch.first_seq)
    for place, (ours, theirs) in enumerate(zip(known[1:], chain, strict=False)):
        if ours != theirs:
            nodes.set_status(tx, batch.node, nodes.QUARANTINED)
            _keep_evidence(tx, batch, now)
            return Conflict("FORK", seq=batch.first_seq + place)
    _file_new(tx, tenant, batch, chain, head, now)
    _keep_profiles(tx, batch, now)
    return BatchAnswer(ack=max(head.seq, last_seq))


def _chain(previous: bytes, raws: list[bytes]) -> list[bytes]:
    found = []
    for raw in raws:
        previous = link(previous, raw)
        found.append(previous)
    return found


def _file_new(
    tx: Transaction, tenant: str, batch: Batch, chain: list[bytes], head: Head, now: dt.datetime
) -> None:
    """Insert the events behind the head and apply them; those up to it are there already."""
    skipped = head.seq + 1 - batch.first_seq
    filed, bodies, differences, hlc = [], [], [], head.hlc
    for seq, raw, digest in zip(
        range(head.seq + 1, head.seq + 1 + len(batch.raws)),
        batch.raws[skipped:],
        chain[skipped:],
        strict=False,
    ):
        event, verdict = classify(raw, batch.node, batch.epoch, seq)
        hlc = max(hlc, 0 if event is None else event.hlc)
        member = None if event is None else event.body.member
        one = Filed(batch.node, batch.epoch, seq, digest, hlc, member, verdict, raw)
        filed.append(one)
        bodies.append(None if event is None or verdict else event.body)
        if event is not None and not verdict and event.body.kind not in KINDS:
            verdict = "EVENT_KIND_UNKNOWN"
        if verdict:
            differences.append(Difference(verdict, one.node, one.epoch, one.seq, member=member))
    if filed:
        now_ms = _ms(now)
        inbox.add(tx, filed, now_ms)
        members.list_difference(tx, differences, now_ms)
        apply(tx, tenant, list(zip(filed, bodies, strict=True)), now_ms)


def _keep_profiles(tx: Transaction, batch: Batch, now: dt.datetime) -> None:
    for profile in batch.profiles:
        if hashlib.sha256(profile.sealed).hexdigest() == profile.digest:
            members.fill_profile(tx, profile)
        else:
            found = Difference(
                "PROFILE_ALTERED",
                batch.node,
                batch.epoch,
                batch.first_seq,
                detail=profile.digest,
                member=profile.member,
            )
            members.list_difference(tx, [found], _ms(now))


def _keep_evidence(tx: Transaction, batch: Batch, now: dt.datetime) -> None:
    if inbox.quarantined(tx, batch.node) >= MAX_QUARANTINED_BATCHES:
        raise Unavailable("QUARANTINE_FULL", limit=MAX_QUARANTINED_BATCHES)
    inbox.quarantine(tx, batch.node, batch.epoch, batch.first_seq, batch.head, pack(batch), _ms(now))


def _ms(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
