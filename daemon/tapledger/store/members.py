"""Members as projections of the journal, by pseudonym; and which credential names whom.

A credential that names a member is in that member's stored state, so a state says which names there are to
take away. There is no index from members to credentials: a million members have no room for one.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from tapledger.database import Transaction, every, first, insert
from tapledger.errors import Corrupt
from tapledger.loyalty.effects import (
    POINTS,
    Credential,
    Debited,
    Held,
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
from tapledger.store import ahead, due, facts, keys, leaving, names, people, states, virtual_cards, vouchers
from tapledger.store.ahead import Heard
from tapledger.store.fresh import CREDENTIAL, PSEUDONYM, Named
from tapledger.store.keys import Key
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import LedgerEvent, SealedProfile

SPENDING = frozenset({"sale", "fulfil", "draw", "hold"})
"""Kinds whose debits are points given out for something; those of others are corrections. A sale that waits
for its payment holds its points by a debit, which is given back where the sale itself debits them."""
HEARD_LATER = dt.timedelta(minutes=3)
"""Central may have been heard so much later than is noted: it is noted by the minute, and clocks differ."""
NOTHING: Mapping[str, int] = MappingProxyType({})
_COLUMNS = "member (no, id, state, unsettled_points)"
_REPLACED = (
    "ON CONFLICT (no) DO UPDATE SET state = excluded.state, unsettled_points = excluded.unsettled_points"
)
MAX_MERGES = 32
"""One after the other, from a pseudonym to the member it means now."""


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
    named = names.find(tx, names.of_member(member))
    row = (
        None
        if named is None
        else first(
            tx,
            "SELECT m.state, m.unsettled_points, p.digest, p.sealed FROM member m"
            " LEFT JOIN profile p ON p.member = ? WHERE m.no = ?",
            *(member, named.no),
        )
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
    named = names.find(tx, names.of_credential(index))
    if named is None:
        return None
    row = first(tx, "SELECT id FROM member WHERE no = ?", named.no)
    return None if row is None else Owner(keys.uuid_of(row[0]), named.min_level)


def record(tx: Transaction, after: Member, body: EventBody) -> None:
    """Bring the projections in step with one event of this node."""
    if any(isinstance(effect, StatusSet) and effect.status == "erased" for effect in body.effects):
        forget(tx, after)  # first: what is stored still says which credentials there are
    no = _write(tx, after, given_out(body) - _given_back(tx, after.id, body))
    if body.kind == "join":
        due.joined(tx, after.id)
    due.changed(tx, after.id)
    _name(tx, no, linked(body))
    is_moved = body.kind in MOVES
    for effect in body.effects:
        match effect:
            case Held(hold=hold) if is_moved:
                vouchers.move(tx, after.id, hold)
            case Held(hold=hold):
                vouchers.open_(tx, after.id, hold)
            case HoldSettled(hold=settled, given_back=given_back) if not is_moved:
                vouchers.settle(tx, settled, given_back=given_back)
            case Unlinked(index=index):
                _unname(tx, no, [index])
            case StatusSet(until=until):
                leaving.note(tx, after.id, until)


def _write(tx: Transaction, after: Member, change: int) -> int:
    """Write a member's row, with so many more points given out here; return its number."""
    name, state = names.of_member(after.id), states.write(after)
    known = names.find(tx, name)
    if known is not None:
        query = "UPDATE member SET state = ?, unsettled_points = max(0, unsettled_points + ?) WHERE no = ?"
        first(tx, query, state, change, known.no)
        return known.no
    query = "INSERT INTO member (id, state, unsettled_points) VALUES (?, ?, max(0, ?)) RETURNING no"
    ((no,),) = every(tx, query, name[1], state, change)
    names.note(tx, {PSEUDONYM: {name[1]: Named(no)}})
    return int(no)


def forget(tx: Transaction, member: Member) -> None:
    """Destroy what names a member who was erased: their profiles and all that was merged into them."""
    for one in names_of(tx, member):
        people.forget(tx, one)
        virtual_cards.forget(tx, one)
        for known in _known(tx, [keys.of_uuid(one)]).values():
            _unname(tx, known.no, known.cards)


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


def _name(tx: Transaction, no: int, given: Iterable[Credential]) -> None:
    """Let credentials name a member's row, whomever they named before."""
    cards = {keys.of_hash(one.index): Named(no, one.min_level) for one in given}
    new = {card: named for card, named in cards.items() if names.find(tx, (CREDENTIAL, card)) != named}
    names.note(tx, {CREDENTIAL: new})


def _unname(tx: Transaction, no: int, gone: Iterable[str]) -> None:
    """Let credentials, by index, no more name a member's row."""
    found = ((name, names.find(tx, name)) for name in map(names.of_credential, gone))
    names.forget(tx, [name for name, named in found if named is not None and named.no == no])


class Told(msgspec.Struct, frozen=True, gc=False):
    """What central says of a member."""

    state: Member
    settled: Mapping[str, int] = NOTHING
    """The last event of each chain that is in it (``FeedRow``)."""
    raw: bytes = b""
    """The state as it came."""


def last_of(node: str, settled: Mapping[str, int]) -> tuple[int, int]:
    """Return (epoch, seq) of the last event of a node's chains that is in what central says."""
    found, own = (0, 0), f"{node}/"
    for chain, seq in settled.items():
        if chain.startswith(own) and (epoch := chain.removeprefix(own)).isdecimal():
            found = max(found, (int(epoch), seq))
    return found


