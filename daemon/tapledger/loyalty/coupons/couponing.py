"""Coupons of the programme: offered to a basket, held, redeemed, restored (loyalty.md section 3.11).

A coupon is named by its id in a wallet, by ``code/TEMPLATE`` for one use of a public code, or by
``bearer/ID`` for a paper that belongs to nobody. All three move by ``CouponMoved``; a wallet ignores what is
not in it, and ``claiming`` counts the others. Stacking is for pricing to decide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty import days, eligibility, rights, tallies
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.coupons.claiming import BEARER, CODE
from tapledger.loyalty.coupons.issuing import new_coupon, times_had
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved, Effect, Tallied
from tapledger.loyalty.facts import Reason, SaleFacts
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing.basket import ChosenCoupon, LeftOut
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.rights import Rights

HOLD_LIFE = dt.timedelta(minutes=15)
"""The longest that a quote may keep a coupon from other tills (X5)."""
ONLINE_ONLY_DAYS = 90
"""After a coupon was used twice by shops that could not see each other (X3)."""

replace = msgspec.structs.replace


# ---- what a basket may use --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Reach:
    """What this shop can know now: offline, a coupon that another shop may have redeemed is a risk (R30)."""

    node: str = ""
    online: bool = True
    bound: bool = True
    """Whether coupons that are bound to this node may be used."""
    plain_minor: int = 0
    """Offline: what other coupons may take off together."""


ONLINE = Reach()


def reach_of(node: str, known: Rights, program: Program, now: dt.datetime) -> Reach:
    """Return what this shop may do with coupons now (loyalty.md section 4)."""
    if rights.stage(known, program, now) == "online":
        return Reach(node)
    bound = rights.limit("signed_coupon", None, 0, known, program, now).allows(1)
    plain = rights.limit("plain_coupon", None, 0, known, program, now).amount
    return Reach(node, online=False, bound=bound, plain_minor=plain or 0)


@dataclass(frozen=True, slots=True)
class Usable:
    """The coupons that pricing may choose from, and why not for the others."""

    chosen: tuple[ChosenCoupon, ...]
    left_out: tuple[LeftOut, ...]


def usable(
    member: Member, program: Program, now: dt.datetime, reach: Reach = ONLINE, sale: str = ""
) -> Usable:
    """Sort a wallet into coupons that may be offered to a basket of ``sale``, and the others."""
    chosen, left_out = [], []
    live = [one for one in member.coupons if one.state not in ("redeemed", "void")]
    for coupon, template, why in _looked_at(live, member, program, now, reach, sale):
        if why is None and template is not None:
            chosen.append(ChosenCoupon(coupon.id, template, ends(coupon, sale, now)))
        elif why is not None:
            left_out.append(LeftOut(coupon.id, why))
    return Usable(tuple(chosen), tuple(left_out))


def _looked_at(
    coupons: Iterable[Coupon], member: Member, program: Program, now: dt.datetime, reach: Reach, sale: str
) -> Iterator[tuple[Coupon, Template | None, Reason | None]]:
    """Yield each coupon with its template and why not; what depends on the template alone is asked once."""
    templates = {template.id: template for template in program.coupons}
    conditions: dict[str, Reason | None] = {}
    for coupon in coupons:
        template = templates.get(coupon.template)
        why = why_not_itself(member, coupon, template, program, now, reach, sale)
        if why is None and template is not None:
            if template.id not in conditions:
                conditions[template.id] = eligibility.why_not(member, template.when, program, now)
            why = conditions[template.id]
        yield coupon, template, why


def ends(coupon: Coupon, sale: str, now: dt.datetime) -> dt.datetime | None:
    """Return until when a coupon is good for a sale: a hold that began in time is good until its own end."""
    held = bool(sale) and coupon.sale == sale and wallet.state(coupon, now) == "held"
    if coupon.expires_at is None or not held or coupon.until is None:
        return coupon.expires_at
    return max(coupon.expires_at, coupon.until)


def why_not(
    member: Member | None,
    coupon: Coupon,
    template: Template | None,
    program: Program,
    now: dt.datetime,
    reach: Reach = ONLINE,
    sale: str = "",
) -> Reason | None:
    """Return the first reason why a coupon cannot be used now, whatever is in the basket; else None."""
    why = why_not_itself(member, coupon, template, program, now, reach, sale)
    if why is not None or template is None:
        return why
    return eligibility.why_not(member, template.when, program, now)


def why_not_itself(
    member: Member | None,
    coupon: Coupon,
    template: Template | None,
    program: Program,
    now: dt.datetime,
    reach: Reach,
    sale: str,
) -> Reason | None:
    state = wallet.state(coupon, now)
    if template is None:
        return Reason("COUPON_UNKNOWN", {})
    if state in ("redeemed", "void"):
        return Reason("COUPON_USED", {})
    if state == "expired":
        return Reason("COUPON_EXPIRED", {"coupon": coupon.template})
    if state == "held" and coupon.sale != sale:
        return Reason("COUPON_HELD", {})
    if coupon.valid_from is not None and now < coupon.valid_from:
        begins = eligibility.shown(coupon.valid_from.astimezone(program.zone()))
        return Reason("NOT_YET", {"from": begins})
    if member is not None and (held_back := standing.why_not_spend(member, now)) is not None:
        return held_back
    if not reach.online and not (reach.bound and reach.node and coupon.node == reach.node):
        if member is not None and is_online_only(member, program, now):
            return Reason("COUPON_OVERUSED", {"days": ONLINE_ONLY_DAYS})
        if reach.plain_minor <= 0:
            return Reason("COUPON_ONLINE_ONLY", {})
    return None


def is_online_only(member: Member, program: Program, now: dt.datetime) -> bool:
    """Tell whether this member's coupons need central, because one was used twice lately (X3)."""
    today = days.local_day(now, program.zone()).toordinal()
    return tallies.total(member.tallies, wallet.OVERUSE, today - ONLINE_ONLY_DAYS, today + 1) > 0


