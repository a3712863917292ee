"""Shops that cannot hear each other, with real stores and a real central (loyalty.md section 4; X10, R35)."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass

import msgspec
import pytest

from tapledger.errors import Refused, TapledgerError
from tapledger.loyalty import ledger, members, rights
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Expiry, Program, Reward
from tapledger.loyalty.program.values import StoredValue, TopUpRow
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import night
from tapledger.membership.grants import GrantCommand, grant_points
from tapledger.membership.identity import Presented
from tapledger.membership.merging import merge_members, undo_merge
from tapledger.membership.redemption import RewardCommand, hold_reward
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop
from tapledger.membership.standing import change_standing
from tapledger.membership.stored_value import CloseCommand, TopUpCommand, close_card, top_up
from tapledger.store import members as stored
from tapledger.store import news
from tapledger.sync.pusher import Pusher
from tapledger.wire.codec import decode_event
from tapledger.wire.news import DifferenceNews
from tapledger_central.store import members as central_members
from tests.central.chains import held
from tests.central.world import PROGRAM, ShopNode, World

CARD = Presented("card", "li", 1, "test")
RULES: Program = msgspec.structs.replace(
    PROGRAM,
    rewards=[Reward("r500", {"en": "500"}, 500), Reward("r100", {"en": "100"}, 100)],
    stored_value=StoredValue(top_up=[TopUpRow(50_000, 10_000)], offline_top_up_per_day_minor=60_000),
)
HOUR_S, DAY_S = 3600, 86_400


@dataclass
class Till:
    """A shop with its use cases, and its line to central."""

    node: ShopNode
    shop: Shop

    async def redeem(self, reward: str, member: str = "li") -> None:
        await hold_reward(self.shop, RewardCommand(os.urandom(4).hex(), member, CARD, reward, "en"))

    async def refused(self, reward: str) -> str:
        with pytest.raises(Refused) as error:
            await self.redeem(reward)
        return error.value.code

    async def top_up(self, amount: int) -> None:
        tenders = (Tender("cash", amount),)
        await top_up(self.shop, TopUpCommand(os.urandom(4).hex(), "li", CARD, amount, tenders, "s-1", "en"))

    async def sync(self) -> None:
        await self.node.push()
        await self.node.pull()

    async def rights(self) -> Rights:
        return await self.shop.store.transact(lambda tx: rights_of(tx, self.shop, "li"))

    async def member(self) -> Member:
        state = await self.node.member("li")
        assert state is not None
        return state

    async def values(self) -> tuple[int, int]:
        state, now = await self.member(), self.shop.clock.now()
        return members.value(state, PRINCIPAL, now), members.value(state, BONUS, now)

    async def lines(self, account: str) -> int:
        """Return what this shop alone has posted on an account."""
        rows = await self.shop.store.transact(
            lambda tx: [row[0] for row in tx.exec_driver_sql("SELECT raw FROM event")]
        )
        return sum(x.amount for raw in rows for x in decode_event(raw).body.lines if x.account == account)


async def tills(world: World, count: int, points: int, program: Program = RULES) -> list[Till]:
    """Open so many shops that all know a member with points; central is out of reach afterwards."""
    made = []
    for number in range(count):
        node = await world.shop(f"shop-{number}")
        shop = Shop(node.store, program, Catalogue({}), node.clock, os.urandom, f"Shop {number}", "en")
        made.append(Till(node, shop))
    await made[0].node.join("li")
    if points:
        await made[0].node.sale("li", points * 100)
    for till in (*made, *made):
        await till.sync()
    return made


async def test_G98_a_member_takes_no_more_than_K_times_c(world: World) -> None:
    online, *away = await tills(world, 5, 500)
    online.shop.reachable = True
    await online.redeem("r500")
    for till in away:
        await till.redeem("r500")
        assert await till.refused("r100") == "POINTS_MISSING"
    for till in (online, *away, online):
        await till.sync()
    loss = (await online.member()).deficit
    assert loss == rights.exposure(RULES, len(away)).per_member == 2000
    await online.node.sale("li", 100)
    assert await online.refused("r100") == "POINTS_MISSING"


async def test_G99_a_batch_that_is_delivered_three_times_counts_once(world: World) -> None:
    a, b = await tills(world, 2, 600)
    await a.redeem("r500")
    for _ in range(3):
        await a.node.store.rewind(1, 0)
        while await Pusher(a.node.store, a.node.keyring).once(a.node.client):
            pass
    await b.sync()
    await a.sync()
    assert (await a.member(), await a.node.points("li")) == (await b.member(), 100)


async def test_G100_two_shops_spend_the_same_600(world: World) -> None:
    a, b = await tills(world, 2, 600)
    for till in (a, b):
        await till.redeem("r500")
    for till in (a, b, a):
        await till.sync()
    assert (await a.member()).deficit == 400
    assert 400 <= rights.exposure(RULES, 2).per_member == 1000
    listed = (await held(world.central))["difference"]
    assert [(one["code"], one["detail"], one["member"]) for one in listed] == [
        ("OVERDRAWN", "400 points", "li")
    ]
    told = await b.node.store.transact(lambda tx: news.all_of(tx, "difference", DifferenceNews))
    assert [one.code for one in told.values()] == ["OVERDRAWN"], "told where it was recorded"
    await a.node.sale("li", 45_000)
    assert await a.node.points("li") == 50


async def test_the_quota_comes_back_only_when_central_was_told_and_heard(world: World) -> None:
    a, _ = await tills(world, 2, 5000)
    await a.redeem("r500")
    assert await a.refused("r100") == "UNSETTLED_LIMIT"
    await a.node.push()
    assert await a.refused("r100") == "UNSETTLED_LIMIT"
    await a.node.pull()
    await a.redeem("r500")


async def test_all_members_together_have_a_limit_too(world: World) -> None:
    few = msgspec.structs.replace(RULES, offline=msgspec.structs.replace(RULES.offline, node_points=550))
    a, _ = await tills(world, 2, 5000, few)
    await a.node.join("wu")
    await a.node.sale("wu", 500_000)
    await a.redeem("r500", "wu")
    assert await a.refused("r100") == "SHOP_LIMIT"
    assert (await a.rights()).quota_left_node == 50


async def test_R7_after_a_day_leases_only_after_three_earning_only(world: World) -> None:
    a, _ = await tills(world, 2, 5000)
    world.clock.move(24 * HOUR_S - 60)
    await a.redeem("r100")
    world.clock.move(HOUR_S)
    assert await a.refused("r100") == "LEASE_LIMIT"
    world.clock.move(48 * HOUR_S)
    assert await a.refused("r100") == "AWAY_TOO_LONG"
    await a.node.sale("li", 1000)
    assert await a.node.points("li") == 5000 - 100 + 10
    await a.sync()
    await a.redeem("r100")


async def test_a_clock_that_went_back_is_not_believed(world: World) -> None:
    a, _ = await tills(world, 2, 500)
    world.clock.move(HOUR_S)
    await a.node.sale("li", 100)
    world.clock.move(-119)
    assert not (await a.rights()).clock_suspect
    world.clock.move(-600)
    assert (await a.rights()).clock_suspect
    assert await a.refused("r100") == "LEASE_LIMIT"


async def test_central_that_had_no_news_was_heard_all_the_same(world: World) -> None:
    """A quiet night must not use up the day for which a shop may go on without central (R7)."""
    a, _ = await tills(world, 2, 500)
    for quiet_s in (30, 30 * HOUR_S, 30):
        world.clock.move(quiet_s)
        assert await a.node.pull() == []
    heard = world.clock.now() - dt.timedelta(seconds=30)
    assert (await a.rights()).last_feed_at == heard, "kept to the minute"
    world.clock.move(24 * HOUR_S - 30)
    assert rights.stage(await a.rights(), RULES, world.clock.now()) == "full"
    world.clock.move(1)
    assert rights.stage(await a.rights(), RULES, world.clock.now()) == "lease"


async def test_central_just_heard_proves_the_clock(world: World) -> None:
    """A clock that was a year ahead for a moment must not stop the shop's dates for a year."""
    a, _ = await tills(world, 2, 500)
    world.clock.move(365 * DAY_S)
    await a.node.sale("li", 100)
    world.clock.move(-365 * DAY_S)
    await a.node.pull()
    assert (await a.rights()).clock_suspect
    a.shop.reachable = True
    assert not (await a.rights()).clock_suspect
    world.clock.move(-1 * HOUR_S)
    assert (await a.rights()).clock_suspect


