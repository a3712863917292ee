"""What a shop may still do while central is out of reach, and what that can cost (loyalty.md section 4).

Every loss is bounded by a number of the owner's. ``unsettled_points`` of the programme is c: points of one
member that a shop gives out before central has confirmed them; ``[offline] node_points`` is Q: of all members
together. They come back only when central has the shop's events and the shop has central's feed past them
(R6). A lease is a slice of one member's balance that only this shop spends: it costs nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tapledger.loyalty import days, tallies
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

MAX_CLOCK_BACK = dt.timedelta(minutes=2)
"""A clock that is further behind what was recorded or heard before is not believed (R25)."""

Stage = Literal["online", "full", "lease", "earn_only"]
"""How far away central is: leases and quota; leases only; earning only, for ever (R7)."""
STAGES: tuple[Stage, ...] = ("online", "full", "lease", "earn_only")


STOPS = frozenset({"ROLLED_BACK", "NOT_TRUSTED", "CENTRAL_BEING_ASKED", "STORE_NEARLY_FULL"})
"""Why a node may spend nothing at all; each is a problem with its own sentence."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What this shop may do for one member now. None is without limit: a shop that stands alone."""

    online: bool = True
    """Central answered a moment ago, or there is no central."""
    last_feed_at: dt.datetime | None = None
    """When central last told everything it had; cards reported lost are told with it."""
    leased_points: int = 0
    leased_principal_minor: int = 0
    own_principal_minor: int = 0
    """Topped up here and not known elsewhere yet: spendable here alone (R35)."""
    quota_left_member: int | None = None
    quota_left_node: int | None = None
    top_up_left_minor: int | None = None
    """Of cash that may be taken for top-ups today without central."""
    coupon_left_minor: int | None = None
    """Of what plain codes may take off today without central."""
    clock_suspect: bool = False
    stopped: str = ""
    """Why this node may spend nothing at all, as a code: its disk was rolled back or is nearly full, or it is
    not trusted."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table of section 4."""

    until: Stage = "earn_only"
    """The last stage in which it can be done."""
    bound: Literal["", "points", "principal", "top_up", "coupon"] = ""
    waits_for_clock: bool = False
    """Not done while the clock is not believed: it would be wrong by a day (R25)."""


ALWAYS = Operation()
ONLINE = Operation("online")

OPERATIONS: Mapping[str, Operation] = {
    "identify": ALWAYS,
    "balance": ALWAYS,
    "earn": ALWAYS,
    "time_benefit": Operation(waits_for_clock=True),
    "join": ALWAYS,
    "points_as_cash": Operation("lease", "points"),
    "reward": Operation("lease", "points"),  # of this shop's own stock, which the store claims
    "central_stock": ONLINE,
    "event_seat": ONLINE,
    "signed_coupon": Operation("lease"),
    "plain_coupon": Operation("full", "coupon"),
    "value_spend": Operation("lease", "principal"),
    "top_up": Operation("lease", "top_up"),
    "close_card": ONLINE,
    "own_return": ALWAYS,
    "other_return": ONLINE,
    "tier_upgrade": ALWAYS,  # shown as provisional: see ``is_provisional``
    "tier_review": Operation(waits_for_clock=True),
    "expiry": Operation(waits_for_clock=True),
    "lottery": Operation("lease"),  # its prizes are this shop's own stock
    "check_in_gift": Operation("lease"),
    "block_card": ALWAYS,
    "merge": ONLINE,
    "cancel": ONLINE,
    "restore": ONLINE,
    "grant": ONLINE,
    "alliance": Operation("online", "points"),
    "profile": ALWAYS,
    "consent": ALWAYS,
    "survey": ALWAYS,
}
"""Every operation of a shop, and what becomes of it while central is out of reach."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount`` (points, or minor units of money), and what makes it so; None is without limit."""

    amount: int | None = None
    why: Reason | None = None

    def allows(self, amount: int) -> bool:
        return self.amount is None or amount <= self.amount


def stage(rights: Rights, program: Program, now: dt.datetime) -> Stage:
    """Return how far away central is; a clock that is not believed cannot prove that it was heard lately."""
    if rights.stopped:
        return "earn_only"
    if rights.online:
        return "online"
    if rights.last_feed_at is None:
        return "earn_only"
    age = now - rights.last_feed_at
    if age > dt.timedelta(hours=program.offline.lease_hours):
        return "earn_only"
    if age > dt.timedelta(hours=program.offline.full_hours) or rights.clock_suspect:
        return "lease"
    return "full"


def limit(
    op: str,
    member: Member | None,
    trust: int,
    rights: Rights,
    program: Program,
    now: dt.datetime,
    *,
    stepped_up: bool = False,
) -> Limit:
    """Return how much of an operation is possible: the smallest of trust, lease or quota, and its own bound.

    ``trust`` is the level of the read. ``stepped_up``: staff typed the last four digits of the phone number
    that the member told them, which serves for points up to c and never for stored value (R8).
    """
    row, far = OPERATIONS[op], stage(rights, program, now)
    if row.waits_for_clock and rights.clock_suspect:
        return Limit(0, why_not_now())
    if STAGES.index(far) > STAGES.index(row.until):
        return Limit(0, why_not_away(row, rights, program))
    bounds: list[Limit] = []
    if row.bound == "points":
        bounds = [_by_trust(member, trust, far, program, now, stepped_up), *_by_quota(rights, far, program)]
    elif row.bound == "principal":
        bounds = _of_principal(trust, rights, far, program)
    elif far != "online" and row.bound == "top_up":
        bounds = [Limit(rights.top_up_left_minor, why_not_top_up(rights.top_up_left_minor or 0, program))]
    elif far != "online" and row.bound == "coupon":
        bounds = _of_coupon(rights, program)
    binding = [one for one in bounds if one.amount is not None]
    return min(binding, key=lambda one: one.amount or 0, default=Limit())


