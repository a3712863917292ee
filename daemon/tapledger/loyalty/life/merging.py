"""Two memberships of one person become one, and are two again when that was wrong (section 3.20, X4).

Everything moves by transfers with its own expiry: one event empties the one member, one fills the other. The
emptied one stays an alias for ever. What shops that did not know of it still record in its name is all that
it has then, and ``with_late`` adds that to the member it became part of, in whatever order events arrive.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty import ledger, lots, members, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    BirthdaySet,
    ConsentGiven,
    CouponIssued,
    CouponMoved,
    Credited,
    Debited,
    Effect,
    Granted,
    Held,
    Linked,
    Lot,
    LotTake,
    Merged,
    Overdrawn,
    Own,
    RefereeCounted,
    Referred,
    Restored,
    StatusSet,
    Tagged,
    Tallied,
    TierSet,
    Ungranted,
    Unlinked,
    Unmerged,
)
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import lifecycle, standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people.referees import Referee
from tapledger.loyalty.program import Program

POOLS = (POINTS, PRINCIPAL, BONUS)
ONCE = ("birthday/", "check-in", "survey/", "mission/", "campaign/", "shared/", "welcome")
"""How keys begin of what a member has once a day, once a year or once for ever."""

DROPPED = "dropped"
REFEREE = "referee/"

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Merge:
    """One member becomes part of another; ``id`` is the transfer's for ever."""

    id: str
    staff: str | None
    referrers: Mapping[str, Member]
    """Those who sent either of the two, by the id under which they are named there, as they are now."""


def decide_merge(
    old: Member, into: Member, command: Merge, program: Program, now: dt.datetime
) -> tuple[Decision, ...]:
    """Make ``old`` a part of ``into``: the event of each, then of those whose referrals change by it."""
    if old.id == into.id:
        raise Refused("MERGE_SAME_MEMBER")
    for one in (old, into):
        standing.check_spend(one, now)
    old, into = members.as_of(old, now), members.as_of(into, now)
    own, referrals = _chosen(old, into, command, program)
    leaving = EventBody(
        kind="merge_out",
        at=now,
        program=program.version,
        member=old.id,
        lines=lines(old, old.id, command.id, program, out=True),
        effects=(*_emptied(old, command.id, now), StatusSet(standing.MERGED, now, into=into.id)),
        reasons=(Reason("MERGED_AWAY", {}),),
        facts={"merge": command.id, "into": into.id},
        staff=command.staff,
    )
    joining = EventBody(
        kind="merge_in",
        at=now,
        program=program.version,
        member=into.id,
        lines=lines(old, into.id, command.id, program, out=False),
        effects=(*_filled(old, into, now), Merged(old.id, own, own_of(into))),
        reasons=(Reason("MERGED_IN", {"points": _net(old, POINTS)}), *_twice(old, into)),
        facts={"merge": command.id, "from": old.id, **remembered(into, (old.id,))},
        staff=command.staff,
    )
    return (
        decision(old, leaving),
        decision(into, joining),
        *(decision(one, referral_body(one, news, command.id, program, now)) for one, news in referrals),
    )


def own_of(member: Member) -> Own:
    return Own(**{field: getattr(member, field) for field in Own.__struct_fields__})


def _chosen(
    old: Member, into: Member, command: Merge, program: Program
) -> tuple[Own, list[tuple[Member, list[Effect]]]]:
    """Return what the one member keeps of both, and what changes for those who sent either."""
    joined_at = min(old.joined_at, into.joined_at)
    tier = max(own_of(old), own_of(into), key=lambda own: _tier_order(own, program))
    valid = {
        name: who
        for name, who in command.referrers.items()
        if who.id not in (old.id, into.id) and who.joined_at < joined_at
    }
    referrer = next((name for name in (into.referrer, old.referrer) if name in valid), "")
    own = replace(tier, joined_at=joined_at, referrer=referrer, birthday=into.birthday or old.birthday)
    changes: dict[str, tuple[Member, list[Effect]]] = {}
    for named, sent in ((old.referrer, old.id), (into.referrer, into.id)):
        who = command.referrers.get(named)
        if who is None or who.id in (old.id, into.id) or (sent == into.id and named == referrer):
            continue
        news = changes.setdefault(who.id, (who, []))[1]
        news.append(RefereeCounted(sent, DROPPED))
        if sent == old.id and named == referrer and sent in who.referees:
            news += _counted_again(into.id, who.referees[sent])
    return own, list(changes.values())


