"""Members as projections of the journal, by pseudonym; and which credential names whom."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tapledger.database import Transaction
from tapledger.loyalty import tallies
from tapledger.loyalty.effects import Credential, Held, Hold, HoldSettled
from tapledger.loyalty.ledger import EventBody, linked
from tapledger.loyalty.members import Member, fold
from tapledger.store import claims
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import SealedProfile

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Member).decode


MAX_LAPSED = 500
"""Vouchers given back in one go; the next round takes the others."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A member and the points given out here that central has not confirmed yet."""

    member: Member
    unsettled_points: int
    profile: SealedProfile | None
    """Personal data, still sealed; ``people.unseal`` opens it."""


@dataclass(frozen=True, slots=True)
class Owner:
    member: str
    min_level: int


def load(tx: Transaction, member: str) -> Stored | None:
    row = tx.exec_driver_sql(
        "SELECT m.state, m.unsettled_points, p.digest, p.sealed FROM member m"
        " LEFT JOIN profile p ON p.member = m.id WHERE m.id = ?",
        (member,),
    ).first()
    if row is None:
        return None
    state, unsettled_points, digest, sealed = row
    profile = None if digest is None else SealedProfile(member=member, digest=digest, sealed=bytes(sealed))
    return Stored(_decode(state), unsettled_points, profile)


def owner(tx: Transaction, index: str) -> Owner | None:
    """Return whom a credential names, and the trust level it was enrolled at."""
    row = tx.exec_driver_sql("SELECT member, min_level FROM credential WHERE idx = ?", (index,)).first()
    return None if row is None else Owner(row[0], row[1])


def record(tx: Transaction, after: Member, body: EventBody) -> None:
    """Bring the projections in step with one event of this node."""
    change = unsettled_change(after, body)
    tx.exec_driver_sql(
        "INSERT INTO member VALUES (?, ?, max(0, ?)) ON CONFLICT (id) DO UPDATE SET"
        " state = excluded.state, unsettled_points = max(0, unsettled_points + ?)",
        (after.id, _encode(after), change, change),
    )
    _write_credentials(tx, after.id, linked(body))
    for effect in body.effects:
        if isinstance(effect, Held):
            _open_voucher(tx, after.id, effect.hold)
        elif isinstance(effect, HoldSettled):
            settle_voucher(tx, effect.hold, given_back=effect.given_back)


def _open_voucher(tx: Transaction, member: str, hold: Hold) -> None:
    tx.exec_driver_sql(
        "INSERT INTO voucher (idx, member, hold, reward, until_ms) VALUES (?, ?, ?, ?, ?)",
        (hold.voucher, member, hold.id, hold.reward, int(hold.until.timestamp() * 1000)),
    )


def settle_voucher(tx: Transaction, hold: str, *, given_back: bool = False) -> None:
    """Mark a voucher as done with; one whose points went back is in stock again."""
    row = tx.exec_driver_sql(
        "UPDATE voucher SET until_ms = NULL WHERE hold = ? RETURNING reward", (hold,)
    ).first()
    if row is not None and given_back:
        claims.give_back(tx, tallies.of_reward(row[0]))


def unsettled_change(after: Member, body: EventBody) -> int:
    """Return how an event changes the points given out that central does not know of yet."""
    change = 0
    for effect in body.effects:
        if isinstance(effect, Held):
            change += effect.hold.points
        elif isinstance(effect, HoldSettled) and effect.given_back:
            change -= sum(line.amount for line in body.lines if line.account == f"member/{after.id}/points")
    return change


def _write_credentials(tx: Transaction, member: str, credentials: tuple[Credential, ...]) -> None:
    for credential in credentials:
        tx.exec_driver_sql(
            "INSERT INTO credential VALUES (?, ?, ?, ?) ON CONFLICT (idx) DO UPDATE SET"
            " member = excluded.member, kind = excluded.kind, min_level = excluded.min_level",
            (credential.index, member, credential.kind, credential.min_level),
        )


def replace_with(tx: Transaction, state: Member, epoch: int, settled_seq: int) -> None:
    """Take central's state of a member and fold this node's own later events onto it again."""
    member, unsettled = state, 0
    rows = tx.exec_driver_sql(
        "SELECT raw FROM event WHERE member = ? AND (epoch, seq) > (?, ?) ORDER BY epoch, seq",
        (state.id, epoch, settled_seq),
    )
    for (raw,) in rows:
        body = decode_event(raw).body
        member = fold(member, body)
        unsettled += unsettled_change(member, body)
    tx.exec_driver_sql(
        "INSERT INTO member VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " state = excluded.state, unsettled_points = excluded.unsettled_points",
        (member.id, _encode(member), max(0, unsettled)),
    )
    tx.exec_driver_sql("DELETE FROM credential WHERE member = ?", (member.id,))
    _write_credentials(tx, member.id, member.credentials)


def voucher(tx: Transaction, index: str) -> tuple[str, str] | None:
    """Return (member, hold) of a voucher this shop issued."""
    row = tx.exec_driver_sql("SELECT member, hold FROM voucher WHERE idx = ?", (index,)).first()
    return None if row is None else (row[0], row[1])


def lapsed_vouchers(tx: Transaction, now_ms: int) -> list[tuple[str, str]]:
    """Return (member, hold) of the vouchers that nobody handed in, the longest lapsed first."""
    rows = tx.exec_driver_sql(
        "SELECT member, hold FROM voucher WHERE until_ms <= ? ORDER BY until_ms LIMIT ?", (now_ms, MAX_LAPSED)
    )
    return [(row[0], row[1]) for row in rows]


def count(tx: Transaction) -> int:
    return int(tx.exec_driver_sql("SELECT count(*) FROM member").scalar_one())
