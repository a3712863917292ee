"""A lottery: its odds and its commitment before the draw, the prize and how to check it after (R40)."""

from __future__ import annotations

import re

import msgspec

from tapledger.errors import Conflict, Invalid
from tapledger.loyalty.program import name_in
from tapledger.loyalty.rewards import drawing
from tapledger.membership import lottery, redemption
from tapledger.membership.lottery import DrawCommand, Drawn
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk_snapshots import KioskScreen, PrizeView, Wheel

WORD = re.compile(r"[0-9A-Za-z]{8,64}")


class Word(msgspec.Struct, forbid_unknown_fields=True):
    word: str
    """Of the kiosk's page, at random: so the shop's seed alone decides nothing."""


class WheelPage(Page):
    def __init__(
        self, lottery_id: str, reward: str = "", commit: str = "", drawn: Drawn | None = None
    ) -> None:
        self.lottery = lottery_id
        self.reward = reward
        """Of kind draw, that pays for it; empty: the lottery's own price."""
        self.commit = commit
        """As it was shown first."""
        self._drawn = drawn

    async def screen(self, here: Here) -> KioskScreen:
        shown = await lottery.publish(here.shop, self.lottery)
        self.commit = self.commit or shown.commit
        rule, language = shown.rule, here.language
        reward = here.shop.program.reward(self.reward)
        drawn, body = self._drawn, None
        if drawn is not None:
            body = drawn.recorded.event.body
        return Wheel(
            member=here.member_view(),
            lottery=rule.id,
            name=name_in(rule.name, language),
            cost_points=rule.cost_points if reward is None else reward.cost_points,
            points=here.points(),
            prizes=[
                PrizeView(name_in(prize.name, language), f"{odds / 100:.2f}%", left == 0)
                for prize, odds, left in zip(rule.prizes, shown.odds_bp, shown.left, strict=True)
            ],
            commit=self.commit,
            why_not=await self._why_not(here) if drawn is None else None,
            drawn=None if drawn is None else drawn.prize,
            sentences=[] if body is None else here.explain(*body.reasons),
            proof="" if body is None else f"{body.facts['nonce']} · {body.facts['client_seed']}",
        )

    async def _why_not(self, here: Here) -> str | None:
        shop, known = here.shop, here.member().known
        rule, reward = shop.program.lottery(self.lottery), shop.program.reward(self.reward)
        if rule is None:
            return None
        figures = await shop.store.transact(
            lambda tx: redemption.figures(tx, shop, known, self.reward, "", here.language, None)
        )
        why = drawing.why_not(known.member, rule, reward, figures, shop.program, shop.clock.now())
        return None if why is None else here.explain(why)[0]

    async def tapped(self, here: Here) -> bool:
        return True


async def draw(here: Here, body: Word) -> None:
    """Draw once; the same touch again is the same draw."""
    page = here.page
    if not isinstance(page, WheelPage):
        raise Conflict("NOT_CONFIRMING")
    if not WORD.fullmatch(body.word):
        raise Invalid("WORD_IMPOSSIBLE")
    command = DrawCommand(
        key=here.visit().key,
        member=here.member_id(),
        presented=here.presented(),
        lottery=page.lottery,
        client_seed=body.word,
        commit=page.commit,
        language=here.language,
        reward=page.reward,
    )
    drawn = await lottery.draw(here.shop, command)
    here.next_key()
    await here.regreet()
    here.turn(WheelPage(page.lottery, page.reward, page.commit, drawn))
    here.queued()


ACTS = (Act("draw", Word, draw),)
