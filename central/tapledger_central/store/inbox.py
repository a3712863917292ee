"""Stage one, keyed by node: heads of chains, events and profiles as they came, batches kept as evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from tapledger.wire.codec import GENESIS
from tapledger.wire.messages import SealedProfile
from tapledger_central.store.transaction import ByKeys, Row, Transaction


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a node and epoch that central holds. ``hlc`` never falls along the chain."""

    seq: int
    hash: bytes
    hlc: int


class Filed(msgspec.Struct, frozen=True, gc=False):
    """One event in the inbox. ``verdict`` is empty, or the code of the reason why it is not applied."""

    node: str
    epoch: int
    seq: int
    hash: bytes
    hlc: int
    """The event's own, or that of an earlier event of its chain when that is later."""
    member: str | None
    verdict: str
    raw: bytes

    @property
    def order(self) -> tuple[int, str, int, int]:
        """Place among all events of all nodes (decisions R4)."""
        return (self.hlc, self.node, self.epoch, self.seq)

    @property
    def chain(self) -> str:
        return f"{self.node}/{self.epoch}"


@dataclass(frozen=True, slots=True)
class Behind:
    """A chain of which something up to ``seq`` is filed and not yet applied."""

    node: str
    epoch: int
    seq: int


_LOCK_HEAD = sa.text(
    "INSERT INTO head VALUES (:tenant, :node, :epoch, 0, :genesis, 0, 0) ON CONFLICT (tenant, node, epoch)"
    " DO UPDATE SET seq = head.seq RETURNING seq, hash, hlc"
)
_SET_HEAD = sa.text(
    "UPDATE head SET seq = :seq, hash = :hash, hlc = :hlc"
    " WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
)
_HEADS = sa.text(
    "SELECT epoch, seq, hash FROM head WHERE tenant = :tenant AND node = :node AND seq > 0 ORDER BY epoch"
)
_LATEST = sa.text("SELECT coalesce(max(hlc), 0) FROM head WHERE tenant = :tenant")
_ALL_HEADS = sa.text(
    "SELECT node, epoch, seq, hash FROM head WHERE tenant = :tenant AND seq > 0 ORDER BY node, epoch"
)
_TOTALS = sa.text(
    "SELECT coalesce(sum(seq), 0), coalesce(sum(seq - applied), 0) FROM head WHERE tenant = :tenant"
)
_HASHES = sa.text(
    "SELECT hash FROM inbox WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
    " AND seq BETWEEN :first AND :last ORDER BY seq"
)
_ADD = sa.text(
    "INSERT INTO inbox VALUES"
    " (:tenant, :node, :epoch, :seq, :hash, :hlc, :member, :verdict, :received_ms, :raw)"
)
_ADD_ALL = sa.text(
    "INSERT INTO inbox SELECT :tenant, :node, :epoch, CAST(:before AS bigint) + e.place,"
    " substr(CAST(:hashes AS bytea), CAST(e.place AS integer) * 32 - 31, 32),"
    " e.hlc, e.member, coalesce(e.verdict, ''), :received_ms, e.raw"
    " FROM unnest(CAST(:hlcs AS bigint[]), CAST(:members AS text[]), CAST(:verdicts AS text[]),"
    " CAST(:raws AS bytea[])) WITH ORDINALITY AS e (hlc, member, verdict, raw, place)"
)
"""Every array is written and read element by element: what has one length, or can be counted, is none."""
_FILED = "node, epoch, seq, hash, hlc, member, verdict, raw"
_OF_MEMBERS = ByKeys(
    _FILED,
    "inbox",
    "member",
    "(t.seq <= (SELECT h.applied FROM head h WHERE h.tenant = t.tenant AND h.node = t.node"
    " AND h.epoch = t.epoch) OR (t.node = :node AND t.epoch = :epoch AND t.seq <= :upto))",
    "member, hlc, node, epoch, seq",
)
_AFTER = sa.text(
    f"SELECT {_FILED} FROM inbox WHERE tenant = :tenant AND node = :node AND epoch = :epoch"  # noqa: S608
    " AND seq > :after ORDER BY seq LIMIT :limit"
)
_BEHIND = sa.text(
    "SELECT node, epoch, seq FROM head"
    " WHERE tenant = :tenant AND applied < seq AND (node, epoch) > (:node, :epoch)"
    " ORDER BY node, epoch LIMIT :limit"
)
_PROFILES_BEHIND = sa.text(
    "SELECT DISTINCT h.node, h.epoch, h.seq FROM profile_inbox p JOIN head h"
    " ON h.tenant = p.tenant AND h.node = p.node AND h.epoch = p.epoch"
    " WHERE p.tenant = :tenant AND h.applied >= p.seq ORDER BY h.node, h.epoch LIMIT :limit"
)
_BEHIND_OF = sa.text(
    "SELECT node, epoch, seq FROM head h WHERE tenant = :tenant AND node = :node AND (applied < seq OR"
    " EXISTS (SELECT 1 FROM profile_inbox p WHERE p.tenant = h.tenant AND p.node = h.node"
    " AND p.epoch = h.epoch AND p.seq <= h.applied)) ORDER BY epoch"
)
_IS_BEHIND = sa.text(
    "SELECT 1 FROM head h WHERE tenant = :tenant AND node = :node AND epoch = :epoch AND (applied < :seq OR"
    " EXISTS (SELECT 1 FROM profile_inbox p WHERE p.tenant = h.tenant AND p.node = h.node"
    " AND p.epoch = h.epoch AND p.seq <= :seq))"
)
_APPLIED = sa.text("SELECT applied FROM head WHERE tenant = :tenant AND node = :node AND epoch = :epoch")
_SET_APPLIED = sa.text(
    "UPDATE head SET applied = :applied WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
)
_CONDEMN = sa.text(
    "UPDATE inbox SET verdict = :verdict"
    " WHERE tenant = :tenant AND node = :node AND epoch = :epoch AND seq = :seq"
)
_ADD_PROFILE = sa.text(
    "INSERT INTO profile_inbox VALUES (:tenant, :node, :epoch, :seq, :digest, :member, :sealed)"
    " ON CONFLICT DO NOTHING"
)
_TAKE_PROFILES = sa.text(
    "DELETE FROM profile_inbox WHERE tenant = :tenant AND node = :node AND epoch = :epoch AND seq <= :seq"
    " RETURNING seq, member, digest, sealed"
)
_QUARANTINE = sa.text(
    "INSERT INTO quarantine VALUES (:tenant, :node, :epoch, :first_seq, :head, :received_ms, :batch)"
    " ON CONFLICT DO NOTHING"
)
_QUARANTINED = sa.text(
    "SELECT count(*), coalesce(sum(length(batch)), 0) FROM quarantine WHERE tenant = :tenant AND node = :node"
)


