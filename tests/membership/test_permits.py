"""Spending by leases: asked for while central answers, spent first, given back when they are over."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
import pytest

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty import leases, members
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, LeaseDrawn
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.program.values import StoredValue, TopUpRow
from tapledger.loyalty.sales.selling import Wants
from tapledger.membership import exposure, merging, night, permits, tap
from tapledger.membership.exchange import ExchangeCommand, exchange
from tapledger.membership.exposure import Risk
from tapledger.membership.redemption import undo_reward
from tapledger.membership.rights import rights_of
from tapledger.membership.sale import record_sale
from tapledger.membership.stored_value import CloseCommand, TopUpCommand, close_card, top_up
from tapledger.store import news
from tapledger.store.journal import Recorded
from tapledger.wire.messages import FeedRow
from tapledger.wire.news import ExposureNews
from tests.membership.counter import back, new_sale
from tests.membership.leasing import HOUR_S, Leasing, Office, have, rich, state_of
from tests.store.shops import EARPHONES, Bench, card


def drawn(recorded: Recorded) -> int:
    return sum(
        take.amount
        for effect in recorded.event.body.effects
        if isinstance(effect, LeaseDrawn)
        for take in effect.takes
    )


# ---- while central answers --------------------------------------------------------------------------------
async def test_what_is_spent_online_was_leased_before_and_no_quota_counts_it(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    for number in range(1, 6):
        done = await bench.redeem(member)
        assert (drawn(done.recorded), (await state_of(bench.shop, member)).unsettled_points) == (100, 0)
        assert office.asked == [(POINTS, 100)] * number
    assert (await have(bench.shop, member)).available == 98
    with pytest.raises(Refused, match="POINTS_MISSING"):
        await bench.redeem(member)
    assert len(office.asked) == 5, "what is not there is not asked for"


async def test_a_command_that_comes_again_asks_nobody(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    first = await bench.redeem(member, key="once")
    again = await bench.redeem(member, key="once")
    assert again.recorded.replayed and again.voucher == first.voucher
    assert len(office.asked) == 1


async def test_central_that_knows_better_refuses_with_what_is_free_and_where_the_rest_is(
    leasing: Leasing,
) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 520, node="Shop North")
    shown = await tap.greet_again(bench.shop, member, card("a"))
    assert (shown.summary.points.shown, shown.summary.points.available) == (598, 78)
    before = bench.tables()
    with pytest.raises(Refused) as error:
        await bench.redeem(member)
    assert error.value.code == "POINTS_RESERVED"
    assert error.value.data == {"available": 78, "reserved": 520, "shop": "Shop North"}
    assert bench.tables() == before


async def test_central_that_answers_too_late_leaves_the_quota_and_is_not_asked_again_at_once(
    leasing: Leasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    monkeypatch.setattr(permits, "ASK_DEADLINE_S", 0.001)

    async def never(member: str, pool: str, amount: int) -> None:
        office.asked.append((pool, amount))
        await asyncio.Event().wait()

    monkeypatch.setattr(office, "ask", never)
    done = await bench.redeem(member)
    assert (drawn(done.recorded), (await state_of(bench.shop, member)).unsettled_points) == (0, 100)
    with pytest.raises(Refused, match="UNSETTLED_LIMIT"):
        await bench.redeem(member)
    assert len(office.asked) == 1
    bench.clock.move(permits.SILENT_S)
    with pytest.raises(Refused, match="UNSETTLED_LIMIT"):
        await bench.redeem(member)
    assert len(office.asked) == 2


async def test_a_shop_without_a_central_asks_nobody_and_has_no_leases(bench: Bench) -> None:
    member = await bench.join("Lin", card("a"))
    await bench.buy(member, EARPHONES, 2)
    assert bench.shop.permits is None
    assert drawn((await bench.redeem(member)).recorded) == 0


async def test_a_sale_that_spends_nothing_looks_at_no_lease(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    said = await bench.listen()
    await bench.buy(member)
    assert office.asked == []
    assert not any("lease" in one or "feed_at" in one for one in said if one.startswith("SELECT"))


# ---- points and stored value at the till ------------------------------------------------------------------
def with_money(bench: Bench) -> None:
    bench.shop.program = msgspec.structs.replace(
        bench.shop.program,
        points_as_cash=PointsAsCash(1, 1),
        stored_value=StoredValue(
            top_up=[TopUpRow(10_000, 2_000)], offline_top_up_per_day_minor=100_000, spend_order="proportional"
        ),
    )


async def put_in(bench: Bench, office: Office, member: str, minor: int) -> None:
    tenders = (Tender("cash", minor),)
    await top_up(bench.shop, TopUpCommand(bench.key(), member, card("a"), minor, tenders, "s-1", "en"))
    await office.hear()


async def test_points_and_both_pools_of_value_pay_a_sale_from_leases(leasing: Leasing) -> None:
    bench, office = leasing
    with_money(bench)
    member = await rich(bench, office)
    await put_in(bench, office, member, 10_000)
    command = new_sale(bench, member, 2000, 0)
    command = dataclasses.replace(command, wants=Wants(points=500), tenders=(Tender("value", 1500),))
    done = await record_sale(bench.shop, command)
    assert office.asked == [(POINTS, 500), (PRINCIPAL, 1250), (BONUS, 250)]
    assert drawn(done) == 2000
    after = (await state_of(bench.shop, member)).member
    now = bench.clock.now()
    assert (members.value(after, PRINCIPAL, now), members.value(after, BONUS, now)) == (8750, 1750)
    assert after.leases == ()
    assert sum(line.amount for line in done.event.body.lines if "/leased/" in line.account) == 1500 - 500


async def test_stored_value_that_no_lease_pays_is_not_spent(
    leasing: Leasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if somebody else had spent the lease between the question and the sale."""
    bench, office = leasing
    with_money(bench)
    member = await rich(bench, office)
    await put_in(bench, office, member, 10_000)

    async def nothing(member: str, pool: str, amount: int) -> None:
        return None

    monkeypatch.setattr(office, "ask", nothing)
    command = dataclasses.replace(new_sale(bench, member, 1000, 0), tenders=(Tender("value", 1000),))
    with pytest.raises(Refused, match="VALUE_NOT_HERE"):
        await record_sale(bench.shop, command)