# ---- X10 --------------------------------------------------------------------------------------------------
async def test_X10_a_spend_made_in_time_that_arrives_after_the_expiry_was_written(world: World) -> None:
    """Central folds everything again in order; the shop that wrote the expiry takes the excess back, once."""
    expiring = msgspec.structs.replace(RULES, expiry=Expiry("days", 10))
    home, away = await tills(world, 2, 0, expiring)
    account = ledger.member_points("li")
    await home.node.sale("li", 60_000)
    await _expire_in(home, 10)
    for till in (home, away):
        await till.sync()
    await away.redeem("r500")
    world.clock.move(12 * DAY_S)
    assert (await night.run(home.shop)).events == 1
    assert (await night.run(away.shop)).events == 0, "its dates are written where the member joined"
    await home.sync()
    for till in (away, home, away):
        await till.sync()
    for till in (home, away):
        assert (await till.member()).deficit == 0
        assert members.points(await till.member(), world.clock.now()).available == 0
    world.clock.move(DAY_S)
    assert (await night.run(home.shop)).events == 1
    assert (await night.run(home.shop)).events == 0
    for till in (home, away, home):
        await till.sync()
    state = await home.member()
    assert state == await away.member() == await _at_central(world)
    assert not any(key.startswith("overlapse") for key in state.tallies)
    posted = await home.lines(account) + await away.lines(account)
    assert posted == sum(lot.remaining for lot in state.lots) == 0


