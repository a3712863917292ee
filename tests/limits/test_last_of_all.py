"""64 threads at the same instant want the last of something: exactly as many get it as there are.

Coupons, points and stock are tried so in tests/membership; here the last fen of stored value, the last use of
a right, the last draw of a day and one top-up under one key.
"""

from __future__ import annotations

import dataclasses

import msgspec

from tapledger.loyalty import members as fold
from tapledger.loyalty import program as programs
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import Tender
from tapledger.membership import lottery
from tapledger.membership.entitlement import UseCommand, use_entitlement
from tapledger.membership.grants import GrantCommand, grant_points
from tapledger.membership.lottery import DrawCommand, draw
from tapledger.membership.sale import record_sale
from tapledger.membership.stored_value import TopUpCommand, top_up
from tapledger.store import members
from tests.membership.at_once import THREADS, outcomes
from tests.store.shops import PROGRAM, Bench, card
from tests.store.shops import bench as bench

PRIZES = [{"id": "no", "name": {"en": "No"}, "weight": 1}]
RULES = {
    **PROGRAM,
    "tiers": [{"id": "base", "name": {"en": "Base"}, "benefits": ["lounge"]}],
    "stored_value": {"top_up": [{"pay_minor": 1000, "bonus_minor": 70}]},
    "entitlements": [
        {"id": "lounge", "name": {"en": "Lounge"}, "limit": {"times": 3, "window": "day"}},
    ],
    "lotteries": [
        {
            "id": "wheel",
            "name": {"en": "Wheel"},
            "cost_points": 10,
            "fallback": "no",
            "prizes": PRIZES,
            "limit": {"times": 5, "window": "day"},
        }
    ],
}  # fmt: skip


async def li(bench: Bench) -> str:
    bench.shop.program = programs.load(RULES)
    return await bench.join("Lin", card("c1"))


async def values(bench: Bench, member: str) -> list[int]:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return [fold.value(stored.member, pool, bench.clock.now()) for pool in (PRINCIPAL, BONUS)]


def filling(bench: Bench, member: str, key: str) -> TopUpCommand:
    return TopUpCommand(key, member, card("c1"), 1000, (Tender("cash", 1000),), "s-1", "en")


async def test_the_last_fen_of_stored_value_is_spent_once(bench: Bench) -> None:
    """10.70 are stored, each of 64 wants 3.00: three of them pay, and 1.70 is left."""
    member = await li(bench)
    await top_up(bench.shop, filling(bench, member, "top-up"))
    line = msgspec.structs.replace(bench.sale(member, key="like").lines[0], unit_minor=300, tax_bp=0)

    async def attempt(number: int) -> object:
        command = bench.sale(member, key=f"sale-{number}")
        return await record_sale(
            bench.shop, dataclasses.replace(command, lines=(line,), tenders=(Tender("value", 300),))
        )

    assert await outcomes(attempt) == {"done": 3, "INSUFFICIENT": THREADS - 3}
    assert sum(await values(bench, member)) == 170
    assert len(bench.rows("SELECT 1 FROM event WHERE kind = 'sale'")) == 3


async def test_the_last_use_of_a_right_is_had_once(bench: Bench) -> None:
    await li(bench)

    async def attempt(number: int) -> object:
        return await use_entitlement(bench.shop, UseCommand(f"use-{number}", card("c1"), "lounge"))

    found = await outcomes(attempt)
    assert (found.pop("done"), found.total()) == (3, THREADS - 3)
    assert set(found) == {"ENTITLEMENT_USED_UP"}
    assert len(bench.rows("SELECT 1 FROM event WHERE kind = 'use'")) == 3


async def test_the_last_draw_of_the_day_is_drawn_once(bench: Bench) -> None:
    member = await li(bench)
    await grant_points(bench.shop, GrantCommand("grant", member, 1000, "test", "s-1"))
    commit = (await lottery.publish(bench.shop, "wheel")).commit

    async def attempt(number: int) -> object:
        command = DrawCommand(f"draw-{number}", member, card("c1"), "wheel", "seed", commit, "en")
        return await draw(bench.shop, command)

    assert await outcomes(attempt) == {"done": 5, "LIMIT_REACHED": THREADS - 5}
    assert await bench.points(member) == 950


async def test_one_top_up_that_arrives_64_times_is_one(bench: Bench) -> None:
    member = await li(bench)

    async def attempt(number: int) -> object:
        return await top_up(bench.shop, filling(bench, member, "the-same"))

    assert await outcomes(attempt) == {"done": THREADS}
    assert await values(bench, member) == [1000, 70]
