"""Verifying the journal: whatever is changed, taken, added or moved is found, and the event is named."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from tapledger.commands.verify import Verified, verify_shop
from tapledger.database import Transaction
from tapledger.errors import Corrupt
from tapledger.membership.sale import record_sale
from tapledger.settings import FilesSettings, Settings, ShopSettings, StoreSettings
from tapledger.store import journal, keyring
from tapledger.store.journal import Broken
from tapledger.wire.codec import link
from tests.store.shops import EARPHONES, Bench, card, raw_connection

COLUMNS = ("raw", "hash", "kind", "member")
EVENTS = 4


@pytest.fixture
async def written(bench: Bench) -> Bench:
    """Four events of four shapes: join, sale, hold, and a sale without a member."""
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    await bench.redeem(member)
    await bench.buy(None)
    return bench


def broken(tx: Transaction, node: str) -> list[Broken]:
    return [found for found in journal.verify(tx, node) if isinstance(found, Broken)]


def settings(bench: Bench) -> Settings:
    return Settings(
        shop=ShopSettings(name="Tea Hill", language="en"),
        store=StoreSettings(folder=bench.folder),
        files=FilesSettings(program=Path("none"), catalogue=Path("none")),
    )


async def verified(bench: Bench) -> Verified:
    return await verify_shop(settings(bench), lambda count: None)


def names(result: Verified) -> list[str]:
    found = result.as_dict()["broken"]
    assert isinstance(found, list)
    return [one["event"] for one in found]


async def test_a_whole_journal_verifies(written: Bench) -> None:
    result = await verified(written)
    assert (result.ok, result.events) == (True, EVENTS)


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
async def test_every_flipped_byte_of_an_event_names_that_event(written: Bench, flip: int) -> None:
    node = written.shop.store.keyring.node

    def work(tx: Transaction) -> int:
        flips = 0
        for seq in range(1, EVENTS + 1):
            for column in COLUMNS:
                query = f"SELECT CAST({column} AS BLOB), typeof({column}) FROM event WHERE seq = ?"
                whole, kind = tx.exec_driver_sql(query, (seq,)).one()
                update = f"UPDATE event SET {column} = CAST(? AS {kind}) WHERE seq = ?"
                for at in range(len(whole or b"")):
                    altered = bytes([*whole[:at], whole[at] ^ flip, *whole[at + 1 :]])
                    tx.exec_driver_sql(update, (altered, seq))
                    found = [(one.epoch, one.seq) for one in broken(tx, node)]
                    assert found == [(1, seq)], f"{column}[{at}] of event {seq}: {found}"
                    flips += 1
                if whole is not None:
                    tx.exec_driver_sql(update, (whole, seq))
        assert broken(tx, node) == []
        return flips

    assert await written.shop.store.transact(work) > EVENTS * 300


DAMAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "first deleted": (("DELETE FROM event WHERE seq = 1",), "1-1"),
    "one deleted": (("DELETE FROM event WHERE seq = 2",), "1-2"),
    "last deleted": (("DELETE FROM event WHERE seq = 4",), "1-4"),
    "all deleted": (("DELETE FROM event",), "1-1"),
    "cut off, operations too": (
        (
            "DELETE FROM event WHERE seq > 2",
            "DELETE FROM operation WHERE seq > 2",
            "INSERT INTO fact VALUES ('acknowledged', CAST('1/3' AS BLOB))",
        ),
        "1-3",
    ),
    "deleted and closed up": (
        ("DELETE FROM event WHERE seq = 2", "UPDATE event SET seq = seq - 1 WHERE seq > 2"),
        "1-2",
    ),
    "inserted at the end": (
        ("INSERT INTO event SELECT epoch, 5, hash, kind, member, raw FROM event WHERE seq = 4",),
        "1-5",
    ),
    "inserted as another epoch": (
        ("INSERT INTO event SELECT 2, 1, hash, kind, member, raw FROM event WHERE seq = 1",),
        "2-1",
    ),
    "two exchanged": (
        (
            "UPDATE event SET seq = 99 WHERE seq = 2",
            "UPDATE event SET seq = 2 WHERE seq = 3",
            "UPDATE event SET seq = 3 WHERE seq = 99",
        ),
        "1-2",
    ),
    "raw is empty": (("UPDATE event SET raw = x'' WHERE seq = 3",), "1-3"),
    "hash is short": (("UPDATE event SET hash = x'00' WHERE seq = 3",), "1-3"),
    "member taken off": (("UPDATE event SET member = NULL WHERE seq = 2",), "1-2"),
    "member put on": (("UPDATE event SET member = 'x' WHERE seq = 4",), "1-4"),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_rows_taken_added_or_moved_are_found(written: Bench, damage: str) -> None:
    statements, event = DAMAGE[damage]
    with raw_connection(written.database) as connection:
        for statement in statements:
            connection.execute(statement)
    result = await verified(written)
    assert names(result)[0] == f"{result.node}-{event}", result


async def test_a_forged_event_with_a_right_hash_is_found(written: Bench) -> None:
    """Somebody who can reckon SHA-256 cannot write what the product would not have written."""
    node = written.shop.store.keyring.node
    ((digest, raw),) = written.rows("SELECT hash, raw FROM event WHERE seq = 4")
    for forged in (b"\x00", b"not msgpack", raw):
        with raw_connection(written.database) as connection:
            connection.execute("DELETE FROM event WHERE seq = 5")
            row = (link(digest, forged), forged)
            connection.execute("INSERT INTO event VALUES (1, 5, ?, 'sale', NULL, ?)", row)
        assert names(await verified(written)) == [f"{node}-1-5"]


# ---- damage to the file itself, beneath SQL ----------------------------------------------------------------
async def closed_file(written: Bench) -> bytes:
    """Return the bytes of the store as it lies on a disk at night."""
    await written.close()
    whole = written.database.read_bytes()
    assert not written.database.with_name("shop.db-wal").exists()
    return whole


def cells(whole: bytes, raws: list[bytes]) -> Iterator[tuple[int, range]]:
    """Yield the place in the file of each event's columns: they lie together before the raw bytes."""
    for seq, raw in enumerate(raws, 1):
        at = whole.index(raw)
        yield seq, range(at - 36, at + len(raw))