def lock_head(tx: Transaction, node: str, epoch: int) -> Head:
    """Return where a chain ends; nobody else adds to it until this transaction is over."""
    row = tx.execute(_LOCK_HEAD, {"node": node, "epoch": epoch, "genesis": GENESIS}).one()
    return Head(row[0], bytes(row[1]), row[2])


def heads(tx: Transaction, node: str) -> list[tuple[int, int, bytes]]:
    """Return (epoch, seq, hash) of the last event of every chain of a node."""
    return [(row[0], row[1], bytes(row[2])) for row in tx.execute(_HEADS, {"node": node})]


def all_heads(tx: Transaction) -> list[tuple[str, int, int, bytes]]:
    """Return (node, epoch, seq, hash) of the last event of every chain."""
    return [(row[0], row[1], row[2], bytes(row[3])) for row in tx.execute(_ALL_HEADS)]


def totals(tx: Transaction) -> tuple[int, int]:
    """Return how many events are filed, and how many of them are not applied yet."""
    row = tx.execute(_TOTALS).one()
    return int(row[0]), int(row[1])


def latest(tx: Transaction) -> int:
    """Return the latest hybrid clock that central has heard."""
    return int(tx.execute(_LATEST).scalar_one())


def hashes(tx: Transaction, node: str, epoch: int, first: int, last: int) -> list[bytes]:
    """Return the chain hashes of events ``first .. last``; seq 0 is the genesis."""
    rows = tx.execute(_HASHES, {"node": node, "epoch": epoch, "first": first, "last": last})
    found = [bytes(row[0]) for row in rows]
    return [GENESIS, *found] if first == 0 else found


def add(tx: Transaction, events: Sequence[Filed], received_ms: int) -> None:
    """Insert events of one chain that follow its head, and move the head to the last of them."""
    last = events[-1]
    place = {"node": last.node, "epoch": last.epoch}
    if tx.is_postgresql:
        condemned = any(one.verdict for one in events)
        arrays = {
            "before": events[0].seq - 1,
            "hashes": b"".join([one.hash for one in events]),
            "hlcs": [one.hlc for one in events],
            "members": [one.member for one in events],
            "verdicts": [one.verdict for one in events] if condemned else [],
            "raws": [one.raw for one in events],
        }
        tx.execute(_ADD_ALL, {**place, **arrays, "received_ms": received_ms})
    else:
        varying = ("seq", "hash", "hlc", "member", "verdict", "raw")
        rows = [{name: getattr(one, name) for name in varying} for one in events]
        tx.execute(_ADD, [{**place, **row, "received_ms": received_ms} for row in rows])
    tx.execute(_SET_HEAD, {**place, "seq": last.seq, "hash": last.hash, "hlc": last.hlc})