def replace_all(tx: Transaction, told: Iterable[Told], node: str) -> None:
    """Take central's states of members and fold this node's own later events onto them again."""
    news = {one.state.id: one for one in told}
    later = _touched_here(tx, [name for one in news.values() for name in (one.state.id, *one.state.aliases)])
    rows = {
        keys.of_uuid(member): _as_told(one)
        if member not in later and later.isdisjoint(one.state.aliases)
        else _with_later(tx, one, node)
        for member, one in news.items()
    }
    known = _known(tx, rows)
    ((last,),) = every(tx, "SELECT coalesce(max(no), 0) FROM member")
    new = dict(zip((key for key in rows if key not in known), itertools.count(last + 1)))
    insert(tx, _COLUMNS, [(no, key, rows[key].state, rows[key].unsettled) for key, no in new.items()])
    again = [(one.no, key, rows[key].state, rows[key].unsettled) for key, one in known.items()]
    insert(tx, _COLUMNS, again, _REPLACED)
    due.all_changed(tx, [member for member in news if member in later])  # who joined here was touched here
    _rename(tx, rows, new, known)


def _rename(
    tx: Transaction, rows: Mapping[Key, _Row], new: Mapping[Key, int], known: Mapping[Key, _Known]
) -> None:
    """Let members' rows be named by what their new states say, and by nothing that the old ones said."""
    cards = {
        keys.of_hash(one.index): Named(no, one.min_level)
        for key, no in (*new.items(), *((key, one.no) for key, one in known.items()))
        for one in rows[key].member.credentials
    }
    pseudonyms = {key: Named(no) for key, no in new.items()}
    if known:
        before = [(keys.of_hash(card), one.no) for one in known.values() for card in one.cards]
        now = names.find_all(tx, CREDENTIAL, {*cards, *(card for card, _ in before)})
        gone = [card for card, no in before if card not in cards and card in now and now[card].no == no]
        names.forget(tx, [(CREDENTIAL, card) for card in gone])
        cards = {card: named for card, named in cards.items() if now.get(card) != named}
    names.note(tx, {PSEUDONYM: pseudonyms, CREDENTIAL: cards})


class _Row(msgspec.Struct, frozen=True, gc=False):
    """A member as they are written down, and the points given out here that central does not know of."""

    member: Member
    state: bytes
    unsettled: int = 0


def _as_told(told: Told) -> _Row:
    return _Row(told.state, states.keep(told.state, told.raw))


def _touched_here(tx: Transaction, pseudonyms: Sequence[str]) -> set[str]:
    """Return those of whom this node has recorded anything, or heard it of its hub."""
    query = (
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM event WHERE member = value)"
        " OR EXISTS (SELECT 1 FROM ahead WHERE member = value)"
    )
    return {row[0] for row in every(tx, query, msgspec.json.encode(pseudonyms).decode())}


class _Known(NamedTuple):
    """A member's row: its number, and the credentials that its state has, by index."""

    no: int
    cards: tuple[str, ...]


def _known(tx: Transaction, members: Collection[Key]) -> dict[Key, _Known]:
    """Return those of the members that are stored."""
    rows = {one.no: key for key, one in names.find_all(tx, PSEUDONYM, members).items()}
    marks = ", ".join("?" * len(rows))
    query = f"SELECT no, state FROM member WHERE no IN ({marks})"  # noqa: S608 - question marks only
    found = every(tx, query, *rows) if rows else []
    return {
        rows[no]: _Known(no, tuple(one.index for one in states.read("", state).credentials))
        for no, state in found
    }


def _with_later(tx: Transaction, told: Told, node: str) -> _Row:
    """Return a member with what central does not know yet, and the points that were given out here in it.

    That is what this node recorded later, and what the shop's hub gave it. What was recorded in the name of
    an alias, before this node knew of the merge, is the member's too (X4).
    """
    member, unsettled = told.state, 0
    counted: dict[str, int] = {}
    heard = ahead.missing(tx, (member.id, *member.aliases), told.settled)
    told_own = last_of(node, told.settled)
    own = _own_after(tx, told, told_own, heard)
    later = [(event, True) for event in own] + [(one.event, False) for one in heard]
    for event, is_own in sorted(later, key=lambda one: _order(one[0])):
        body = event.body
        if body.member != member.id:
            if body.member not in member.aliases or body.kind in MOVES:
                continue
            body = merging.late(body, member.id)
        if is_own and (event.epoch, event.seq) <= told_own:
            body = ahead.of_leases(body, frozenset().union(*(one.leases for one in heard)))
        member = fold(member, body)
        unsettled += given_out(body)
        for effect in body.effects:
            if isinstance(effect, Held):
                counted[effect.hold.id] = effect.hold.points - effect.hold.leased
            elif isinstance(effect, HoldSettled) and effect.given_back:
                unsettled -= counted.pop(effect.hold, 0)
    still = {lease.id for lease in member.leases}
    is_settled = not own or (own[-1].epoch, own[-1].seq) <= told_own
    for one in heard:
        if is_settled and still.isdisjoint(
            one.leases
        ):  # nothing is left of it, and central knows what became
            ahead.forget(tx, one)
    return _Row(member, states.write(member), max(0, unsettled))


def _own_after(
    tx: Transaction, told: Told, told_own: tuple[int, int], heard: Sequence[Heard]
) -> list[LedgerEvent]:
    """Return this node's own events that central's word lacks, and those that may stand on what was heard."""
    since = min((told_own, *(one.own for one in heard)))
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


def unsettled_in_all(tx: Transaction) -> int:
    """Return the points of all members given out here that central has not confirmed yet."""
    query = "SELECT coalesce(sum(unsettled_points), 0) FROM member WHERE unsettled_points > 0"
    return int(tx.exec_driver_sql(query).scalar_one())


def count(tx: Transaction) -> int:
    return int(tx.exec_driver_sql("SELECT count(*) FROM member").scalar_one())
