"""Claims: one conditional statement on one row, so a limit is a limit (loyalty.md 2 and 3.11)."""

from __future__ import annotations

import datetime as dt

import pytest

from tapledger.database import Database, InlineExecutor, Transaction, read_migrations
from tapledger.loyalty.coupons.claiming import Claim
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved
from tapledger.store import bearers, claims
from tests.store.shops import START, Bench, raw_connection
from tests.store.test_opening import MIGRATIONS

SECOND = dt.timedelta(seconds=1)


async def test_a_limit_is_taken_exactly(bench: Bench) -> None:
    def work(tx: Transaction) -> list[bool]:
        return [claims.take(tx, "reward/mug", 3) for _ in range(5)]

    assert await bench.shop.store.transact(work) == [True, True, True, False, False]
    assert bench.rows("SELECT * FROM claim") == [("reward/mug", 3)]


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([(2, 5, True), (2, 5, True), (2, 5, False), (1, 5, True)], 0),
        ([(6, 5, False)], 5),
        ([(0, 0, True), (1, 0, False)], 5),
        ([(3, None, True), (10**12, None, True)], 5 - 3 - 10**12),
    ],
)
async def test_more_than_one_at_a_time(
    bench: Bench, steps: list[tuple[int, int | None, bool]], left: int
) -> None:
    def work(tx: Transaction) -> int | None:
        for count, limit, taken in steps:
            assert claims.take(tx, "k", limit, count) is taken
        return claims.left(tx, "k", 5)

    assert await bench.shop.store.transact(work) == left


async def test_what_is_given_back_is_free_again_and_never_more(bench: Bench) -> None:
    def work(tx: Transaction) -> list[object]:
        claims.give_back(tx, "k")
        told: list[object] = [claims.left(tx, "k", 1), claims.take(tx, "k", 1)]
        claims.give_back(tx, "k", 5)
        return [*told, claims.left(tx, "k", 1), claims.left(tx, "k", None), claims.used(tx, "k")]

    assert await bench.shop.store.transact(work) == [1, True, 1, None, {"k": 0}]


async def test_once_is_once(bench: Bench) -> None:
    def work(tx: Transaction) -> list[bool]:
        return [
            claims.once(tx, "receipt/n/1"),
            claims.once(tx, "receipt/n/1"),
            claims.once(tx, "receipt/n/2"),
        ]

    assert await bench.shop.store.transact(work) == [True, False, True]


async def test_used_is_told_by_prefix(bench: Bench) -> None:
    def work(tx: Transaction) -> dict[str, int]:
        for key in ("coupon/a", "coupon/ä", "coupons", "coupom/z", "reward/a"):
            claims.take(tx, key, None)
        return claims.used(tx, "coupon/")

    assert await bench.shop.store.transact(work) == {"coupon/a": 1, "coupon/ä": 1}


async def test_a_marked_claim_counts_once_for_each_mark(bench: Bench) -> None:
    def work(tx: Transaction) -> list[object]:
        first, second = Claim("coupon/t", 2, 1, "code/t/s-1"), Claim("coupon/t", 2, 1, "code/t/s-2")
        third, back = Claim("coupon/t", 2, 1, "code/t/s-3"), Claim("coupon/t", None, -1, "code/t/s-1")
        told = [claims.settle(tx, one) for one in (first, first, second)]
        told += [claims.settle(tx, one) for one in (back, back, third)]
        return [told, claims.left(tx, "coupon/t", 2)]

    assert await bench.shop.store.transact(work) == [[True] * 6, 0]


# ---- coupons of whoever holds the paper ------------------------------------------------------------------
def paper(ends: dt.datetime | None = None) -> CouponIssued:
    return CouponIssued(Coupon("bearer/b-1", "ten", START, ends, code="index"))


def moved(state: str, sale: str = "s-1", minutes: int = 15, now: dt.datetime = START) -> CouponMoved:
    until = now + dt.timedelta(minutes=minutes) if state == "held" else None
    return CouponMoved("bearer/b-1", state, sale, until)


