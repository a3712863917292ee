"""A reward: points are set aside and a voucher is issued; handing it in closes the matter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.loyalty import codes, tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Hold
from tapledger.loyalty.rewards import redeeming
from tapledger.loyalty.rewards.redeeming import Redeem
from tapledger.membership import identity, permits, receipts, slips, stock
from tapledger.membership.identity import Known, Presented
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop, change_member, once, operation
from tapledger.store import members as stored_members
from tapledger.store import prints, vouchers
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored

VOUCHER_RANDOMNESS = 256


@dataclass(frozen=True, slots=True)
class RewardCommand:
    """A member takes a reward. ``key`` makes a repeat the same redemption."""

    key: str
    member: str
    presented: Presented
    reward: str
    language: str
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    recorded: Recorded
    job: str
    voucher: str
    """As printed, in groups."""


async def hold_reward(shop: Shop, command: RewardCommand) -> Redeemed:
    """Take a reward: set points aside and queue the voucher's slip, or give at once what needs none.

    Raises ``Refused`` with the reason. The voucher is committed before anything is delivered: a printer in
    trouble takes nothing from the member (decisions R18).
    """
    same = operation(
        command.key, "hold", command.member, command.reward, command.presented.level, command.staff
    )
    found = shop.program.reward(command.reward)
    cost = 0 if found is None else found.cost_points
    await permits.secure(shop, same, command.member, permits.points(cost))

    def work(tx: Transaction) -> Redeemed:
        if (before := shop.store.journal.find(tx, same)) is not None:
            return _again(tx, shop, before)
        now = shop.clock.now()
        known = identity.by_id(tx, shop, command.member, command.presented)
        hand = permits.hand_of(tx, shop, known.member)
        code = codes.voucher_code(shop.randomness(VOUCHER_RANDOMNESS))
        redeem = figures(tx, shop, known, command.reward, _index(shop, code), command.language, command.staff)
        decided = redeeming.decide_redeem(hand.ready, redeem, shop.program, now)
        decision = hand.draw(decided, shop.program)
        recorded = shop.record(tx, same, decision, now)
        if decision.body.kind != "hold":
            return Redeemed(recorded, "", "")
        voucher, after = codes.printed(code), decision.after
        receipts.queue(tx, shop, recorded, "voucher", command.language, after, known.name, voucher=voucher)
        return Redeemed(recorded, slips.job_id(recorded), voucher)

    return await shop.store.transact(work)


def figures(
    tx: Transaction, shop: Shop, known: Known, reward: str, voucher: str, language: str, staff: str | None
) -> Redeem:
    """Return the question whether a member may have a reward, with this shop's figures of this moment."""
    found, key = shop.program.reward(reward), tallies.of_reward(reward)
    return Redeem(
        reward=reward,
        hold=shop.new_id(),
        voucher=voucher,
        trust=known.presented.level,
        evidence=known.presented.evidence,
        stock_left=None if found is None else stock.left(tx, shop, {key: found.stock})[key],
        unsettled_points=known.unsettled_points,
        language=language,
        staff=staff,
        exhausted=stock.exhausted(tx, shop, known.member),
        rights=rights_of(tx, shop, known.member.id),
    )


def _again(tx: Transaction, shop: Shop, before: Recorded) -> Redeemed:
    """Answer a repeat from the slip that the first time queued."""
    if before.event.body.kind != "hold":
        return Redeemed(before, "", "")
    job = slips.stored(tx, shop, slips.job_id(before))
    return Redeemed(before, slips.job_id(before), "" if job is None else job.voucher)


async def undo_reward(shop: Shop, key: str, member: str, hold: str) -> Recorded:
    """Let a member take back the reward of a moment ago: points and stock as before (R18).

    Raises ``Refused`` after ``redeeming.UNDO_LIFE``, or once its slip is on the way to the paper.
    """

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        held = shop.store.journal.newest(tx, "hold", member)
        job = None if held is None else prints.get(tx, slips.job_id(held))
        # One that is queued as a copy was begun before: it may be on paper.
        delivered = job is not None and (job.state not in ("queued", "expired") or job.copies > 0)
        decision = redeeming.decide_undo(stored.member, hold, delivered, shop.program, now)
        if job is not None:
            prints.settle(tx, job.id, "expired", prints.UNDONE, "")
        return decision

    return await change_member(shop, operation(key, "undo", member, hold), member, decide)


async def voucher_holder(shop: Shop, code: str) -> Hold:
    """Return what a voucher is good for; raise ``NotFound`` when this shop did not issue it, ``Refused`` when
    it was handed in before."""

    def work(tx: Transaction) -> Hold:
        return _open_hold(tx, shop, code)[1]

    return await shop.store.transact(work)


async def fulfil_voucher(shop: Shop, key: str, code: str, staff: str, tender: str = "cash") -> Recorded:
    """Close a voucher because the reward was handed over; a second time is the same hand-over or refused.

    ``tender`` is how the money was paid that the reward costs beside its points, when it costs any.
    """
    same = operation(key, "fulfil", codes.read_code(code), staff)

    def work(tx: Transaction) -> Recorded:
        now = shop.clock.now()
        member, hold = _open_hold(tx, shop, code)
        stored = stored_members.load(tx, member)
        assert stored is not None
        decision = redeeming.decide_fulfil(stored.member, hold.id, staff, shop.program, now, tender)
        return shop.record(tx, same, decision, now)

    return await once(shop, same, work)


async def check_in_to_event(shop: Shop, key: str, member: str, reward: str) -> Recorded:
    """Let a member in who taps at the door: their ticket is used up, and coming may give points.

    Raises ``Refused`` TICKET_MISSING when they hold no ticket of this event.
    """

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        ticket = next((hold for hold in stored.member.holds if hold.reward == reward), None)
        if ticket is None:
            raise Refused("TICKET_MISSING")
        return redeeming.decide_fulfil(stored.member, ticket.id, None, shop.program, now)

    return await change_member(shop, operation(key, "event", member, reward), member, decide)


async def give_back_lapsed(shop: Shop) -> int:
    """Give the points of vouchers that nobody handed in back to their lots; return how many vouchers."""
    now = shop.clock.now()
    now_ms = int(now.timestamp() * 1000)
    lapsed = await shop.store.transact(lambda tx: vouchers.lapsed(tx, now_ms))
    for member, hold in lapsed:
        await shop.store.transact(partial(_give_back, shop, member, hold))
    return len(lapsed)


def _give_back(shop: Shop, member: str, hold: str, tx: Transaction) -> None:
    same = operation(f"lapse-{hold}", "release", hold)
    stored = stored_members.load(tx, member)
    if stored is None or all(one.id != hold for one in stored.member.holds):
        vouchers.settle(tx, hold)
        return
    now = shop.clock.now()
    shop.record(tx, same, redeeming.decide_release(stored.member, hold, None, shop.program, now), now)


def _open_hold(tx: Transaction, shop: Shop, code: str) -> tuple[str, Hold]:
    found = vouchers.find(tx, _index(shop, codes.read_code(code)))
    if found is None:
        raise NotFound("VOUCHER_UNKNOWN")
    member, hold_id = found
    stored = stored_members.load(tx, member)
    hold = next((h for h in stored.member.holds if h.id == hold_id), None) if stored else None
    if hold is None:
        raise Refused("VOUCHER_USED")
    return member, hold


def _index(shop: Shop, code: str) -> str:
    return identity.index(shop, "voucher", code)
