"""Leases between real shops and a real central: bound 0 online, escrow away, nothing back by a timer."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections import defaultdict
from dataclasses import dataclass

import msgspec
import pytest

from tapledger.errors import Conflict, NotFound, Refused, Unavailable
from tapledger.loyalty import escrow, leases, members
from tapledger.loyalty.effects import POINTS, PRINCIPAL
from tapledger.loyalty.ledger import POINT
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.membership import permits
from tapledger.membership.grants import GrantCommand, grant_points
from tapledger.membership.merging import merge_members
from tapledger.wire.asking import LeaseAnswer, LeaseAsked
from tapledger.wire.codec import decode_event
from tapledger.wire.news import DifferenceNews, ExposureNews, ProgramNews
from tapledger_central import leases as room
from tapledger_central import outstanding, telling
from tapledger_central.apply import refold
from tapledger_central.check import check
from tapledger_central.leases import Leases
from tapledger_central.store import Transaction, inbox, news, nodes
from tapledger_central.store import members as central_members
from tests.central.world import HandClock, World
from tests.sync.test_offline_rights import DAY_S, RULES, Till, tills

QUOTALESS: Program = msgspec.structs.replace(RULES, unsettled_points=0)


@dataclass
class Line:
    """A till's way to ask: push, ask, take the row."""

    world: World
    till: Till
    leases: Leases

    async def answer(self, member: str, pool: str, amount: int, id_: str = "") -> LeaseAnswer:
        await self.till.node.push()
        assert await self.world.central.caught_up()
        asked = LeaseAsked(id=id_ or os.urandom(8).hex(), member=member, pool=pool, amount=amount)  # type: ignore[arg-type]
        key = self.till.shop.store.keyring.node
        node = await self.world.central.store.transact(lambda tx: nodes.find(tx, key))
        assert node is not None
        return await self.leases.ask(node, asked)

    async def ask(self, member: str, pool: str, amount: int) -> None:
        answer = await self.answer(member, pool, amount)
        await self.till.shop.store.heard(answer.hlc)
        if answer.row is not None:
            await self.till.shop.store.apply_row(answer.row)
        if not answer.granted:
            raise Refused(
                "POINTS_RESERVED",
                available=answer.available,
                reserved=answer.reserved,
                shop=", ".join(answer.reserved_at),
            )


@dataclass
class Chain:
    world: World
    tills: list[Till]
    leases: Leases

    async def sync(self) -> None:
        for _ in range(2):
            for till in self.tills:
                await till.sync()

    async def central(self, member: str = "li") -> Member:
        assert await self.world.central.caught_up()
        found = await self.world.central.store.transact(lambda tx: central_members.load(tx, member))
        assert found is not None
        return found.state

    async def check(self, member: str = "li") -> None:
        """Free, leased and spent are earned: by the lines of every event as by the state, folded again."""
        state, sums = await self.central(member), await self.sums(member)
        free = sum(lot.remaining for lot in state.lots if lot.pool == POINTS) - state.deficit
        assert sums["points"] == free
        assert sums["leased"] == escrow.everything(state.leases, POINTS)
        again = await self.world.central.store.transact(lambda tx: refold(tx, member))
        assert again is not None and again.state == state

    async def sums(self, member: str) -> dict[str, int]:
        """Return what was posted on a member's accounts of points, by the last part of their names."""

        def posted(tx: Transaction) -> dict[str, int]:
            sums: defaultdict[str, int] = defaultdict(int)
            for event in inbox.of_members(tx, [member])[member]:
                for line in decode_event(event.raw).body.lines:
                    if line.unit == POINT:
                        sums[line.account.removeprefix(f"member/{member}/").partition("/")[0]] += line.amount
            return sums

        return await self.world.central.store.transact(posted)


async def chain(world: World, count: int, points: int, program: Program = QUOTALESS) -> Chain:
    made = await tills(world, count, points, program)
    rooms = Leases(world.central.store, world.central.keys, world.clock, os.urandom, world.central.watch.tell)
    for till in made:
        till.shop.permits = Line(world, till, rooms)
        till.shop.reachable = True
    return Chain(world, made, rooms)


def away(till: Till) -> None:
    till.shop.reachable = False


async def tell_program(chain: Chain, **offline: int) -> None:
    table = msgspec.to_builtins(QUOTALESS)
    table["offline"] = offline
    told = ProgramNews(version="1", content=msgspec.json.encode(table, order="sorted"), text="")
    now = chain.world.clock.now()
    await chain.world.central.store.transact(lambda tx: telling.program(tx, told, now))


# ---- online -----------------------------------------------------------------------------------------------
async def test_two_shops_online_never_spend_the_same_points(world: World) -> None:
    """The bound is 0: with no quota at all, whatever is spent was set aside before."""
    made = await chain(world, 2, 600)
    done = await asyncio.gather(*(till.redeem("r500") for till in made.tills), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "Refused"]
    await made.sync()
    assert (await made.central()).deficit == 0
    have = members.points(await made.central(), world.clock.now())
    assert (have.available, have.held, have.leased) == (100, 500, 0)
    await made.check()


