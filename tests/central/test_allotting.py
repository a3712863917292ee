"""Limited stock divided among the computers of a shop: no piece is given out twice, in reach or not."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import HoldSettled, Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.rewards import allotting as rules
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import lottery, redemption, stock
from tapledger.membership.lottery import DrawCommand
from tapledger.membership.shop import Shop
from tapledger.sync.pusher import Pusher
from tapledger.wire.codec import decode_event
from tapledger_central.allotting import Allotting
from tapledger_central.check import check
from tapledger_central.store import allotments, inbox, nodes
from tests.central.commands import config_of, run_beside
from tests.central.stocked import CAR, CUP, allotted, asked, branch, cups, left, program, used
from tests.central.world import World
from tests.sync.test_offline_rights import CARD, Till


async def test_three_tills_that_hear_of_nobody_give_out_no_more_than_there_is(world: World) -> None:
    made = await branch(world, 3)
    held_ = [await allotted(till) for till in made.tills]
    assert all(held_) and sum(held_) <= 10
    given = [await cups(till) for till in made.tills]
    assert given == held_, "each what it holds, and no more while it hears nothing"
    for _ in range(10):
        await made.sync()
        given.append(sum([await cups(till) for till in made.tills]))
        allotted_, used_ = (await made.sums())[CUP]
        assert used_ <= allotted_ <= 10
    assert sum(given) == 10, "and all of it in the end"
    assert await made.differences() == []
    report = await check(world.central.store, world.central.keys, everybody=True)
    assert report.faults == []


async def test_what_one_has_too_much_is_asked_back_and_given_to_whom_lacks_it(world: World) -> None:
    made = await branch(world, 2, program(stock=40))
    one, other = made.tills
    assert [await allotted(till) for till in made.tills] == [20, 20]
    assert await cups(one, 9) == 9
    await made.sync()
    assert [await left(till) for till in made.tills] == [11, 20], "it has more than half of an even part"
    assert await cups(one, 5) == 5
    await made.sync()
    assert [await left(till) for till in made.tills] == [13, 13]
    assert await asked(other) == 0, "it has given back what it was asked for"
    assert await cups(other) == 13
    await made.sync()
    assert sorted([await left(till) for till in made.tills]) == [6, 7]
    assert sum([await cups(till) for till in made.tills]) == 13
    await made.sync()
    assert (await made.sums())[CUP] == (40, 40) and await made.differences() == []


async def test_a_till_that_is_enrolled_later_gets_its_part_of_what_the_first_one_held(world: World) -> None:
    made = await branch(world, 1)
    assert await left(made.tills[0]) == 10, "alone it holds everything, for days without central"
    late = await made.add()
    for _ in range(2):
        await made.sync()
    assert [await left(till) for till in made.tills] == [5, 5]
    assert [await cups(till) for till in (late, made.tills[0])] == [5, 5]


async def test_what_is_asked_back_is_given_back_once_however_often_it_is_heard(world: World) -> None:
    made = await branch(world, 1)
    first = made.tills[0]
    await made.add()
    await made.stock.share_out()
    await first.node.pull()
    assert [await stock.give_back(first.shop) for _ in range(3)] == [True, False, False]
    assert await left(first) == 5
    await first.node.store.start_over()
    await first.node.pull()
    assert not await stock.give_back(first.shop), "the same is heard again before central knows"
    for _ in range(2):
        await first.node.store.rewind(1, 0)
        await made.sync()
    assert await left(first) == 5 and (await made.sums())[CUP] == (10, 0)


async def test_a_smaller_stock_is_asked_back_of_those_who_hold_more(world: World) -> None:
    made = await branch(world, 2, program(stock=10))
    await cups(made.tills[0], 1)
    await made.tell(program(stock=5, version="2"))
    await made.sync()
    assert [await left(till) for till in made.tills] == [2, 2]
    assert [await cups(till) for till in made.tills] == [2, 2]
    await made.sync()
    assert (await made.sums())[CUP] == (5, 5) and await made.differences() == []


async def test_prizes_of_a_lottery_are_divided_too(world: World) -> None:
    made = await branch(world, 2)
    given = []
    for till in made.tills:
        published = await lottery.publish(till.shop, "wheel")
        assert published.left == (await allotted(till, CAR), None)
        for number in range(4):
            commit = published.commit
            command = DrawCommand(f"draw-{number}", "li", CARD, "wheel", "word", commit, "en")
            given.append((await lottery.draw(till.shop, command)).given)
    assert given == [0, 0, 1, 1] * 2, "two cars each, and the fallback when they are out"
    await made.sync()
    assert (await made.sums())[CAR] == (4, 4) and await made.differences() == []


async def test_a_till_that_was_told_of_no_share_gives_out_nothing_but_by_its_own_rules(world: World) -> None:
    made = await branch(world, 1)
    late = await made.add()
    await late.sync()
    assert await cups(late) == 0, "the rules are central's, and nobody said what is its part"
    await made.sync()
    assert await cups(late) == 5
    alone = await world.shop("alone")
    await world.central.store.transact(
        lambda tx: tx.connection.exec_driver_sql("DELETE FROM feed WHERE kind = 'program'")
    )
    await alone.pull()
    shop = Shop(alone.store, program(), Catalogue({}), alone.clock, os.urandom, "Alone", "en")
    assert await cups(Till(alone, shop)) == 10, "no programme of central's: it counts by itself"


async def test_a_voucher_that_is_taken_back_is_in_stock_again_where_it_was_issued(world: World) -> None:
    made = await branch(world, 2)
    one = made.tills[0]
    before = await allotted(one)
    assert await cups(one) == before
    (held_,) = {hold.id for hold in (await one.member()).holds[-1:]}
    await redemption.undo_reward(one.shop, "undo", "li", held_)
    assert await used(one) == before - 1
    assert await cups(one) == 1
    await made.sync()
    for till in made.tills:
        counted = await world.central.store.transact(lambda tx: allotments.used(tx, "North"))
        assert counted.get((till.node.keyring.node, CUP), 0) == await used(till), "central counts as it does"


async def test_a_batch_that_comes_again_and_a_central_that_starts_again_count_once(world: World) -> None:
    made = await branch(world, 2)
    one = made.tills[0]
    assert await cups(one, 2) == 2
    for _ in range(3):
        await one.node.store.rewind(1, 0)
        while await Pusher(one.node.store, one.node.keyring).once(one.node.client):
            pass
        assert await world.central.caught_up()
        await made.stock.share_out()
    before = await made.sums()
    assert before[CUP][1] == 2
    central = world.central
    again = Allotting(central.store, central.keys, world.clock, os.urandom)
    assert await again.share_out() == 0, "nothing is new"
    assert await made.sums() == before


async def test_a_lost_till_holds_its_part_until_somebody_writes_it_off(world: World) -> None:
    made = await branch(world, 2)
    lost, other = made.tills
    part = await allotted(lost)
    assert part == 5 and await cups(lost, 1) == 1, "unheard"
    for _ in range(8):
        await made.sync(other)
        await cups(other)
    assert await used(other) == 10 - part
    node, config = lost.node.keyring.node, config_of(world)
    code, said = await run_beside(config, "write-off-stock", node, "--operator", "Ann")
    assert (code, said["code"]) == (2, "NODE_ACTIVE")
    code, said = await run_beside(config, "write-off-stock", "nobody", "--operator", "Ann")
    assert (code, said["code"]) == (2, "NODE_UNKNOWN")
    assert (await run_beside(config, "revoke", node))[0] == 0
    code, said = await run_beside(config, "stock")
    assert {(one["node"], one["allotted"], one["used"]) for one in said["stock"] if one["key"] == CUP} == {
        (node, 5, 0),
        (other.node.keyring.node, 5, 5),
    }
    code, said = await run_beside(config, "write-off-stock", node, "--operator", "Ann")
    assert (code, said) == (0, {"node": node, "given_back": {CUP: 5, CAR: 2}})
    assert (await run_beside(config, "write-off-stock", node, "--operator", "Ann"))[1]["given_back"] == {}
    for _ in range(4):
        await made.sync(other)
        await cups(other)
    assert await used(other) == 10
    assert ("STOCK_WRITTEN_OFF", f"{CUP} 5") in await made.differences()
    booked = await _central_events(world)
    assert [(one.kind, one.staff, one.facts[CUP]) for one in booked] == [("stock_write_off", "Ann", 5)]
    report = await check(world.central.store, world.central.keys, everybody=True)
    assert report.faults == []


async def _central_events(world: World) -> list[Any]:
    def work(tx: Any) -> list[Any]:
        known = {one.node for one in nodes.everyone(tx)}
        (chain,) = [head for head in inbox.all_heads(tx) if head[0] not in known]
        return [decode_event(one.raw).body for one in inbox.events(tx, chain[0], 1, 0, 100)]

    return await world.central.store.transact(work)


async def test_what_was_given_out_before_there_were_parts_counts_and_what_is_too_much_is_listed(
    world: World,
) -> None:
    """Stores of the release before: three tills that each counted for themselves."""
    made = await branch(world, 3, program(stock=None))
    assert [await cups(till, 4) for till in made.tills] == [4, 4, 4]
    await made.tell(program(stock=10, version="2"))
    assert [await cups(till) for till in made.tills] == [0, 0, 0]
    await made.sync()
    assert (await made.sums())[CUP] == (12, 12), "never below what was used"
    assert await made.differences() == [("STOCK_OVERUSED", f"{CUP} 1"), ("STOCK_OVERUSED", f"{CUP} 2")]
    assert [await cups(till) for till in made.tills] == [0, 0, 0]
    await made.tell(program(stock=20, version="3"))
    for _ in range(8):
        await made.sync()
        for till in made.tills:
            await cups(till)
    assert (await made.sums())[CUP] == (20, 20), "there is more now, and that is divided"


async def test_what_no_store_can_keep_counts_for_nothing_and_holds_up_nobody(world: World) -> None:
    made = await branch(world, 2)
    one, other = made.tills
    now = world.clock.now()
    facts: dict[str, int | str] = {CUP: -3, "reward/\0": 5, CAR: "many", "reward/x": 2**62, "coupon/x": 1}
    await one.node.record(Decision(EventBody(kind=claiming.BACK, at=now, program="1", facts=facts), None))
    effects = (Tallied("reward/\0", 1, 1), Tallied(f"reward/{'x' * 400}", 1, 1), HoldSettled("\0", True))
    state = await one.member()
    body = EventBody(kind="use", at=now, program="1", member=state.id, effects=effects)
    await one.node.record(Decision(body, state))
    assert [await cups(till, 2) for till in (one, other)] == [2, 2]
    before = (await made.sums())[CAR]
    await made.sync()
    assert (await made.sums()) == {CUP: (10, 4), CAR: before}
    assert await made.differences() == []


async def test_a_central_that_gives_one_piece_to_two_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: each till is given all that there is."""

    def all_to_each(stock: int, slices: Any, active: Any) -> dict[str, rules.Slice]:
        return {node: rules.Slice(stock, slices[node].used if node in slices else 0) for node in active}

    monkeypatch.setattr(rules, "divide", all_to_each)
    made = await branch(world, 2)
    assert [await cups(till) for till in made.tills] == [10, 10]
    assert (await made.sums())[CUP][0] == 20
    await made.sync()
    listed = await made.differences()
    assert len(listed) == 10 and ("STOCK_OVERUSED", f"{CUP} 10") in listed


async def test_a_till_that_gives_back_what_it_goes_on_using_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin at the other end: it forgets what it has given back."""
    monkeypatch.setattr(claiming, "RETURNED", "forgotten/")
    made = await branch(world, 1)
    await made.add()
    await made.sync()
    assert [await cups(till) for till in made.tills] == [10, 5]
    await made.sync()
    assert ("STOCK_OVERUSED", f"{CUP} 5") in await made.differences()


async def test_a_till_that_goes_to_another_shop_leaves_its_part_behind(world: World) -> None:
    made = await branch(world, 2)
    moved, other = made.tills
    await cups(moved, 1)
    await made.sync()
    node = moved.node.keyring.node
    await world.central.store.transact(lambda tx: nodes.move(tx, node, "South", "till-0"))
    for _ in range(8):
        await made.sync()
        await cups(other)
    assert await used(other) == 10 - 5, "what it holds of the old shop's it may have given out"
    assert await left(moved) == 9, "and it has the new shop's, where it is alone, but for what it used before"
