"""What is true of every shop and member after every step (loyalty.md sections 3.0 and 6)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import partial

from tapledger.database import Transaction
from tapledger.lab.scenario.auditing import audit
from tapledger.lab.scenario.shops import Place
from tapledger.loyalty import ledger, members, tallies
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    CouponIssued,
    Held,
    HoldSettled,
    Tallied,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member
from tapledger.store import history
from tests.lives.life import Life

LATER = [dt.timedelta(days=days) for days in (0, 1, 8, 21, 40, 70, 400)]
POOLS = (POINTS, PRINCIPAL, BONUS)


class Watch:
    """Follows a life's ledgers from event to event."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self._seen: Counter[str] = Counter()
        self._folded: dict[str, Member] = {}
        self._bodies: list[EventBody] = []

    async def look(self) -> None:
        """Check everything that one step can have broken."""
        for place in self.life.places:
            news = await place.shop.store.transact(partial(self._news, place))
            for body in news:
                assert ledger.is_balanced(body.lines), f"{body.kind} is not balanced"
                assert body.kind in ledger.KINDS
            for state in await self.life.everybody(place):
                self._nobody_negative(state)
                self._only_falls(state)
            self._bodies += news
        if self.life.world.central is None:
            await self._rebuilt()
            self._limits()
        self._redeemed_once()

    async def end(self) -> None:
        """Check whole chains and files, and that all shops and central agree."""
        wrong = await audit(self.life.world)
        assert not wrong, wrong

    def _news(self, place: Place, tx: Transaction) -> list[EventBody]:
        everything = list(history.everything(tx))
        news = everything[self._seen[place.name] :]
        self._seen[place.name] = len(everything)
        return news

    async def _rebuilt(self) -> None:
        """P1, and I1: what is kept is what the events make of it, and what the lines come to."""
        (place,) = self.life.places
        sums: Counter[tuple[str, str]] = Counter()
        waiting: Counter[str] = Counter()
        self._folded = {}
        for body in self._bodies:
            for line in body.lines:
                sums[line.account, line.unit] += line.amount
                if line.unit == ledger.POINT and (body.kind == "sale" or "sale" in body.facts):
                    waiting[line.account] += line.amount  # of sales whose payment has not come
            if body.member is not None:
                self._folded[body.member] = members.fold(self._folded.get(body.member), body)
        kept = {state.id: state for state in await self.life.everybody(place)}
        assert kept == self._folded
        for state in kept.values():
            if state.merged_into:
                continue  # what came late in this name is counted with the other
            names = merging.names_of(state, kept.get)
            for pool in POOLS:
                have = sum(lot.remaining for lot in state.lots if lot.pool == pool)
                have -= members.deficit_of(state, pool)
                have -= tallies.total(state.tallies, tallies.of_overlapse(pool))
                if pool == POINTS:
                    booked = sum(sums[ledger.member_points(one), ledger.POINT] for one in names)
                else:
                    booked = -sum(sums[ledger.member_value(one, pool), "CNY"] for one in names)
                assert have == booked, f"{pool} of {state.id}: {have}, booked {booked}"
            held = sum(
                sums[ledger.member_held(one), ledger.POINT] - waiting[ledger.member_held(one)]
                for one in names
            )
            assert sum(one.points for one in state.holds) == held
        assert all(not sum_ for (account, _), sum_ in sums.items() if account.startswith("transfer/"))

    def _nobody_negative(self, state: Member) -> None:
        now = self.life.now
        assert all(lot.remaining >= 0 for lot in state.lots)
        assert state.deficit >= 0
        assert all(one.points >= 0 for one in state.holds)
        found = members.points(state, now)
        assert min(found.available, found.pending, found.held, found.deficit) >= 0
        assert not (found.deficit and found.available), "points are available while some are owed"
        # Who parts from another owes them what was theirs and was spent meanwhile, stored value too.
        if self.life.world.central is None and "unmerge" not in self.life.log:
            assert not any(state.debts.values()), "stored value was spent that was not there"

    def _only_falls(self, state: Member) -> None:
        """P8: between entries, time gives nobody anything."""
        had = None
        for later in LATER:
            found = members.points(state, self.life.now + later)
            has = found.available + found.pending
            assert had is None or has <= had, f"{had} points became {has} by waiting"
            had = has

    def _redeemed_once(self) -> None:
        """I3: a coupon counts in one sale at most that stands."""
        undone = {b.returned.sale for b in self._bodies if b.returned is not None and b.returned.complete}
        used: Counter[str] = Counter()
        for body in self._bodies:
            if body.kind == "sale" and body.sale is not None and body.sale.id not in undone:
                used.update(one for one in body.sale.coupons if not one.startswith("code/"))
        twice = [one for one, times in used.items() if times > 1]
        if self.life.world.central is None:
            assert not twice, f"redeemed twice: {twice}"

    def _limits(self) -> None:
        """P4: no more is given out than there is, counted from the events alone."""
        program = self.life.places[0].shop.program
        out: Counter[str] = Counter()
        holds: dict[str, str] = {}
        undone = {b.returned.sale for b in self._bodies if b.returned is not None and b.returned.complete}
        for body in self._bodies:
            if body.kind in ledger.MOVES:
                continue
            for effect in body.effects:
                match effect:
                    case Held(hold=hold):
                        holds[hold.id] = hold.reward
                        out[f"reward/{hold.reward}"] += 1
                    case HoldSettled(hold=hold_id, given_back=True) if hold_id in holds:
                        out[f"reward/{holds[hold_id]}"] -= 1
                    case CouponIssued(coupon=coupon):
                        out[f"coupon/{coupon.template}"] += 1
                    case Tallied(key=key, amount=amount) if key.startswith("prize/"):
                        out[key] += amount
            if body.kind == "sale" and body.sale is not None and body.sale.id not in undone:
                out["coupon/public"] += body.sale.coupons.count("code/public")
        for reward in program.rewards:
            assert reward.stock is None or out[f"reward/{reward.id}"] <= reward.stock, reward.id
        for template in program.coupons:
            assert template.total is None or out[f"coupon/{template.id}"] <= template.total, template.id
        for one in program.lotteries:
            for prize in one.prizes:
                key = tallies.of_prize(one.id, prize.id)
                assert prize.stock is None or out[key] <= prize.stock, key
