"""Events of the first release (v 1), read as what they are today.

Their bytes are never changed: they are hashed, sent and verified as they were sealed (decisions R1).
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty.effects import (
    Credential,
    Credited,
    Debited,
    Effect,
    Held,
    Hold,
    HoldSettled,
    Linked,
    Lot,
    LotTake,
    Tallied,
    TierSet,
)
from tapledger.loyalty.facts import EarnFacts, EarnGroup, Reason, SaleFacts
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.tallies import SALES, SPEND
from tapledger.wire.messages import Count, HlcInt

replace = msgspec.structs.replace


class BodyV1(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    at: dt.datetime
    program: str
    member: str | None = None
    lines: tuple[Line, ...] = ()
    lots_added: tuple[Lot, ...] = ()
    lots_taken: tuple[LotTake, ...] = ()
    credentials: tuple[Credential, ...] = ()
    hold: Hold | None = None
    hold_id: str | None = None
    sale: SaleFacts | None = None
    tier: str | None = None
    qualifying_minor: int = 0
    reasons: tuple[Reason, ...] = ()
    staff: str | None = None
    trust: int | None = None
    evidence: str = ""
    profile_digest: str | None = None


class EventV1(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    node: str
    epoch: Count
    seq: Count
    hlc: HlcInt
    body: BodyV1


def lift(old: BodyV1) -> EventBody:
    """Return a body of the first release with its changes said as effects."""
    return EventBody(
        kind=old.kind,
        at=old.at,
        program=old.program,
        member=old.member,
        lines=old.lines,
        effects=tuple(_effects(old)),
        sale=None if old.sale is None else _sale(old.sale, old),
        reasons=old.reasons,
        staff=old.staff,
        trust=old.trust,
        evidence=old.evidence,
        profile_digest=old.profile_digest,
    )


def _effects(old: BodyV1) -> list[Effect]:
    effects: list[Effect] = [Linked(one) for one in old.credentials]
    effects += [Credited(lot) for lot in old.lots_added]
    if old.hold is not None:
        effects.append(Held(old.hold))
    elif old.lots_taken:
        effects.append(Debited(old.lots_taken))
    if old.hold_id is not None:
        effects.append(HoldSettled(old.hold_id, given_back=old.kind == "release"))
    if old.qualifying_minor:
        effects += [Tallied(key, _day(old), amount) for key, amount in _tallied(old).items()]
    if old.tier is not None:
        effects.append(TierSet(old.tier))
    return effects


def _day(old: BodyV1) -> int:
    """Which local day it was is not in the event: UTC's is the nearest that is the same everywhere."""
    return old.at.toordinal()


def _tallied(old: BodyV1) -> dict[str, int]:
    return {SPEND: old.qualifying_minor, SALES: 1} if old.qualifying_minor else {}


def _sale(sale: SaleFacts, old: BodyV1) -> SaleFacts:
    """Return a sale with what a return of it needs: there were no discounts, and one rate for every line."""
    lines = tuple(
        replace(line, gross_minor=line.net_minor, basis_minor=line.net_minor if line.earns else 0)
        for line in sale.lines
    )
    return replace(sale, lines=lines, earn=_earn(sale, old), day=_day(old), tallied=_tallied(old))


def _earn(sale: SaleFacts, old: BodyV1) -> EarnFacts:
    """Return the arithmetic of the earning as its reason tells it."""
    rate = next((reason.data for reason in old.reasons if reason.code == "EARN_TIER"), {})
    points, per_minor = rate.get("rate_points"), rate.get("rate_minor")
    milli = rate.get("multiplier_milli")
    if not (isinstance(points, int) and isinstance(per_minor, int) and isinstance(milli, int) and per_minor):
        return EarnFacts()
    earning = tuple(place for place, line in enumerate(sale.lines) if line.earns)
    return EarnFacts((EarnGroup("tier", earning, points, per_minor),), tier_milli=milli)
