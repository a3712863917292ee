"""What a member may look at: all rewards, coupons, and what happened lately and why."""

from __future__ import annotations

from tapledger.loyalty.coupons.couponing import Shown
from tapledger.membership import explaining
from tapledger.membership.history import Entry, history
from tapledger.web import views
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk.pages.proving import require_proof
from tapledger.web.kiosk_snapshots import (
    Coupons,
    CouponView,
    History,
    HistoryEntry,
    KioskScreen,
    Rewards,
)
from tapledger.web.server import Nothing

LOOKED_BACK = 60
"""Entries that are read; not all say something to a member."""
SHOWN_ENTRIES = 20
PROVEN = 1
"""Trust of a card that proved itself: less sees no history (decisions R10)."""
OF_VALUE = frozenset(
    {"TOPPED_UP", "BONUS_GIVEN", "BONUS_WAITS", "TOP_UP_TAKEN_BACK", "CARD_CLOSED", "EARN_NOT_ON_BONUS"}
)
"""Stored value needs a PIN at a kiosk, so nothing tells of it there (R10)."""


class RewardsPage(Page):
    async def screen(self, here: Here) -> KioskScreen:
        rewards = views.reward_views(here.member(), here.shop.program, here.language)
        return Rewards(here.member_view(), here.points(), rewards)


class CouponsPage(Page):
    """What can be used, then what cannot be used yet; what is over is not shown."""

    async def screen(self, here: Here) -> KioskScreen:
        wallet = here.member().wallet
        listed = (*wallet.usable, *wallet.not_yet)
        return Coupons(here.member_view(), [coupon(one, here) for one in listed])


class HistoryPage(Page):
    async def screen(self, here: Here) -> KioskScreen:
        entries = await history(here.shop, here.member_id(), LOOKED_BACK)
        shown = [entry(one, here) for one in entries]
        told = [one for one in shown if one.points or one.why][:SHOWN_ENTRIES]
        return History(here.member_view(), here.points(), told)


def may_see(here: Here) -> bool:
    """Tell whether a card alone opens the history."""
    return here.presented().level >= PROVEN


def coupon(one: Shown, here: Here) -> CouponView:
    program, language = here.shop.program, here.language
    return CouponView(
        title=views.coupon_title(one.template, language),
        last_day=views.last_day(one.coupon.expires_at, program),
        why_not=None if one.why_not is None else explaining.sentence(one.why_not, program, language),
    )


def entry(one: Entry, here: Here) -> HistoryEntry:
    """Say what happened and why; what only tells of stored value says nothing."""
    reasons = [why for why in one.reasons if why.code not in OF_VALUE]
    return HistoryEntry(
        day=one.at.astimezone(here.shop.program.zone()).date().isoformat(),
        what=what(one.kind, here),
        points=one.points,
        why=here.explain(*reasons),
    )


def what(kind: str, here: Here) -> str:
    """Call a kind of event by what it is to a member."""
    match kind:
        case "sale" | "late_credit":
            return here.say("history.sale")
        case "return" | "void":
            return here.say("history.return")
        case "hold" | "fulfil" | "release":
            return here.say("history.reward")
        case "coupon" | "claim" | "coupon_void":
            return here.say("history.coupon")
        case "expire" | "lapse":
            return here.say("history.expiry")
        case "tier" | "review":
            return here.say("history.tier")
        case "draw":
            return here.say("history.draw")
        case "join" | "link" | "block" | "unblock" | "replace" | "freeze" | "unfreeze" | "restore":
            return here.say("history.membership")
        case _:
            return here.say("history.gift")


async def show_rewards(here: Here, body: Nothing) -> None:
    here.turn(RewardsPage())


async def show_coupons(here: Here, body: Nothing) -> None:
    here.turn(CouponsPage())


async def show_history(here: Here, body: Nothing) -> None:
    """Show what happened lately and why; a credential that proves nothing is asked for more (R10)."""
    if may_see(here) or here.visit().proven:
        await _history(here)
    else:
        await require_proof(here, "history", _history)


async def _history(here: Here) -> None:
    here.turn(HistoryPage())


ACTS = (
    Act("rewards", Nothing, show_rewards),
    Act("coupons", Nothing, show_coupons),
    Act("history", Nothing, show_history),
)
