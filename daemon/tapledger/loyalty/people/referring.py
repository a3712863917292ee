"""Referral: who sent whom, when it counts, and what both get for it (loyalty.md section 3.15).

What a referee did is kept by the referee: each qualifying sale is a tally on the day on which its return
window is over. ``told`` brings a referrer in step with one of their referees; the caller goes on to the
referrer's own referrer. Each step goes to a member who joined earlier, so it ends. Nobody is paid for what
their referees' referees buy: 3-by-3 is a rule about tiers, one level deep.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty import days, gains, ledger, lots, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import (
    AvailableFrom,
    Debited,
    Effect,
    Overdrawn,
    RefereeCounted,
    Referred,
    Tagged,
    Tallied,
)
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import FAR, Gained
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people.referees import Referee
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain, Referral
from tapledger.loyalty.tiers import tiering

SALE = "referred-sale/"
"""Tally of a referee's qualifying sale, by its id, on the day on which it counts."""
SETTLED = "referral-settled"
"""Tally of a referee whose purchase has counted."""
PAID = "referral-paid/"
"""Tally of the points that a referrer was given for one referee; of a referee, for themselves (``me``)."""
PAID_TIMES = "referral-paid"
JOINS = "referral-joins"
OF_JOINING = "join/"
"""What the lots of joining points begin with: they stay when a purchase comes back."""
MAX_SEEN = 16
SEEN = "seen"
"""Kind of the tags that keep keyed hashes of a member's telephones and payment means."""


# ---- who sent whom ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SetReferrer:
    """A member says who sent them: at joining, or later before they buy anything."""

    at_kiosk: bool = False
    kiosk_joins: int = 0
    """Referees of the same referrer who joined at a kiosk within the last hour."""
    seen: frozenset[str] = frozenset()
    """Keyed hashes of the phone, device or payment means used."""
    looked_at: bool = False
    """Staff have seen both and say that they are two people."""
    staff: str | None = None


def is_lawful(referrer: Member, member: Member) -> bool:
    """Tell whether one may be another's referrer: somebody else, who joined earlier. No cycle can arise.

    A merge drops links of which this is not true any more (X4).
    """
    return referrer.id != member.id and referrer.joined_at < member.joined_at


def decide_referrer(
    member: Member, referrer: Member, command: SetReferrer, program: Program, now: dt.datetime
) -> tuple[Decision, Decision]:
    """Set who sent a member, once; return the member's event and the referrer's, posted together."""
    rule = program.referral
    if rule is None:
        raise Refused("REFERRAL_OFF")
    _check_link(member, referrer)
    shares = _things(member, command.seen) & _things(referrer, frozenset())
    too_fast = command.at_kiosk and command.kiosk_joins >= rule.kiosk_joins_per_hour
    if (shares or too_fast) and not command.looked_at:
        raise Refused("REFERRAL_REVIEW")
    own = EventBody(
        kind="referrer",
        at=now,
        program=program.version,
        member=member.id,
        effects=(Referred(referrer.id), *_remember(member, command.seen)),
        reasons=(Reason("REFERRER_NOTED", {}),),
        staff=command.staff,
    )
    given = _join_points(referrer, member, rule, program, now)
    theirs = EventBody(
        kind="referral",
        at=now,
        program=program.version,
        member=referrer.id,
        lines=given.lines,
        effects=(RefereeCounted(member.id, "joined"), *given.effects),
        reasons=given.reasons,
        facts={"referee": member.id, "kiosk": int(command.at_kiosk)},
        staff=command.staff,
    )
    return decision(member, own), decision(referrer, theirs)


def _check_link(member: Member, referrer: Member) -> None:
    if member.id == referrer.id:
        raise Refused("REFERRER_SELF")
    if member.referrer:
        raise Refused("REFERRER_SET")
    if referrer.status != standing.ACTIVE:
        raise Refused("REFERRER_NOT_ACTIVE")
    standing.check_earn(member, member.joined_at)
    if not is_lawful(referrer, member):
        raise Refused("REFERRER_NOT_EARLIER")
    if member.earlier_spend_minor or tallies.total(member.tallies, tallies.SALES):
        raise Refused("REFERRER_TOO_LATE")


