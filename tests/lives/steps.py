"""What can happen in a life: each step is a word and three numbers, read as who, what and how much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial

from tapledger.lab.scenario.shops import Place
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.membership import (
    alliance,
    cards,
    check_in,
    coupons,
    entitlement,
    grants,
    lottery,
    merging,
    night,
    occasions,
    participation,
    profile,
    redemption,
    referral,
    standing,
    stored_value,
)
from tapledger.membership.shop import Shop
from tests.lives.life import Life
from tests.lives.till import (
    LANGUAGE,
    Step,
    bottles,
    bring_back,
    buy,
    payment_came,
    show_receipt_late,
    swap,
    void,
    wait_for_payment,
    whole,
)

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


Action = Callable[[Life, Place, Step], Awaitable[None]]


# ---- rewards and games ------------------------------------------------------------------------------------
REWARDS = ("cup", "tea", "paper", "seat", "room", "cup")


async def take_reward(life: Life, place: Place, step: Step) -> None:
    who, shown = life.who[step.a % len(life.who)], life.card(step.a, 1 + step.c % 3)
    reward = REWARDS[step.b % len(REWARDS)]
    command = redemption.RewardCommand(life.key(), who, shown, reward, LANGUAGE)
    held = await life.run(place, f"reward {reward}", partial(redemption.hold_reward, place.shop, command))
    if held is None or not held.voucher:
        return
    if step.c % 3 == 1:
        done = partial(redemption.fulfil_voucher, place.shop, life.key(), held.voucher, "s-1")
        await life.run(place, "fulfil", done)
    elif step.c % 3 == 2:
        member = await life.member(place, step.a)
        if member is not None and member.holds:
            undo = partial(redemption.undo_reward, place.shop, life.key(), who, member.holds[-1].id)
            await life.run(place, "undo", undo)


async def enter(life: Life, place: Place, step: Step) -> None:
    ticket = [one.id for one in await life.everybody(place) if any(h.reward == "seat" for h in one.holds)]
    who = ticket[0] if ticket and step.b % 4 else life.who[step.a % len(life.who)]
    await life.run(place, "seat", partial(redemption.check_in_to_event, place.shop, life.key(), who, "seat"))


async def draw(life: Life, place: Place, step: Step) -> None:
    published = await lottery.publish(place.shop, "wheel")
    who = life.who[step.a % len(life.who)]
    command = lottery.DrawCommand(
        life.key(), who, life.card(step.a), "wheel", f"seed-{step.b}", published.commit, LANGUAGE
    )
    await life.run(place, "draw", partial(lottery.draw, place.shop, command))


async def visit(life: Life, place: Place, step: Step) -> None:
    shop, who, shown = place.shop, life.who[step.a % len(life.who)], life.card(step.a)
    key = life.key()
    match step.b % 6:
        case 0 | 1:
            command = check_in.CheckInCommand(key, shown)
            await life.run(place, "check in", partial(check_in.check_in, shop, command))
        case 2:
            await life.run(
                place, "survey", partial(participation.answer_survey, shop, key, who, "taste", (0,))
            )
        case 3:
            share = partial(participation.approve_share, shop, key, who, "story", "seen", "s-1")
            await life.run(place, "share", share)
        case 4:
            use = entitlement.UseCommand(key, life.card(step.a + step.c), ("lounge", "room")[step.c % 2])
            await life.run(place, "use", partial(entitlement.use_entitlement, shop, use))
        case _:
            born = SetBirthday(1 + step.b % 12, 1 + step.c % 28, None, "s-1")
            await life.run(place, "birthday", partial(profile.set_birthday, shop, key, who, born))


async def tap(life: Life, place: Place, step: Step) -> None:
    """Whatever is due is given; a second tap gives nothing."""
    who = life.who[step.a % len(life.who)]
    await life.run(place, "tap", partial(_taps, place, who), keyed=False)


async def _taps(place: Place, who: str) -> str:
    await occasions.give_due(place.shop, who)
    return ""


# ---- coupons ----------------------------------------------------------------------------------------------
async def coupon(life: Life, place: Place, step: Step) -> None:
    shop, who = place.shop, life.who[step.a % len(life.who)]
    member = await life.member(place, step.a)
    mine = () if member is None else tuple(one.id for one in member.coupons)
    one, key = mine[step.c % len(mine)] if mine else "none", life.key()
    match step.b % 7:
        case 0 | 1:
            template = ("ten", "fifth", "gift")[step.c % 3]
            give = partial(coupons.issue_coupon, shop, key, who, template, "test", "s-1")
            await life.run(place, "coupon", give)
        case 2:
            away = partial(coupons.void_coupon, shop, key, who, one, "mistake", "s-1")
            await life.run(place, "void coupon", away)
        case 3:
            await life.run(place, "claim", partial(coupons.claim_code, shop, key, who, "hello"))
        case 4:
            printed = await life.run(place, "print", partial(_printed, life, shop, key))
            if printed:
                take = partial(coupons.claim_code, shop, life.key(), who, printed)
                await life.run(place, "claim paper", take)
        case _:
            hold = coupons.hold_for_sale if step.b % 2 else coupons.release_for_sale
            await life.run(place, "hold coupon", partial(hold, shop, key, who, (one,), "sale-of-nobody"))


async def _printed(life: Life, shop: Shop, key: str) -> str:
    """Print a coupon; its code is told once."""
    paper = await coupons.print_coupon(shop, key, "fifth", "test", "s-1")
    return life.codes.setdefault(key, paper.code)


# ---- stored value and points by hand ----------------------------------------------------------------------
async def top_up(life: Life, place: Place, step: Step) -> None:
    shop, who, shown, key = place.shop, life.who[step.a % len(life.who)], life.card(step.a, 1), life.key()
    amount = (3000, 5000, 20_000, 100_000)[step.b % 4]
    command = stored_value.TopUpCommand(key, who, shown, amount, (Tender("cash", amount),), "s-1", LANGUAGE)
    done = await life.run(place, "top up", partial(stored_value.top_up, shop, command))
    if done is not None and step.c % 3 == 0:
        back = stored_value.TakeBackCommand(life.key(), who, shown, key, "s-1", LANGUAGE)
        await life.run(place, "take back", partial(stored_value.take_back_top_up, shop, back))


async def close(life: Life, place: Place, step: Step) -> None:
    who = life.who[step.a % len(life.who)]
    command = stored_value.CloseCommand(life.key(), who, life.card(step.a, 1), "s-1", LANGUAGE)
    await life.run(place, "close card", partial(stored_value.close_card, place.shop, command))


async def by_hand(life: Life, place: Place, step: Step) -> None:
    who, points = life.who[step.a % len(life.who)], (150, -40, 30, 400)[step.b % 4]
    command = grants.GrantCommand(life.key(), who, points, "test", "s-1")
    await life.run(place, "grant", partial(grants.grant_points, place.shop, command))


async def fly(life: Life, place: Place, step: Step) -> None:
    shop, who = place.shop, life.who[step.a % len(life.who)]
    if step.b % 2:
        key = life.key()
        await life.run(place, "points in", partial(alliance.take_points, shop, key, "air", who, 7))
        return
    life.partner.losing = ("", "request", "answer")[step.c % 3]
    shown = life.card(step.a)
    command = alliance.SendCommand(life.key(), who, shown, "air", "them", 10 + step.c % 20, None, LANGUAGE)
    await life.send(place, command)


# ---- the membership itself --------------------------------------------------------------------------------
async def stand(life: Life, place: Place, step: Step) -> None:
    who = life.who[step.a % len(life.who)]
    member = await life.member(place, step.a)
    status = "" if member is None else member.status
    if status == "active" and step.c % 4:
        return  # most of a life is spent as a member
    follows = {"active": ("freeze", "cancel"), "frozen": ("unfreeze", "cancel"), "cancelled": ("restore",)}
    what = (*follows.get(status, ()) * 3, "freeze", "unfreeze", "restore")[step.b % 5]
    change = partial(standing.change_standing, place.shop, life.key(), who, what, "s-1")  # type: ignore[arg-type]
    await life.run(place, what, change)


async def join_up(life: Life, place: Place, step: Step) -> None:
    one, other = life.who[step.a % len(life.who)], life.who[step.b % len(life.who)]
    gone = [state.id for state in await life.everybody(place) if state.merged_into]
    if gone and step.c % 3:
        one = gone[step.a % len(gone)]
        await life.run(place, "unmerge", partial(merging.undo_merge, place.shop, life.key(), one, "s-1"))
    else:
        merge = partial(merging.merge_members, place.shop, life.key(), one, other, "s-1")
        await life.run(place, "merge", merge)


async def refer(life: Life, place: Place, step: Step) -> None:
    who = life.who[-1 - step.a % len(life.who)]
    command = referral.ReferrerCommand(life.key(), who, life.card(step.b, 1), looked_at=True, staff="s-1")
    await life.run(place, "referrer", partial(referral.set_referrer, place.shop, command))


async def card(life: Life, place: Place, step: Step) -> None:
    shop, member, key = place.shop, await life.member(place, step.a), life.key()
    if member is None or not member.credentials:
        return
    index = member.credentials[step.c % len(member.credentials)].index
    match step.b % 4:
        case 0:
            await life.run(
                place, "block", partial(cards.block_card, shop, key, member.id, index, "lost", "s-1")
            )
        case 1 | 2:
            await life.run(place, "unblock", partial(cards.unblock_card, shop, key, member.id, index, "s-1"))
        case _:
            most = (None, 500)[step.c % 2]
            await life.run(
                place, "limit", partial(cards.limit_card, shop, key, member.id, index, most, "s-1")
            )


# ---- time -------------------------------------------------------------------------------------------------
async def hours(life: Life, place: Place, step: Step) -> None:
    life.world.clock.instant += HOUR * (1 + step.a % 9)


async def days(life: Life, place: Place, step: Step) -> None:
    """Some days pass, and each shop does its night's work; doing it twice changes nothing."""
    life.world.clock.instant += DAY * (1, 3, 11, 33)[step.a % 4]
    if step.b % 4:
        await nights(life)


