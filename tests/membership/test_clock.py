"""A clock that cannot be right: dates wait and leases rest until central proves it (decisions R25)."""

from __future__ import annotations

import pytest

from tapledger.errors import Refused
from tapledger.loyalty.effects import POINTS
from tapledger.membership import permits
from tapledger.membership.rights import rights_of
from tests.membership.leasing import HOUR_S, Leasing, SkewedClock, rich
from tests.store.shops import Bench


async def spends(bench: Bench, member: str) -> bool:
    may = await bench.shop.store.transact(lambda tx: rights_of(tx, bench.shop, member))
    return not may.clock_suspect


async def test_a_clock_that_jumped_ahead_freezes_leases_until_central_proves_it(leasing: Leasing) -> None:
    bench, office = leasing
    clock = bench.clock
    assert isinstance(clock, SkewedClock)
    bench.shop.boot = "boot-1"
    member = await rich(bench, office)
    await office.grant(member, POINTS, 250)
    assert await spends(bench, member)
    bench.shop.reachable = False
    clock.move(HOUR_S)
    clock.set(119)
    assert await spends(bench, member)
    clock.set(2)
    assert not await spends(bench, member)
    with pytest.raises(Refused, match="LEASE_LIMIT"):
        await bench.redeem(member)
    clock.set(80 * HOUR_S)
    assert await permits.close_due(bench.shop) == 0, "over by a clock that nobody believes"
    bench.shop.reachable = True
    await office.hear()
    assert await spends(bench, member), "central says it is so late"
    bench.shop.reachable = False
    clock.move(60)
    assert await spends(bench, member)


async def test_a_daemon_started_again_remembers_the_jump_and_a_reboot_is_none(leasing: Leasing) -> None:
    bench, office = leasing
    clock = bench.clock
    assert isinstance(clock, SkewedClock)
    bench.shop.boot = "boot-1"
    member = await rich(bench, office)
    assert await spends(bench, member)
    bench.shop.reachable = False
    clock.set(HOUR_S)
    bench.shop.mark = None
    assert not await spends(bench, member), "the same start of the machine, another of the daemon"
    bench.shop.mark, bench.shop.boot = None, "boot-2"
    clock.reboots = clock.passed_s
    assert await spends(bench, member), "the monotonic clock begins anew: it says nothing"
    clock.set(HOUR_S)
    assert not await spends(bench, member)


async def test_a_shop_that_stands_alone_may_have_its_clock_put_right(bench: Bench) -> None:
    bench.clock = bench.shop.clock = SkewedClock()
    assert not (await bench.shop.store.transact(lambda tx: rights_of(tx, bench.shop))).clock_suspect
    bench.shop.clock.set(365 * 24 * HOUR_S)
    assert not (await bench.shop.store.transact(lambda tx: rights_of(tx, bench.shop))).clock_suspect


async def test_another_shops_clock_that_is_ahead_makes_this_one_no_suspect(leasing: Leasing) -> None:
    """Central clamps a clock that is ahead to five minutes; every shop takes that over."""
    bench, office = leasing
    member = await rich(bench, office)
    ahead = int(bench.clock.now().timestamp() * 1000 + 300_000) << 16
    await bench.shop.store.heard(ahead)
    await bench.buy(member)
    assert await bench.shop.store.transact(lambda tx: bench.shop.store.journal.head(tx).hlc) == ahead + 1
    bench.shop.reachable = False
    assert await spends(bench, member)
    bench.clock.move(3600)
    await bench.buy(member)
    bench.clock.move(-600)
    assert not await spends(bench, member), "its own clock said an hour later"
