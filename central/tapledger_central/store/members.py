"""Stage two, keyed by member: states with their feed versions, sealed profiles, claims and differences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from tapledger.database import Transaction
from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member
from tapledger.wire.messages import FeedRow, SealedProfile

SCOPE = "all"
"""One scope for now; the column is there for regions (sync.md section 2.3)."""

Order = tuple[int, str, int, int]
"""Place of an event among all: (hlc, node, epoch, seq)."""

_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(Member).decode
_decode_settled = msgspec.msgpack.Decoder(dict[str, int]).decode


@dataclass(frozen=True, slots=True)
class Applied:
    """A member's state, the last event in it, and up to where it contains each node's events."""

    state: Member
    last: Order
    settled: dict[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something for the owner to look at: what was recorded and does not fit."""

    code: str
    node: str
    epoch: int
    seq: int
    detail: str = ""
    member: str | None = None
    other_member: str | None = None


_LOAD = sa.text(
    "SELECT state, hlc, node, epoch, seq, settled FROM member WHERE scope = :scope AND member = :member"
)
_RAISE_VERSION = sa.text("UPDATE scope SET version = version + 1 WHERE scope = :scope RETURNING version")
_VERSION = sa.text("SELECT version FROM scope WHERE scope = :scope")
_SAVE = sa.text(
    "INSERT INTO member VALUES (:scope, :member, :version, :hlc, :node, :epoch, :seq, :settled, :state)"
    " ON CONFLICT (scope, member) DO UPDATE SET version = excluded.version, hlc = excluded.hlc,"
    " node = excluded.node, epoch = excluded.epoch, seq = excluded.seq, settled = excluded.settled,"
    " state = excluded.state"
)
_TOUCH = sa.text("UPDATE member SET version = :version WHERE scope = :scope AND member = :member")
_PAGE = sa.text(
    "SELECT m.version, m.member, m.state, m.settled, p.digest, p.sealed FROM member m"
    " LEFT JOIN profile p ON p.member = m.member"
    " WHERE m.scope = :scope AND m.version > :cursor ORDER BY m.version LIMIT :limit"
)
_EXPECT_PROFILE = sa.text(
    "INSERT INTO profile VALUES (:member, :digest, :hlc, :node, :epoch, :seq, NULL)"
    " ON CONFLICT (member) DO UPDATE SET digest = excluded.digest, hlc = excluded.hlc, node = excluded.node,"
    " epoch = excluded.epoch, seq = excluded.seq,"
    " sealed = CASE WHEN profile.digest = excluded.digest THEN profile.sealed END"
    " WHERE (profile.hlc, profile.node, profile.epoch, profile.seq)"
    " < (excluded.hlc, excluded.node, excluded.epoch, excluded.seq)"
)
_FILL_PROFILE = sa.text(
    "UPDATE profile SET sealed = :sealed WHERE member = :member AND digest = :digest AND sealed IS NULL"
)
_CLAIM = sa.text("INSERT INTO claim VALUES (:tenant, :credential, :member) ON CONFLICT DO NOTHING")
_RELEASE = sa.text(
    "DELETE FROM claim WHERE tenant = :tenant AND credential = :credential AND member = :member"
)
_RELEASE_ALL = sa.text("DELETE FROM claim WHERE tenant = :tenant AND member = :member")
_FORGET_PROFILE = sa.text("UPDATE profile SET digest = '', sealed = NULL WHERE member = :member")
_OWNER = sa.text("SELECT member FROM claim WHERE tenant = :tenant AND credential = :credential")
_DIFFERENCE = sa.text(
    "INSERT INTO difference (code, node, epoch, seq, member, other_member, detail, found_ms)"
    " VALUES (:code, :node, :epoch, :seq, :member, :other_member, :detail, :found_ms) ON CONFLICT DO NOTHING"
)


def load(tx: Transaction, member: str) -> Applied | None:
    row = tx.execute(_LOAD, {"scope": SCOPE, "member": member}).first()
    if row is None:
        return None
    return Applied(_decode_state(row[0]), (row[1], row[2], row[3], row[4]), _decode_settled(row[5]))


