"""Stage two, keyed by member: states, sealed profiles and claims; and the differences that were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member
from tapledger.wire.messages import EVERYWHERE, MEMBER, SealedProfile
from tapledger.wire.news import DifferenceNews
from tapledger_central.store.news import DIFFERENCE, Item
from tapledger_central.store.transaction import ByKeys, Row, Transaction

Order = tuple[int, str, int, int]
"""Place of an event among all: (hlc, node, epoch, seq)."""
MAX_DETAIL = 200
"""Characters of a difference's detail: it is in the key."""

_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(Member).decode
_decode_settled = msgspec.msgpack.Decoder(dict[str, int]).decode
_decode_scopes = msgspec.msgpack.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True, slots=True)
class Applied:
    """A member's state, the last event in it, up to where it holds each chain's events, and who is told."""

    state: Member
    last: Order
    settled: dict[str, int]
    scopes: tuple[str, ...] = (EVERYWHERE,)
    """Those of the shops that have recorded something of the member."""


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


_APPLIED = "state, hlc, node, epoch, seq, settled, scopes, member"
_LOAD = sa.text(f"SELECT {_APPLIED} FROM member WHERE tenant = :tenant AND member = :member")  # noqa: S608
_LOAD_ALL = ByKeys(_APPLIED, "member", "member")
_NAMES = sa.text(
    "SELECT member FROM member WHERE tenant = :tenant AND member > :after ORDER BY member LIMIT :limit"
)
_SAVE = sa.text(
    "INSERT INTO member VALUES (:tenant, :member, :hlc, :node, :epoch, :seq, :settled, :scopes, :state)"
    " ON CONFLICT (tenant, member) DO UPDATE SET hlc = excluded.hlc, node = excluded.node,"
    " epoch = excluded.epoch, seq = excluded.seq, settled = excluded.settled, scopes = excluded.scopes,"
    " state = excluded.state"
)
_EXPECT_PROFILE = sa.text(
    "INSERT INTO profile VALUES (:tenant, :member, :digest, :hlc, :node, :epoch, :seq, NULL)"
    " ON CONFLICT (tenant, member) DO UPDATE SET digest = excluded.digest, hlc = excluded.hlc,"
    " node = excluded.node, epoch = excluded.epoch, seq = excluded.seq,"
    " sealed = CASE WHEN profile.digest = excluded.digest THEN profile.sealed END"
    " WHERE (profile.hlc, profile.node, profile.epoch, profile.seq)"
    " < (excluded.hlc, excluded.node, excluded.epoch, excluded.seq)"
)
_FILL_PROFILE = sa.text(
    "UPDATE profile SET sealed = :sealed"
    " WHERE tenant = :tenant AND member = :member AND digest = :digest AND sealed IS NULL"
)
_PROFILES = ByKeys("member, digest, sealed", "profile", "member", "t.sealed IS NOT NULL")
_FORGET_PROFILE = sa.text(
    "UPDATE profile SET digest = '', sealed = NULL WHERE tenant = :tenant AND member = :member"
)
_CLAIM = sa.text("INSERT INTO claim VALUES (:tenant, :credential, :member) ON CONFLICT DO NOTHING")
_RELEASE = sa.text(
    "DELETE FROM claim WHERE tenant = :tenant AND credential = :credential AND member = :member"
)
_RELEASE_ALL = sa.text("DELETE FROM claim WHERE tenant = :tenant AND member = :member")
_OWNERS = ByKeys("credential, member", "claim", "credential")
_DIFFERENCE = sa.text(
    "INSERT INTO difference VALUES"
    " (:tenant, :node, :epoch, :seq, :code, :detail, :member, :other_member, :found_ms)"
    " ON CONFLICT DO NOTHING"
)


def load(tx: Transaction, member: str) -> Applied | None:
    row = tx.execute(_LOAD, {"member": member}).first()
    return None if row is None else _applied(row)


def load_all(tx: Transaction, names: Sequence[str]) -> dict[str, Applied]:
    """Return those of the members who have a state."""
    if not names:
        return {}
    return {row[7]: _applied(row) for row in tx.look_up(_LOAD_ALL, names)}


def _applied(row: Row) -> Applied:
    last = (row[1], row[2], row[3], row[4])
    return Applied(_decode_state(row[0]), last, _decode_settled(row[5]), _decode_scopes(row[6]))