def _things(member: Member, seen: frozenset[str]) -> frozenset[str]:
    """Return what would show that two members are one person."""
    return seen | {one.index for one in member.credentials} | set(member.tags.get(SEEN, ()))


def _remember(member: Member, seen: frozenset[str]) -> tuple[Tagged, ...]:
    known = member.tags.get(SEEN, ())
    new = tuple(sorted(seen - set(known)))
    return (Tagged(SEEN, (*known, *new)[-MAX_SEEN:]),) if new else ()


def _join_points(
    referrer: Member, member: Member, rule: Referral, program: Program, now: dt.datetime
) -> Gained:
    """Give what a referee brings by joining, once: an undone merge forgets who sent them, not this."""
    today, key = days.local_day(now, program.zone()), OF_JOINING + member.id
    if tallies.total(referrer.tallies, key):
        return Gained()
    counted = Gained(effects=(Tallied(JOINS, today.toordinal(), 1), Tallied(key, today.toordinal(), 1)))
    if not rule.join_points:
        return counted
    if rule.per_month is not None and _in_month(referrer, JOINS, today) >= rule.per_month:
        return counted.plus(Gained(reasons=(Reason("REFERRAL_MONTH_FULL", {"limit": rule.per_month}),)))
    source, gain = f"referral/{member.id}", Gain(points=rule.join_points)
    return counted.plus(gains.give(referrer.id, gain, source, program, now, id_=key))


def _in_month(member: Member, key: str, day: dt.date) -> int:
    first, last = days.in_month(day.year, day.month, 1), days.in_month(day.year, day.month, 31)
    return tallies.total(member.tallies, key, first.toordinal(), last.toordinal())


# ---- the referee's side -----------------------------------------------------------------------------------
def counts_on(sold_on: dt.date, program: Program) -> dt.date:
    """Return the first day on which a sale cannot come back any more."""
    return sold_on + dt.timedelta(days=program.returns.window_days + 1)


def qualifying(member: Member) -> list[tuple[int, str]]:
    """Return (day on which it counts, sale) of a referee's kept qualifying sales, earliest first."""
    return sorted(
        (day, key.removeprefix(SALE))
        for key, counted in member.tallies.items()
        if key.startswith(SALE)
        for day, amount in counted.items()
        if amount > 0
    )


def is_settled(member: Member) -> bool:
    return tallies.total(member.tallies, SETTLED) > 0


def after_sale(member: Member, sale: str, total_minor: int, program: Program, now: dt.datetime) -> Gained:
    """Return what a sale adds to its own event for a referee: their points wait for the return window."""
    rule = program.referral
    if rule is None or not member.referrer or is_settled(member) or total_minor < rule.min_sale_minor:
        return Gained()
    on = counts_on(days.local_day(now, program.zone()), program)
    counted = Gained(effects=(Tallied(SALE + sale, on.toordinal(), 1),))
    if qualifying(member):
        return counted
    return counted.plus(_wait(member, "me", rule.referee.points, f"{sale}/referral", on, program, now))


def _wait(
    member: Member, for_: str, amount: int, lot: str, on: dt.date, program: Program, now: dt.datetime
) -> Gained:
    """Give points that wait: not for a day, but for the decision that nothing came back until then."""
    if not amount:
        return Gained()
    source = "referral" if for_ == "me" else f"referral/{for_}"
    made = gains.points_lot(lot, amount, source, program, now, available_at=FAR)
    why = Reason("REFERRAL_WAITS", {"points": amount, "day": on.isoformat()})
    counted = (Tallied(PAID + for_, on.toordinal(), amount),)
    return gains.credit(member.id, made).plus(Gained(effects=counted, reasons=(why,)))


