"""Parts of snapshots that more than one face shows."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

from tapledger import texts
from tapledger.loyalty.program import Program, name_in
from tapledger.loyalty.program.coupons import Template
from tapledger.membership import explaining
from tapledger.membership.tap import Greeting
from tapledger.store import prints
from tapledger.store.people import mask
from tapledger.store.prints import Job
from tapledger.web.device_snapshots import TroubleView
from tapledger.web.kiosk_snapshots import (
    DeviceLight,
    Expiring,
    MemberView,
    NextTier,
    RewardView,
    SlipState,
)

BEST_REWARDS = 3
QUIET_MODULES, QR_MODULE_PX = 4, 6


@dataclass(frozen=True, slots=True)
class Lights:
    """How the things around a face are."""

    reader: DeviceLight
    printer: DeviceLight
    scanner: DeviceLight
    as_of: str | None
    """hh:mm of central's last word while it is out of reach."""
    simulated: bool
    """One of them is no thing."""
    paper_left: int | None = None
    """Receipts that the paper is still good for, when they are few."""
    troubles: tuple[TroubleView, ...] = ()


def member_view(greeting: Greeting, language: str) -> MemberView:
    return MemberView(
        name=mask(greeting.known.name),
        tier=name_in(greeting.summary.tier.name, language),
        trust=greeting.known.presented.level,
    )


def coupon_title(template: Template | None, language: str) -> str:
    """Return what a coupon is called; one whose terms this shop does not have has no name here."""
    if template is None:
        return texts.say(language, "till.coupon")
    return name_in(template.name, language) or template.id


def last_day(ends: dt.datetime | None, program: Program) -> str | None:
    """Return the last local day before an instant, as an ISO date."""
    if ends is None:
        return None
    return (ends.astimezone(program.zone()) - dt.timedelta(microseconds=1)).date().isoformat()


def reward_views(greeting: Greeting, program: Program, language: str) -> list[RewardView]:
    return [
        RewardView(
            id=offer.reward.id,
            title=name_in(offer.reward.title, language),
            cost_points=offer.reward.cost_points,
            available=offer.why_not is None,
            why_not=None if offer.why_not is None else explaining.sentence(offer.why_not, program, language),
        )
        for offer in greeting.summary.offers
    ]


def expiring(greeting: Greeting, program: Program) -> Expiring | None:
    if greeting.summary.points.next_expiry is None:
        return None
    points, ends = greeting.summary.points.next_expiry
    return Expiring(points=points, last_day=last_day(ends, program) or "")


def next_tier(greeting: Greeting, program: Program, language: str) -> NextTier | None:
    if greeting.summary.next_tier is None:
        return None
    tier, missing = greeting.summary.next_tier
    return NextTier(name_in(tier.name, language), texts.money(language, missing, program.currency))


def qr_svg(text: str) -> str:
    """Draw a QR code for the screen."""
    import segno

    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", border=QUIET_MODULES, scale=QR_MODULE_PX, xmldecl=False, light="#fff", nl=False
    )
    return drawn.getvalue().decode()


def slip_state(job: Job | None) -> SlipState:
    """Say what became of a slip; one that waits for paper has failed so far, though it may still print."""
    if job is None:
        return "unknown"
    match job.state:
        case "printed":
            return "printed"
        case "unknown":
            return "sent" if job.reason == prints.CANNOT_SAY else "unknown"
        case "failed" | "expired":
            return "failed"
        case _:
            return "failed" if job.reason else "printing"
