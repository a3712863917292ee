"""Members as projections of the journal, by pseudonym; and which credential names whom.

A row of ``credential`` names the member whose stored state has that credential, so a state says which rows
there are to take away. There is no index from members to credentials: a million members have no room for one.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from tapledger.database import Transaction, every, first, repeat
from tapledger.errors import Corrupt
from tapledger.loyalty import tallies
from tapledger.loyalty.effects import (
    POINTS,
    Credential,
    Debited,
    Held,
    Hold,
    HoldSettled,
    LeaseDrawn,
    Restored,
    StatusSet,
    Unlinked,
)
from tapledger.loyalty.ledger import MOVES, EventBody, linked
from tapledger.loyalty.life import merging
from tapledger.loyalty.lots import taken_amount
from tapledger.loyalty.members import Member, fold
from tapledger.store import ahead, claims, due, facts, keys, leaving, people, states, virtual_cards
from tapledger.store.ahead import Heard
from tapledger.store.keys import Key
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import LedgerEvent, SealedProfile

SPENDING = frozenset({"sale", "fulfil", "draw", "hold"})
"""Kinds whose debits are points given out for something; those of others are corrections. A sale that waits
for its payment holds its points by a debit, which is given back where the sale itself debits them."""
HEARD_LATER = dt.timedelta(minutes=3)
"""Central may have been heard so much later than is noted: it is noted by the minute, and clocks differ."""
MAX_MERGES = 32
"""One after the other, from a pseudonym to the member it means now."""
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
    """Return a member as they are here; one that was merged leads to the member they became part of (X4)."""
    for _ in range(MAX_MERGES):
        stored = load_alias(tx, member)
        if stored is None or not stored.member.merged_into:
            return stored
        member = stored.member.merged_into
    raise Corrupt("MEMBER_MISSING", member=member)


def load_alias(tx: Transaction, member: str) -> Stored | None:
    """Return a member under their own pseudonym, even when they are part of another now."""
    row = first(
        tx,
        "SELECT m.state, m.unsettled_points, p.digest, p.sealed FROM member m"
        " LEFT JOIN profile p ON p.member = ?2 WHERE m.id = ?1",
        keys.of_uuid(member),
        member,
    )
    if row is None:
        return None
    state, unsettled_points, digest, sealed = row
    profile = None if digest is None else SealedProfile(member=member, digest=digest, sealed=bytes(sealed))
    return Stored(states.read(member, state), unsettled_points, profile)


def names_of(tx: Transaction, member: Member) -> tuple[str, ...]:
    """Return a member's pseudonym and those of all who became part of them, one through another too."""

    def find(name: str) -> Member | None:
        gone = load_alias(tx, name)
        return None if gone is None else gone.member

    return merging.names_of(member, find)


def owner(tx: Transaction, index: str) -> Owner | None:
    """Return whom a credential names, and the trust level it was enrolled at."""
    row = first(
        tx,
        "SELECT m.id, c.min_level FROM credential c JOIN member m ON m.no = c.member WHERE c.idx = ?",
        keys.of_hash(index),
    )
    return None if row is None else Owner(keys.uuid_of(row[0]), row[1])


def record(tx: Transaction, after: Member, body: EventBody) -> None:
    """Bring the projections in step with one event of this node."""
    if any(isinstance(effect, StatusSet) and effect.status == "erased" for effect in body.effects):
        forget(tx, after)  # first: what is stored still says which credentials there are
    key, change = keys.of_uuid(after.id), given_out(body) - _given_back(tx, after.id, body)
    row = first(
        tx,
        "INSERT INTO member (id, state, unsettled_points) VALUES (?, ?, max(0, ?)) ON CONFLICT (id) DO UPDATE"
        " SET state = excluded.state, unsettled_points = max(0, unsettled_points + ?) RETURNING no",
        *(key, states.write(after), change, change),
    )
    assert row is not None
    (no,) = row
    if body.kind == "join":
        due.joined(tx, after.id)
    due.changed(tx, after.id)
    _name(tx, ((no, one) for one in linked(body)))
    is_moved = body.kind in MOVES
    for effect in body.effects:
        match effect:
            case Held(hold=hold) if is_moved:
                tx.exec_driver_sql("UPDATE voucher SET member = ? WHERE idx = ?", (after.id, hold.voucher))
            case Held(hold=hold):
                _open_voucher(tx, after.id, hold)
            case HoldSettled(hold=settled, given_back=given_back) if not is_moved:
                settle_voucher(tx, settled, given_back=given_back)
            case Unlinked(index=index):
                _unname(tx, [(no, index)])
            case StatusSet(until=until):
                leaving.note(tx, after.id, until)


