"""Freezing, leaving, merging and being forgotten, through the store that the shop runs on."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.errors import NotFound, Refused
from tapledger.loyalty import members as rules
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.loyalty.members import Member
from tapledger.membership import grants, history, merging, night, privacy, standing
from tapledger.membership.grants import GrantCommand
from tapledger.membership.identity import Presented
from tapledger.membership.redemption import fulfil_voucher
from tapledger.membership.sign_in import add_person
from tapledger.membership.tap import greet_member
from tapledger.store import members
from tapledger.store.fresh import PSEUDONYM
from tapledger.store.journal import Broken, verify
from tests.store.shops import Bench, card

DAY_S = 24 * 3600


async def state(bench: Bench, member: str) -> Member:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return stored.member


async def give(bench: Bench, member: str, points: int) -> None:
    await grants.grant_points(bench.shop, GrantCommand(bench.key(), member, points, "test", "s-1"))


async def step(bench: Bench, member: str, what: standing.Step, key: str = "") -> None:
    await standing.change_standing(bench.shop, key or bench.key(), member, what, "s-1")


async def is_whole(bench: Bench) -> bool:
    node = bench.shop.store.keyring.node
    found = await bench.shop.store.transact(lambda tx: list(verify(tx, node)))
    return not any(isinstance(one, Broken) for one in found)


# ---- freezing and leaving --------------------------------------------------------------------------------
async def test_a_frozen_member_earns_and_waits(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await give(bench, member, 100)
    await step(bench, member, "freeze")
    await give(bench, member, 20)
    have = rules.points(await state(bench, member), bench.clock.now())
    assert (have.available, have.pending) == (100, 20)
    await step(bench, member, "unfreeze")
    assert await bench.points(member) == 120


async def test_who_comes_back_in_time_has_everything(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await give(bench, member, 100)
    await step(bench, member, "cancel")
    bench.clock.move(29 * DAY_S)
    assert (await night.run(bench.shop)).lapsed == 0
    await step(bench, member, "restore")
    assert await bench.points(member) == 100
    bench.clock.move(40 * DAY_S)
    assert (await night.run(bench.shop)).lapsed == 0


async def test_what_nobody_came_back_to_lapses_once_with_open_vouchers(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await give(bench, member, 130)
    await bench.redeem(member, "cup")
    await step(bench, member, "cancel")
    bench.clock.move(31 * DAY_S)
    assert (await night.run(bench.shop)).lapsed == 1
    assert (await night.run(bench.shop)).lapsed == 0
    after = await state(bench, member)
    assert (after.lots, after.holds, after.status) == ((), (), "cancelled")
    with pytest.raises(Refused, match="RESTORE_TOO_LATE"):
        await step(bench, member, "restore")


@pytest.mark.parametrize("what", ["unfreeze", "restore"])
async def test_a_refused_step_changes_nothing(bench: Bench, what: standing.Step) -> None:
    member = await bench.join("Ann", card("a"))
    before = bench.tables()
    with pytest.raises(Refused):
        await step(bench, member, what)
    with pytest.raises(NotFound):
        await step(bench, "nobody", what)
    assert bench.tables() == before


async def test_a_step_again_with_the_same_key_is_one_step(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await step(bench, member, "freeze", "k-1")
    before = bench.tables()
    await step(bench, member, "freeze", "k-1")
    assert bench.tables() == before


# ---- merging ---------------------------------------------------------------------------------------------
async def two(bench: Bench) -> tuple[str, str]:
    ann = await bench.join("Ann", card("a"), phone="13800000001")
    bench.clock.move(DAY_S)
    other = await bench.join("Ann", card("b"), phone="13900000002")
    await give(bench, ann, 300)
    await give(bench, other, 40)
    return ann, other


async def test_a_merged_member_is_the_other_one_by_every_credential(bench: Bench) -> None:
    ann, other = await two(bench)
    voucher = (await bench.redeem(ann, "tea")).voucher
    await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    for shown in (card("a"), card("b"), Presented("phone", "13800000001", 0, "typed")):
        assert (await greet_member(bench.shop, shown)).known.member.id == other
    assert await bench.points(ann) == await bench.points(other) == 240
    await fulfil_voucher(bench.shop, "k-2", voucher, "s-1")
    await bench.buy(ann)
    assert await bench.points(other) == 252
    assert (await state(bench, ann)).joined_at < bench.clock.now() - dt.timedelta(hours=23)
    assert await is_whole(bench)


async def test_a_merge_again_with_the_same_key_is_one_merge(bench: Bench) -> None:
    ann, other = await two(bench)
    first = await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    before = bench.tables()
    again = await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    assert (again.event, again.replayed, bench.tables()) == (first.event, True, before)


async def test_a_merge_is_undone_and_each_has_their_own(bench: Bench) -> None:
    ann, other = await two(bench)
    await bench.redeem(ann, "tea")
    await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    await bench.buy(other)
    bench.clock.move(20 * DAY_S)
    await merging.undo_merge(bench.shop, "k-2", ann, "s-1")
    assert (await bench.points(ann), await bench.points(other)) == (200, 52)
    assert len((await state(bench, ann)).holds) == 1 and not (await state(bench, other)).holds
    assert (await greet_member(bench.shop, card("a"))).known.member.id == ann
    assert (await greet_member(bench.shop, card("b"))).known.member.id == other
    await merging.merge_members(bench.shop, "k-3", ann, other, "s-1")
    assert await bench.points(other) == 252
    assert await is_whole(bench)


async def test_merges_that_are_refused_change_nothing(bench: Bench) -> None:
    ann, other = await two(bench)
    await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    third = await bench.join("Bob", card("c"))
    await step(bench, third, "freeze")
    bench.clock.move(31 * DAY_S)
    before = bench.tables()
    for attempt, code in (
        (merging.merge_members(bench.shop, "k-2", ann, other, "s-1"), "MERGE_SAME_MEMBER"),
        (merging.merge_members(bench.shop, "k-3", third, other, "s-1"), "MEMBER_FROZEN"),
        (merging.merge_members(bench.shop, "k-4", "nobody", other, "s-1"), "MEMBER_UNKNOWN"),
        (merging.undo_merge(bench.shop, "k-5", ann, "s-1"), "MERGE_UNDO_TOO_LATE"),
        (merging.undo_merge(bench.shop, "k-6", third, "s-1"), "MERGE_NOT_THERE"),
        (merging.undo_merge(bench.shop, "k-7", "nobody", "s-1"), "MEMBER_UNKNOWN"),
    ):
        with pytest.raises((Refused, NotFound), match=code):
            await attempt
    assert bench.tables() == before


# ---- being forgotten -------------------------------------------------------------------------------------
async def test_an_erased_member_leaves_no_trace_but_the_ledger(bench: Bench) -> None:
    ann, other = await two(bench)
    await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    await privacy.erase_member(bench.shop, "k-2", other, Erase("s-1"))
    noted = [
        name
        for (names,) in bench.rows("SELECT names FROM name_log")
        for name in msgspec.msgpack.decode(names)
    ]
    assert {kind for kind, *_ in noted} == {PSEUDONYM}
    assert bench.rows("SELECT * FROM profile") == bench.rows("SELECT * FROM name") == []
    assert (await state(bench, ann)).status == "erased"
    with pytest.raises(NotFound):
        await greet_member(bench.shop, card("a"))
    again = await bench.join("Ann", card("a"), phone="13800000001")
    assert again not in (ann, other)
    assert await is_whole(bench)


async def test_an_export_holds_everything(bench: Bench) -> None:
    ann, other = await two(bench)
    await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    await bench.buy(other)
    told = await privacy.export_member(bench.shop, ann)
    assert {one["phone"] for one in told["profiles"].values()} == {"13800000001", "13900000002"}
    kinds = [one["event"]["kind"] for one in told["events"]]
    assert kinds == ["sale", "merge_in", "merge_out", "grant", "grant", "join", "join"]
    with pytest.raises(NotFound):
        await privacy.export_member(bench.shop, "nobody")


# ---- points by hand --------------------------------------------------------------------------------------
async def test_r36_one_person_inside_the_limit_above_it_a_second(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    for person in ("s-1", "s-2"):
        await add_person(bench.shop, person, person, "cashier", "1234")

    async def grant(points: int, second: str = "") -> None:
        command = GrantCommand(bench.key(), member, points, "cold soup", "s-1", second)
        await grants.grant_points(bench.shop, command)

    await grant(600)
    await grant(-100)
    before = bench.tables()
    for second in ("", "s-1", "somebody"):
        with pytest.raises(Refused) as caught:
            await grant(301, second)
        assert (caught.value.code, caught.value.data) == (
            "SECOND_PERSON_NEEDED",
            {"limit": 1000, "left": 300},
        )
    with pytest.raises(Refused, match="POINTS_MISSING"):
        await grant(-501, "s-2")
    assert bench.tables() == before
    await grant(300)
    await grant(301, "s-2")
    assert await bench.points(member) == 1101
    bench.clock.move(DAY_S)
    await grant(1000)


async def test_r36_the_only_account_acts_alone_and_it_is_noted(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await add_person(bench.shop, "s-1", "Owner", "owner", "1234")
    recorded = await grants.grant_points(bench.shop, GrantCommand("k", member, 5000, "opening", "s-1"))
    assert recorded.event.body.facts == {"why": "opening", "alone": 1}


# ---- looking back ----------------------------------------------------------------------------------------
async def test_history_is_the_members_and_their_aliases_newest_first(bench: Bench) -> None:
    ann, other = await two(bench)
    await bench.buy(ann)
    await merging.merge_members(bench.shop, "k-1", ann, other, "s-1")
    entries = await history.history(bench.shop, ann)
    assert [(one.kind, one.points) for one in entries] == [
        ("merge_in", 312), ("merge_out", -312), ("sale", 12), ("grant", 40), ("grant", 300),
        ("join", 0), ("join", 0),
    ]  # fmt: skip
    assert len(await history.history(bench.shop, ann, 2)) == 2
