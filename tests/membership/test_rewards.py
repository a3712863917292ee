"""Rewards: points and stock are given out once, a voucher is worth one reward."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tapledger.errors import NotFound, Refused, TapledgerError
from tapledger.loyalty.program import Reward, Template
from tapledger.loyalty.promotions.amount import Amount
from tapledger.membership import redemption, scanning
from tapledger.membership.looking_up import VoucherFound, look_up
from tapledger.membership.redemption import (
    Redeemed,
    fulfil_voucher,
    give_back_lapsed,
    voucher_holder,
)
from tapledger.store import prints
from tests.membership import at_once
from tests.membership.at_once import THREADS
from tests.store.shops import EARPHONES, Bench, card

AT_ONCE = 100


async def outcomes(bench: Bench, member: str, reward: str) -> tuple[int, set[str]]:
    """Let many ask for a reward at once; return how many got it, and what the others were told."""
    asked = (bench.redeem(member, reward) for _ in range(AT_ONCE))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, TapledgerError)]
    given = [one for one in answers if isinstance(one, Redeemed)]
    assert len(given) + len(refused) == AT_ONCE
    assert len({one.voucher for one in given}) == len(given)
    return len(given), {one.code for one in refused}


async def test_the_last_points_are_spent_once(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, count=9)  # 108 points: one tea
    assert await outcomes(bench, member, "tea") == (1, {"POINTS_MISSING"})
    assert await bench.points(member) == 8


async def test_the_last_of_a_stock_is_given_once(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES, 5)
    assert await outcomes(bench, member, "cup") == (3, {"OUT_OF_STOCK"})
    assert await bench.points(member) == 1495 - 30
    await bench.restart()
    with pytest.raises(Refused, match="OUT_OF_STOCK"):
        await bench.redeem(member, "cup")


async def test_a_repeated_redemption_is_the_same_voucher(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    first = await bench.redeem(member, key="tap-1")
    await bench.shop.store.transact(lambda tx: prints.settle(tx, first.job, "printed", "", "evidence"))
    before = bench.tables()
    again = await bench.redeem(member, key="tap-1")
    assert (again.voucher, again.job, again.recorded.event) == (
        first.voucher,
        first.job,
        first.recorded.event,
    )
    assert again.recorded.replayed
    with pytest.raises(TapledgerError, match="IDEMPOTENCY_MISMATCH"):
        await bench.redeem(member, "cup", key="tap-1")
    assert bench.tables() == before, "no second slip, no point more"


@pytest.mark.parametrize(
    ("reward", "level", "code"),
    [
        ("tea", 0, "CARD_ONLY_IDENTIFIES"),
        ("none", 1, "REWARD_UNKNOWN"),
        ("tea", 1, "POINTS_MISSING"),
    ],
)
async def test_a_refused_reward_changes_nothing(bench: Bench, reward: str, level: int, code: str) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, count=9 if level == 0 else 1)
    before = bench.tables()
    with pytest.raises(Refused) as caught:
        await bench.redeem(member, reward, level)
    assert caught.value.code == code
    assert bench.tables() == before


async def voucher(bench: Bench) -> tuple[str, str]:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    return member, (await bench.redeem(member)).voucher


async def test_a_voucher_is_handed_in_once(bench: Bench) -> None:
    member, code = await voucher(bench)
    assert (await voucher_holder(bench.shop, code.lower().replace("-", " "))).reward == "tea"
    first = await fulfil_voucher(bench.shop, "f-1", code, "s-1")
    before = bench.tables()
    again = await fulfil_voucher(bench.shop, "f-1", code, "s-1")
    assert (again.event, again.replayed) == (first.event, True)
    for attempt in (
        fulfil_voucher(bench.shop, "f-2", code, "s-1"),
        fulfil_voucher(bench.shop, "f-2", code, "s-2"),
        voucher_holder(bench.shop, code),
    ):
        with pytest.raises(Refused) as caught:
            await attempt
        assert caught.value.code == "VOUCHER_USED"
    with pytest.raises(TapledgerError, match="IDEMPOTENCY_MISMATCH"):
        await fulfil_voucher(bench.shop, "f-1", code, "s-2")
    assert bench.tables() == before
    assert await bench.points(member) == 199


async def test_the_till_says_that_a_voucher_was_used(bench: Bench) -> None:
    _, code = await voucher(bench)
    (found,) = await look_up(bench.shop, scanning.read(code))
    assert isinstance(found, VoucherFound)
    await fulfil_voucher(bench.shop, "f-1", code, "s-1")
    with pytest.raises(Refused) as caught:
        await look_up(bench.shop, scanning.read(code))
    assert caught.value.code == "VOUCHER_USED"


async def test_vouchers_of_nobody_are_unknown(bench: Bench) -> None:
    await voucher(bench)
    with pytest.raises(NotFound, match="VOUCHER_UNKNOWN"):
        await fulfil_voucher(bench.shop, "f-1", "0000-0000-0000-0", "s-1")
    assert await look_up(bench.shop, scanning.read("0000-0000-0000-0")) == []


async def test_an_expired_voucher_is_not_taken(bench: Bench) -> None:
    _, code = await voucher(bench)
    bench.clock.move(31 * 24 * 3600)
    with pytest.raises(Refused, match="VOUCHER_EXPIRED"):
        await fulfil_voucher(bench.shop, "f-1", code, "s-1")


async def test_points_of_a_lapsed_voucher_come_back_once(bench: Bench) -> None:
    member, code = await voucher(bench)
    before = await bench.points(member)
    assert await give_back_lapsed(bench.shop) == 0
    bench.clock.move(31 * 24 * 3600)
    assert await give_back_lapsed(bench.shop) == 1
    assert await bench.points(member) > before
    assert bench.rows("SELECT used FROM claim WHERE key = 'reward/tea'") == [(0,)]
    assert await give_back_lapsed(bench.shop) == 0
    with pytest.raises(Refused, match="VOUCHER_USED"):
        await fulfil_voucher(bench.shop, "f-1", code, "s-1")


async def test_hand_overs_at_once_are_one_hand_over(bench: Bench) -> None:
    _, code = await voucher(bench)
    asked = (fulfil_voucher(bench.shop, f"f-{n}", code, "s-1") for n in range(AT_ONCE))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in answers) == 1
    assert {one.code for one in answers if isinstance(one, TapledgerError)} == {"VOUCHER_USED"}


# ---- many threads ----------------------------------------------------------------------------------------
async def test_G41_the_last_of_a_stock_goes_to_one_of_64_and_costs_the_others_nothing(bench: Bench) -> None:
    bench.shop.program = msgspec.structs.replace(
        bench.shop.program, rewards=[Reward("cup", {"en": "Cup"}, 10, stock=1)]
    )
    people = [await bench.join("Ann", card(f"c-{n}")) for n in range(THREADS)]
    for who in people:
        await bench.buy(who)
    told = await at_once.outcomes(lambda n: bench.redeem(people[n], "cup", key=f"k-{n}"))
    assert told == {"done": 1, "OUT_OF_STOCK": 63}
    assert sorted([await bench.points(who) for who in people]) == [2] + [12] * 63


async def test_the_last_points_go_to_one_of_64(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, count=9)  # 108 points: one tea
    told = await at_once.outcomes(lambda n: bench.redeem(member, "tea", key=f"k-{n}"))
    assert told == {"done": 1, "POINTS_MISSING": 63}
    assert await bench.points(member) == 8


async def test_one_key_from_64_threads_is_one_redemption(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    told = await at_once.outcomes(lambda n: bench.redeem(member, "tea", key="tap-1"))
    assert told == {"done": 64}
    assert await bench.points(member) == 199


# ---- kinds -----------------------------------------------------------------------------------------------
async def test_a_coupon_is_bought_without_a_voucher_and_counts_its_total(bench: Bench) -> None:
    bench.shop.program = msgspec.structs.replace(
        bench.shop.program,
        rewards=[Reward("buy", {"en": "Coupon"}, 10, kind="coupon", grants="ten")],
        coupons=[Template("ten", Amount(1000), total=1)],
    )
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    first = await bench.redeem(member, "buy", key="tap-1")
    assert (first.voucher, first.job, first.recorded.event.body.kind) == ("", "", "fulfil")
    again = await bench.redeem(member, "buy", key="tap-1")
    assert (again.recorded.event, again.voucher) == (first.recorded.event, "")
    with pytest.raises(Refused, match="OUT_OF_STOCK"):
        await bench.redeem(member, "buy")
    assert await bench.points(member) == 289


async def test_an_event_lets_in_who_has_a_seat(bench: Bench) -> None:
    dinner = Reward("dinner", {"en": "Dinner"}, 50, kind="event", stock=1, attend_points=5)
    bench.shop.program = msgspec.structs.replace(bench.shop.program, rewards=[dinner])
    people = [await bench.join("Ann", card(name)) for name in "ab"]
    for who in people:
        await bench.buy(who, EARPHONES)
    await bench.redeem(people[0], "dinner")
    with pytest.raises(Refused, match="OUT_OF_STOCK"):
        await bench.redeem(people[1], "dinner")
    await redemption.check_in_to_event(bench.shop, "t-1", people[0], "dinner")
    assert await bench.points(people[0]) == 299 - 50 + 5
    for who in people:
        with pytest.raises(Refused, match="TICKET_MISSING"):
            await redemption.check_in_to_event(bench.shop, bench.key(), who, "dinner")


async def test_a_member_undoes_a_reward_before_the_slip_is_printed(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    taken = await bench.redeem(member, "cup")
    hold = await hold_of(bench, taken)
    bench.clock.move(9)
    await redemption.undo_reward(bench.shop, "u-1", member, hold)
    assert await bench.points(member) == 299
    assert bench.rows("SELECT used FROM claim WHERE key = 'reward/cup'") == [(0,)]
    assert bench.rows("SELECT state FROM print_job WHERE kind = 'voucher'") == [("expired",)]
    with pytest.raises(Refused, match="VOUCHER_USED"):
        await voucher_holder(bench.shop, taken.voucher)


@pytest.mark.parametrize("state", ["sending", "printed", "unknown", "failed", "queued as a copy"])
async def test_what_is_on_its_way_to_paper_is_not_undone(bench: Bench, state: str) -> None:
    """R18: a print failure or doubt never releases."""
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    taken = await bench.redeem(member, "cup")
    if state == "queued as a copy":
        await bench.shop.store.transact(lambda tx: prints.settle(tx, taken.job, "sending", "", ""))
        assert await bench.shop.store.transact(lambda tx: prints.copy(tx, taken.job, "power_cycled", ""))
    else:
        await bench.shop.store.transact(lambda tx: prints.settle(tx, taken.job, state, "", ""))
    before = bench.tables()
    with pytest.raises(Refused, match="VOUCHER_DELIVERED"):
        await redemption.undo_reward(bench.shop, "u-1", member, await hold_of(bench, taken))
    assert bench.tables() == before


async def hold_of(bench: Bench, taken: Redeemed) -> str:
    return (await voucher_holder(bench.shop, taken.voucher)).id
