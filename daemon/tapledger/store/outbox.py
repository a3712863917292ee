"""What central has not confirmed yet, and what central says: the store's side of sync."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

from tapledger.database import Transaction
from tapledger.errors import Corrupt
from tapledger.loyalty import sharing
from tapledger.loyalty.ledger import EventBody
from tapledger.store import facts, leases, members, news, people
from tapledger.store.members import Told
from tapledger.wire.asking import MAX_REPORTS
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import MAX_BATCH_BYTES, FeedPage, FeedRow, LedgerEvent, Pending, SealedProfile

RECEIPT = "erasure"
"""Rows of our own among the news: members who were erased here, until central has heard so."""
PIECE_ROWS = 64
"""Rows of the feed that are taken without a look whether somebody waits; a few milliseconds."""
MOST_PIECES, QUIET_PIECES = 6, 80
"""So many times these in one transaction, after so often that nobody waited; before that it is once."""
NOTED_EVERY = dt.timedelta(minutes=1)
"""How exactly it is kept when central was last heard while there is no news."""


def acknowledged(tx: Transaction) -> tuple[int, int]:
    """Return (epoch, seq) up to which central holds everything."""
    value = facts.get(tx, "acknowledged")
    if value is None:
        return (1, 0)
    epoch, seq = value.split(b"/")
    return int(epoch), int(seq)


def set_acknowledged(tx: Transaction, epoch: int, seq: int) -> None:
    facts.put(tx, "acknowledged", b"%d/%d" % (epoch, seq))


def send_again(tx: Transaction, held: Mapping[int, int]) -> bool:
    """Move back what counts as acknowledged to what central holds, given by epoch; tell whether it was less.

    Central was restored from a backup: its shops have what it lost.
    """
    query = "SELECT epoch, max(seq) FROM event WHERE (epoch, seq) <= (?, ?) GROUP BY epoch ORDER BY epoch"
    for epoch, seq in tx.exec_driver_sql(query, acknowledged(tx)).fetchall():
        if held.get(epoch, 0) < seq:
            set_acknowledged(tx, epoch, held.get(epoch, 0))
            return True
    return False


def pending(
    tx: Transaction, limit: int, max_bytes: int = MAX_BATCH_BYTES, after: tuple[int, int] | None = None
) -> Pending | None:
    """Return the next events to send, or those that follow (epoch, seq): of one epoch, in order, with the
    profiles of those who joined.

    They are so many and so large at most, but for the first, which is always there.
    """
    epoch, acked = after or acknowledged(tx)
    row = tx.exec_driver_sql(
        "SELECT epoch, seq FROM event WHERE (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT 1", (epoch, acked)
    ).first()
    if row is None:
        return None
    rows = tx.exec_driver_sql(
        "SELECT raw, hash FROM event WHERE epoch = ? AND seq >= ? ORDER BY seq LIMIT ?",
        (row[0], row[1], limit),
    ).all()
    raws: list[bytes] = []
    profiles: list[SealedProfile] = []
    size, head = 0, b""
    for raw, digest in rows:
        profile = _profile(tx, raw)
        size += len(raw) + (0 if profile is None else len(profile.sealed))
        if raws and size > max_bytes:
            break
        raws.append(raw)
        head = digest
        if profile is not None:
            profiles.append(profile)
    return Pending(epoch=row[0], first_seq=row[1], raws=raws, head=head, profiles=profiles)


def _profile(tx: Transaction, raw: bytes) -> SealedProfile | None:
    """Return what an event left to be sent beside it."""
    if b"profile_digest" not in raw:  # few name one; reading every event would cost more than sending it
        return None
    body = decode_event(raw).body
    kept = None if body.member is None or not body.profile_digest else people.get(tx, body.member)
    return kept if kept is not None and kept.digest == body.profile_digest else None


def unsynced(tx: Transaction) -> int:
    epoch, acked = acknowledged(tx)
    query = "SELECT count(*) FROM event WHERE (epoch, seq) > (?, ?)"
    return int(tx.exec_driver_sql(query, (epoch, acked)).scalar_one())


def unsynced_of(tx: Transaction, member: str) -> Iterator[EventBody]:
    """Yield what was recorded here of a member and is not acknowledged by central."""
    query = "SELECT raw FROM event WHERE member = ? AND (epoch, seq) > (?, ?)"
    for (raw,) in tx.exec_driver_sql(query, (member, *acknowledged(tx))):
        yield decode_event(raw).body


def is_unsynced(tx: Transaction, member: str) -> bool:
    """Tell whether central has not acknowledged all that was recorded here of a member."""
    query = "SELECT 1 FROM event WHERE member = ? AND (epoch, seq) > (?, ?) LIMIT 1"
    return tx.exec_driver_sql(query, (member, *acknowledged(tx))).first() is not None


def hear(tx: Transaction, hlc: int) -> None:
    """Keep the latest hybrid clock that was heard, over a restart."""
    if hlc > heard_hlc(tx):
        facts.put(tx, "hlc_heard", b"%d" % hlc)


def heard_hlc(tx: Transaction) -> int:
    return int(facts.get(tx, "hlc_heard") or 0)


def cursor(tx: Transaction) -> int:
    return int(facts.get(tx, "feed_cursor") or b"0")


def heard_at(tx: Transaction) -> dt.datetime | None:
    """Return central's own time when it last told everything that it had."""
    at = facts.get(tx, "feed_at")
    return None if at is None else dt.datetime.fromisoformat(at.decode())


