"""What is due to a member is given where it falls due: at joining, at a tap, and once a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import days
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import campaigns, occasions
from tapledger.loyalty.people.campaigns import Moment
from tapledger.membership import referral, stock
from tapledger.membership.shop import Shop, known_member, operation
from tapledger.store import claims
from tapledger.store.journal import Recorded

MAX_THINGS = 100
"""Given at one moment; more are left for the next."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was given at a moment, and the member after it."""

    member: Member
    recorded: tuple[Recorded, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What to tell the member: "Happy birthday", "+100 points"."""
        return tuple(reason for one in self.recorded for reason in one.event.body.reasons)


async def give_due(shop: Shop, member: str, moment: Moment = "tap") -> Given:
    """Give a member all that is due now; doing it again gives nothing. Raises ``NotFound``."""

    def work(tx: Transaction) -> Given:
        return give(tx, shop, known_member(tx, member).member, moment, shop.clock.now())

    return await shop.store.transact(work)


def give(tx: Transaction, shop: Shop, member: Member, moment: Moment, now: dt.datetime) -> Given:
    """Give all that is due inside another command's transaction.

    One event a thing: each can be explained, and taken back alone when another shop gave it too (R19).
    What one thing makes due, such as the gift of the tier it lifts to, is given as well.
    """
    recorded: list[Recorded] = []
    day = days.local_day(now, shop.program.zone()).toordinal()
    while len(recorded) < MAX_THINGS:
        things = occasions.due(member, shop.program, now, moment, _spent_budgets(tx, shop))
        if not things:
            break
        thing = things[0]
        same = operation(f"due/{member.id}/{thing.key}/{day}", thing.key)
        decision = occasions.decide_due(
            member,
            thing,
            shop.program,
            now,
            id_=shop.new_id(),
            exhausted=stock.exhausted(tx, shop, member),
        )
        assert decision.after is not None
        recorded.append(shop.record(tx, same, decision, now))
        member = decision.after
        referral.tell(tx, shop, same.key, member, now)
    return Given(member, tuple(recorded))


def _spent_budgets(tx: Transaction, shop: Shop) -> frozenset[str]:
    """Return the budgets of campaigns that do not pay one more gain at this shop."""
    return frozenset(
        campaigns.budget_key(one)
        for one in shop.program.campaigns
        if one.budget_points is not None
        and (claims.left(tx, campaigns.budget_key(one), one.budget_points) or 0) < max(1, one.gain.points)
    )