Step = tuple[CouponIssued | CouponMoved, dt.datetime]


async def tried(bench: Bench, *steps: Step) -> list[bool]:
    return await bench.shop.store.transact(
        lambda tx: [bearers.apply(tx, effect, now) for effect, now in steps]
    )


async def test_a_paper_is_redeemed_once(bench: Bench) -> None:
    steps: list[CouponIssued | CouponMoved] = [
        paper(),
        moved("redeemed"),
        moved("redeemed"),
        moved("redeemed", "s-2"),
        moved("held", "s-2"),
        moved("void"),
    ]
    assert await tried(bench, *((one, START) for one in steps)) == [True, True, False, False, False, False]
    known = await bench.shop.store.transact(lambda tx: bearers.by_index(tx, "index"))
    assert known is not None
    assert (known.id, known.state, known.sale) == ("bearer/b-1", "redeemed", "s-1")


async def test_a_paper_is_held_for_one_sale_until_the_end_of_the_hold(bench: Bench) -> None:
    ends = START + dt.timedelta(minutes=15)
    steps: list[Step] = [
        (paper(), START),
        (moved("held"), START),
        (moved("held", "s-2"), ends - SECOND),
        (moved("redeemed", "s-2"), ends - SECOND),
        (moved("held"), ends - SECOND),
        (moved("redeemed", "s-2"), ends),
    ]
    assert await tried(bench, *steps[:4]) == [True, True, False, False]
    assert await tried(bench, steps[5]) == [True]


async def test_a_hold_that_began_in_time_outlives_the_paper(bench: Bench) -> None:
    late = START + dt.timedelta(minutes=14)
    ends = START + dt.timedelta(minutes=15)
    steps: list[Step] = [(paper(START + SECOND), START), (moved("held"), START), (moved("redeemed"), ends)]
    assert await tried(bench, *steps) == [True, True, False], "at its end a hold is over"
    assert await tried(bench, (moved("redeemed"), late)) == [True]


async def test_an_expired_paper_is_worth_nothing(bench: Bench) -> None:
    ends = START + SECOND
    assert await tried(bench, (paper(ends), START), (moved("redeemed"), ends)) == [True, False]


async def test_a_return_gives_back_what_its_sale_had(bench: Bench) -> None:
    steps: list[CouponIssued | CouponMoved] = [paper(), moved("redeemed"), moved("issued", "s-2")]
    assert await tried(bench, *((one, START) for one in steps)) == [True, True, True]
    assert await tried(bench, (moved("redeemed", "s-2"), START)) == [False], "not that sale's"
    assert await tried(bench, (moved("issued"), START), (moved("redeemed", "s-2"), START)) == [True, True]


async def test_papers_have_ids_and_codes_of_their_own(bench: Bench) -> None:
    same_id = CouponIssued(Coupon("bearer/b-1", "ten", START, None, code="other"))
    same_code = CouponIssued(Coupon("bearer/b-2", "ten", START, None, code="index"))
    issued: tuple[CouponIssued, ...] = (paper(), same_id, same_code)
    assert await tried(bench, *((one, START) for one in issued)) == [
        True,
        False,
        False,
    ]
    assert await tried(bench, (CouponMoved("bearer/none", "redeemed", "s"), START)) == [False]


# ---- stores of earlier releases --------------------------------------------------------------------------
async def test_stock_given_out_before_stays_given_out(bench: Bench) -> None:
    """What an earlier release counted is a claim now."""
    path = bench.folder / "old.db"
    migrations = read_migrations(MIGRATIONS)
    await Database.open(path, migrations[:3], InlineExecutor()).close()
    with raw_connection(path) as connection:
        connection.execute("INSERT INTO given_out VALUES ('mug', 2), ('tea', 0)")
    database = Database.open(path, migrations, InlineExecutor())
    try:
        assert database.transact_now(lambda tx: claims.used(tx, "")) == {"reward/mug": 2}
    finally:
        await database.close()
