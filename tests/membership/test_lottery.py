"""Lotteries through the real store: sealed, drawn, revealed and checked (loyalty.md 3.18, R40)."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import msgspec
import pytest

from tapledger.devices.receipts.drawing import lay_out
from tapledger.errors import Corrupt, NotFound, Refused, TapledgerError
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.program import Limit, Reward
from tapledger.loyalty.program.people import Gain, Lottery, Prize
from tapledger.membership import lottery, slips
from tapledger.membership.lottery import DrawCommand, Drawn
from tapledger.store import prints
from tests.membership.at_once import outcomes
from tests.store.shops import EARPHONES, Bench, card

ENDS = dt.datetime(2026, 5, 10)  # noqa: DTZ001
WHEEL = Lottery(
    "wheel",
    {"en": "Wheel"},
    10,
    [
        Prize("car", {"en": "Car"}, 3, Gain(entitlement="car"), stock=1),
        Prize("thanks", {"en": "Thanks"}, 1, Gain(points=1)),
    ],
    "thanks",
    when=Condition(to=ENDS),
)


def set_up(bench: Bench, **terms: Any) -> None:
    wheel = msgspec.structs.replace(WHEEL, **terms)
    bench.shop.program = msgspec.structs.replace(bench.shop.program, lotteries=[wheel])


async def draw(bench: Bench, member: str, key: str = "", commit: str = "", **how: Any) -> Drawn:
    seal = commit or (await lottery.publish(bench.shop, "wheel")).commit
    command = DrawCommand(
        key=key or bench.key(),
        member=member,
        presented=card("a"),
        lottery="wheel",
        client_seed=how.pop("word", "kiosk-7"),
        commit=seal,
        language="en",
        **how,
    )
    return await lottery.draw(bench.shop, command)


async def test_the_seal_is_public_before_the_first_draw_and_stays(bench: Bench) -> None:
    set_up(bench)
    published = await lottery.publish(bench.shop, "wheel")
    assert (published.odds_bp, published.left) == ((7500, 2500), (1, None))
    await bench.restart()
    set_up(bench)
    assert (await lottery.publish(bench.shop, "wheel")).commit == published.commit
    with pytest.raises(NotFound, match="LOTTERY_UNKNOWN"):
        await lottery.publish(bench.shop, "none")


async def test_the_whole_life_of_a_lottery_can_be_checked(bench: Bench) -> None:
    set_up(bench)
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    seal = (await lottery.publish(bench.shop, "wheel")).commit
    drawn = [await draw(bench, member, word=f"word-{n}") for n in range(12)]
    assert [one.recorded.event.body.facts["nonce"] for one in drawn] == list(range(1, 13))
    with pytest.raises(Refused, match="LOTTERY_RUNNING"):
        await lottery.reveal(bench.shop, "wheel")
    bench.clock.move(7 * 24 * 3600)
    revealed = await lottery.reveal(bench.shop, "wheel")
    assert hashlib.sha256(bytes.fromhex(revealed.seed)).hexdigest() == seal == revealed.commit
    assert (len(revealed.draws), revealed.wrong) == (12, ())
    assert [one.prize for one in revealed.draws] == [one.prize for one in drawn]
    set_up(bench, when=Condition())
    with pytest.raises(Refused, match="LOTTERY_OVER"):
        await draw(bench, member)


async def test_the_seed_is_nowhere_in_the_open(bench: Bench) -> None:
    set_up(bench, when=Condition())
    await lottery.publish(bench.shop, "wheel")
    before = bench.database.read_bytes() + bench.database.with_name("shop.db-wal").read_bytes()
    seed = bytes.fromhex((await lottery.reveal(bench.shop, "wheel")).seed)
    assert seed not in before


async def test_stock_ends_in_the_fallback_and_points_add_up(bench: Bench) -> None:
    set_up(bench)
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    drawn = [await draw(bench, member, word=f"w-{n}") for n in range(20)]
    assert sum(one.given == 0 for one in drawn) == 1
    assert sum(one.prize == 0 for one in drawn) > 1
    assert await bench.points(member) == 299 - 200 + 19
    assert bench.rows("SELECT used FROM claim WHERE key = 'prize/wheel/car'") == [(1,)]


async def test_the_last_prize_is_given_once_of_64(bench: Bench) -> None:
    """64 draws at once: every one is paid and answered, and the car is given once."""
    set_up(bench)
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES, 3)
    seal = (await lottery.publish(bench.shop, "wheel")).commit
    told = await outcomes(lambda n: draw(bench, member, f"k-{n}", seal, word=f"w-{n}"))
    assert told == {"done": 64}
    assert bench.rows("SELECT used FROM claim WHERE key = 'prize/wheel/car'") == [(1,)]
    assert await bench.points(member) == 3 * 299 - 640 + 63
    bench.clock.move(7 * 24 * 3600)
    revealed = await lottery.reveal(bench.shop, "wheel")
    assert (sorted(one.nonce for one in revealed.draws), revealed.wrong) == (list(range(1, 65)), ())


async def test_a_repeated_draw_is_the_same_draw(bench: Bench) -> None:
    set_up(bench)
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    first = await draw(bench, member, "tap-1")
    before = bench.tables()
    again = await draw(bench, member, "tap-1")
    assert (again.prize, again.given, again.recorded.event) == (
        first.prize,
        first.given,
        first.recorded.event,
    )
    with pytest.raises(TapledgerError, match="IDEMPOTENCY_MISMATCH"):
        await draw(bench, member, "tap-1", word="another")
    assert bench.tables() == before


async def test_draws_that_cannot_be_change_nothing(bench: Bench) -> None:
    set_up(bench, limit=Limit(1))
    member = await bench.join("Ann", card("a"))
    seal = (await lottery.publish(bench.shop, "wheel")).commit
    before = bench.tables()
    for code, commit in (("POINTS_MISSING", seal), ("LOTTERY_COMMIT_OTHER", "0" * 64)):
        with pytest.raises(Refused, match=code):
            await draw(bench, member, commit=commit)
    with pytest.raises(TapledgerError, match="LOTTERY_FIELD_INVALID"):
        await bench.buy(member, EARPHONES)
        before = bench.tables()
        await draw(bench, member, word="a|b")
    assert bench.tables() == before


async def test_changed_prizes_and_foreign_seals_stop_the_draws(bench: Bench) -> None:
    set_up(bench)
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    seal = (await lottery.publish(bench.shop, "wheel")).commit
    set_up(bench, prizes=[msgspec.structs.replace(prize, weight=1) for prize in WHEEL.prizes])
    with pytest.raises(Refused, match="LOTTERY_CHANGED"):
        await draw(bench, member, commit=seal)
    set_up(bench, commit="0" * 64)
    with pytest.raises(Refused, match="LOTTERY_SEED_ELSEWHERE"):
        await draw(bench, member, commit=seal)
    set_up(bench, commit=seal)
    await draw(bench, member, commit=seal)


async def test_what_was_never_opened_or_is_damaged_cannot_be_revealed(bench: Bench) -> None:
    set_up(bench, when=Condition())
    with pytest.raises(Refused, match="LOTTERY_NEVER_OPENED"):
        await lottery.reveal(bench.shop, "wheel")
    await lottery.publish(bench.shop, "wheel")
    await bench.shop.store.transact(lambda tx: tx.exec_driver_sql("UPDATE lottery_seed SET sealed = x'00'"))
    with pytest.raises(Corrupt, match="LOTTERY_SEED_UNREADABLE"):
        await lottery.reveal(bench.shop, "wheel")


async def test_a_reward_pays_for_a_draw(bench: Bench) -> None:
    set_up(bench)
    spin = Reward("spin", {"en": "Spin"}, 100, kind="draw", grants="wheel", stock=1)
    bench.shop.program = msgspec.structs.replace(bench.shop.program, rewards=[spin])
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    done = await draw(bench, member, reward="spin")
    assert await bench.points(member) == 199 + (done.given == 1)
    with pytest.raises(Refused, match="OUT_OF_STOCK"):
        await draw(bench, member, reward="spin")


async def test_the_slip_has_what_a_check_needs(bench: Bench) -> None:
    set_up(bench)
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    done = await draw(bench, member)
    job = slips.job_id(done.recorded)
    queued = await bench.shop.store.transact(lambda tx: prints.get(tx, job))
    assert queued is not None
    drawn = lay_out(slips.read(bench.shop, job, queued.document), bench.shop)
    shown = str(drawn)
    facts = done.recorded.event.body.facts
    assert str(facts["commit"]) in shown and "kiosk-7" in shown and "Draw 1" in shown
