"""A damaged file: every flipped byte of an event is found, a shop does not start on it, and what the chain
proves is saved."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from tapledger.database import InlineExecutor
from tapledger.errors import Corrupt
from tapledger.membership.sale import record_sale
from tapledger.store import keyring, salvage
from tapledger.store.store import FILE_NAME, Store
from tests.store.shops import Bench, HandClock, card, raw_connection
from tests.store.test_verify import names, verified

EVENTS = 1000
LONG_EVERY = 50
"""Each of so many events does not fit on one page."""
PAGE = salvage.PAGE_BYTES
CUT_EVERY = 3000
"""Bytes of the log: some cuts are in the middle of a page, some between two."""
FLIPS, MANY_FLIPS, NOISES = 30, 5000, 12


@dataclass(frozen=True, slots=True)
class Ledger:
    """A thousand events as they lie on a disk at night."""

    folder: Path
    node: str
    rows: list[tuple[int, bytes, bytes]]
    content: bytes

    @property
    def file(self) -> Path:
        return self.folder / FILE_NAME

    def chain(self, first: int, last: int) -> list[salvage.Saved]:
        return [salvage.Saved(1, seq, digest, raw) for seq, digest, raw in self.rows[first - 1 : last]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def written(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    bench = Bench(tmp_path_factory.mktemp("ledger"), HandClock())
    await bench.open(InlineExecutor())
    member = await bench.join("Ann", card("a"))
    for number in range(2, EVENTS + 1):
        command = bench.sale(member if number % 3 else None)
        if number % LONG_EVERY == 0:
            line = structs.replace(command.lines[0], name="n" * 3000)
            command = replace(command, lines=(line,) * 3, tenders=command.tenders * 3)
        await record_sale(bench.shop, command)
    node = bench.shop.store.keyring.node
    await bench.close()
    rows = bench.rows("SELECT seq, hash, raw FROM event ORDER BY seq")
    return Ledger(
        bench.folder,
        node,
        [(seq, bytes(digest), bytes(raw)) for seq, digest, raw in rows],
        bench.database.read_bytes(),
    )


@pytest.fixture
async def ledger(written: Ledger, tmp_path: Path) -> AsyncIterator[Ledger]:
    """Yield a copy to be damaged."""
    folder = tmp_path / "copy"
    shutil.copytree(written.folder, folder)
    yield replace(written, folder=folder)


async def find_flips(ledger: Ledger, flips: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(flips):
        seq, _, raw = chance.choice(ledger.rows)
        at = ledger.content.find(raw[: PAGE // 4])
        damaged = bytearray(ledger.content)
        # A long event goes on elsewhere; its beginning is as good a place to flip as any.
        place = at - 36 + chance.randrange(36 + min(len(raw), PAGE // 4))
        damaged[place] ^= 1 << chance.randrange(8)
        ledger.file.write_bytes(damaged)
        found = names(await verified(Bench(ledger.folder, HandClock())))
        assert found == [f"{ledger.node}-1-{seq}"], f"seed {seed}, byte {place}"
        saved = salvage.tail(ledger.file, ledger.node, 1, 0)
        assert saved == ledger.chain(1, len(saved)), f"byte {place}"
        assert len(saved) in {seq - 1, EVENTS}, "what only stands beside the event can be left out"


async def test_a_flipped_byte_among_a_thousand_events_is_found(ledger: Ledger) -> None:
    await find_flips(ledger, FLIPS, seed=1)


@pytest.mark.long
async def test_many_flipped_bytes_among_a_thousand_events_are_found(ledger: Ledger) -> None:
    await find_flips(ledger, MANY_FLIPS, seed=2)


def test_a_whole_file_is_saved_whole(ledger: Ledger) -> None:
    assert salvage.whole(ledger.file, ledger.node) == {1: EVENTS}
    assert salvage.tail(ledger.file, ledger.node, 1, 0) == ledger.chain(1, EVENTS)
    assert salvage.tail(ledger.file, ledger.node, 1, 900) == ledger.chain(901, EVENTS)
    assert salvage.tail(ledger.file, ledger.node, 1, 900, ledger.rows[899][1]) == ledger.chain(901, EVENTS)
    assert salvage.tail(ledger.file, ledger.node, 1, 900, bytes(32)) == [], "central knows another one"
    assert salvage.whole(ledger.file, "another") == {}


def test_pages_of_noise_cost_the_events_on_them_and_those_after(ledger: Ledger) -> None:
    """Also page 1, without which SQLite opens nothing."""
    chance, pages, losses = random.Random(1), len(ledger.content) // PAGE, 0
    for number in [0, *(chance.randrange(pages) for _ in range(NOISES))]:
        damaged = bytearray(ledger.content)
        gone = range(number * PAGE, (number + 1) * PAGE)
        damaged[gone.start : gone.stop] = chance.randbytes(PAGE)
        ledger.file.write_bytes(damaged)
        saved = salvage.tail(ledger.file, ledger.node, 1, 0)
        assert saved == ledger.chain(1, len(saved))
        losses += len(saved) < EVENTS
    assert 0 < losses < NOISES


def committed(folder: Path, look: Path) -> int:
    """Count the events that SQLite itself finds in a copy of a folder."""
    with raw_connection(shutil.copytree(folder, look, dirs_exist_ok=True) / FILE_NAME) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchall():
            return 0
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])


async def test_what_only_the_log_has_is_saved_and_what_was_never_committed_is_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "shop", HandClock())
    await bench.open()
    for _ in range(5):
        await bench.buy(None)
    copy = tmp_path / "copy"
    shutil.copytree(bench.folder, copy)
    node = bench.shop.store.keyring.node
    await bench.close()
    file, log = copy / FILE_NAME, copy / f"{FILE_NAME}-wal"
    assert len(file.read_bytes()) <= PAGE < len(log.read_bytes())
    assert len(salvage.tail(file, node, 1, 0)) == 5
    content, found = log.read_bytes(), set()
    for cut in range(len(content), 0, -CUT_EVERY):
        log.write_bytes(content[:cut])
        saved = len(salvage.tail(file, node, 1, 0))
        assert saved == committed(copy, tmp_path / "look"), f"cut at {cut}"
        found.add(saved)
    assert found == set(range(6))


async def test_a_shop_does_not_start_on_a_damaged_file(ledger: Ledger) -> None:
    """Not at the page that is needed first: at the start, whichever page it is."""
    with raw_connection(ledger.file) as connection:
        ((root,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'event'").fetchall()
    damaged = bytearray(ledger.content)
    damaged[(root - 1) * PAGE : root * PAGE] = random.Random(1).randbytes(PAGE)
    ledger.file.write_bytes(damaged)
    for _ in range(2):
        with pytest.raises(Corrupt) as caught:
            await Store.open(ledger.folder, keyring.load(ledger.folder))
        assert caught.value.code == "STORE_UNREADABLE"
    with pytest.raises(Corrupt) as caught:
        await verified(Bench(ledger.folder, HandClock()))
    assert (caught.value.code, caught.value.data["saved"]) == ("STORE_DAMAGED", EVENTS)