def why_not_known() -> Reason:
    return Reason("COUPON_UNKNOWN", {})


def why_not_code(
    member: Member | None,
    template: Template,
    program: Program,
    now: dt.datetime,
    exhausted: Collection[str],
    reach: Reach = ONLINE,
) -> Reason | None:
    """Return the first reason why a public code cannot be used now; else None."""
    if not reach.online and reach.plain_minor <= 0:
        return Reason("COUPON_ONLINE_ONLY", {})
    if tallies.of_coupon(template.id) in exhausted:
        return Reason("COUPON_EXHAUSTED", {})
    if template.per_member is not None:
        if member is None:
            return Reason("MEMBERS_ONLY", {})
        if times_had(member, template.id) >= template.per_member:
            return Reason("LIMIT_REACHED", {"times": template.per_member})
    return why_not(member, use_of_code(template, program, now), template, program, now)


def use_of_code(template: Template, program: Program, now: dt.datetime) -> Coupon:
    """Return one use of a public code as if it were a coupon; its days count for no use."""
    whole = replace(template, valid_days=None)
    return new_coupon(CODE + template.id, whole, "code", program, now)


# ---- moves ------------------------------------------------------------------------------------------------
def hold_effects(
    member: Member | None, coupons: Iterable[str], sale: str, now: dt.datetime
) -> tuple[Effect, ...]:
    """Keep coupons for one sale until at most ``HOLD_LIFE``; raise ``Refused`` when one is not free."""
    moves = []
    for one in coupons:
        _may_move(member, one, sale, now)
        moves.append(CouponMoved(one, "held", sale, now + HOLD_LIFE))
    return tuple(moves)


def redeem_effects(
    member: Member | None,
    coupons: Iterable[str],
    sale: str,
    program: Program,
    now: dt.datetime,
    promised_at: dt.datetime | None = None,
) -> tuple[Effect, ...]:
    """Redeem coupons for a sale; raise ``Refused`` when one is neither free nor held by it.

    Give it ``Priced.coupons``: what did nothing for the basket is not used up. ``promised_at`` is when a
    pinned quote was made: what was good then is good (X5). A paper is only kept so by a hold.
    """
    today = days.local_day(now, program.zone()).toordinal()
    effects: list[Effect] = []
    for one in coupons:
        _may_move(member, one, sale, promised_at or now)
        effects.append(CouponMoved(one, "redeemed", sale))
        if one.startswith(CODE) and member is not None:
            effects.append(Tallied(one, today, 1))
    return tuple(effects)


def release_effects(member: Member | None, coupons: Iterable[str], sale: str) -> tuple[Effect, ...]:
    """Let go of the coupons that a sale holds: it was parked, given up or its quote has ended."""
    return tuple(
        CouponMoved(one, "issued", sale if _is_nobodys(one) else "")
        for one in coupons
        if _is_nobodys(one) or _holds(member, one, sale)
    )