def after_return(member: Member, sale: str, kept_minor: int, program: Program, now: dt.datetime) -> Gained:
    """Return what a return adds to its own event for a referee.

    ``kept_minor`` is what is kept of the sale in all. Kept at least at the minimum, it still qualifies; else
    the next qualifying sale takes its place, and without one the points go.
    """
    rule = program.referral
    on = next((day for day, id_ in qualifying(member) if id_ == sale), None)
    if rule is None or on is None or kept_minor >= rule.min_sale_minor:
        return Gained()
    gone = Gained(effects=(Tallied(SALE + sale, on, -1),))
    others = [day for day, id_ in qualifying(member) if id_ != sale]
    today = days.local_day(now, program.zone()).toordinal()
    if others and (not is_settled(member) or others[0] <= today):
        return gone
    if is_settled(member):
        gone = gone.plus(Gained(effects=(Tallied(SETTLED, on, -1),)))
    return gone.plus(_take_back(member, "me", program, now))


def _take_back(member: Member, for_: str, program: Program, now: dt.datetime) -> Gained:
    """Take the points of a referral again: from their own lot, else as any clawback."""
    amount = tallies.total(member.tallies, PAID + for_)
    if amount <= 0:
        return Gained()
    source = "referral" if for_ == "me" else f"referral/{for_}"
    own = [
        lot
        for lot in member.lots
        if lot.source == source and lot.remaining > 0 and not lot.id.startswith(OF_JOINING)
    ]
    others = [
        lot for lot in lots.spending_order(member.lots) if lot not in own and lots.is_available(lot, now)
    ]
    takes = lots.take_from([*own, *others], amount)
    short = amount - lots.taken_amount(takes)
    effects: list[Effect] = [Debited(takes)] if takes else []
    if short and program.returns.negative == "deficit":
        effects.append(Overdrawn(short))
        short = 0
    today = days.local_day(now, program.zone()).toordinal()
    effects.append(Tallied(PAID + for_, today, -amount))
    taken = amount - short
    if not taken:
        return Gained(effects=tuple(effects))
    lines = ledger.points_given(member.id, -taken)
    return Gained(lines, tuple(effects), (Reason("REFERRAL_TAKEN_BACK", {"points": taken}),))


def decide_qualified(
    member: Member, program: Program, now: dt.datetime, exhausted: Collection[str] = frozenset()
) -> Decision | None:
    """Settle a referee whose purchase can come back no more: their own points become available.

    The caller then tells the referrer. None while there is nothing to settle.
    """
    rule, sales = program.referral, qualifying(member)
    today = days.local_day(now, program.zone()).toordinal()
    if rule is None or not sales or is_settled(member) or sales[0][0] > today:
        return None
    given = _free(member, "referral", now).plus(
        _rest(member, rule.referee, f"referral/{sales[0][1]}", program, now, exhausted)
    )
    effects = (Tallied(SETTLED, sales[0][0], 1), *given.effects)
    return _posted(member, given.lines, effects, given.reasons, "", program, now)


def _free(member: Member, source: str, now: dt.datetime) -> Gained:
    """Make the points that waited for a decision available."""
    waiting = [lot for lot in member.lots if lot.source == source and lot.available_at == FAR]
    amount = sum(lot.remaining for lot in waiting)
    if not amount:
        return Gained()
    at = standing.credit_available_at(member, now)
    freed = AvailableFrom(tuple(lot.id for lot in waiting), at)
    return Gained(effects=(freed,), reasons=(Reason("REFERRAL_COUNTS", {"points": amount}),))


def _rest(
    member: Member, gain: Gain, id_: str, program: Program, now: dt.datetime, exhausted: Collection[str]
) -> Gained:
    """Give what a gain names beside points; the points were given before and waited."""
    rest = msgspec.structs.replace(gain, points=0)
    return gains.give(member.id, rest, "referral", program, now, id_=id_, exhausted=exhausted)