async def test_a_byte_flipped_in_the_file_is_found(written: Bench) -> None:
    raws = [raw for (raw,) in written.rows("SELECT raw FROM event ORDER BY seq")]
    whole = await closed_file(written)
    node = keyring.load(written.folder).node
    try:
        for seq, place in cells(whole, raws):
            for at in [*place][::29]:
                damaged = bytearray(whole)
                damaged[at] ^= 0x10
                written.database.write_bytes(damaged)
                assert names(await verified(written)) == [f"{node}-1-{seq}"], f"byte {at}"
    finally:
        written.database.write_bytes(whole)
        await written.open()


async def test_any_byte_of_the_events_page_is_missed_by_nobody(written: Bench) -> None:
    """Heads of cells and pointers too: named as an event, or told as a file that cannot be read."""
    (root,) = written.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'event'")[0]
    (used,) = written.rows("SELECT sum(length(raw)) FROM event")[0]
    whole = await closed_file(written)
    page = range((root - 1) * 4096, root * 4096)
    count, content = struct.unpack(">HH", whole[page.start + 3 : page.start + 7])
    used_bytes = [*range(page.start, page.start + 8 + 2 * count), *range(page.start + content, page.stop)]
    found = 0
    try:
        for at in used_bytes[:16] + used_bytes[16::17]:
            damaged = bytearray(whole)
            damaged[at] ^= 0x08
            written.database.write_bytes(damaged)
            try:
                result = await verified(written)
            except Corrupt as error:
                assert error.code in {"STORE_UNREADABLE", "STORE_DAMAGED"}
            else:
                assert not result.ok, f"byte {at - page.start} of the page"
            found += 1
        assert found > used // 20
    finally:
        written.database.write_bytes(whole)
        await written.open()


