"""Points that pay for a sale which waits for its payment count against the quota like those of any other."""

from __future__ import annotations

import dataclasses

from tapledger.loyalty.effects import POINTS
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.sales.selling import Wants
from tapledger.membership import pending
from tapledger.membership.sale import SaleCommand
from tests.membership.counter import new_sale, refused, rules
from tests.membership.leasing import Leasing, rich, state_of
from tests.membership.leasing import leasing as leasing
from tests.store.shops import Bench


def waits(bench: Bench, member: str, points: int) -> SaleCommand:
    command = new_sale(bench, member, 5000, 0, wants=Wants(points=points))
    return dataclasses.replace(command, tenders=(Tender("mobile", 5000 - points),))


async def test_sales_that_wait_cannot_exceed_the_quota(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    rules(bench, points_as_cash=PointsAsCash(1, 1), unsettled_points=100)
    bench.shop.reachable = False
    first = waits(bench, member, 100)
    await pending.record_pending(bench.shop, first)
    assert (await state_of(bench.shop, member)).unsettled_points == 100
    again = await refused(bench, pending.record_pending(bench.shop, waits(bench, member, 100)))
    assert again.code in ("UNSETTLED_LIMIT", "POINTS_LIMIT"), again.code
    await pending.confirm_pending(bench.shop, first.id)
    assert (await state_of(bench.shop, member)).unsettled_points == 100, "once, not twice"


async def test_what_a_lease_paid_for_is_in_no_quota_when_it_is_confirmed(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    rules(bench, points_as_cash=PointsAsCash(1, 1), unsettled_points=100)
    await office.grant(member, POINTS, 300)
    bench.shop.reachable = False
    sale = waits(bench, member, 300)
    await pending.record_pending(bench.shop, sale)
    await pending.confirm_pending(bench.shop, sale.id)
    assert (await state_of(bench.shop, member)).unsettled_points == 0