def of_members(
    tx: Transaction, members: Collection[str], node: str = "", epoch: int = 0, upto: int = 0
) -> dict[str, list[Filed]]:
    """Return members' events that are applied, and those of one chain up to ``upto``, as they count."""
    found: dict[str, list[Filed]] = {member: [] for member in members}
    if found:
        for row in tx.look_up(_OF_MEMBERS, found, {"node": node, "epoch": epoch, "upto": upto}):
            found[row[5]].append(_filed(row))
    return found


def events(tx: Transaction, node: str, epoch: int, after: int, limit: int) -> list[Filed]:
    """Return the next events of a chain."""
    values = {"node": node, "epoch": epoch, "after": after, "limit": limit}
    return [_filed(row) for row in tx.execute(_AFTER, values)]


def _filed(row: Row) -> Filed:
    return Filed(row[0], row[1], row[2], bytes(row[3]), row[4], row[5], row[6], bytes(row[7]))


def behind(tx: Transaction, after: tuple[str, int], limit: int) -> list[Behind]:
    """Return chains after (node, epoch) with something not applied; a profile that came late counts, too."""
    values = {"node": after[0], "epoch": after[1], "limit": limit}
    rows = [*tx.execute(_BEHIND, values), *tx.execute(_PROFILES_BEHIND, {"limit": limit})]
    return list(dict.fromkeys(Behind(*row) for row in rows))


def behind_of(tx: Transaction, node: str) -> list[Behind]:
    """Return the chains of one node with something not applied."""
    return [Behind(*row) for row in tx.execute(_BEHIND_OF, {"node": node})]


def is_behind(tx: Transaction, chain: Behind) -> bool:
    values = {"node": chain.node, "epoch": chain.epoch, "seq": chain.seq}
    return tx.execute(_IS_BEHIND, values).first() is not None


def applied(tx: Transaction, node: str, epoch: int) -> int:
    return int(tx.execute(_APPLIED, {"node": node, "epoch": epoch}).scalar() or 0)


def set_applied(tx: Transaction, node: str, epoch: int, seq: int) -> None:
    tx.execute(_SET_APPLIED, {"node": node, "epoch": epoch, "applied": seq})


def condemn(tx: Transaction, event: Filed, verdict: str) -> None:
    """Note why an event that looked good could not be applied, so that it is never tried again."""
    tx.execute(_CONDEMN, {"node": event.node, "epoch": event.epoch, "seq": event.seq, "verdict": verdict})


def add_profiles(tx: Transaction, node: str, epoch: int, seq: int, profiles: Sequence[SealedProfile]) -> None:
    """Keep profiles until the events up to ``seq``, which they came with, are applied."""
    rows = [
        {"node": node, "epoch": epoch, "seq": seq, "digest": p.digest, "member": p.member, "sealed": p.sealed}
        for p in profiles
    ]
    if rows:
        tx.execute(_ADD_PROFILE, rows)


def take_profiles(tx: Transaction, node: str, epoch: int, seq: int) -> list[tuple[int, SealedProfile]]:
    """Remove the profiles that came with events up to ``seq`` and return them with their seqs, in order."""
    rows = tx.execute(_TAKE_PROFILES, {"node": node, "epoch": epoch, "seq": seq}).all()
    found = [(row[0], SealedProfile(member=row[1], digest=row[2], sealed=bytes(row[3]))) for row in rows]
    return sorted(found, key=lambda one: (one[0], one[1].member, one[1].digest))


def quarantine(
    tx: Transaction, node: str, epoch: int, first_seq: int, head: bytes, batch: bytes, received_ms: int
) -> None:
    """Keep a signed batch as evidence; the same batch is kept once."""
    values = {"node": node, "epoch": epoch, "first_seq": first_seq, "head": head}
    tx.execute(_QUARANTINE, {**values, "batch": batch, "received_ms": received_ms})


def quarantined(tx: Transaction, node: str) -> tuple[int, int]:
    """Return how many batches of a node are kept as evidence, and their bytes."""
    row = tx.execute(_QUARANTINED, {"node": node}).one()
    return int(row[0]), int(row[1])