def save(tx: Transaction, applied: Applied) -> None:
    """Write a member's state under the next version of the feed."""
    hlc, node, epoch, seq = applied.last
    values = {
        "scope": SCOPE,
        "member": applied.state.id,
        "version": _next_version(tx),
        "hlc": hlc,
        "node": node,
        "epoch": epoch,
        "seq": seq,
        "settled": _encode(dict(sorted(applied.settled.items()))),
        "state": _encode(applied.state),
    }
    tx.execute(_SAVE, values)


def _next_version(tx: Transaction) -> int:
    return int(tx.execute(_RAISE_VERSION, {"scope": SCOPE}).scalar_one())


def version(tx: Transaction) -> int:
    return int(tx.execute(_VERSION, {"scope": SCOPE}).scalar_one())


def page(tx: Transaction, cursor: int, limit: int, max_bytes: int) -> tuple[list[FeedRow], bool]:
    """Return the next rows after a version, at most so many and so large; and whether there are more."""
    found: list[FeedRow] = []
    size = 0
    with tx.execute(_PAGE, {"scope": SCOPE, "cursor": cursor, "limit": limit + 1}) as rows:
        for row in rows:
            size += len(row[2]) + len(row[3]) + len(row[5] or b"")
            if found and (len(found) == limit or size > max_bytes):
                return found, True
            found.append(_feed_row(*row))
    return found, False


def _feed_row(
    version: int, member: str, state: bytes, settled: bytes, digest: str | None, sealed: bytes | None
) -> FeedRow:
    profile = None
    if digest is not None and sealed is not None:
        profile = SealedProfile(member=member, digest=digest, sealed=bytes(sealed))
    return FeedRow(
        version=version,
        member=member,
        state=_decode_state(state),
        settled=_decode_settled(settled),
        profile=profile,
    )


def expect_profile(tx: Transaction, member: str, digest: str, order: Order) -> None:
    """Remember which sealed profile is the latest: that of the last event, in order, that names one."""
    hlc, node, epoch, seq = order
    values = {"member": member, "digest": digest, "hlc": hlc, "node": node, "epoch": epoch, "seq": seq}
    tx.execute(_EXPECT_PROFILE, values)


def fill_profile(tx: Transaction, profile: SealedProfile) -> None:
    """Keep a profile that is expected, under a new version of its member; ignore any other."""
    values = {"member": profile.member, "digest": profile.digest, "sealed": profile.sealed}
    if tx.execute(_FILL_PROFILE, values).rowcount:
        tx.execute(_TOUCH, {"scope": SCOPE, "member": profile.member, "version": _next_version(tx)})


def claim(tx: Transaction, tenant: str, credential: str, member: str) -> str:
    """Give a credential to a member unless it has an owner; return the owner."""
    tx.execute(_CLAIM, {"tenant": tenant, "credential": credential, "member": member})
    return owner(tx, tenant, credential) or member


def release_claim(tx: Transaction, tenant: str, credential: str, member: str) -> None:
    """Let another member have a credential that this one gave up; one of somebody else stays theirs."""
    tx.execute(_RELEASE, {"tenant": tenant, "credential": credential, "member": member})


def forget(tx: Transaction, tenant: str, member: Member) -> None:
    """Destroy what names a member who was erased, and all that was merged into them."""

    def find(name: str) -> Member | None:
        gone = load(tx, name)
        return None if gone is None else gone.state

    for one in merging.names_of(member, find):
        tx.execute(_RELEASE_ALL, {"tenant": tenant, "member": one})
        tx.execute(_FORGET_PROFILE, {"member": one})


def owner(tx: Transaction, tenant: str, credential: str) -> str | None:
    row = tx.execute(_OWNER, {"tenant": tenant, "credential": credential}).first()
    return None if row is None else str(row[0])


def list_difference(tx: Transaction, found: Iterable[Difference], now_ms: int) -> None:
    for one in found:
        values = {
            "code": one.code,
            "node": one.node,
            "epoch": one.epoch,
            "seq": one.seq,
            "detail": one.detail,
            "member": one.member,
            "other_member": one.other_member,
            "found_ms": now_ms,
        }
        tx.execute(_DIFFERENCE, values)
