"""What the calendar makes due: expiry, reviews, vouchers nobody fetched, members who left. Safe at any time.

Each member's part is one transaction and is decided from what is stored, so a run that is cut short goes on
where it stopped, a second run finds nothing to do, and a shop that was closed for a month skips nothing. Only
the shop where a member joined writes that member's dates; balances and tiers are right without it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from tapledger.database import Transaction
from tapledger.errors import TapledgerError
from tapledger.loyalty import days
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import lifecycle
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import campaigns, duplicates, referring
from tapledger.loyalty.program import Program
from tapledger.loyalty.tiers import tier_reviews, tiering
from tapledger.loyalty.value import lapsing, storing
from tapledger.membership import occasions, permits, redemption, referral
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop, operation
from tapledger.store import due, leaving, members, outbox, people
from tapledger.store.journal import Operation

MAX_MEMBERS = 200
"""Looked up in one go; each is a transaction of its own."""
AGAIN = dt.timedelta(hours=1)
"""When to look again at what cannot be done yet."""

Decide = Callable[[Member, Program, dt.datetime], Decision | None]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that falls due, and how many events of it a member can have on one local day."""

    name: str
    decide: Decide
    per_day: int = 1


STEPS = (
    Step("expire", lapsing.decide_expire),
    Step("twice", duplicates.decide_taken_back),
    Step("referral", referring.decide_qualified),
    Step("review", tier_reviews.decide_review, per_day=16),
    Step("warning", tier_reviews.decide_warning),
)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did."""

    vouchers: int = 0
    """Given back because nobody handed them in."""
    lapsed: int = 0
    """Members whose time to come back is over."""
    looked_at: int = 0
    events: int = 0
    failed: tuple[str, ...] = ()
    """Members that could not be seen to, with the code of what stood in the way; they are tried again."""
    waits_for_clock: bool = False
    """Nothing was decided by date, because the clock is not believed (R25)."""

    @property
    def anything(self) -> bool:
        return bool(self.vouchers or self.lapsed or self.events)


async def run(shop: Shop) -> Done:
    """Do everything that is due now."""
    if (await shop.store.transact(lambda tx: rights_of(tx, shop))).clock_suspect:
        return Done(waits_for_clock=True)
    await permits.close_due(shop)
    await shop.store.transact(lambda tx: people.let_go(tx, _ms(shop)))
    done = Done(vouchers=await redemption.give_back_lapsed(shop))
    done = replace(done, lapsed=await _let_lapse(shop))
    while page := await shop.store.transact(lambda tx: due.page(tx, _ms(shop), MAX_MEMBERS)):
        for member in page:
            done = await _see_to(shop, member, done)
    return done


async def _see_to(shop: Shop, member: str, done: Done) -> Done:
    try:
        events = await shop.store.transact(partial(_do_all, shop, member))
    except TapledgerError as error:
        again = shop.clock.now() + AGAIN
        await shop.store.transact(lambda tx: due.later(tx, member, again))
        return replace(done, failed=(*done.failed, f"{member} {error.code}"))
    return replace(done, looked_at=done.looked_at + 1, events=done.events + events)


def _do_all(shop: Shop, member: str, tx: Transaction) -> int:
    """Post all that is due for a member, and note when to look again; return how many events."""
    stored = members.load_alias(tx, member)
    if stored is None or stored.member.status in ("merged", "erased"):
        due.later(tx, member, None)
        return 0
    now, state, events = shop.clock.now(), stored.member, 0
    for step in STEPS:
        for same in _keys(shop, step, member, now):
            if shop.store.journal.find(tx, same) is not None:
                continue
            decision = step.decide(state, shop.program, now)
            if decision is None or decision.after is None:
                break
            shop.record(tx, same, decision, now)
            state, events = decision.after, events + 1
            events += len(referral.tell(tx, shop, same.key, state, now))
    given = occasions.give(tx, shop, state, "day", now)
    state, events = given.member, events + len(given.recorded)
    state, confirmed = _confirm_bonus(tx, shop, state, now)
    due.later(tx, member, look_again(state, shop.program, now))
    return events + confirmed


def _keys(shop: Shop, step: Step, member: str, now: dt.datetime) -> Iterator[Operation]:
    today = days.local_day(now, shop.program.zone()).isoformat()
    for count in range(step.per_day):
        yield operation(f"night/{step.name}/{member}/{today}/{count}", step.name, member, today)


def _confirm_bonus(tx: Transaction, shop: Shop, member: Member, now: dt.datetime) -> tuple[Member, int]:
    """Let the bonus of top-ups be spent that were made away from central, once it has heard of them (R35)."""
    waiting = storing.waiting_bonus(member)
    if not waiting or not rights_of(tx, shop).online or outbox.is_unsynced(tx, member.id):
        return member, 0
    decision = storing.decide_confirm_bonus(member, shop.program, now)
    names = "/".join(sorted(lot.id for lot in waiting))
    same = operation(f"night/bonus/{hashlib.sha256(names.encode()).hexdigest()}", member.id)
    if decision.after is None or shop.store.journal.find(tx, same) is not None:
        return member, 0
    shop.record(tx, same, decision, now)
    return decision.after, 1


def look_again(member: Member, program: Program, now: dt.datetime) -> dt.datetime | None:
    """Return the next instant at which the calendar changes something for a member; None is never."""
    zone = program.zone()
    dates: list[dt.datetime] = []
    if (expiry := lapsing.next_expiry(member, now)) is not None:
        dates.append(expiry)
    if lapsing.decide_expire(member, program, now) is not None:
        dates.append(days.end_of_day(days.local_day(now, zone), zone))  # today's entry is written already
    held = tiering.recorded(member, program)
    if held.until is not None:
        last = days.local_day(held.until, zone)
        dates += [held.until, tiering.review_at(member, held.until, program)]
        dates += [
            days.first_instant(last - dt.timedelta(days=warned), zone) for warned in program.tiering.warn_days
        ]
    counting = (*tiering.referrals(member), *(on for on, _ in referring.qualifying(member)))
    dates += [days.first_instant(dt.date.fromordinal(on), zone) for on in counting]
    dates += [campaigns.sleeps_at(member, one, program) for one in campaigns.waking(member, program)]
    if storing.waiting_bonus(member):
        dates.append(now + AGAIN)
    return min((date for date in dates if date > now), default=None)


async def _let_lapse(shop: Shop) -> int:
    """Let what members had lapse who left here and whose window has closed."""
    gone = await shop.store.transact(lambda tx: leaving.closed(tx, _ms(shop)))
    for member in gone:
        await shop.store.transact(partial(_lapse, shop, member))
    return len(gone)


def _lapse(shop: Shop, member: str, tx: Transaction) -> None:
    stored, now = members.load_alias(tx, member), shop.clock.now()
    if stored is None or not lifecycle.is_lapsing(stored.member, now):
        leaving.note(tx, member, None)
        return
    until = stored.member.restore_until
    assert until is not None
    same = operation(f"night/lapse/{member}/{until.isoformat()}", member)
    if shop.store.journal.find(tx, same) is None:
        shop.record(tx, same, lifecycle.decide_lapse(stored.member, shop.program, now), now)
    leaving.note(tx, member, None)


def _ms(shop: Shop) -> int:
    return int(shop.clock.now().timestamp() * 1000)
