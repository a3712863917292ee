"""A central whose past was rewritten, with its own key and all: its shops, its check and its proofs."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tapledger.errors import Conflict, TapledgerError
from tapledger.store import alarms, witnessing
from tapledger.sync.witness import witness_news
from tapledger.wire import proofs
from tapledger.wire.codec import GENESIS, link
from tapledger.wire.proofs import LogCheckpoint, LogInclusion, Proof
from tapledger_central.check import check
from tapledger_central.store import Transaction, log
from tests.central.world import ShopNode, World

LOG_TABLES = ("log_head", "log_chain", "log_run", "log_tile", "log_checkpoint")


async def sell(world: World, shop: ShopNode, sales: int) -> None:
    """Sell, push, and let central sign a minute later."""
    for _ in range(sales):
        await shop.sale("m-1", 1000)
    await shop.push()
    world.clock.move(60)
    await world.central.notary.round()
    await shop.pull()


async def witnessed(shop: ShopNode) -> int:
    await witness_news(shop.store, shop.client, shop.clock.now())
    note = await shop.store.transact(witnessing.seen)
    return int(note.split("\n")[1])


async def open_shop(world: World) -> ShopNode:
    shop = await world.shop("shop-1")
    await shop.join("m-1")
    return shop


async def test_a_shop_follows_central_and_proves_its_receipts(world: World) -> None:
    shop = await open_shop(world)
    await sell(world, shop, 2)
    assert await witnessed(shop) == 3
    await sell(world, shop, 4)
    assert await witnessed(shop) == 7
    base = shop.client._base
    told = await shop.client._ask("GET", base / "v1/log/checkpoint", b"", LogCheckpoint)
    assert told.text == await shop.store.transact(witnessing.seen)
    journal = await shop.store.transact(
        lambda tx: tx.exec_driver_sql("SELECT raw, hash FROM event ORDER BY seq").fetchall()
    )
    assert len(journal) == 7
    before = GENESIS
    for seq, (raw, digest) in enumerate(journal, 1):
        url = (base / "v1/log/inclusion").with_query(node=shop.keyring.node, epoch=1, seq=seq)
        answer = await shop.client._ask("GET", url, b"", LogInclusion)
        proof = Proof(answer.index, answer.hashes, answer.text, before, bytes(raw))
        proved = proofs.verify(proof, f"tapledger/{shop.keyring.tenant}", shop.keyring.central_public_key)
        assert proved.hash == digest, "what the receipt shows"
        before = bytes(digest)


async def rewrite(world: World) -> None:
    """Give away what a sale earned, make everything behind it fit, and sign it with central's own key."""

    def change(tx: Transaction) -> None:
        node, epoch = tx.execute(sa.text("SELECT node, epoch FROM head WHERE tenant = :tenant")).one()
        place = {"node": node, "epoch": epoch}
        digest = bytes(32)
        for row in log.rows(tx, node, epoch, 1, 2**31):
            raw = row.raw.replace(b"Tea", b"Tee") if row.seq == 2 else row.raw
            digest = link(digest, raw)
            values = {**place, "seq": row.seq, "raw": raw, "hash": digest}
            tx.execute(CHANGE, values)
        tx.execute(CHANGE_HEAD, {**place, "hash": digest})
        for table in LOG_TABLES:
            tx.execute(sa.text(f"DELETE FROM {table} WHERE tenant = :tenant"))

    await world.central.store.transact(change)
    await world.central.notary.round()


CHANGE = sa.text(
    "UPDATE inbox SET raw = :raw, hash = :hash"
    " WHERE tenant = :tenant AND node = :node AND epoch = :epoch AND seq = :seq"
)
CHANGE_HEAD = sa.text(
    "UPDATE head SET hash = :hash WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
)


async def test_who_has_the_database_and_the_key_is_caught_by_a_shop(world: World) -> None:
    shop = await open_shop(world)
    await sell(world, shop, 3)
    assert await witnessed(shop) == 4
    world.clock.move(60)
    await rewrite(world)
    report = await check(world.central.store, world.central.keys)
    assert (report.entries, report.faults) == (4, []), "nothing at central gives it away"
    await shop.pull()
    with pytest.raises(Conflict, match="CENTRAL_FORKED"):
        await witnessed(shop)
    assert [one.code for one in await shop.store.transact(alarms.newest)] == ["CENTRAL_FORKED"]


async def test_who_has_only_the_database_is_caught_by_the_check(world: World) -> None:
    shop = await open_shop(world)
    await sell(world, shop, 3)

    def change(tx: Transaction) -> None:
        (row,) = log.rows(tx, shop.keyring.node, 1, 3, 3)
        values = {"node": shop.keyring.node, "epoch": 1, "seq": 3, "hash": row.hash}
        tx.execute(CHANGE, {**values, "raw": row.raw.replace(b"Tea", b"Tee")})

    assert (await check(world.central.store, world.central.keys)).faults == []
    await world.central.store.transact(change)
    faults = (await check(world.central.store, world.central.keys)).faults
    assert f"entry 2: hash ({shop.keyring.node}-1-3)" in [one.where for one in faults if one.what == "log"]


async def test_a_shop_that_saw_nothing_is_fooled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken twin: it is the shop's memory that catches central; one without it takes the new past."""
    shop = await open_shop(world)
    await sell(world, shop, 3)
    await witnessed(shop)
    await shop.store.transact(witnessing.forget)
    world.clock.move(60)
    await rewrite(world)
    await shop.pull()
    assert await witnessed(shop) == 4


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("consistency?from=2&to=1", "LOG_SIZES_INVALID"),
        ("consistency?from=0&to=99", "LOG_SHORTER"),
        ("consistency?from=-1&to=1", "FEED_QUERY_INVALID"),
        ("inclusion?node=nobody&epoch=1&seq=1", "LOG_ENTRY_UNKNOWN"),
        ("inclusion?node=%00&epoch=1&seq=1", "LOG_ENTRY_UNKNOWN"),
        ("inclusion", "LOG_ENTRY_UNKNOWN"),
        ("checkpoint", "LOG_UNSIGNED"),
    ],
)
async def test_what_cannot_be_answered_is_refused(world: World, target: str, code: str) -> None:
    shop = await world.shop("shop-1")
    url = shop.client._base.join(type(shop.client._base)(f"/v1/log/{target}", encoded=True))
    with pytest.raises(TapledgerError) as caught:
        await shop.client._ask("GET", url, b"", LogCheckpoint)
    assert caught.value.code == code
