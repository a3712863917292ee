"""Copies of the ledger while the daemon writes it, what they hold, and how one takes the ledger's place."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from tapledger.database import Transaction, copy, look_into
from tapledger.durable import LOGS, sync, written_beside
from tapledger.errors import Conflict, Corrupt, Invalid, Unavailable
from tapledger.store import epochs, facts, journal, outbox, people, salvage
from tapledger.store.journal import Broken
from tapledger.store.salvage import Found, Saved
from tapledger.wire.asking import Tail
from tapledger.wire.codec import decode_event, link
from tapledger.wire.messages import SealedProfile

MADE_AT = "backup_made_at"
"""Fact that only a backup has."""
READY, ASIDE = ".restored-", ".aside-"
"""After the ledger's own name, before the epoch that begins: what takes its place, and what was there."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a backup holds."""

    node: str
    events: int
    epoch: int
    """Of the last event; so is ``seq``."""
    seq: int
    unsynced: int
    """Events that central had not acknowledged then."""
    made_at: dt.datetime | None
    """None: it is a copy made by other means."""
    hlc: int
    """The latest hybrid clock of its events."""
    heads: dict[int, tuple[int, bytes]]
    """Of each epoch, the last seq and its hash."""
    current: int
    """The epoch that was being written."""

    @property
    def last_at(self) -> dt.datetime:
        """When the last event was recorded."""
        return dt.datetime.fromtimestamp((self.hlc >> 16) // 1000, dt.UTC)


@dataclass(frozen=True, slots=True)
class Later:
    """What the present ledger has recorded after a backup."""

    saved: dict[int, list[Saved]]
    """By epoch, what follows the backup in its chains, and so can be put back."""
    others: int
    """How many events do not follow it."""
    epoch: int
    """The last that was used."""
    profiles: tuple[SealedProfile, ...] = ()

    @property
    def follows(self) -> int:
        return sum(len(events) for events in self.saved.values())


def write(tx: Transaction, path: Path, node: str, now: dt.datetime) -> Held:
    """Copy all that a transaction sees to a file that only its user may read, and verify the copy.

    The file appears under its name when it is whole, verified and on disk; one that was there is replaced
    then. Raises ``Corrupt`` when the copy is not good, ``Unavailable`` when the disk does not take it.
    """
    try:
        with written_beside(path) as temporary:
            stamp = "INSERT OR REPLACE INTO fact VALUES (?, ?)"
            copy(tx, temporary, stamp, MADE_AT, now.isoformat().encode())
            held = look_into(temporary, lambda copied: _read(copied, temporary, node))
            sync(temporary)
            temporary.rename(path)
            sync(path.parent)
    except OSError as error:
        raise Unavailable("BACKUP_FAULT", path=str(path), why=str(error.strerror)) from error
    return held


def read(path: Path, node: str) -> Held:
    """Return what a backup holds after every event of it was checked; it is not changed.

    Raises ``Invalid`` when there is none, ``Corrupt`` for a damaged one, ``Conflict`` for another shop's.
    """
    if not path.is_file():
        raise Invalid("BACKUP_MISSING", path=str(path))

    def work(tx: Transaction) -> Held:
        held = _read(tx, path, node)
        for found in journal.verify(tx, node):
            if isinstance(found, Broken):
                raise _damaged(path, f"{node}-{found.epoch}-{found.seq}: {found.why}")
        return held

    return look_into(path, work)


def _read(tx: Transaction, path: Path, node: str) -> Held:
    answer = str(tx.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if answer != "ok":
        raise _damaged(path, answer)
    heads = {}
    events, last_epoch, last_seq, last_hlc = 0, 0, 0, 0
    for epoch, seq in tx.exec_driver_sql("SELECT epoch, max(seq) FROM event GROUP BY epoch ORDER BY epoch"):
        raw, digest = tx.exec_driver_sql(
            "SELECT raw, hash FROM event WHERE epoch = ? AND seq = ?", (epoch, seq)
        ).one()
        event = decode_event(raw)
        if event.node != node:
            raise Conflict("BACKUP_OF_ANOTHER", node=event.node, expected=node)
        if link(epochs.hash_of(tx, epoch, seq - 1), raw) != bytes(digest):
            raise _damaged(path, f"{node}-{epoch}-{seq}: hash")
        heads[epoch] = (seq, bytes(digest))
        events, last_epoch, last_seq, last_hlc = events + seq, epoch, seq, max(last_hlc, event.hlc)
    made = facts.get(tx, MADE_AT)
    return Held(
        node=node,
        events=events,
        epoch=last_epoch,
        seq=last_seq,
        unsynced=outbox.unsynced(tx),
        made_at=None if made is None else dt.datetime.fromisoformat(made.decode()),
        hlc=last_hlc,
        heads=heads,
        current=epochs.current(tx),
    )


def later(tx: Transaction, held: Held) -> Later:
    """Return what a readable ledger has recorded after a backup of it."""
    found: Found = {}
    profiles = []
    for (epoch,) in tx.exec_driver_sql("SELECT DISTINCT epoch FROM event").fetchall():
        query = "SELECT seq, hash, member, raw FROM event WHERE epoch = ? AND seq > ?"
        for seq, digest, member, raw in tx.exec_driver_sql(query, (epoch, held.heads.get(epoch, (0,))[0])):
            found[epoch, seq] = [Saved(epoch, seq, bytes(digest), bytes(raw))]
            profile = people.get(tx, member) if member is not None and b"profile_digest" in raw else None
            if profile is not None:
                profiles.append(profile)
    return Later(*salvage.following(found, held.heads), epochs.current(tx), tuple(profiles))


def later_of_damaged(path: Path, held: Held) -> Later:
    """``later`` for a file that SQLite cannot read: sealed profiles cannot be told from other bytes there."""
    found = salvage.events_in(path, held.node)
    epoch = max((epoch for epoch, _ in found), default=0)
    return Later(*salvage.following(found, held.heads), epoch)


def begin_again(
    tx: Transaction, held: Held, came: Later, epoch: int, why_stopped: str, project: epochs.Projection
) -> None:
    """Make the copy of a backup a ledger to go on with: what was recorded later is put back, then a new epoch
    begins, later than all of it by the clock; ``why_stopped`` is why nothing is spent at first.
    """
    hlc = held.hlc
    for one, events in came.saved.items():
        raws = [event.raw for event in events]
        tail = Tail(epoch=one, first_seq=events[0].seq, raws=raws, head=events[-1].hash)
        epochs.put_back(tx, held.node, tail, project)
        hlc = max(hlc, decode_event(raws[-1]).hlc)
    for profile in came.profiles:
        people.put(tx, profile)
    outbox.hear(tx, hlc)
    epochs.begin(tx, epoch)
    epochs.stop(tx, why_stopped)
    facts.drop(tx, MADE_AT)


def _damaged(path: Path, why: str) -> Corrupt:
    return Corrupt("BACKUP_DAMAGED", path=str(path), why=why)


def make_ready(prepared: Path, database: Path, epoch: int) -> Path:
    """Give a prepared ledger the name under which ``put_in_place`` finds it, now or after a power cut.

    Return where the present one will be kept.
    """
    if Path(f"{prepared}{LOGS[0]}").exists():
        raise Unavailable("BACKUP_FAULT", path=str(prepared), why="its log was not written back")
    try:
        sync(prepared)
        prepared.rename(_named(database, READY, epoch))
        sync(database.parent)
    except OSError as error:
        raise Unavailable("BACKUP_FAULT", path=str(database), why=str(error.strerror)) from error
    return _named(database, ASIDE, epoch)


def put_in_place(database: Path) -> None:
    """Let a ledger that is ready take the place of the present one, which is kept aside with its log.

    Cut short at any step, the next call ends it; without one that is ready, nothing is done.
    """
    try:
        for ready in database.parent.glob(f"{database.name}{READY}*"):
            aside = _named(database, ASIDE, int(ready.name.rpartition("-")[2]))
            for end in ("", LOGS[0]):
                with contextlib.suppress(FileExistsError, FileNotFoundError):
                    os.link(f"{database}{end}", f"{aside}{end}")
            sync(database.parent)
            for end in LOGS:  # SQLite would take the old one's log for the new one's
                Path(f"{database}{end}").unlink(missing_ok=True)
            ready.rename(database)
            sync(database.parent)
    except OSError as error:
        raise Unavailable("STORE_FAULT", why=str(error.strerror)) from error


def _named(database: Path, what: str, epoch: int) -> Path:
    return database.with_name(f"{database.name}{what}{epoch}")
