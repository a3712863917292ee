"""At the desk: coupons, vouchers, rights, check-in, surveys, shares and lotteries."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from tapledger.loyalty.coupons.couponing import Shown
from tapledger.loyalty.effects import CouponIssued, Held
from tapledger.membership import check_in as check_ins
from tapledger.membership import coupons, entitlement, explaining, lottery, participation, redemption
from tapledger.membership.check_in import CheckInCommand
from tapledger.membership.desk import naming
from tapledger.membership.desk.asking import (
    MAX_MANY,
    Answer,
    Command,
    Id,
    OfMember,
    Points,
    Request,
    Staff,
    Tender,
    Text,
    Who,
    found,
    told,
)
from tapledger.membership.entitlement import UseCommand
from tapledger.membership.lottery import DrawCommand, Published
from tapledger.membership.redemption import RewardCommand
from tapledger.membership.shop import Shop

SOURCE = "staff"


# ---- coupons ---------------------------------------------------------------------------------------------
class Coupons(OfMember, frozen=True, kw_only=True):
    """Lists a member's coupons, and why each of them cannot be used now."""


async def show_coupons(shop: Shop, asked: Coupons, staff: Staff) -> Answer:
    view = await coupons.show_wallet(shop, await naming.member(shop, asked))

    def row(one: Shown) -> dict[str, object]:
        why = None if one.why_not is None else explaining.sentence(one.why_not, shop.program, staff.language)
        coupon = one.coupon
        return {"id": coupon.id, "coupon": coupon.template, "until": coupon.expires_at, "why_not": why}

    piles = {"usable": view.usable, "not_yet": view.not_yet, "used": view.used, "expired": view.expired}
    return found(asked, **{name: [row(one) for one in pile] for name, pile in piles.items()})


class IssueCoupon(OfMember, frozen=True, kw_only=True):
    """Gives a member a coupon of the programme."""

    coupon: Id