async def test_away_only_leased_principal_pays_and_the_bonus_waits(leasing: Leasing) -> None:
    bench, office = leasing
    with_money(bench)
    member = await rich(bench, office)
    await put_in(bench, office, member, 10_000)
    await office.grant(member, PRINCIPAL, 600)
    bench.shop.reachable = False
    for value, works in ((601, False), (600, True), (1, False)):
        command = dataclasses.replace(new_sale(bench, member, value, 0), tenders=(Tender("value", value),))
        if works:
            assert drawn(await record_sale(bench.shop, command)) == 600
        else:
            with pytest.raises(Refused, match="VALUE_NOT_HERE"):
                await record_sale(bench.shop, command)


async def test_a_closed_lease_is_no_principal_of_this_shops_own(leasing: Leasing) -> None:
    bench, office = leasing
    with_money(bench)
    member = await rich(bench, office)
    await put_in(bench, office, member, 10_000)
    await office.grant(member, PRINCIPAL, 600)
    bench.shop.reachable = False
    await office.recall(member)
    assert await permits.close_due(bench.shop) == 1
    may = await bench.shop.store.transact(lambda tx: rights_of(tx, bench.shop, member))
    assert (may.leased_principal_minor, may.own_principal_minor) == (0, 0)


async def test_a_card_is_closed_when_all_that_is_stored_is_in_this_shops_hand(leasing: Leasing) -> None:
    bench, office = leasing
    with_money(bench)
    member = await rich(bench, office)
    await put_in(bench, office, member, 10_000)
    await office.grant(member, PRINCIPAL, 400, node="Shop North")
    command = CloseCommand("close", member, card("a"), "s-1", "en")
    with pytest.raises(Refused, match="VALUE_RESERVED"):
        await close_card(bench.shop, command)
    there = (await state_of(bench.shop, member)).member
    now, rules = bench.clock.now(), bench.shop.program
    await office.tell(member, lambda who: leases.decide_close(who, there.leases[0], rules, now))
    done = await close_card(bench.shop, command)
    after = (await state_of(bench.shop, member)).member
    assert (after.leases, members.shown_value(after, PRINCIPAL, bench.clock.now())) == ((), 0)
    assert done.event.body.facts["paid_minor"] == 10_000