def _tier_order(own: Own, program: Program) -> tuple[int, dt.datetime]:
    """Order by tier, and one tier by how long it lasts."""
    last = own.tier_until or dt.datetime.max.replace(tzinfo=dt.UTC)
    return program.rank(own.tier), last


def _counted_again(member: str, referee: Referee) -> list[Effect]:
    return [RefereeCounted(member, reached, referee.counts_on) for reached in referee.reached]


def referral_body(
    referrer: Member, news: list[Effect], transfer: str, program: Program, now: dt.datetime
) -> EventBody:
    """Return the event by which a referrer's list follows a merge, or its undoing."""
    dropped = tuple(one.member for one in news if isinstance(one, RefereeCounted) and one.reached == DROPPED)
    return EventBody(
        kind="referral",
        at=now,
        program=program.version,
        member=referrer.id,
        effects=tuple(news),
        facts={"merge": transfer, **remembered(referrer, dropped)},
    )


def remembered(referrer: Member, dropped: tuple[str, ...]) -> dict[str, int | str]:
    """Return what dropped referees had reached, so that it can be counted again."""
    return {
        f"{REFEREE}{one}": " ".join((str(known.counts_on), *known.reached))
        for one in dropped
        if (known := referrer.referees.get(one)) is not None
    }


def recalled(body: EventBody) -> Iterator[RefereeCounted]:
    """Yield what counts the referees again that an event dropped."""
    for key, text in body.facts.items():
        if key.startswith(REFEREE):
            counts_on, *reached = str(text).split()
            for one in reached:
                yield RefereeCounted(key.removeprefix(REFEREE), one, int(counts_on))


def _net(member: Member, pool: str) -> int:
    """Return what a pool's account holds: all its lots, worth something now or not, less its deficit."""
    return lots.taken_amount(lots.everything(member.lots, pool)) - members.deficit_of(member, pool)


def lines(moved: Member, holder: str, transfer: str, program: Program, *, out: bool) -> tuple[Line, ...]:
    """Return the lines that take what is moved from its holder to the transfer account, or from there."""
    sign = -1 if out else 1
    account = ledger.transfer_account(transfer)
    held = sum(hold.points for hold in moved.holds)
    points = _net(moved, POINTS)
    posted = [
        Line(ledger.member_points(holder), ledger.POINT, sign * points),
        Line(ledger.member_held(holder), ledger.POINT, sign * held),
        Line(account, ledger.POINT, -sign * (points + held)),
    ]
    for pool in (PRINCIPAL, BONUS):
        owed = -_net(moved, pool)
        posted += [
            Line(ledger.member_value(holder, pool), program.currency, sign * owed),
            Line(account, program.currency, -sign * owed),
        ]
    return tuple(line for line in posted if line.amount)


def _emptied(old: Member, transfer: str, now: dt.datetime) -> Iterator[Effect]:
    """Yield the effects that leave a member with nothing."""
    free, settled = lifecycle.without_holds(old, now)
    yield from settled
    for pool in POOLS:
        if takes := lots.everything(free.lots, pool):
            yield Debited(takes, pool)
        if owed := members.deficit_of(old, pool):
            yield Credited(Lot(f"{transfer}/{pool}", owed, owed, now, None, pool))
    for tally in _tallied(old):
        yield replace(tally, amount=-tally.amount)
    yield from (CouponMoved(coupon.id, "void") for coupon in old.coupons if coupon.state != "void")
    yield from (Ungranted(grant.id) for grant in old.grants)
    yield from (RefereeCounted(one, DROPPED) for one in old.referees)
    yield from (Unlinked(one.index) for one in old.credentials)


def _filled(old: Member, into: Member, now: dt.datetime) -> Iterator[Effect]:
    """Yield the effects that give a member all that another has."""
    yield from _possessions(old, into, now)
    if old.id in into.referees:
        yield RefereeCounted(old.id, DROPPED)
    for kind, tags in old.tags.items():
        yield Tagged(kind, tuple(dict.fromkeys((*into.tags.get(kind, ()), *tags))))
    yield from (note for note in old.notes if note.until > now)