def forget(tx: Transaction, member: Member) -> None:
    """Destroy what names a member who was erased: their profiles and all that was merged into them."""
    for one in names_of(tx, member):
        people.forget(tx, one)
        virtual_cards.forget(tx, one)
        _unname(tx, [card for known in _known(tx, [keys.of_uuid(one)]).values() for card in known.cards])


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


def given_out(body: EventBody) -> int:
    """Return the points that an event gives out by the shop's quota: what a lease pays is not in it (R6)."""
    points = drawn = 0
    for effect in body.effects:
        if isinstance(effect, Held):
            points += effect.hold.points
        elif isinstance(effect, LeaseDrawn) and effect.pool == POINTS:
            drawn += taken_amount(effect.takes)
        elif isinstance(effect, Debited) and effect.pool == POINTS and body.kind in SPENDING:
            points += taken_amount(effect.takes)
        elif isinstance(effect, Restored) and effect.pool == POINTS and body.kind == "sale":
            points -= taken_amount(effect.takes)
    return max(0, points - drawn)


def _given_back(tx: Transaction, member: str, body: EventBody) -> int:
    """Return the points of vouchers that come back to the quota: only of those that are certainly in it.

    What central may have confirmed by now does not count: giving it back must not fill the quota up (R6).
    """
    settled = {one.hold for one in body.effects if isinstance(one, HoldSettled) and one.given_back}
    before = load_alias(tx, member) if settled else None
    if before is None:
        return 0
    heard = facts.get(tx, "feed_at")
    since = None if heard is None else dt.datetime.fromisoformat(heard.decode()) + HEARD_LATER
    holds = (one for one in before.member.holds if one.id in settled and (since is None or one.at > since))
    return sum(one.points - one.leased for one in holds)


def _name(tx: Transaction, given: Iterable[tuple[int, Credential]]) -> None:
    """Let credentials name the members whose numbers are beside them, whomever they named before."""
    rows = [(keys.of_hash(one.index), no, one.min_level) for no, one in given]
    if rows:
        rows.sort(key=lambda row: keys.order(row[0]))
        repeat(
            tx,
            "INSERT INTO credential VALUES (?, ?, ?) ON CONFLICT (idx)"
            " DO UPDATE SET member = excluded.member, min_level = excluded.min_level"
            " WHERE member != excluded.member OR min_level != excluded.min_level",
            rows,
        )


def _unname(tx: Transaction, gone: Iterable[tuple[int, str]]) -> None:
    """Let credentials, by index, no more name the members whose numbers are beside them."""
    rows = [(keys.of_hash(index), no) for no, index in gone]
    if rows:
        repeat(tx, "DELETE FROM credential WHERE idx = ? AND member = ?", rows)


@dataclass(frozen=True, slots=True)
class Told:
    """What central says of a member, and the last of this node's events that is in it."""

    state: Member
    epoch: int
    seq: int
    settled: Mapping[str, int] = field(default_factory=dict)
    """The last event of each chain that is in it (``FeedRow``)."""
    raw: bytes = b""
    """The state as it came."""


def replace_all(tx: Transaction, told: Iterable[Told]) -> None:
    """Take central's states of members and fold this node's own later events onto them again."""
    news = list({one.state.id: one for one in told}.values())
    names = [name for one in news for name in (one.state.id, *one.state.aliases)]
    later = _recorded_here(tx, names) | ahead.members_in(tx, names)
    rows = [
        _as_told(one) if later.isdisjoint((one.state.id, *one.state.aliases)) else _with_later(tx, one)
        for one in news
    ]
    rows.sort(key=lambda row: keys.order(row.key))
    known = _known(tx, [row.key for row in rows])
    ((last,),) = every(tx, "SELECT coalesce(max(no), 0) FROM member")
    new = itertools.count(last + 1)
    numbered = [(known[row.key].no if row.key in known else next(new), row) for row in rows]
    repeat(
        tx,
        "INSERT INTO member (no, id, state, unsettled_points) VALUES (?, ?, ?, ?) ON CONFLICT (no) DO UPDATE"
        " SET state = excluded.state, unsettled_points = excluded.unsettled_points",
        [(no, row.key, row.state, row.unsettled) for no, row in numbered],
    )
    due.all_changed(tx, [row.member.id for row in rows])
    given = [(no, one) for no, row in numbered for one in row.member.credentials]
    still = {(no, one.index) for no, one in given}
    before = (card for one in known.values() for card in one.cards)
    _unname(tx, [one for one in before if one not in still])
    _name(tx, given)


@dataclass(frozen=True, slots=True)
class _Row:
    """A member as they are written down."""

    key: Key
    member: Member
    state: bytes
    unsettled: int


