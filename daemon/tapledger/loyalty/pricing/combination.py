"""The best combination of coupons: exact up to twelve, with what each rule of exclusion costs (3.11).

The search walks the order of application once and branches at each coupon, so sets that begin alike share
their work; a branch that cannot beat the best any more is left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.pricing import lanes
from tapledger.loyalty.pricing.basket import Basket, LeftOut, Moment, Priced, Shopper
from tapledger.loyalty.pricing.compiled import Compiled
from tapledger.loyalty.pricing.hints import Hint, hints
from tapledger.loyalty.pricing.live import Step
from tapledger.loyalty.pricing.pipeline import (
    Candidates,
    Run,
    apply,
    candidates,
    excluded,
    no_effect,
    opened,
    price,
    unusable,
)
from tapledger.loyalty.promotions.protocol import Slate

EXACT_COUPONS = 12
"""More are cut to so many by what each saves alone, and the answer says that it is approximate."""
NO_END = dt.datetime.max.replace(tzinfo=dt.UTC)


class RuleCost(msgspec.Struct, frozen=True):
    """What a rule of exclusion costs the member: how much more the best would save without it."""

    rule: str
    """``solo:ID``, ``group:NAME``, ``class`` or ``max_coupons``."""
    saving_minor: int
    coupons: tuple[str, ...]
    """What would be used then."""
    reason: Reason


class Best(msgspec.Struct, frozen=True):
    priced: Priced
    coupons: tuple[str, ...]
    """Ids to be used, in the order of application."""
    saving_minor: int
    """Of all promotions and coupons together; gifts count as what they would have cost."""
    approximate: bool
    costs: tuple[RuleCost, ...]
    hints: tuple[Hint, ...]
    left_out: tuple[LeftOut, ...]
    """Every coupon that was offered and is not used, and why."""


def best(basket: Basket, shopper: Shopper | None, compiled: Compiled, moment: Moment) -> Best:
    """Choose among ``basket.coupons`` those that together save the most.

    A tie goes to fewer coupons, then to those that end first, then to the smallest ids.
    """
    slate, _ = opened(basket, shopper, compiled)
    automatic = candidates(basket, slate, shopper, compiled, moment)
    usable: Candidates = []
    left_out = []
    for coupon in basket.coupons:
        step = Step(coupon.promotion, coupon)
        lines = step.articles.of(slate)
        why = unusable(step, lines, shopper, compiled, moment)
        if why is None:
            usable.append((step, lines))
        else:
            left_out.append(LeftOut(step.coupon, why))
    compared = _dearest(usable, slate, automatic, basket, compiled)
    search = Search(slate, automatic, compared, basket, compiled)
    search.run()
    chosen = search.coupons()
    offered = {coupon.id: coupon for coupon in basket.coupons}
    used = msgspec.structs.replace(basket, coupons=tuple([offered[id_] for id_ in chosen]))
    after = price(used, shopper, compiled, moment)
    for one in usable:
        if one[0].coupon not in chosen:
            why = _why_not(one, compared, chosen, slate, automatic, basket, compiled)
            left_out.append(LeftOut(one[0].coupon, why))
    return Best(
        priced=after,
        coupons=chosen,
        saving_minor=after.saved_minor(),
        approximate=len(compared) < len(usable),
        costs=tuple(_costs(search, compiled)),
        hints=hints(used, [step for step, _ in usable], shopper, compiled, moment),
        left_out=tuple(left_out),
    )


def _dearest(
    usable: Candidates, slate: Slate, automatic: Candidates, basket: Basket, compiled: Compiled
) -> Candidates:
    """Return at most as many coupons as can be compared exactly: those that save the most alone."""
    if len(usable) <= EXACT_COUPONS:
        return usable

    def alone(one: tuple[Step, Sequence[int]]) -> int:
        search = Search(slate, automatic, [one], basket, compiled)
        search.run()
        return search.saved if search.chosen else -1

    return sorted(usable, key=lambda one: (-alone(one), one[0].coupon))[:EXACT_COUPONS]


class Search:
    """Finds the best set of coupons; ``without`` names a rule of exclusion that shall not hold."""

    def __init__(
        self,
        slate: Slate,
        automatic: Candidates,
        coupons: Candidates,
        basket: Basket,
        compiled: Compiled,
        without: str = "",
    ) -> None:
        self._given = (slate, automatic, coupons, basket, compiled)
        self._compiled, self._manual = compiled, basket.manual
        self._slate = slate.branch()
        self._start = slate.left
        self._steps = sorted([*automatic, *coupons], key=lambda one: one[0].key)
        order = [step for step, _ in self._steps]
        self._order = order
        self._is_coupon = [bool(step.coupon) for step in order]
        self._clashes = _clash_masks(order, without)
        self._slots = len(coupons) if without == "max_coupons" else compiled.money.max_coupons
        self._manual_at = next((place for place, step in enumerate(order) if step.lane > 2), len(order))
        self._shadow = [0 if step.gift is None else step.gift.shadow_minor for step in order]
        self._any_gift = any(self._shadow)
        self._bounds = self._bound_tables()
        self.saved, self.chosen, self._rank = -1, 0, (0, [NO_END], [""])

    def relaxed(self, rule: str) -> Search:
        """Return a search in which one rule does not hold; it looks only for what is better than this one."""
        other = Search(*self._given, without=rule)
        other.saved, other._rank = self.saved, (-1, [], [])
        return other

    def rules(self) -> list[str]:
        """Return the rules of exclusion that hold between what is compared."""
        found = {rule for rule, _, _ in _all_clashes(self._order)}
        if sum(self._is_coupon) > self._slots:
            found.add("max_coupons")
        return sorted(found)

    def coupons(self) -> tuple[str, ...]:
        return tuple([step.coupon for place, step in enumerate(self._order) if self.chosen >> place & 1])

    def run(self) -> None:
        """Search all sets.

        Coupons that clash with an automatic promotion are decided first: it yields to them, also to one whose
        turn comes later.
        """
        automatic = sum(1 << place for place, coupon in enumerate(self._is_coupon) if not coupon)
        contested = [
            place
            for place, coupon in enumerate(self._is_coupon)
            if coupon and self._clashes[place] & automatic
        ]
        self._contested = sum(1 << place for place in contested)
        for wanted in _subsets(contested, self._clashes, self._slots):
            self._wanted = wanted
            self._walk(0, self._start.copy(), 0, 0, 0)

    def _walk(self, place: int, left: list[int], saved: int, chosen: int, applied: int) -> None:
        """Go on from ``place`` with what is ``left`` of each line; ``chosen`` and ``applied`` are masks."""
        slate, compiled = self._slate, self._compiled
        count = chosen.bit_count()
        while place < len(self._steps):
            if self._hopeless(place, left, saved, count):
                return
            if place == self._manual_at:
                left = self._without_manual(left)
            step, lines = self._steps[place]
            bit = 1 << place
            if not self._is_coupon[place]:
                if not self._clashes[place] & (applied | self._wanted):
                    slate.stand_at(left)
                    one = apply(step, lines, slate, compiled)
                    if one is not None:
                        saved += one[0] + self._shadow[place]
                        applied |= bit
            elif not self._contested & bit or self._wanted & bit:
                if count < self._slots and not self._clashes[place] & chosen:
                    slate.stand_at(left.copy())
                    one = apply(step, lines, slate, compiled)
                    if one is not None:
                        more = saved + one[0] + self._shadow[place]
                        self._walk(place + 1, slate.left, more, chosen | bit, applied)
                if self._wanted & bit:
                    return
            place += 1
        self._offer(saved, chosen, count)

    def _without_manual(self, left: list[int]) -> list[int]:
        if self._manual is not None:
            self._slate.stand_at(left)
            lanes.manual_discount(self._slate, self._manual, self._compiled)
        return left

    def _offer(self, saved: int, chosen: int, count: int) -> None:
        if saved < self.saved or (saved == self.saved and count > self._rank[0]):
            return
        steps = [step for place, step in enumerate(self._order) if chosen >> place & 1]
        ends = sorted(step.expires_at or NO_END for step in steps)
        rank = (count, ends, sorted(step.coupon for step in steps))
        if saved > self.saved or rank < self._rank:
            self.saved, self.chosen, self._rank = saved, chosen, rank

    # ---- what can still be saved -------------------------------------------------------------------------
    def _bound_tables(self) -> list[list[int]]:
        """Return for each place and number of coupons the most that is still to be saved from there on."""
        slate, before = self._slate, self._compiled.before_discounts
        slate.stand_at(self._start)
        tables = [[0] * (self._slots + 1)]
        of_automatic, of_coupons = 0, []
        for place in reversed(range(len(self._steps))):
            step, lines = self._steps[place]
            left = sum([slate.left[i] for i in lines])
            basis = sum([slate.gross[i] for i in lines]) if before else left
            most = step.benefit.most(slate, lines, left, basis) if left and basis >= step.at_minor else 0
            most = min(most, left) + self._shadow[place]
            if self._is_coupon[place]:
                of_coupons.append(most)
                of_coupons.sort(reverse=True)
            else:
                of_automatic += most
            row = [of_automatic]
            for slot in range(self._slots):
                row.append(row[-1] + (of_coupons[slot] if slot < len(of_coupons) else 0))
            tables.append(row)
        tables.reverse()
        return tables

    def _hopeless(self, place: int, left: list[int], saved: int, count: int) -> bool:
        """Tell whether nothing from here on can be better than the best so far."""
        more = self._bounds[place][self._slots - count]
        if not self._any_gift:
            more = min(more, sum(left))
        bound = saved + more
        return bound < self.saved or (bound == self.saved and count > self._rank[0])


def _all_clashes(order: Sequence[Step]) -> Iterator[tuple[str, int, int]]:
    """Yield each rule that keeps two steps apart, with their places; a pair may come twice."""
    guarded = [place for place, step in enumerate(order) if step.exclusive]
    for place in guarded:
        for other in range(len(order)):
            if other != place:
                for rule in order[place].clashes(order[other]):
                    yield rule, place, other


def _clash_masks(order: Sequence[Step], without: str) -> list[int]:
    masks = [0] * len(order)
    for rule, place, other in _all_clashes(order):
        if rule != without:
            masks[place] |= 1 << other
            masks[other] |= 1 << place
    return masks


def _subsets(places: list[int], clashes: list[int], slots: int) -> Iterator[int]:
    """Yield every set of these places in which nothing clashes, as masks; fuller sets first."""

    def grow(rest: list[int], chosen: int) -> Iterator[int]:
        if not rest:
            yield chosen
            return
        place, *later = rest
        if chosen.bit_count() < slots and not clashes[place] & chosen:
            yield from grow(later, chosen | 1 << place)
        yield from grow(later, chosen)

    return grow(places, 0)


# ---- why -------------------------------------------------------------------------------------------------
def _costs(search: Search, compiled: Compiled) -> Iterator[RuleCost]:
    """Search again without each rule in turn, and tell what it keeps the member from."""
    for rule in search.rules():
        other = search.relaxed(rule)
        other.run()
        more = other.saved - search.saved
        if more > 0:
            reason = Reason("RULE_COSTS", {"rule": rule, "saving_minor": more, "currency": compiled.currency})
            yield RuleCost(rule, more, other.coupons(), reason)


def _why_not(
    one: tuple[Step, Sequence[int]],
    compared: Candidates,
    chosen: tuple[str, ...],
    slate: Slate,
    automatic: Candidates,
    basket: Basket,
    compiled: Compiled,
) -> Reason:
    """Say why a usable coupon is not in the best combination."""
    step = one[0]
    if all(step is not other for other, _ in compared):
        return Reason("COUPON_NOT_COMPARED", {"coupon": step.id, "limit": EXACT_COUPONS})
    alone = Run(slate.branch(), automatic, [one], basket, compiled)
    for failed, basis in alone.failed:
        if failed is step:
            return no_effect(step, basis, compiled.currency)
    used = [other for other, _ in compared if other.coupon in chosen]
    for other in used:
        if not step.goes_with(other):
            return excluded(step, other)
    if len(used) >= compiled.money.max_coupons:
        return Reason("COUPON_TOO_MANY", {"limit": compiled.money.max_coupons})
    return Reason("COUPON_LESS_TOGETHER", {"coupon": step.id})