def _possessions(old: Member, into: Member, now: dt.datetime) -> Iterator[Effect]:
    """Yield what adds one member's lots, deficits, vouchers, tallies, coupons, ... to another's."""
    free, _ = lifecycle.without_holds(old, now)
    for lot in free.lots:
        if lot.remaining:
            yield credited(into, lot)
    for pool in POOLS:
        if owed := members.deficit_of(old, pool):
            yield Overdrawn(owed, pool)
    yield from (Held(hold) for hold in old.holds)
    yield from _tallied(old)
    yield from _coupons(old, into)
    yield from (Granted(grant) for grant in old.grants)
    for one, referee in old.referees.items():
        if one != into.id:
            yield from _counted_again(one, referee)
    yield from (ConsentGiven(consent) for consent in old.consents)
    yield from (Linked(one) for one in old.credentials)


def credited(member: Member, lot: Lot) -> Effect:
    """Return what adds a lot to a member; one that they have already, spent, is filled again."""
    if any(one.id == lot.id for one in member.lots):
        return Restored((LotTake(lot.id, lot.remaining, lot.expires_at),), lot.pool)
    return Credited(lot)


def _tallied(member: Member) -> list[Tallied]:
    found = [
        Tallied(key, day, amount)
        for key, by_day in member.tallies.items()
        for day, amount in by_day.items()
        if amount
    ]
    if member.earlier_spend_minor:
        found.append(Tallied(tallies.SPEND, tallies.BEFORE, member.earlier_spend_minor))
    return found


def _coupons(old: Member, into: Member) -> Iterator[Effect]:
    known = {coupon.id for coupon in into.coupons}
    for coupon in old.coupons:
        if coupon.state == "void":
            continue
        if coupon.id in known:
            yield CouponMoved(coupon.id, coupon.state, coupon.sale, coupon.until)
        else:
            yield CouponIssued(coupon)


def had_twice(old: Member, into: Member) -> tuple[tuple[str, int], ...]:
    """Return what both had, by key and local day, and a member has once: for the owner to look at (X4)."""
    return tuple(
        (key, day)
        for key, by_day in sorted(old.tallies.items())
        if key.startswith(ONCE)
        for day, amount in sorted(by_day.items())
        if amount > 0 and into.tallies.get(key, {}).get(day, 0) > 0
    )


def _twice(old: Member, into: Member) -> tuple[Reason, ...]:
    count = len(had_twice(old, into))
    return (Reason("MERGED_HAD_TWICE", {"count": count}),) if count else ()


_OWN = (TierSet, StatusSet, Merged, Unmerged, BirthdaySet, Referred)
"""What a member has of their own, and no alias changes."""


def names_of(member: Member, find: Callable[[str], Member | None]) -> tuple[str, ...]:
    """Return a member's pseudonym and those of all who became part of them, one through another too."""
    names = [member.id, *member.aliases]
    for name in names:  # grows
        gone = find(name) if name != member.id else None
        if gone is not None:
            names += [one for one in gone.aliases if one not in names]
    return tuple(names)


def late(body: EventBody, into: str) -> EventBody:
    """Return an event in an alias's name as one of the member it became part of."""
    kept = tuple(effect for effect in body.effects if not isinstance(effect, _OWN))
    return replace(body, member=into, effects=kept)


def with_late(into: Member, rest: Member) -> Member:
    """Return a member with what an alias still has: what was recorded in its name by shops that did not know.

    A merge leaves the alias with nothing, so all that it has came without knowledge of the merge, before it
    or after. Deficits net, once-only keys add up, and the member's own tier and status stay. Leases stay in
    the alias's name, in which their holders may have drawn and will close them; here they only show.
    """
    at = rest.status_at or rest.joined_at
    for effect in _possessions(rest, into, at):
        into = members.APPLY[type(effect)](into, effect, at)
    leases = (replace(lease, alias=lease.alias or rest.id) for lease in rest.leases)
    return members.as_of(replace(into, leases=(*into.leases, *leases)), at)
