"""P6 and P7: any order and partition of returns ends where one return would, and all of it where it began."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Overdrawn
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import BasketLine
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.program.tiers import Tiering
from tapledger.loyalty.program.values import Returns, StoredValue
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.sales.selling import Wants
from tests.loyalty.counter import WHOLE, Counter, by_kind, goods, value, weighed
from tests.loyalty.givens import DAY, NOON, lot, member, program

ENDS = NOON + 100 * DAY


def line(number: int) -> st.SearchStrategy[BasketLine]:
    sku = f"sku{number}"
    pieces = st.builds(goods, st.integers(0, 9999), st.integers(1, 4), st.just(sku))
    grams = st.builds(weighed, st.integers(1, 5000), st.integers(1, 3999), st.just(sku))
    lent = st.builds(goods, st.integers(1, 300), st.integers(1, 3), st.just(sku), kind=st.just("deposit"))
    return st.one_of(pieces, pieces, grams, lent)


baskets = st.integers(1, 4).flatmap(lambda count: st.tuples(*(line(i) for i in range(count))))

SOME = EarnRule("some", 2, 300, "continuous", Scope(skus=["sku0"]), priority=1)
earnings = st.builds(
    Earning,
    rules=st.sampled_from(
        [
            [],
            [EarnRule("all", 3, 500)],
            [EarnRule("some", 2, 300, "continuous", Scope(skus=["sku0"])), EarnRule("rest", 1, 70)],
        ]
    ),
    multipliers=st.sampled_from([[], [Multiplier("x", 2500, Scope(skus=["sku1"]))], [Multiplier("y", 700)]]),
    flats=st.sampled_from([[], [Flat("f", 50, min_minor=3000)]]),
    rounding=st.sampled_from(["down", "half_up", "up"]),
    per_order=st.sampled_from([None, 40]),
    delay_days=st.sampled_from([0, 2]),
)
programs = st.builds(
    lambda earning, returns, money, order, off, growth: program(
        earning=earning,
        returns=returns,
        money=money,
        stored_value=StoredValue(spend_order=order),
        points_as_cash=PointsAsCash(10, 3),
        promotions=[Promotion(id="off", benefit=Percent(rate_bp=1500))] if off else [],
        tiering=Tiering(growth_per_minor=growth),
    ),
    earnings,
    st.builds(
        Returns,
        clawback=st.sampled_from(["as_if", "proportional"]),
        negative=st.sampled_from(["deficit", "clamp"]),
        tenders=st.sampled_from(["bonus_first", "external_first"]),
    ),
    st.builds(
        Money,
        cash_rounding_minor=st.sampled_from([1, 5, 10]),
        tax=st.sampled_from(["inclusive", "exclusive"]),
    ),
    st.sampled_from(["proportional", "principal_first", "bonus_first"]),
    st.booleans(),
    st.sampled_from([0, 700]),
)


def somebody() -> Member:
    return member(
        lot("soon", 400, NOON + 30 * DAY),
        lot("later", 400, ENDS),
        lot("ever", 400),
        value(PRINCIPAL, 3000),
        value(BONUS, 900, NOON + 40 * DAY, "bonus-1"),
        value(BONUS, 900, ENDS, "bonus-2"),
    )


def sell(data: st.DataObject, rules: Any) -> Counter:
    """Sell something, paid by points, value and cash; then perhaps spend what it earned elsewhere."""
    counter = Counter(somebody(), rules)
    lines = data.draw(baskets)
    wants = Wants(points=data.draw(st.sampled_from([0, 100, 1200])))
    quoted = counter.quote(lines, wants).total_minor
    stored = data.draw(st.integers(0, min(quoted, 4800)))
    cash = [Tender("cash", quoted - stored + 5)] if quoted > stored else []
    counter.sell(lines, [*([Tender("value", stored)] if stored else []), *cash], wants)
    counter.spend_elsewhere(data.draw(st.sampled_from([0, 300, 5000])))
    return counter


def parts(data: st.DataObject, counter: Counter) -> list[tuple[int, int]]:
    """Draw what comes back, in pieces and in any order."""
    found = []
    for number, whole in counter.everything():
        line = counter.sold().facts.lines[number]
        unit = WHOLE if not line.weighed and whole % WHOLE == 0 else 1
        left = data.draw(st.integers(0, whole // unit))
        while left:
            part = data.draw(st.integers(1, left))
            found.append((number, part * unit))
            left -= part
    return data.draw(st.permutations(found)) if found else []


def was_overdrawn(counter: Counter) -> bool:
    return any(isinstance(one, Overdrawn) for body in counter.returned for one in body.effects)


def state(counter: Counter, by_lot: bool = True) -> dict[str, object]:
    """Return all that a return may change.

    Where there was a deficit, points are only counted: it was repaid by whatever came in first, and that is
    not undone.
    """
    assert counter.member is not None
    who, refunds = counter.member, [body.returned for body in counter.returned]
    tenders: dict[str, int] = {}
    for one in refunds:
        assert one is not None
        for kind, amount in by_kind(one).items():
            tenders[kind] = tenders.get(kind, 0) + amount
    return {
        "lots": {
            (one.id, one.pool): (one.remaining, one.expires_at)
            for one in who.lots
            if one.remaining and (by_lot or one.pool != POINTS)
        },
        "points": sum(one.remaining for one in who.lots if one.pool == POINTS) - who.deficit,
        "tallies": {
            key: counted
            for key in who.tallies
            if (counted := {d: n for d, n in who.tallies[key].items() if n})
        },
        "tier": who.tier,
        "tenders": {kind: amount for kind, amount in tenders.items() if amount},
        "refund": sum(one.refund_minor for one in refunds if one),
        "clawed": sum(one.clawed for one in refunds if one),
        "forgiven": sum(one.forgiven for one in refunds if one),
        "restored": sum(one.restored for one in refunds if one),
        "tax": sum(one.tax_minor for one in refunds if one),
    }


@given(st.data(), programs)
@settings(max_examples=150, deadline=None)
def test_P6_any_partition_in_any_order_is_one_return(data: st.DataObject, rules: Any) -> None:
    one = sell(data, rules)
    pieces = parts(data, one)
    if not pieces:
        return
    other = copy.copy(one)
    other.returned = []
    for piece in pieces:
        one.back(piece)
    whole: dict[int, int] = {}
    for number, milli in pieces:
        whole[number] = whole.get(number, 0) + milli
    other.back(*whole.items())
    by_lot = not (was_overdrawn(one) or was_overdrawn(other))
    assert state(one, by_lot) == state(other, by_lot)
    facts = one.sold()
    assert 0 <= sum(body.clawed for body in facts.returns) <= facts.facts.earned


@given(st.data(), programs)
@settings(max_examples=100, deadline=None)
def test_P7_all_of_it_back_is_as_before(data: st.DataObject, rules: Any) -> None:
    counter = Counter(somebody(), rules)
    before = state(counter)
    one = sell(data, rules)
    if one.spent_elsewhere:
        return
    one.now += dt.timedelta(hours=1)
    one.back(*one.everything())
    after = state(one)
    for what in ("lots", "points", "tallies", "tier"):
        assert after[what] == before[what], what
    facts = one.sold().facts
    paid = by_kind(facts)
    given_back = dict(after["tenders"])  # type: ignore[call-overload]
    if "cash" in paid:
        paid["cash"] -= facts.change_minor
    assert given_back == {kind: amount for kind, amount in paid.items() if amount}
