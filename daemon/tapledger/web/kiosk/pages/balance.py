"""What a member came for, without a touch; and what a card alone does not open."""

from __future__ import annotations

from collections.abc import Iterable

from tapledger import texts
from tapledger.loyalty import days, members
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.rights import limit, stage
from tapledger.web import views
from tapledger.web.kiosk.here import Act, Here, Idle, Page
from tapledger.web.kiosk.pages import activities, looking
from tapledger.web.kiosk.pages.proving import require_proof
from tapledger.web.kiosk_snapshots import Balance, KioskScreen, OfflineLimit
from tapledger.web.server import Nothing

BEST_COUPONS = 3
NEW_TIER_DAYS = 7
"""So long a member is told at each visit that they have risen."""


class BalancePage(Page):
    idle: Idle | None = "balance"

    def __init__(self, given: Iterable[Reason] = ()) -> None:
        self._given = tuple(given)
        """What this tap brought."""

    async def screen(self, here: Here) -> KioskScreen:
        greeting, program, language = here.member(), here.shop.program, here.language
        rewards = views.reward_views(greeting, program, language)
        usable = greeting.wallet.usable
        to_do = await activities.activities(here)
        known, now = greeting.known.member, greeting.at
        value = members.shown_value(known, PRINCIPAL, now) + members.shown_value(known, BONUS, now)
        proven = here.visit().proven
        return Balance(
            member=here.member_view(),
            points=here.points(),
            rewards=rewards[: views.BEST_REWARDS],
            more_rewards=len(rewards) > views.BEST_REWARDS,
            expiring=views.expiring(greeting, program),
            next_tier=views.next_tier(greeting, program, language),
            given=[*_risen(here), *here.explain(*self._given)],
            ways_up=here.explain(*greeting.ways_up),
            coupons=len(usable),
            best_coupons=[looking.coupon(one, here) for one in usable[:BEST_COUPONS]],
            activities=len(to_do),
            value=texts.money(language, value, program.currency) if proven and value else None,
            has_value=bool(value),
            offline=_offline(here),
        )


def _risen(here: Here) -> list[str]:
    """Say that the member has risen lately."""
    greeting, program = here.member(), here.shop.program
    member = greeting.known.member
    days_ago = days.local_day(greeting.at, program.zone()).toordinal() - member.gained_on
    if not member.former_tiers or days_ago >= NEW_TIER_DAYS:
        return []
    return [here.say("kiosk.tier_up", tier=here.member_view().tier)]


def _offline(here: Here) -> OfflineLimit | None:
    """Return what can be redeemed while central is away (K19); None while it answers."""
    shop, greeting = here.shop, here.member()
    program, now, known, rights = shop.program, greeting.at, greeting.known, greeting.rights
    if stage(rights, program, now) == "online":
        return None
    left = limit("reward", known.member, known.presented.level, rights, program, now).amount
    if left is None:
        return None
    left = min(left, here.points())
    return OfflineLimit(left, max(left, min(program.unsettled_points, here.points())))


async def value(here: Here, body: Nothing) -> None:
    """Show stored value, to whoever proves whose it is (R10)."""
    if not here.visit().proven:
        await require_proof(here, "value", _show)
    else:
        await _show(here)


async def _show(here: Here) -> None:
    here.turn(BalancePage())


ACTS = (Act("value", Nothing, value),)