def _by_trust(
    member: Member | None, trust: int, far: Stage, program: Program, now: dt.datetime, stepped_up: bool
) -> Limit:
    """Return what the read lets be redeemed today: one that only identifies never redeems alone offline."""
    allowed = program.trust.points_per_day(trust)
    if trust == 0:
        allowed = program.unsettled_points if stepped_up else allowed if far == "online" else 0
    if not allowed:
        return Limit(0, why_not_by_card())
    today = days.local_day(now, program.zone()).toordinal()
    used = 0 if member is None else tallies.total(member.tallies, tallies.TRUST, today, today)
    return Limit(max(0, allowed - used), why_not_today(allowed))


def _by_quota(rights: Rights, far: Stage, program: Program) -> list[Limit]:
    if far == "lease":
        return [Limit(rights.leased_points, why_not_beyond_lease(rights.leased_points))]
    of_member, of_node = rights.quota_left_member, rights.quota_left_node
    found = []
    if of_member is not None:
        found.append(
            Limit(rights.leased_points + max(0, of_member), why_not_unsettled(program.unsettled_points))
        )
    if of_node is not None:
        room = rights.leased_points + max(0, of_node)
        found.append(Limit(room, why_not_node(program.offline.node_points)))
    return found


def _of_principal(trust: int, rights: Rights, far: Stage, program: Program) -> list[Limit]:
    if trust == 0:
        return [Limit(0, why_not_by_card())]
    if far == "online":
        return []
    here = rights.leased_principal_minor + rights.own_principal_minor
    return [Limit(here, why_not_value(here, program))]


def _of_coupon(rights: Rights, program: Program) -> list[Limit]:
    most = program.offline.coupon_max_minor
    left = rights.coupon_left_minor
    amount = most if left is None else max(0, min(most, left))
    return [Limit(amount, why_not_code(amount, program))]


# What stands in the way, one reason each; a refusal has the same code and figures.
def why_not_now() -> Reason:
    return Reason("CLOCK_SUSPECT", {})


def why_not_away(row: Operation, rights: Rights, program: Program) -> Reason:
    if rights.stopped:
        return Reason(rights.stopped, {})
    if row.until == "online":
        return Reason("NEEDS_CENTRAL", {})
    if rights.last_feed_at is None:
        return Reason("NOT_HEARD_YET", {})
    hours = program.offline.full_hours if row.until == "full" else program.offline.lease_hours
    return Reason("AWAY_TOO_LONG", {"hours": hours})


def why_not_by_card() -> Reason:
    return Reason("CARD_ONLY_IDENTIFIES", {})


def why_not_today(points: int) -> Reason:
    return Reason("DAILY_LIMIT", {"points": points})


def why_not_beyond_lease(points: int) -> Reason:
    return Reason("LEASE_LIMIT", {"points": points})


def why_not_unsettled(points: int) -> Reason:
    return Reason("UNSETTLED_LIMIT", {"points": points})


def why_not_node(points: int) -> Reason:
    return Reason("SHOP_LIMIT", {"points": points})


def why_not_value(minor: int, program: Program) -> Reason:
    return Reason("VALUE_NOT_HERE", {"available_minor": minor, "currency": program.currency})


def why_not_top_up(minor: int, program: Program) -> Reason:
    return Reason("TOP_UP_DAY_LIMIT", {"left_minor": minor, "currency": program.currency})


def why_not_code(minor: int, program: Program) -> Reason:
    return Reason("CODE_LIMIT_AWAY", {"left_minor": minor, "currency": program.currency})


def is_provisional(rights: Rights, program: Program, now: dt.datetime) -> bool:
    """Tell whether a tier reached now is only shown: its benefits begin once central has seen why.

    Nothing asks yet: sync (issue 5) will show it.
    """
    return stage(rights, program, now) != "online"


@dataclass(frozen=True, slots=True)
class Difference:
    """What two versions of the rules make of one sale: given at once, or listed for the owner (R19)."""

    post: int
    listed: int


def difference(posted: int, due: int) -> Difference:
    """Return what to do when a shop posted by an old rate: upward is given, downward is only listed.

    Nothing asks yet: sync (issue 5) finds out who posted by which rules.
    """
    return Difference(max(0, due - posted), max(0, posted - due))


@dataclass(frozen=True, slots=True)
class Exposure:
    """The most that dishonest members can take while shops cannot hear each other, in points."""

    nodes: int
    per_member: int
    total: int


def exposure(program: Program, nodes_offline: int) -> Exposure:
    """Return the worst case with so many shops offline: K times c a member, and Q a shop in all (R6)."""
    in_all = program.offline.node_points
    one = min(program.unsettled_points, in_all)
    return Exposure(nodes_offline, nodes_offline * one, nodes_offline * in_all)
