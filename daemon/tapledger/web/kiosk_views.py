"""Parts of the kiosk's snapshot: what a member has, what they could use, and what happened and why."""

from __future__ import annotations

from collections.abc import Iterable

from tapledger import texts
from tapledger.loyalty.coupons.couponing import Shown
from tapledger.loyalty.program import Program
from tapledger.membership import explaining
from tapledger.membership.history import Entry
from tapledger.membership.tap import Greeting
from tapledger.web import views
from tapledger.web.snapshots import Balance, Coupons, CouponView, History, HistoryEntry

BEST_COUPONS = 3
LOOKED_BACK = 60
"""Entries that are read; not all say something to a member."""
SHOWN_ENTRIES = 20
PROVEN = 1
"""Trust of a card that proved itself: less sees no history (decisions R10)."""
OF_VALUE = frozenset(
    {"TOPPED_UP", "BONUS_GIVEN", "BONUS_WAITS", "TOP_UP_TAKEN_BACK", "CARD_CLOSED", "EARN_NOT_ON_BONUS"}
)
"""Stored value needs a PIN at a kiosk, so nothing tells of it there (R10)."""


def may_see_history(greeting: Greeting) -> bool:
    return greeting.known.presented.level >= PROVEN


def balance(greeting: Greeting, program: Program, language: str) -> Balance:
    rewards = views.reward_views(greeting, program, language)
    usable = greeting.wallet.usable
    return Balance(
        member=views.member_view(greeting, language),
        points=greeting.summary.points.shown,
        rewards=rewards[: views.BEST_REWARDS],
        more_rewards=len(rewards) > views.BEST_REWARDS,
        expiring=views.expiring(greeting, program),
        next_tier=views.next_tier(greeting, program, language),
        given=list(explaining.sentences(greeting.given, program, language)),
        ways_up=list(explaining.sentences(greeting.ways_up, program, language)),
        coupons=len(usable),
        best_coupons=[coupon(one, program, language) for one in usable[:BEST_COUPONS]],
        has_history=may_see_history(greeting),
    )


def coupon(one: Shown, program: Program, language: str) -> CouponView:
    return CouponView(
        title=views.coupon_title(one.template, language),
        last_day=views.last_day(one.coupon.expires_at, program),
        why_not=None if one.why_not is None else explaining.sentence(one.why_not, program, language),
    )


def coupons(greeting: Greeting, program: Program, language: str) -> Coupons:
    """Show what can be used, then what cannot be used yet; what is over is not shown."""
    listed = (*greeting.wallet.usable, *greeting.wallet.not_yet)
    return Coupons(
        member=views.member_view(greeting, language),
        coupons=[coupon(one, program, language) for one in listed],
    )


def history(greeting: Greeting, entries: Iterable[Entry], program: Program, language: str) -> History:
    shown = [entry(one, program, language) for one in entries]
    return History(
        member=views.member_view(greeting, language),
        points=greeting.summary.points.shown,
        entries=[one for one in shown if one.points or one.why][:SHOWN_ENTRIES],
    )


def entry(one: Entry, program: Program, language: str) -> HistoryEntry:
    """Say what happened and why; what only tells of stored value says nothing."""
    reasons = [why for why in one.reasons if why.code not in OF_VALUE]
    return HistoryEntry(
        day=one.at.astimezone(program.zone()).date().isoformat(),
        what=what(one.kind, language),
        points=one.points,
        why=list(explaining.sentences(reasons, program, language)),
    )


def what(kind: str, language: str) -> str:
    """Call a kind of event by what it is to a member."""
    match kind:
        case "sale" | "late_credit":
            return texts.say(language, "history.sale")
        case "return" | "void":
            return texts.say(language, "history.return")
        case "hold" | "fulfil" | "release":
            return texts.say(language, "history.reward")
        case "coupon" | "claim" | "coupon_void":
            return texts.say(language, "history.coupon")
        case "expire" | "lapse":
            return texts.say(language, "history.expiry")
        case "tier" | "review":
            return texts.say(language, "history.tier")
        case "draw":
            return texts.say(language, "history.draw")
        case "join" | "link" | "block" | "unblock" | "replace" | "freeze" | "unfreeze" | "restore":
            return texts.say(language, "history.membership")
        case _:
            return texts.say(language, "history.gift")
