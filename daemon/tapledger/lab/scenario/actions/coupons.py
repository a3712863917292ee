"""Steps of coupons outside a sale: given, printed, claimed by a code, taken away, looked at."""

from __future__ import annotations

from typing import Any

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty.effects import CouponIssued
from tapledger.membership import coupons
from tapledger.membership.coupons import TypedCodes


async def issue(world: World, step: Step) -> Outcome:
    recorded = await coupons.issue_coupon(
        world.place(step).shop,
        world.key(step),
        world.member_id(step),
        step.text("coupon"),
        step.text("source", "staff"),
        step.text("staff", "till"),
    )
    outcome = told(world, recorded)
    outcome.id = next(e.coupon.id for e in recorded.event.body.effects if isinstance(e, CouponIssued))
    return outcome


async def print_paper(world: World, step: Step) -> Outcome:
    """A coupon for whoever will hold the paper: ``as`` names its code for later steps."""
    paper = await coupons.print_coupon(
        world.place(step).shop,
        world.key(step),
        step.text("coupon"),
        step.text("source", "till"),
        step.text("staff", "till"),
    )
    outcome = told(world, paper.recorded)
    outcome.secret, outcome.id = paper.code, paper.coupon
    outcome.kept = paper.qr
    return outcome


async def claim(world: World, step: Step) -> Outcome:
    """A code goes into a wallet; ``typed`` at a kiosk, wrong ones count."""
    place = world.place(step)
    typed = None
    if step.flag("typed"):
        typed = world.typed.setdefault(place.name, TypedCodes(world.clock))
    shop, member = place.shop, world.member_id(step)
    return told(world, await coupons.claim_code(shop, world.key(step), member, world.code(step), typed))


async def void(world: World, step: Step) -> Outcome:
    place, member = world.place(step), world.member_id(step)
    coupon = await world.coupon(place, member, step.text("coupon"))
    why, staff = step.text("why", "mistake"), step.text("staff", "till")
    return told(world, await coupons.void_coupon(place.shop, world.key(step), member, coupon, why, staff))


async def wallet(world: World, step: Step) -> Outcome:
    """A member looks at their coupons: which can be used now, and why not the others."""
    member = world.member_id(step)
    view = await coupons.show_wallet(world.place(step).shop, member)
    shown: dict[str, Any] = {}
    for one in (*view.usable, *view.not_yet, *view.used, *view.expired):
        why = "yes" if one.why_not is None else Sentences(world.sentences([one.why_not]))
        shown.setdefault(one.coupon.template, why)
    return Outcome({"usable": shown})


async def hold(world: World, step: Step) -> Outcome:
    """Coupons are kept for a sale whose quote was shown; that sale is the one with this ``key``."""
    place, member = world.place(step), world.member_id(step)
    named = [await world.coupon(place, member, str(one)) for one in step.list_of("coupons")]
    sale = step.text("for")
    return told(world, await coupons.hold_for_sale(place.shop, world.key(step), member, tuple(named), sale))


async def release(world: World, step: Step) -> Outcome:
    """The sale was parked or given up: its coupons are free again."""
    place, member = world.place(step), world.member_id(step)
    named = [await world.coupon(place, member, str(one)) for one in step.list_of("coupons")]
    sale = step.text("for")
    return told(
        world, await coupons.release_for_sale(place.shop, world.key(step), member, tuple(named), sale)
    )