def names(tx: Transaction, after: str, limit: int) -> list[str]:
    """Return the next members who have a state, by pseudonym."""
    return [row[0] for row in tx.execute(_NAMES, {"after": after, "limit": limit})]


def save_all(tx: Transaction, found: Iterable[Applied]) -> None:
    """Write the members' states; telling them is ``news.publish`` of ``items``."""
    rows = []
    for one in sorted(found, key=lambda one: one.state.id):
        hlc, node, epoch, seq = one.last
        values = {"member": one.state.id, "hlc": hlc, "node": node, "epoch": epoch, "seq": seq}
        blobs = {"settled": _settled(one), "scopes": _encode(one.scopes), "state": _encode(one.state)}
        rows.append({**values, **blobs})
    if rows:
        tx.execute(_SAVE, rows)


def items(tx: Transaction, found: Iterable[Applied]) -> dict[str, Item]:
    """Return what the feed says of members, by member: their states, and the profiles that are known."""
    known = {one.state.id: one for one in found}
    profiles = {}
    if known:
        rows = tx.look_up(_PROFILES, known)
        profiles = {row[0]: (row[1], bytes(row[2])) for row in rows}
    return {
        name: Item(
            MEMBER,
            name,
            _encode(one.state),
            None,
            erased=one.state.status == "erased",
            settled=_settled(one),
            digest=profiles.get(name, (None, None))[0],
            sealed=profiles.get(name, (None, None))[1],
        )
        for name, one in known.items()
    }


def _settled(one: Applied) -> bytes:
    return _encode(dict(sorted(one.settled.items())))


def expect_profiles(tx: Transaction, named: Sequence[tuple[str, str, Order]]) -> None:
    """Remember which sealed profile is the latest: that of the last event, in order, that names one.

    ``named`` has (member, digest, order of the event).
    """
    if named:
        names = ("member", "digest", "hlc", "node", "epoch", "seq")
        rows = [dict(zip(names, (member, digest, *order), strict=True)) for member, digest, order in named]
        tx.execute(_EXPECT_PROFILE, rows)


def fill_profile(tx: Transaction, profile: SealedProfile) -> bool:
    """Keep a profile that is expected and tell so; ignore any other."""
    values = {"member": profile.member, "digest": profile.digest, "sealed": profile.sealed}
    return tx.execute(_FILL_PROFILE, values).rowcount > 0


def write_claims(tx: Transaction, gone: dict[str, str], given: dict[str, str]) -> None:
    """Take credentials from the members beside them, then give others to those beside them."""
    for statement, rows in ((_RELEASE, gone), (_CLAIM, given)):
        if rows:
            tx.execute(statement, [{"credential": one, "member": rows[one]} for one in sorted(rows)])


def forget(tx: Transaction, member: Member) -> tuple[str, ...]:
    """Destroy what names a member who was erased, and all that was merged into them; return their names."""

    def find(name: str) -> Member | None:
        gone = load(tx, name)
        return None if gone is None else gone.state

    names = merging.names_of(member, find)
    for one in names:
        tx.execute(_RELEASE_ALL, {"member": one})
        tx.execute(_FORGET_PROFILE, {"member": one})
    return names


def owners(tx: Transaction, credentials: Sequence[str]) -> dict[str, str]:
    """Return the members whom those of the credentials name that name anybody."""
    return {row[0]: row[1] for row in tx.look_up(_OWNERS, credentials)}


def list_differences(tx: Transaction, found: Iterable[Difference], now_ms: int) -> list[Item]:
    """Keep what was found, the same once; return what the feed says of those that are new."""
    told = []
    for one in found:
        place: dict[str, Any] = {"node": one.node, "epoch": one.epoch, "seq": one.seq, "code": one.code}
        detail = one.detail[:MAX_DETAIL]
        who = {"member": one.member, "other_member": one.other_member}
        values = {**place, **who, "detail": detail, "found_ms": now_ms}
        if tx.execute(_DIFFERENCE, values).rowcount:
            body = DifferenceNews(**place, detail=detail, member=one.member or "", found_ms=now_ms)
            key = f"{one.node}/{one.epoch}/{one.seq}/{one.code}/{detail}"
            told.append(Item(DIFFERENCE, key, _encode(body), only_for=one.node))
    return told