def _is_old(heard: dt.datetime | None, at: dt.datetime) -> bool:
    """Tell whether hearing central again is worth a write: polls without news come every few seconds."""
    return heard is None or at - heard >= NOTED_EVERY


def apply_page(tx: Transaction, page: FeedPage, node: str, start: int, is_enough: Callable[[], bool]) -> int:
    """Take what central says, from one row on, and return where the rows begin that are left.

    ``is_enough`` is asked after each ``PIECE_ROWS``. Raises ``Corrupt`` for an old page.
    """
    expected = cursor(tx)
    if page.cursor < expected or any(row.version <= expected for row in page.rows[start:]):
        raise Corrupt("FEED_GAP", expected=expected, got=page.cursor)
    for member in page.erased if not start else ():
        _erase(tx, member)
    while True:
        take_rows(tx, page.rows[start : start + PIECE_ROWS], node)
        start = min(start + PIECE_ROWS, len(page.rows))
        is_whole = start == len(page.rows)
        if is_enough() or is_whole:
            break
    reached = page.cursor if is_whole else page.rows[start - 1].version
    if reached != expected:
        facts.put(tx, "feed_cursor", b"%d" % reached)
        hear(tx, page.hlc)
    if is_whole and not page.more and (page.rows or _is_old(heard_at(tx), page.at)):
        facts.put(tx, "feed_at", page.at.isoformat().encode())
    return start


def take_rows(tx: Transaction, rows: Sequence[FeedRow], node: str) -> None:
    """Take rows of the feed, or of an answer that has some."""
    told: list[Told] = []
    profiles: list[tuple[SealedProfile, int]] = []
    for row in rows:
        state = row.state
        if state is not None:
            told.append(Told(state, row.settled, bytes(row.raw_state)))
        elif row.kind != RECEIPT:
            news.take(tx, row)
        if row.profile is not None:
            settled = members.last_of(node, row.settled)
            if not _tells_more(tx, row.profile.member, settled):
                profiles.append((row.profile, row.version))
    if told:
        members.replace_all(tx, told, node)
    people.put_fed(tx, profiles)
    for one in told:
        if one.state.leases:
            leases.note(tx, one.state, node)
        if one.state.status == "erased":
            _erase(tx, one.state.id)


def hear_hub(tx: Transaction, event: LedgerEvent, raw: bytes, node: str) -> None:
    """Take what the shop's hub gave this node while central is away."""
    leases.note(tx, members.hear(tx, event, raw), node)
    hear(tx, event.hlc)


def has_given(tx: Transaction) -> bool:
    """Tell whether this node gave something of its leases to another that central has not acknowledged."""
    query = "SELECT 1 FROM event WHERE kind = ? AND (epoch, seq) > (?, ?) LIMIT 1"
    return tx.exec_driver_sql(query, (sharing.KIND, *acknowledged(tx))).first() is not None


def _tells_more(tx: Transaction, member: str, settled: tuple[int, int]) -> bool:
    """Tell whether a profile was changed here after what central knows: nobody else has it yet."""
    query = "SELECT raw FROM event WHERE member = ? AND (epoch, seq) > (?, ?)"
    later = tx.exec_driver_sql(query, (member, *settled))
    return any(b"profile_digest" in raw and decode_event(raw).body.profile_digest for (raw,) in later)


def _erase(tx: Transaction, member: str) -> None:
    """Destroy what names a member now; their row says the rest when it comes."""
    stored = members.load_alias(tx, member)
    if stored is not None:
        members.forget(tx, stored.member)
        news.take(tx, FeedRow(version=0, kind=RECEIPT, key=member))


def erased(tx: Transaction) -> list[str]:
    """Return members who were erased here and of whom central has no receipt yet."""
    rows = tx.exec_driver_sql("SELECT key FROM news WHERE kind = ? LIMIT ?", (RECEIPT, MAX_REPORTS))
    return [row[0] for row in rows]


def erasure_told(tx: Transaction, erased: list[str]) -> None:
    for member in erased:
        news.take(tx, FeedRow(version=0, kind=RECEIPT, key=member, gone=True))


def start_over(tx: Transaction) -> None:
    """Read the feed from its beginning again; what is here stays in use meanwhile."""
    facts.put(tx, "feed_cursor", b"0")
