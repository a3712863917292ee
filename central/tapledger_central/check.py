"""Hold what central keeps against itself: chains against hashes, sums against zero, states against events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tapledger.errors import Invalid
from tapledger.loyalty.ledger import is_balanced
from tapledger.wire.codec import GENESIS, decode_event, link
from tapledger_central import rebuild
from tapledger_central.apply import refold
from tapledger_central.keys import CentralKeys
from tapledger_central.rebuild import Broken
from tapledger_central.store import CentralStore, Transaction, inbox, members, schema
from tapledger_central.store.inbox import Filed

PAGE = 1000
SAMPLE = 1000
"""Members whose states are folded again when not all are asked for."""
MAX_FAULTS = 100

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not fit: ``rls``, ``hash``, ``gap``, ``head``, ``log``, ``sum`` or ``state``; and where."""

    what: str
    where: str


@dataclass(slots=True)
class Report:
    """What was looked at, and the first faults that were found."""

    chains: int = 0
    events: int = 0
    entries: int = 0
    """Of the public log, that are as they were signed."""
    members: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, what: str, where: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(what, where))


async def check(
    store: CentralStore, keys: CentralKeys, *, everybody: bool = False, tell: Tell = lambda _: None
) -> Report:
    """Look at every chain and at a sample of the members, or at all; ``tell`` hears how far it is.

    It reads in many small transactions, so a running central goes on meanwhile; the log is rebuilt in one.
    """
    report = Report()
    for table in await store.transact(lambda tx: schema.unprotected(tx.connection)):
        report.add("rls", table)
    for node, epoch, seq, digest in await store.transact(inbox.all_heads):
        await _check_chain(store, report, node, epoch, seq, digest)
        tell(f"{report.chains} chains, {report.events} events")
    await _check_log(store, report, keys)
    tell(f"{report.entries} entries of the log")
    after = ""
    while names := await store.transact(lambda tx, after=after: members.names(tx, after, PAGE)):  # type: ignore[misc]
        for name in names:
            await store.transact(lambda tx, name=name: _check_member(tx, report, name))  # type: ignore[misc]
            if not everybody and report.members >= SAMPLE:
                return report
        after = names[-1]
        tell(f"{report.members} members")
    return report


async def _check_log(store: CentralStore, report: Report, keys: CentralKeys) -> None:
    for found in await store.transact(lambda tx: list(rebuild.verify(tx, keys))):
        if isinstance(found, Broken):
            event = f" ({found.node}-{found.epoch}-{found.seq})" if found.node else ""
            report.add("log", f"entry {found.index}: {found.why}{event}")
        else:
            report.entries = found


async def _check_chain(
    store: CentralStore, report: Report, node: str, epoch: int, last: int, digest: bytes
) -> None:
    report.chains += 1
    seq, known = 0, GENESIS
    while seq < last:
        page = await store.transact(lambda tx, seq=seq: inbox.events(tx, node, epoch, seq, PAGE))  # type: ignore[misc]
        for event in page:
            if event.seq > last:
                break
            seq, known = seq + 1, link(known, event.raw)
            report.events += 1
            wrong = _fault_of(event, seq, known)
            if wrong:
                report.add(wrong, f"{node}/{epoch}/{event.seq}")
                if wrong != "sum":
                    return
        if not page:
            break
    if (seq, known) != (last, digest):
        report.add("head", f"{node}/{epoch}/{seq}")


def _fault_of(event: Filed, seq: int, known: bytes) -> str:
    if event.seq != seq:
        return "gap"
    if event.hash != known:
        return "hash"
    if event.verdict:
        return ""
    try:
        return "" if is_balanced(decode_event(event.raw).body.lines) else "sum"
    except Invalid:
        return "hash"


def _check_member(tx: Transaction, report: Report, name: str) -> None:
    kept, folded = members.load(tx, name), refold(tx, name)
    report.members += 1
    if kept is None or folded is None or (kept.state, kept.settled) != (folded.state, folded.settled):
        report.add("state", name)