async def test_a_shop_deaf_to_centrals_clock_would_draw_before_the_grant(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: without the answer's clock the drawing is folded first and finds no lease."""
    made = await chain(world, 1, 600)
    (till,) = made.tills
    ahead = HandClock(world.clock.now() + dt.timedelta(seconds=30))
    till.shop.permits = Line(world, till, Leases(world.central.store, world.central.keys, ahead, os.urandom))

    async def deaf(hlc: int) -> None:
        return None

    monkeypatch.setattr(till.shop.store, "heard", deaf)
    await till.redeem("r500")
    await till.node.push()
    assert (await made.central()).leases != ()
    assert (await made.central()).deficit == 400, "100 were free beside the lease of 500"


async def test_an_id_is_one_lease_for_ever(world: World) -> None:
    made = await chain(world, 2, 600)
    first, other = (Line(world, till, made.leases) for till in made.tills)
    one = await first.answer("li", POINTS, 200, "once")
    again = await first.answer("li", POINTS, 200, "once")
    assert (one.granted, again.granted, one.available, again.available) == (200, 200, 400, 400)
    for line, amount in ((first, 201), (other, 200)):
        with pytest.raises(Conflict, match="IDEMPOTENCY_MISMATCH"):
            await line.answer("li", POINTS, amount, "once")
    await made.tills[0].sync()
    world.clock.move(73 * 3600)
    assert await permits.close_due(made.tills[0].shop) == 1
    await made.tills[0].sync()
    assert (await first.answer("li", POINTS, 200, "once")).available == 600
    await made.check()
    with pytest.raises(NotFound, match="MEMBER_UNKNOWN"):
        await first.answer("nobody", POINTS, 1)


async def test_a_node_that_asks_without_end_is_told_to_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await chain(world, 1, 600)
    monkeypatch.setattr(room, "MAX_A_MINUTE", 2)
    line = Line(world, made.tills[0], made.leases)
    for _ in range(2):
        await line.answer("li", POINTS, 1)
    with pytest.raises(Unavailable, match="LEASES_ASKED_TOO_OFTEN"):
        await line.answer("li", POINTS, 1)
    world.clock.move(61)
    assert (await line.answer("li", POINTS, 1)).granted == 1


async def test_what_another_shop_holds_is_recalled_and_can_be_spent_once_it_is_closed(world: World) -> None:
    made = await chain(world, 2, 600)
    here, there = made.tills
    assert there.shop.permits is not None
    await there.shop.permits.ask("li", POINTS, 300)
    with pytest.raises(Refused) as error:
        await here.redeem("r500")
    assert error.value.data == {"available": 300, "reserved": 300, "shop": "shop-1"}
    await there.sync()
    assert (await there.rights()).leased_points == 0, "recalled: no more of it is spent"
    assert await permits.close_due(there.shop) == 1
    await there.sync()
    await here.redeem("r500")
    await made.sync()
    assert (await made.central()).leases == ()
    await made.check()


# ---- away -------------------------------------------------------------------------------------------------
async def test_a_share_for_whom_a_shop_sees_costs_nothing_and_is_filled_up_again(world: World) -> None:
    made = await chain(world, 2, 1000)
    here, there = made.tills
    await tell_program(made, lease_share_pct=20, lease_cap_points=150)
    assert await made.leases.share_out() == 1
    assert await made.leases.share_out() == 0, "only what is new is looked at"
    await made.sync()
    away(here)
    await here.redeem("r100")
    assert (await here.rights()).leased_points == 50
    assert await here.refused("r100") == "UNSETTLED_LIMIT"
    await there.redeem("r500")
    await there.sync()
    have = members.points(await made.central(), world.clock.now())
    assert (have.available, have.leased, have.shown) == (350, 150, 500)
    await made.sync()
    assert (await made.central()).deficit == 0
    count = await made.leases.share_out()
    assert count == 1, "each shop's share is 80 of 400 now; one has 50"
    await made.check()


async def test_nothing_is_shared_out_where_the_programme_says_so_or_there_is_none(world: World) -> None:
    made = await chain(world, 1, 1000)
    assert await made.leases.share_out() == 0
    await tell_program(made, lease_share_pct=0)
    await made.tills[0].node.sale("li", 1000)
    await made.tills[0].sync()
    assert await made.central()
    assert await made.leases.share_out() == 0
    assert (await made.central()).leases == ()


async def test_a_lost_devices_lease_is_written_off_and_its_loss_is_listed_and_bounded(world: World) -> None:
    made = await chain(world, 2, 600)
    lost, other = made.tills
    assert lost.shop.permits is not None
    await lost.shop.permits.ask("li", POINTS, 200)
    away(lost)
    await lost.redeem("r100")
    world.clock.move(40 * DAY_S)
    (lease,) = (await made.central()).leases
    assert lease.taken and members.points(await made.central(), world.clock.now()).leased == 200
    assert [(one.lease, one.rest) for one in await outstanding.find(world.central.store)] == [(lease.id, 200)]
    assert await made.leases.write_off(lease.id, "the owner") == 200
    assert await outstanding.find(world.central.store) == []
    with pytest.raises(NotFound, match="LEASE_UNKNOWN"):
        await made.leases.write_off(lease.id, "the owner")
    with pytest.raises(NotFound, match="LEASE_UNKNOWN"):
        await made.leases.recall("no such lease")
    told = await _told(made, "difference", f"{lost.shop.store.keyring.node}")
    found = msgspec.msgpack.decode(told, type=DifferenceNews)
    assert (found.code, found.member, found.detail) == (room.WRITTEN_OFF, "li", f"{lease.id} points 200")
    await other.sync()
    for reward in ("r500", "r100"):
        await other.redeem(reward)
    for till in (other, lost):
        await till.sync()
    state, sums = await made.central(), await made.sums("li")
    assert state.deficit == 100 <= 200, "what it had spent, unheard"
    assert sums["leased"] == -100, "the loss is what a leased account is below zero"
    assert sums["points"] + sums["leased"] == -state.deficit
    report = await check(world.central.store, world.central.keys, everybody=True)
    assert report.faults == []


async def _told(made: Chain, kind: str, prefix: str) -> bytes:
    from tapledger_central.store import news

    def work(tx: Transaction) -> bytes:
        (body,) = (
            item.body
            for _, item in news.page(tx, "all", prefix, 0, 1000, 10**6, kind)[0]
            if item.key.startswith(prefix)
        )
        return body

    return await made.world.central.store.transact(work)


async def test_X4_a_lease_of_one_merged_while_its_holder_was_away(world: World) -> None:
    made = await chain(world, 2, 600)
    holder, merger = made.tills
    await merger.node.join("wu")
    await made.sync()
    assert holder.shop.permits is not None
    await holder.shop.permits.ask("li", POINTS, 200)
    await merger.sync()
    away(holder)
    await holder.redeem("r100")
    await merge_members(merger.shop, "merge", "li", "wu", "s-1")
    await merger.sync()
    assert members.points(await made.central("wu"), world.clock.now()).shown == 600
    await holder.redeem("r100")
    await made.sync()
    assert (await made.central("wu")).deficit == (await made.central("li")).deficit == 0
    assert members.points(await made.central("wu"), world.clock.now()).shown == 400
    world.clock.move(73 * 3600)
    assert await permits.close_due(holder.shop) == 0, "nothing is left of it"
    await made.sync()
    state = await made.central("wu")
    for till in made.tills:
        assert await till.node.member("wu") == state


async def test_value_is_leased_in_the_currency_of_the_members_own_money(world: World) -> None:
    made = await chain(world, 2, 0)
    here, there = made.tills
    await here.top_up(50_000)
    assert here.shop.permits is not None
    await here.shop.permits.ask("li", PRINCIPAL, 20_000)
    await there.sync()
    assert (await there.values())[0] == 30_000
    answer = await Line(world, there, made.leases).answer("li", PRINCIPAL, 30_001)
    assert (answer.granted, answer.available, answer.reserved) == (0, 30_000, 20_000)
    assert answer.reserved_at == ["shop-0"]
    state = await made.central()
    filed = await world.central.store.transact(lambda tx: inbox.of_members(tx, ["li"])["li"])
    units = {line.unit for one in filed for line in decode_event(one.raw).body.lines}
    assert units == {"CNY"}
    assert members.shown_value(state, PRINCIPAL, world.clock.now()) == 50_000


# ---- what it can cost -------------------------------------------------------------------------------------
async def test_the_worst_case_is_told_when_it_changes(world: World) -> None:
    made = await chain(world, 3, 600)
    await tell_program(made, node_points=700)
    now = await made.leases.exposure()
    assert (now.points, now.nodes_offline, now.nodes) == (0, 0, 3)
    assert await made.leases.tell_exposure()
    assert not await made.leases.tell_exposure()
    world.clock.move(121)
    for till in made.tills[1:]:
        await till.sync()
    assert await made.leases.tell_exposure()
    body = await world.central.store.transact(lambda tx: news.told(tx, "all", "exposure", "now"))
    assert body is not None
    told = msgspec.msgpack.decode(body, type=ExposureNews)
    assert (told.points, told.nodes_offline, told.nodes) == (700, 1, 3)


async def test_a_grant_at_the_counter_needs_no_lease(world: World) -> None:
    made = await chain(world, 1, 600)
    await grant_points(made.tills[0].shop, GrantCommand("grant", "li", 5, "goodwill", "s-1"))
    assert leases.MAX_LEASES > 1
    assert (await made.tills[0].member()).leases == ()