async def nights(life: Life) -> None:
    for place in life.places:
        for is_second in (False, True):
            done = await night.run(place.shop)
            assert not done.failed
            assert not (is_second and done.anything), "the night's work was not finished"
        await life.sync()


async def clock_back(life: Life, place: Place, step: Step) -> None:
    """The clock is set back, as an hour in autumn or after a flat battery; the next steps live with it.

    Not where there are several shops: who is behind would write before what others told them (R4).
    """
    if life.world.central is not None:
        return
    life.world.clock.instant -= (dt.timedelta(minutes=1), HOUR, DAY)[step.a % 3]


async def again(life: Life, place: Place, step: Step) -> None:
    await life.ask_again(step.a)


async def line(life: Life, place: Place, step: Step) -> None:
    """A shop loses its line to central, or has it again and tells what happened."""
    if life.world.central is None:
        return
    place.shop.reachable = step.b % 3 != 0
    if place.shop.reachable:
        await place.sync()


ACTIONS: dict[str, Action] = {
    "buy": buy,
    "buy more": buy,
    "whole": whole,
    "return": bring_back,
    "void": void,
    "exchange": swap,
    "bottles": bottles,
    "late": show_receipt_late,
    "pending": wait_for_payment,
    "payment": payment_came,
    "reward": take_reward,
    "enter": enter,
    "draw": draw,
    "visit": visit,
    "tap": tap,
    "coupon": coupon,
    "top up": top_up,
    "close": close,
    "by hand": by_hand,
    "fly": fly,
    "stand": stand,
    "merge": join_up,
    "refer": refer,
    "card": card,
    "hours": hours,
    "days": days,
    "clock back": clock_back,
    "again": again,
    "line": line,
}


async def do(life: Life, step: Step) -> None:
    """Do one step in the shop that its numbers say."""
    life.world.clock.instant += dt.timedelta(seconds=1)
    place = life.places[(step.a + step.b + step.c) % len(life.places)]
    await ACTIONS[step.what](life, place, step)
    await life.sync()
