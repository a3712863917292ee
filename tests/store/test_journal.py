"""The journal over real SQLite files: a chain, an idempotency key, all or nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tapledger.database import Executor, InlineExecutor, ThreadExecutor, Transaction
from tapledger.errors import Conflict
from tapledger.loyalty.people.joining import Join, decide_join
from tapledger.membership.sale import record_sale
from tapledger.store import prints
from tapledger.store.journal import Operation, next_hlc
from tapledger.wire.codec import decode_event
from tests.store.shops import EARPHONES, START, Bench, HandClock, card

Opener = Callable[[], Executor]


@pytest.fixture(params=[lambda: ThreadExecutor("test"), InlineExecutor], ids=["thread", "inline"])
def executor(request: pytest.FixtureRequest) -> Opener:
    opener: Opener = request.param
    return opener


async def test_every_event_is_linked_to_the_one_before_it(tmp_path: Path, executor: Opener) -> None:
    bench = Bench(tmp_path, HandClock())
    await bench.open(executor())
    try:
        member = await bench.join("Ann", card("a"))
        await bench.buy(member, EARPHONES)
        await bench.redeem(member)
        await bench.buy(None)
        node = bench.shop.store.keyring.node
        previous, rows = bytes(32), bench.rows("SELECT epoch, seq, hash, kind, member, raw FROM event")
        for number, (epoch, seq, digest, kind, owner, raw) in enumerate(rows, 1):
            assert digest == hashlib.sha256(previous + raw).digest()
            event = decode_event(raw)
            assert (event.node, event.epoch, event.seq) == (node, epoch, seq) == (node, 1, number)
            assert (event.body.kind, event.body.member) == (kind, owner)
            previous = digest
        assert [row[3] for row in rows] == ["join", "sale", "hold", "sale"]
    finally:
        await bench.close()


async def test_the_chain_goes_on_after_a_restart(bench: Bench) -> None:
    await bench.buy(None)
    (before,) = bench.rows("SELECT hash FROM event")[0]
    await bench.restart(InlineExecutor())
    recorded = await bench.buy(None)
    (raw,) = bench.rows("SELECT raw FROM event WHERE seq = 2")[0]
    assert recorded.hash == hashlib.sha256(before + raw).digest()
    assert recorded.receipt == f"{bench.shop.store.keyring.node}-1-2"


async def test_the_same_operation_again_returns_its_first_result(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    command = bench.sale(member, EARPHONES, key="sale-1")
    first = await record_sale(bench.shop, command)
    stored = bench.tables()
    bench.clock.move(60)
    again = await record_sale(bench.shop, command)
    assert (again.event, again.hash) == (first.event, first.hash)
    assert (first.replayed, again.replayed) == (False, True)
    assert bench.tables() == stored


async def test_an_altered_operation_is_refused_and_changes_nothing(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await record_sale(bench.shop, bench.sale(member, EARPHONES, key="sale-1"))
    stored = bench.tables()
    for altered in (
        bench.sale(member, EARPHONES, 2, key="sale-1"),
        bench.sale(None, EARPHONES, key="sale-1"),
    ):
        with pytest.raises(Conflict) as caught:
            await record_sale(bench.shop, altered)
        assert caught.value.code == "IDEMPOTENCY_MISMATCH"
    assert bench.tables() == stored


async def test_a_fault_inside_a_transaction_leaves_nothing(tmp_path: Path, executor: Opener) -> None:
    bench = Bench(tmp_path, HandClock())
    await bench.open(executor())
    try:
        await bench.buy(None)
        stored = bench.tables()

        def half(tx: Transaction) -> None:
            decision = decide_join(Join("m-1", (), None, None), bench.shop.program, START)
            bench.shop.store.journal.append(tx, Operation("k", b""), decision, "id", START)
            prints.enqueue(tx, "slip", "sale", b"", 1)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await bench.shop.store.transact(half)
        assert bench.tables() == stored
        assert (await bench.buy(None)).event.seq == 2, "the store goes on as if nothing had been"
    finally:
        await bench.close()


async def test_a_second_event_in_a_failed_transaction_takes_the_first_with_it(bench: Bench) -> None:
    def both(tx: Transaction) -> None:
        for key in ("same", "same"):  # the operation key is unique
            decision = decide_join(Join(os.urandom(4).hex(), (), None, None), bench.shop.program, START)
            bench.shop.store.journal.append(tx, Operation(key, b""), decision, "id", START)

    with pytest.raises(Exception, match="UNIQUE"):
        await bench.shop.store.transact(both)
    assert bench.rows("SELECT * FROM event") == bench.rows("SELECT * FROM member") == []


def test_hlc_rises_though_the_clock_goes_back() -> None:
    clock = HandClock()
    seen = [next_hlc(0, clock.now())]
    for step in (0, 0, -3600, -1, 7200):
        clock.move(step)
        seen.append(next_hlc(seen[-1], clock.now()))
    assert seen == sorted(set(seen))
    assert seen[-1] >> 16 == int(clock.now().timestamp() * 1000)


async def test_a_rolled_back_append_leaves_no_gap(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    before = await bench.buy(member)

    def fails(tx: Transaction) -> None:
        head = bench.shop.store.journal.head(tx)
        now = bench.clock.now()
        decision = decide_join(Join("m-9", (), None, None), bench.shop.program, now)
        recorded = bench.shop.record(tx, Operation("k-9", bytes(32)), decision, now)
        assert recorded.event.seq == head.seq + 1
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk"):
        await bench.shop.store.transact(fails)
    after = await bench.buy(member)
    assert after.event.seq == before.event.seq + 1