def restore_effects(
    member: Member | None, sale: SaleFacts, program: Program, now: dt.datetime
) -> tuple[Effect, ...]:
    """Give back what a sale redeemed when all of it has come back, with the coupon's own expiry.

    A coupon that has expired meanwhile stays so, unless ``returns.restore_coupons_days`` gives it a grace:
    then one like it takes its place. What the same sale did not redeem is left alone.
    """
    effects: list[Effect] = []
    for one in sale.coupons:
        if _is_nobodys(one):
            effects.append(CouponMoved(one, "issued", sale.id))
            if one.startswith(CODE) and member is not None:
                effects.append(Tallied(one, sale.day, -1))
            continue
        coupon = None if member is None else wallet.find(member.coupons, one)
        if coupon is None or coupon.state != "redeemed" or coupon.sale != sale.id:
            continue
        grace = program.returns.restore_coupons_days
        if grace and coupon.expires_at is not None and now >= coupon.expires_at:
            last = days.local_day(now, program.zone()) + dt.timedelta(days=grace)
            again = replace(
                coupon,
                id=f"{coupon.id}/r",
                state="issued",
                sale="",
                until=None,
                expires_at=days.end_of_day(last, program.zone()),
            )
            effects += [CouponMoved(one, "void"), CouponIssued(again)]
        else:
            effects.append(CouponMoved(one, "issued"))
    return tuple(effects)


def offline_risk(member: Member | None, discounts: Mapping[str, int], reach: Reach) -> int:
    """Return what coupons take off that another shop may have redeemed too; ``discounts`` is by coupon."""
    if reach.online:
        return 0
    bound = set() if member is None else {one.id for one in member.coupons if one.node == reach.node}
    return sum(amount for coupon, amount in discounts.items() if coupon not in bound)


def check_offline(member: Member | None, discounts: Mapping[str, int], reach: Reach) -> None:
    """Raise ``Refused`` when coupons take off more than this shop may risk while it stands alone."""
    risk = offline_risk(member, discounts, reach)
    if risk and risk > reach.plain_minor:
        raise Refused("COUPON_OFFLINE_LIMIT")


def _is_nobodys(coupon: str) -> bool:
    return coupon.startswith((CODE, BEARER))


def _holds(member: Member | None, coupon: str, sale: str) -> bool:
    known = None if member is None else wallet.find(member.coupons, coupon)
    return known is not None and known.state == "held" and known.sale == sale


def _may_move(member: Member | None, coupon: str, sale: str, now: dt.datetime) -> None:
    """Raise ``Refused`` unless a coupon of a wallet is free or held by this sale."""
    if _is_nobodys(coupon):
        return
    known = None if member is None else wallet.find(member.coupons, coupon)
    if known is None:
        raise Refused("COUPON_UNKNOWN")
    match wallet.state(known, now):
        case "held" if known.sale != sale:
            raise Refused("COUPON_HELD")
        case "redeemed" | "void":
            raise Refused("COUPON_USED")
        case "expired":
            raise Refused("COUPON_EXPIRED", coupon=known.template)


# ---- what a member is shown -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shown:
    coupon: Coupon
    template: Template | None
    why_not: Reason | None


@dataclass(frozen=True, slots=True)
class View:
    """A wallet as a member reads it."""

    usable: tuple[Shown, ...]
    """The first to expire first."""
    not_yet: tuple[Shown, ...]
    used: tuple[Shown, ...]
    expired: tuple[Shown, ...]


def view(member: Member, program: Program, now: dt.datetime, reach: Reach = ONLINE) -> View:
    """Sort a wallet for kiosk and till; each coupon that cannot be used now says why."""
    piles: dict[str, list[Shown]] = {"usable": [], "not_yet": [], "used": [], "expired": []}
    for coupon, template, why in _looked_at(member.coupons, member, program, now, reach, ""):
        match wallet.state(coupon, now):
            case "redeemed" | "void":
                pile = "used"
            case "expired":
                pile = "expired"
            case _:
                pile = "usable" if why is None else "not_yet"
        piles[pile].append(Shown(coupon, template, why))
    for shown in piles.values():
        shown.sort(key=_by_end)
    return View(*(tuple(piles[name]) for name in ("usable", "not_yet", "used", "expired")))


def _by_end(shown: Shown) -> tuple[bool, dt.datetime, str]:
    end = shown.coupon.expires_at
    return end is None, end or shown.coupon.issued_at, shown.coupon.id