async def test_an_exchange_pays_with_points_on_lease(leasing: Leasing) -> None:
    bench, office = leasing
    with_money(bench)
    member = await rich(bench, office)
    sold = await bench.buy(member, EARPHONES)
    await office.hear()
    new = dataclasses.replace(new_sale(bench, member, 30_200, 0), wants=Wants(points=300))
    done = await exchange(bench.shop, ExchangeCommand(back(bench, sold.event.body.sale.id, (0, 1000)), new))  # type: ignore[union-attr]
    assert drawn(done.sold) == 300
    after = (await state_of(bench.shop, member)).member
    assert after.leases == () and after.deficit == 0
    # 897 - 299 returned - 300 paid + 299 earned by 299.00
    assert members.points(after, bench.clock.now()).available == 897 - 299 - 300 + 299


# ---- away -------------------------------------------------------------------------------------------------
async def test_a_lease_pays_first_then_the_quota_and_then_nothing(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 150)
    bench.shop.reachable = False
    assert [drawn((await bench.redeem(member)).recorded) for _ in range(2)] == [100, 50]
    assert (await state_of(bench.shop, member)).unsettled_points == 50
    with pytest.raises(Refused, match="UNSETTLED_LIMIT"):
        await bench.redeem(member)
    assert office.asked == []


async def test_R7_after_a_day_the_lease_alone_pays_and_after_its_end_nothing(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 250)
    bench.shop.reachable = False
    bench.clock.move(25 * HOUR_S)
    assert drawn((await bench.redeem(member)).recorded) == 100
    bench.clock.move(46 * HOUR_S)
    assert drawn((await bench.redeem(member)).recorded) == 100
    with pytest.raises(Refused, match="LEASE_LIMIT"):
        await bench.redeem(member)
    bench.clock.move(HOUR_S)
    may = await bench.shop.store.transact(lambda tx: rights_of(tx, bench.shop, member))
    assert may.leased_points == 0
    assert (await have(bench.shop, member)).leased == 50, "it stays taken until it is closed"


async def test_a_reward_undone_fills_the_quota_no_further_than_it_was(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 100)
    bench.shop.reachable = False
    bench.clock.move(600)
    leased, by_quota = await bench.redeem(member), await bench.redeem(member)
    assert (await state_of(bench.shop, member)).unsettled_points == 100
    holds = (await state_of(bench.shop, member)).member.holds
    await bench.shop.store.transact(lambda tx: tx.exec_driver_sql("UPDATE print_job SET state = 'expired'"))
    assert drawn(leased.recorded) == 100 and drawn(by_quota.recorded) == 0
    await undo_reward(bench.shop, "undo-quota", member, holds[1].id)
    assert (await state_of(bench.shop, member)).unsettled_points == 0
    await bench.redeem(member)
    await undo_reward(bench.shop, "undo-lease", member, holds[0].id)
    assert (await state_of(bench.shop, member)).unsettled_points == 100
    assert (await have(bench.shop, member)).available == 498


