"""A reward: chosen, confirmed in the way its worth asks for, delivered, and taken back a moment later."""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.errors import Conflict, Invalid, TapledgerError
from tapledger.loyalty.effects import Held
from tapledger.loyalty.program import name_in
from tapledger.loyalty.rewards.redeeming import UNDO_LIFE
from tapledger.membership import redemption
from tapledger.membership.redemption import Redeemed, RewardCommand
from tapledger.store import prints
from tapledger.web import views
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk.pages.balance import BalancePage
from tapledger.web.kiosk.pages.proving import require_proof
from tapledger.web.kiosk.pages.wheel import WheelPage
from tapledger.web.kiosk_snapshots import Confirm, Done, KioskScreen, RewardView
from tapledger.web.server import Nothing

TAP_LEVEL = 2
"""From this on a card proves itself, so that laying it down again says who wants it (decisions R9)."""

How = Literal["touch", "tap", "pin"]


class RewardBody(msgspec.Struct, forbid_unknown_fields=True):
    reward: str


def how(here: Here, cost_points: int) -> How:
    """Return what stands between a member and a reward: above the shop's limit more than a touch (R9)."""
    if cost_points <= here.settings.touch_points or here.visit().proven:
        return "touch"
    return "tap" if here.presented().level >= TAP_LEVEL else "pin"


class ConfirmPage(Page):
    def __init__(self, reward: RewardView) -> None:
        self.reward = reward.id
        self.cost_points = reward.cost_points
        """As it was shown: nobody pays what they have not seen."""

    async def screen(self, here: Here) -> KioskScreen:
        reward = find(here, self.reward)
        if reward is None:
            return await BalancePage().screen(here)
        left = here.points() - reward.cost_points
        return Confirm(here.member_view(), reward, left, how(here, reward.cost_points))

    async def tapped(self, here: Here) -> bool:
        """The card once more confirms where it is asked for; else it changes nothing."""
        if how(here, self.cost_points) == "tap":
            await redeem(here)
        return True


class DonePage(Page):
    def __init__(self, reward: str, redeemed: Redeemed, at_s: float) -> None:
        self._reward = reward
        self._redeemed = redeemed
        self._at_s = at_s

    @property
    def job(self) -> str:
        return self._redeemed.job

    @property
    def hold(self) -> str:
        """Return the id of what may be taken back; empty for what was given at once."""
        effects = self._redeemed.recorded.event.body.effects
        return next((one.hold.id for one in effects if isinstance(one, Held)), "")

    async def screen(self, here: Here) -> KioskScreen:
        job = await here.shop.store.transact(lambda tx: prints.get(tx, self.job)) if self.job else None
        reward = here.shop.program.reward(self._reward)
        slip = views.slip_state(job) if self.job else "printed"
        voucher = self._redeemed.voucher
        on_screen = bool(voucher) and slip not in ("printing", "printed")
        waits = job is not None and job.state in ("queued", "expired") and job.copies == 0
        left_s = UNDO_LIFE.total_seconds() - (here.shop.clock.monotonic_s() - self._at_s)
        return Done(
            member=here.member_view(),
            reward_title="" if reward is None else name_in(reward.title, here.language),
            points=here.points(),
            voucher=voucher,
            slip=slip,
            voucher_svg=views.qr_svg(voucher) if on_screen else "",
            undo_s=int(left_s) if self.hold and waits and left_s >= 1 else None,
        )

    async def tapped(self, here: Here) -> bool:
        return True


def find(here: Here, reward: str) -> RewardView | None:
    listed = views.reward_views(here.member(), here.shop.program, here.language)
    return next((one for one in listed if one.id == reward), None)


async def choose(here: Here, body: RewardBody) -> None:
    """The first touch. What cannot be had now stays where it is: its reason stands beside it."""
    reward = find(here, body.reward)
    if reward is None:
        raise Invalid("REWARD_UNKNOWN")
    if not reward.available:
        return
    rule = here.shop.program.reward(reward.id)
    if rule is not None and rule.kind == "draw":
        here.turn(WheelPage(rule.grants, reward=rule.id))
    else:
        here.turn(ConfirmPage(reward))


async def confirm(here: Here, body: RewardBody) -> None:
    """The second touch: what it costs is checked against what was shown."""
    page = here.page
    if not isinstance(page, ConfirmPage) or page.reward != body.reward:
        raise Conflict("NOT_CONFIRMING")
    way = how(here, page.cost_points)
    if way == "tap":
        raise Conflict("NOT_CONFIRMING")
    if way == "pin":
        await require_proof(here, "reward", lambda here: _go_on(here, page))
    else:
        await redeem(here)


async def _go_on(here: Here, page: ConfirmPage) -> None:
    here.turn(page)
    await redeem(here)


async def redeem(here: Here) -> None:
    """Commit, then deliver. What is refused leads back to the balance as it is now."""
    page = here.page
    assert isinstance(page, ConfirmPage)
    rule = here.shop.program.reward(page.reward)
    if rule is None or rule.cost_points != page.cost_points:
        await _back_to_balance(here)
        raise Conflict("NOT_CONFIRMING")  # other rules count since the first touch
    command = RewardCommand(
        key=here.visit().key,
        member=here.member_id(),
        presented=here.presented(),
        reward=page.reward,
        language=here.language,
    )
    try:
        redeemed = await redemption.hold_reward(here.shop, command)
    except TapledgerError:
        await _back_to_balance(here)
        raise
    here.next_key()
    await here.regreet()
    here.turn(DonePage(page.reward, redeemed, here.shop.clock.monotonic_s()))
    here.queued()


async def _back_to_balance(here: Here) -> None:
    await here.regreet()
    here.turn(BalancePage())


async def undo(here: Here, body: Nothing) -> None:
    """Take back the reward of a moment ago, before anything was delivered (R18)."""
    page = here.page
    if not isinstance(page, DonePage) or not page.hold:
        raise Conflict("NOTHING_TO_UNDO")
    await redemption.undo_reward(here.shop, here.next_key(), here.member_id(), page.hold)
    await _back_to_balance(here)
    here.queued()


ACTS = (
    Act("choose", RewardBody, choose),
    Act("confirm", RewardBody, confirm),
    Act("undo", Nothing, undo),
)