def _posted(
    member: Member,
    lines: tuple[Line, ...],
    effects: tuple[Effect, ...],
    reasons: tuple[Reason, ...],
    referee: str,
    program: Program,
    now: dt.datetime,
) -> Decision:
    rise = tiering.upgrade(member, effects, program, now, why="referral")
    body = EventBody(
        kind="referral",
        at=now,
        program=program.version,
        member=member.id,
        lines=lines,
        effects=(*effects, *rise),
        reasons=(*reasons, *(Reason("TIER_REACHED", {"tier": one.tier}) for one in rise)),
        facts={"referee": referee} if referee else {},
    )
    return decision(member, body)


# ---- the referrer's side ----------------------------------------------------------------------------------
def told(
    referrer: Member,
    referee: Member,
    program: Program,
    now: dt.datetime,
    exhausted: Collection[str] = frozenset(),
) -> Decision | None:
    """Bring a referrer in step with what one of their referees has done; None when they know it already."""
    rule = program.referral
    known = referrer.referees.get(referee.id, Referee())
    given = Gained()
    if rule is not None:
        given = _purchase_told(referrer, referee, known, rule, program, now, exhausted)
    tiers = tuple(_tiers_told(referee, known, program, now))
    effects = (*given.effects, *tiers)
    if not effects:
        return None
    return _posted(referrer, given.lines, effects, given.reasons, referee.id, program, now)


def _tiers_told(
    referee: Member, known: Referee, program: Program, now: dt.datetime
) -> Iterator[RefereeCounted]:
    """Yield every tier that a referee has attained, those jumped over too: it counts for ever."""
    rank = program.rank(tiering.current(referee, program, now).id)
    for tier in program.tiers[1 : rank + 1]:
        if tier.id not in known.reached:
            yield RefereeCounted(referee.id, tier.id)


def _purchase_told(
    referrer: Member,
    referee: Member,
    known: Referee,
    rule: Referral,
    program: Program,
    now: dt.datetime,
    exhausted: Collection[str],
) -> Gained:
    sales = qualifying(referee)
    if not sales:
        if "bought" not in known.reached:
            return Gained()
        gone = Gained(effects=(RefereeCounted(referee.id, "returned"),))
        return gone.plus(_take_back(referrer, referee.id, program, now)).plus(_uncounted(referrer, known))
    given, on = Gained(), sales[0][0]
    if known.counts_on != on:
        given = Gained(effects=(RefereeCounted(referee.id, "bought", on),))
    if "bought" not in known.reached:
        given = given.plus(_bought(referrer, referee, on, rule, program, now))
    if is_settled(referee) and "qualified" not in known.reached:
        qualified = RefereeCounted(referee.id, "qualified", on)
        after = tiering.with_effects(referrer, given.effects, now)
        given = given.plus(Gained(effects=(qualified,))).plus(_free(after, f"referral/{referee.id}", now))
        given = given.plus(_rest(referrer, rule.referrer, f"referral/{referee.id}", program, now, exhausted))
    return given


def _bought(
    referrer: Member, referee: Member, on: int, rule: Referral, program: Program, now: dt.datetime
) -> Gained:
    day = dt.date.fromordinal(on)
    if standing.why_not_earn(referrer, now) is not None or not rule.referrer.points:
        return Gained()
    if rule.per_month is not None and _in_month(referrer, PAID_TIMES, day) >= rule.per_month:
        return Gained(reasons=(Reason("REFERRAL_MONTH_FULL", {"limit": rule.per_month}),))
    lot = f"referral/{referee.id}/{on}"
    waiting = _wait(referrer, referee.id, rule.referrer.points, lot, day, program, now)
    return waiting.plus(Gained(effects=(Tallied(PAID_TIMES, on, 1),)))


def _uncounted(referrer: Member, known: Referee) -> Gained:
    paid = tallies.total(referrer.tallies, PAID_TIMES, known.counts_on, known.counts_on)
    return Gained(effects=(Tallied(PAID_TIMES, known.counts_on, -1),)) if paid > 0 else Gained()