async def test_what_central_has_confirmed_and_comes_back_later_fills_no_quota(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    bench.shop.reachable = False
    await bench.redeem(member)
    confirmed = (await state_of(bench.shop, member)).member.holds[0]
    await office.hear()
    await bench.redeem(member)
    await bench.shop.store.transact(lambda tx: tx.exec_driver_sql("UPDATE print_job SET state = 'expired'"))
    await undo_reward(bench.shop, "undo", member, confirmed.id)
    assert (await state_of(bench.shop, member)).unsettled_points == 100


# ---- giving back ------------------------------------------------------------------------------------------
async def test_a_lease_is_closed_when_it_is_over_or_recalled_and_not_before(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 100)
    bench.clock.move(71 * HOUR_S)
    assert await permits.close_due(bench.shop) == 0
    bench.clock.move(HOUR_S)
    bench.shop.reachable = False
    assert await permits.close_due(bench.shop) == 1
    assert (await have(bench.shop, member)).available == 598
    assert await permits.close_due(bench.shop) == 0
    await office.grant(member, POINTS, 70)
    await office.recall(member)
    with pytest.raises(Refused, match="LEASE_LIMIT"):
        bench.shop.program = msgspec.structs.replace(bench.shop.program, unsettled_points=0)
        await bench.redeem(member)
    assert await permits.close_due(bench.shop) == 1
    closed = bench.rows("SELECT count(*) FROM event WHERE kind = 'lease_close'")
    assert closed == [(2,)]
    assert bench.rows("SELECT * FROM lease") == []


async def test_X4_a_lease_of_one_who_was_merged_is_closed_in_their_name(leasing: Leasing) -> None:
    bench, office = leasing
    old = await rich(bench, office)
    into = await bench.join("Wu", card("b"))
    await office.grant(old, POINTS, 200)
    await merging.merge_members(bench.shop, "merge", old, into, "s-1")
    assert (await have(bench.shop, into)).available == 398

    def fed(tx: object) -> None:
        """Central's answer: the alias keeps the lease, the heir shows it."""
        from tapledger.loyalty.life.merging import with_late
        from tapledger.store import members as stored

        gone, heir = stored.load_alias(tx, old), stored.load_alias(tx, into)  # type: ignore[arg-type]
        assert gone is not None and heir is not None
        for state in (gone.member, with_late(heir.member, gone.member)):
            office._heard(tx, state)  # type: ignore[arg-type]

    await bench.shop.store.transact(fed)
    assert (await have(bench.shop, into)).shown == 598
    assert await permits.close_due(bench.shop) == 1
    now = await have(bench.shop, into)
    assert (now.available, now.leased) == (598, 0)
    row = bench.rows("SELECT member FROM event WHERE kind = 'lease_close'")
    assert row == [(old,)]


async def test_the_night_closes_what_is_over(leasing: Leasing) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 100)
    bench.shop.reachable = False
    bench.clock.move(73 * HOUR_S)
    await night.run(bench.shop)
    assert (await have(bench.shop, member)).leased == 0


# ---- what it can cost -------------------------------------------------------------------------------------
async def test_the_worst_case_now_is_what_central_misses_and_leases_are_no_part_of_it(
    leasing: Leasing,
) -> None:
    bench, office = leasing
    member = await rich(bench, office)
    await office.grant(member, POINTS, 150)
    told = msgspec.msgpack.encode(ExposureNews(points=0, nodes_offline=4, nodes=9, at=bench.clock.now()))

    def worst(tx: Transaction) -> Risk:
        return exposure.now(tx, bench.shop)

    assert (await bench.shop.store.transact(worst)).in_all == 0
    await bench.shop.store.transact(
        lambda tx: news.take(tx, FeedRow(version=1, kind="exposure", key="now", body=told))
    )
    risk = await bench.shop.store.transact(worst)
    assert (risk.shops_offline, risk.per_member, risk.in_all, risk.leased) == (4, 400, 80_000, 150)
    bench.shop.reachable = False
    await bench.redeem(member)
    await bench.redeem(member)
    risk = await bench.shop.store.transact(worst)
    assert (risk.leased, risk.given_out, risk.still_possible) == (0, 50, 19_950)