def _as_told(told: Told) -> _Row:
    return _Row(keys.of_uuid(told.state.id), told.state, states.keep(told.state, told.raw), 0)


def _recorded_here(tx: Transaction, names: Sequence[str]) -> set[str]:
    """Return those of whom this node has recorded anything."""
    query = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM event WHERE member = value)"
    return {row[0] for row in every(tx, query, msgspec.json.encode(names).decode())}


@dataclass(frozen=True, slots=True)
class _Known:
    """A member's row: its number, and (number, index) of each credential that its state has."""

    no: int
    cards: tuple[tuple[int, str], ...]


def _known(tx: Transaction, members: Sequence[Key]) -> dict[Key, _Known]:
    """Return those of the members that are stored."""
    marks = ", ".join("?" * len(members))
    query = f"SELECT id, no, state FROM member WHERE id IN ({marks})"  # noqa: S608 - question marks only
    rows = every(tx, query, *members)
    return {
        key: _Known(no, tuple((no, one.index) for one in states.read("", state).credentials))
        for key, no, state in rows
    }


def _with_later(tx: Transaction, told: Told) -> _Row:
    """Return a member with what central does not know yet, and the points that were given out here in it.

    That is what this node recorded later, and what the shop's hub gave it. What was recorded in the name of
    an alias, before this node knew of the merge, is the member's too (X4).
    """
    member, unsettled = told.state, 0
    counted: dict[str, int] = {}
    heard = ahead.missing(tx, (member.id, *member.aliases), told.settled)
    own = _own_after(tx, told, heard)
    later = [(event, True) for event in own] + [(one.event, False) for one in heard]
    for event, is_own in sorted(later, key=lambda one: _order(one[0])):
        body = event.body
        if body.member != member.id:
            if body.member not in member.aliases or body.kind in MOVES:
                continue
            body = merging.late(body, member.id)
        if is_own and (event.epoch, event.seq) <= (told.epoch, told.seq):
            body = ahead.of_leases(body, frozenset().union(*(one.leases for one in heard)))
        member = fold(member, body)
        unsettled += given_out(body)
        for effect in body.effects:
            if isinstance(effect, Held):
                counted[effect.hold.id] = effect.hold.points - effect.hold.leased
            elif isinstance(effect, HoldSettled) and effect.given_back:
                unsettled -= counted.pop(effect.hold, 0)
    still = {lease.id for lease in member.leases}
    is_settled = not own or (own[-1].epoch, own[-1].seq) <= (told.epoch, told.seq)
    for one in heard:
        if is_settled and still.isdisjoint(
            one.leases
        ):  # nothing is left of it, and central knows what became
            ahead.forget(tx, one)
    return _Row(keys.of_uuid(member.id), member, states.write(member), max(0, unsettled))


def _own_after(tx: Transaction, told: Told, heard: Sequence[Heard]) -> list[LedgerEvent]:
    """Return this node's own events that central's word lacks, and those that may stand on what was heard."""
    since = min(((told.epoch, told.seq), *(one.own for one in heard)))
    names = msgspec.json.encode((told.state.id, *told.state.aliases)).decode()
    rows = tx.exec_driver_sql(
        "SELECT raw FROM event WHERE member IN (SELECT value FROM json_each(?)) AND (epoch, seq) > (?, ?)"
        " ORDER BY epoch, seq",
        (names, *since),
    )
    return [decode_event(raw) for (raw,) in rows]


def _order(event: LedgerEvent) -> tuple[int, str, int, int]:
    return (event.hlc, event.node, event.epoch, event.seq)


def hear(tx: Transaction, event: LedgerEvent, raw: bytes) -> Member:
    """Take an event that the shop's hub gave this node before central told it; return its member now.

    It counts after all that is here: the hub has heard this node's clock before it was sealed.
    """
    assert event.body.member is not None
    stored = load_alias(tx, event.body.member)
    if stored is None:
        raise Corrupt("MEMBER_MISSING", member=event.body.member)
    last = first(tx, "SELECT epoch, seq FROM event ORDER BY epoch DESC, seq DESC LIMIT 1")
    if not ahead.add(tx, event, raw, (0, 0) if last is None else (last[0], last[1])):
        return stored.member
    after = fold(stored.member, event.body)
    record(tx, after, event.body)
    return after


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


def unsettled_in_all(tx: Transaction) -> int:
    """Return the points of all members given out here that central has not confirmed yet."""
    query = "SELECT coalesce(sum(unsettled_points), 0) FROM member WHERE unsettled_points > 0"
    return int(tx.exec_driver_sql(query).scalar_one())


def count(tx: Transaction) -> int:
    return int(tx.exec_driver_sql("SELECT count(*) FROM member").scalar_one())