# ---- the command -----------------------------------------------------------------------------------------
def run_command(bench: Bench) -> tuple[int, dict[str, object]]:
    config = bench.folder / "daemon.toml"
    config.write_text(
        '[shop]\nname = "Tea Hill"\n[store]\nfolder = "."\n[files]\nprogram = "p"\ncatalogue = "c"\n'
    )
    program = "from tapledger.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "verify-ledger", "--config", str(config), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    answer: dict[str, object] = json.loads(done.stdout)
    return done.returncode, answer


async def test_the_command_says_whole_altered_or_unreadable(written: Bench) -> None:
    node = written.shop.store.keyring.node
    whole = {"ok": True, "node": node, "events": EVENTS, "broken": []}
    assert run_command(written) == (0, whole), "while the daemon has the store open"

    with raw_connection(written.database) as connection:
        connection.execute("UPDATE event SET raw = CAST(raw || x'00' AS BLOB) WHERE seq = 3")
    code, answer = run_command(written)
    assert (code, answer["ok"], answer["events"]) == (1, False, 2)
    assert answer["broken"] == [{"event": f"{node}-1-3", "why": "hash"}]
    assert answer["saved"] == [{"epoch": 1, "events": 2}]


async def test_the_command_names_the_event_that_sqlite_cannot_read(bench: Bench) -> None:
    """An event so long that it lies on pages of its own, one of which is gone from the chain."""
    await bench.buy(None)
    command = bench.sale(None)
    line = structs.replace(command.lines[0], name="n" * 3000)
    command = replace(command, lines=(line,) * 3, tenders=command.tenders * 3)
    recorded = await record_sale(bench.shop, command)
    await bench.buy(None)
    node = bench.shop.store.keyring.node
    whole = await closed_file(bench)
    # An overflow page begins with the number of the next one; a number beyond the file cannot be read.
    places = [at for at in range(4096, len(whole), 4096) if whole[at + 4 : at + 4000] in recorded.raw]
    damaged = bytearray(whole)
    damaged[places[0] : places[0] + 4] = b"\x00\x0f\xff\xff"
    bench.database.write_bytes(damaged)
    code, answer = run_command(bench)
    bench.database.write_bytes(whole)
    await bench.open()
    assert (code, answer["broken"]) == (1, [{"event": f"{node}-1-2", "why": "unreadable"}])


async def test_damage_beside_the_events_is_told_too(written: Bench) -> None:
    """An index that leads astray: every event is whole, but the daemon would not find them."""
    roots = written.rows("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'event' AND type = 'index'")
    assert len(roots) == 2
    whole = await closed_file(written)
    try:
        for (root,) in roots:
            damaged = bytearray(whole)
            damaged[root * 4096 - 3] ^= 0x01
            written.database.write_bytes(damaged)
            with pytest.raises(Corrupt) as caught:
                await verified(written)
            assert (caught.value.code, caught.value.data["saved"]) == ("STORE_DAMAGED", EVENTS)
    finally:
        written.database.write_bytes(whole)
        await written.open()


async def test_the_command_says_why_a_store_cannot_be_opened(bench: Bench) -> None:
    await bench.close()
    whole = bench.database.read_bytes()
    bench.database.write_bytes(b"this is no database" * 400)
    code, answer = run_command(bench)
    assert (code, answer["code"]) == (2, "STORE_UNREADABLE")
    bench.database.unlink()
    code, answer = run_command(bench)
    assert (code, answer["code"]) == (2, "STORE_UNREADABLE")
    assert not bench.database.exists(), "looking makes no store"
    bench.database.write_bytes(whole)
    await bench.open()