async def _expire_in(till: Till, days: int) -> None:
    """Give the member's lots an end, as a sale under these rules would have."""
    from tapledger.loyalty.decisions import decision
    from tapledger.loyalty.effects import Credited, Debited, Lot
    from tapledger.loyalty.ledger import EventBody
    from tapledger.loyalty.lots import take

    now, state = till.shop.clock.now(), await till.member()
    takes = take(state.lots, 600, now)
    lot = Lot("ends", 600, 600, now, now + dt.timedelta(days=days))
    body = EventBody(kind="tag", at=now, program="1", member="li", effects=(Debited(takes), Credited(lot)))
    await till.node.record(decision(state, body))


async def _at_central(world: World) -> Member:
    found = await world.central.store.transact(lambda tx: central_members.load(tx, "li"))
    assert found is not None
    return found.state


# ---- R35: a top-up away from central ----------------------------------------------------------------------
async def test_R35_principal_is_spendable_here_and_the_bonus_waits(world: World) -> None:
    a, b = await tills(world, 2, 0)
    await a.top_up(50_000)
    assert await a.values() == (50_000, 0)
    may = await a.rights()
    assert (may.own_principal_minor, may.top_up_left_minor) == (50_000, 10_000)
    limit = rights.limit("value_spend", await a.member(), 1, may, RULES, world.clock.now())
    assert limit.amount == 50_000
    with pytest.raises(Refused, match="TOP_UP_DAY_LIMIT"):
        await a.top_up(10_001)
    assert (await night.run(a.shop)).events == 0
    await a.sync()
    await b.sync()
    assert await b.values() == (50_000, 0)
    here = rights.limit("value_spend", await b.member(), 1, await b.rights(), RULES, world.clock.now())
    assert here.amount == 0, "away from central, another shop cannot spend it"
    a.shop.reachable = True
    assert (await night.run(a.shop)).events == 1
    assert await a.values() == (50_000, 10_000)
    await a.sync()
    await b.sync()
    assert await b.values() == (50_000, 10_000)


async def test_R35_the_days_limit_begins_anew_at_local_midnight(world: World) -> None:
    a, _ = await tills(world, 2, 0)
    await a.top_up(60_000)
    with pytest.raises(Refused, match="TOP_UP_DAY_LIMIT"):
        await a.top_up(1)
    world.clock.move(8 * HOUR_S)  # 17:00 UTC is 01:00 in Shanghai
    await a.top_up(60_000)


async def test_a_card_is_closed_only_with_central(world: World) -> None:
    a, _ = await tills(world, 2, 0)
    a.shop.reachable = True
    await a.top_up(50_000)
    a.shop.reachable = False
    command = CloseCommand("close", "li", CARD, "s-1", "en")
    with pytest.raises(TapledgerError, match="NEEDS_CENTRAL"):
        await close_card(a.shop, command)
    a.shop.reachable = True
    await close_card(a.shop, command)
    assert await a.values() == (0, 0)


async def test_members_are_merged_and_let_go_and_given_points_only_with_central(world: World) -> None:
    a, _ = await tills(world, 2, 100)
    await a.node.join("wu")
    for asked in (
        merge_members(a.shop, "merge", "wu", "li", "s-1"),
        undo_merge(a.shop, "unmerge", "wu", "s-1"),
        change_standing(a.shop, "cancel", "li", "cancel", "s-1"),
        change_standing(a.shop, "restore", "li", "restore", "s-1"),
        grant_points(a.shop, GrantCommand("grant", "li", 5, "goodwill", "s-1")),
    ):
        with pytest.raises(Refused, match="NEEDS_CENTRAL"):
            await asked
    await change_standing(a.shop, "freeze", "li", "freeze", "s-1")
    await change_standing(a.shop, "unfreeze", "li", "unfreeze", "s-1")
    a.shop.reachable = True
    await grant_points(a.shop, GrantCommand("grant", "li", 5, "goodwill", "s-1"))
    await merge_members(a.shop, "merge", "wu", "li", "s-1")
    assert members.points(await a.member(), a.shop.clock.now()).available == 105


async def test_a_shop_that_was_never_enrolled_is_never_away(world: World) -> None:
    from tapledger.store import keyring as keyrings
    from tapledger.store.store import Store

    folder = world.folder / "alone"
    keys = keyrings.make(os.urandom(keyrings.RANDOMNESS))
    keyrings.create(folder, keys)
    store = await Store.open(folder, keys)
    try:
        shop = Shop(store, RULES, Catalogue({}), world.clock, os.urandom, "Alone", "en")
        may = await store.transact(lambda tx: rights_of(tx, shop))
        assert (may.online, may.quota_left_member, may.quota_left_node) == (True, None, None)
        assert await store.transact(lambda tx: stored.unsettled_in_all(tx)) == 0
    finally:
        await store.close()