async def issue(shop: Shop, asked: IssueCoupon, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    recorded = await coupons.issue_coupon(shop, asked.key, member, asked.coupon, SOURCE, staff.id)
    issued = [one.coupon.id for one in recorded.event.body.effects if isinstance(one, CouponIssued)]
    return told(shop, asked, staff, recorded, coupons=issued)


class VoidCoupon(OfMember, frozen=True, kw_only=True):
    """Takes a coupon away from a member, by its id in coupons."""

    coupon: Id
    why: Text


async def void(shop: Shop, asked: VoidCoupon, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    recorded = await coupons.void_coupon(shop, asked.key, member, asked.coupon, asked.why, staff.id)
    return told(shop, asked, staff, recorded)


class PrintCoupon(Request, frozen=True, kw_only=True):
    """Issues a coupon to whoever will hold the paper; its code is told this once."""

    coupon: Id


async def print_paper(shop: Shop, asked: PrintCoupon, staff: Staff) -> Answer:
    paper = await coupons.print_coupon(shop, asked.key, asked.coupon, SOURCE, staff.id)
    return told(shop, asked, staff, paper.recorded, coupon=paper.coupon, code=paper.code, qr=paper.qr)


class ClaimCode(OfMember, frozen=True, kw_only=True):
    """Puts what a code stands for into a member's wallet."""

    code: Annotated[str, Meta(min_length=1, max_length=500)]


async def claim(shop: Shop, asked: ClaimCode, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    return told(shop, asked, staff, await coupons.claim_code(shop, asked.key, member, asked.code))


# ---- rewards ---------------------------------------------------------------------------------------------
class Redeem(OfMember, frozen=True, kw_only=True):
    """Sets points aside for a reward and issues its voucher, as far as a number may that anybody can say."""

    reward: Id


async def redeem(shop: Shop, asked: Redeem, staff: Staff) -> Answer:
    command = RewardCommand(
        key=asked.key,
        member=await naming.member(shop, asked),
        presented=naming.TYPED,
        reward=asked.reward,
        language=staff.language,
        staff=staff.id,
    )
    done = await redemption.hold_reward(shop, command)
    held = [one.hold.id for one in done.recorded.event.body.effects if isinstance(one, Held)]
    return told(shop, asked, staff, done.recorded, voucher=done.voucher, holds=held)


class UndoReward(OfMember, frozen=True, kw_only=True):
    """Takes back the reward of a moment ago."""

    hold: Id
    """Its id in show."""


async def undo(shop: Shop, asked: UndoReward, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    return told(shop, asked, staff, await redemption.undo_reward(shop, asked.key, member, asked.hold))


class HandOver(Request, frozen=True, kw_only=True):
    """Closes a voucher because its reward was handed over."""

    voucher: Id
    tender: Tender = "cash"
    """How the money was paid that the reward costs beside its points."""


async def hand_over(shop: Shop, asked: HandOver, staff: Staff) -> Answer:
    recorded = await redemption.fulfil_voucher(shop, asked.key, asked.voucher, staff.id, asked.tender)
    return told(shop, asked, staff, recorded)


# ---- what members do -------------------------------------------------------------------------------------
class CheckIn(Request, frozen=True, kw_only=True):
    """Checks a member in who is here without a card."""

    shown: Who


async def check_in(shop: Shop, asked: CheckIn, staff: Staff) -> Answer:
    shown = await naming.shown(shop, asked.shown)
    return told(
        shop, asked, staff, await check_ins.check_in(shop, CheckInCommand(asked.key, shown, False, staff.id))
    )


class AnswerSurvey(OfMember, frozen=True, kw_only=True):
    """Takes a member's answers to a survey or quiz, once."""

    survey: Id
    answers: Annotated[tuple[Annotated[int, Meta(ge=1, le=MAX_MANY)], ...], Meta(max_length=MAX_MANY)]
    """Number of the answer to each question, counted from 1."""


async def answer(shop: Shop, asked: AnswerSurvey, staff: Staff) -> Answer:
    member, chosen = await naming.member(shop, asked), tuple(one - 1 for one in asked.answers)
    recorded = await participation.answer_survey(shop, asked.key, member, asked.survey, chosen, staff.id)
    return told(shop, asked, staff, recorded)


class ApproveShare(OfMember, frozen=True, kw_only=True):
    """Gives the points of a story or a shared link that staff have looked at."""

    share: Id
    what: Text
    """Id of the story or visitor."""


async def approve(shop: Shop, asked: ApproveShare, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    recorded = await participation.approve_share(shop, asked.key, member, asked.share, asked.what, staff.id)
    return told(shop, asked, staff, recorded)


# ---- rights ----------------------------------------------------------------------------------------------
class Rights(Request, frozen=True, kw_only=True):
    """Lists what a member is entitled to now."""

    shown: Who


async def rights(shop: Shop, asked: Rights, staff: Staff) -> Answer:
    have = await entitlement.rights_of(shop, await naming.shown(shop, asked.shown))
    rows = [
        {
            "right": one.entitlement.id,
            "uses_left": one.uses_left,
            "units_left": one.units_left,
            "until": one.until,
            "why_not": one.why_not and explaining.sentence(one.why_not, shop.program, staff.language),
        }
        for one in have
    ]
    return found(asked, rights=rows)


class UseRight(Request, frozen=True, kw_only=True):
    """Counts one use of a right, such as the lounge or parking minutes."""

    shown: Who
    right: Id
    units: Points = 1
    place: Text = ""


async def use_right(shop: Shop, asked: UseRight, staff: Staff) -> Answer:
    command = UseCommand(
        key=asked.key,
        presented=await naming.shown(shop, asked.shown),
        entitlement=asked.right,
        units=asked.units,
        place=asked.place,
        staff=staff.id,
    )
    return told(shop, asked, staff, await entitlement.use_entitlement(shop, command))


class Admit(OfMember, frozen=True, kw_only=True):
    """Lets a member in to an event for which they hold a ticket."""

    event: Id
    """The reward that the ticket is of."""


async def admit(shop: Shop, asked: Admit, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    return told(shop, asked, staff, await redemption.check_in_to_event(shop, asked.key, member, asked.event))


# ---- lotteries -------------------------------------------------------------------------------------------
class Publish(Request, frozen=True, kw_only=True):
    """Tells a lottery's prizes, odds and seal before anybody draws."""

    lottery: Id


def _prize(known: Published, place: int | None) -> str | None:
    """Return the prize drawn; of a draw told once more, the lottery may not have it any longer."""
    prizes = known.rule.prizes
    return prizes[place].id if place is not None and place < len(prizes) else None


async def publish(shop: Shop, asked: Publish, staff: Staff) -> Answer:
    known = await lottery.publish(shop, asked.lottery)
    rows = [
        {"prize": prize.id, "odds_bp": odds, "left": left}
        for prize, odds, left in zip(known.rule.prizes, known.odds_bp, known.left, strict=True)
    ]
    return found(asked, commit=known.commit, prizes=rows)


class Draw(OfMember, frozen=True, kw_only=True):
    """Draws once for a member, under the seal that was published."""

    lottery: Id
    commit: Id
    word: Id
    """The member's own, so that nobody can have chosen the draw."""
    reward: Text = ""
    """The reward that pays for it; empty: the lottery's own price."""


async def draw(shop: Shop, asked: Draw, staff: Staff) -> Answer:
    known = await lottery.publish(shop, asked.lottery)
    command = DrawCommand(
        key=asked.key,
        member=await naming.member(shop, asked),
        presented=naming.TYPED,
        lottery=asked.lottery,
        client_seed=asked.word,
        commit=asked.commit,
        language=staff.language,
        reward=asked.reward,
        staff=staff.id,
    )
    drawn = await lottery.draw(shop, command)
    given = _prize(known, drawn.given)
    return told(shop, asked, staff, drawn.recorded, prize=_prize(known, drawn.prize), given=given)


class Reveal(Request, frozen=True, kw_only=True):
    """Ends a lottery, gives its seed away, and checks every draw made here."""

    lottery: Id


async def reveal(shop: Shop, asked: Reveal, staff: Staff) -> Answer:
    shown = await lottery.reveal(shop, asked.lottery)
    wrong = explaining.sentences(shown.wrong, shop.program, staff.language)
    return found(asked, seed=shown.seed, commit=shown.commit, draws=shown.draws, wrong=wrong)


COMMANDS = (
    Command("coupons", Coupons, "cashier", show_coupons, records=False),
    Command("issue-coupon", IssueCoupon, "manager", issue),
    Command("void-coupon", VoidCoupon, "manager", void),
    Command("print-coupon", PrintCoupon, "manager", print_paper),
    Command("claim-code", ClaimCode, "cashier", claim),
    Command("redeem", Redeem, "cashier", redeem),
    Command("undo-reward", UndoReward, "cashier", undo),
    Command("hand-over", HandOver, "cashier", hand_over),
    Command("check-in", CheckIn, "cashier", check_in),
    Command("answer-survey", AnswerSurvey, "cashier", answer),
    Command("approve-share", ApproveShare, "cashier", approve),
    Command("rights", Rights, "cashier", rights, records=False),
    Command("use-right", UseRight, "cashier", use_right),
    Command("admit", Admit, "cashier", admit),
    Command("lottery", Publish, "cashier", publish),
    Command("draw", Draw, "cashier", draw),
    Command("reveal", Reveal, "manager", reveal),
)
