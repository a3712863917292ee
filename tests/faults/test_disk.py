"""The disk of a shop fills up or fails: nothing is lost, nothing is said to be done that is not, and the shop
goes on by itself."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.lone_shop import LoneShop, found_shop
from tests.store.shops import Bench, HandClock, card, raw_connection
from tests.store.test_verify import verified

DISK_MB, BALLAST_MB = 24, 4
MB = 1 << 20


def on_a_disk_of_its_own(folder: Path, seed: Path) -> list[str]:
    """Words that give a command a small disk that nobody else sees, with a shop on it."""
    unshare = shutil.which("unshare")
    assert unshare is not None, "unshare is needed (util-linux)"
    mount = f'mount -t tmpfs -o size={DISK_MB}m tmpfs {folder} && cp -a {seed}/. {folder} && exec "$@"'
    return [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]


class Filler:
    """A file of somebody else that takes room on a disk."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "filler"

    def fill(self, leave: int = 0) -> None:
        disk = shutil.disk_usage(self._file.parent)
        with self._file.open("ab", buffering=0) as file:
            left = disk.free - leave
            while left > 0:
                try:
                    left -= file.write(bytes(min(left, MB)))
                except OSError:
                    break

    def empty(self) -> None:
        self._file.unlink()


async def test_a_full_disk_is_told_and_a_shop_goes_on_when_there_is_room(tmp_path: Path) -> None:
    seed, folder = tmp_path / "seed", tmp_path / "shop"
    folder.mkdir()
    await found_shop(seed, ballast_mb=BALLAST_MB)
    async with LoneShop(folder, on_a_disk_of_its_own(folder, seed)) as shop:
        filler, ballast = Filler(shop.disk), shop.disk / "ballast"
        assert ballast.stat().st_size == BALLAST_MB * MB

        filler.fill()
        receipts = {await shop.sell() for _ in range(3)}
        assert not ballast.exists(), "the ballast was given up for these"

        await shop.fill_basket()
        filler.fill()
        for _ in range(2):
            problem = await shop.pay()
            assert (problem["code"], problem["sentence"][:17]) == ("STORE_FULL", "The disk is full:")
        assert shop.till.snapshot["lines"], "what was not recorded is still to be paid"

        filler.empty()
        assert await shop.pay() == {}
        receipts |= {await shop.paid(), await shop.sell()}
        said = await shop.verify()
    assert (said["exit"], said.get("ok")) == (0, True), said
    assert len(receipts) == 5
    assert said["events"] == 1 + len(receipts), "a member, and what was paid"


# ---- system calls that fail ------------------------------------------------------------------------------
SALES = 25
FAULTS = {
    "writes fail": ("pwrite64:error=EIO:when=5+37",),
    "no room for some": ("pwrite64:error=ENOSPC:when=5+37", "ftruncate:error=EIO:when=1+3"),
    "syncs fail": ("fsync,fdatasync:error=EIO:when=1+3",),
    "the disk is read-only, memory short": ("openat:error=EROFS:when=2+5", "mmap:error=ENOMEM:when=1+3"),
    "reads fail": ("pread64:error=EIO:when=9+151",),
}
"""What strace lets fail: from which call on, and every how many. No number divides a sale's calls, so that
sooner or later each of them fails; a start reads the whole file."""
TWIN = "told too early"


def sell_on_a_failing_disk(folder: Path, faults: tuple[str, ...], *words: str) -> dict[str, Any]:
    strace = shutil.which("strace")
    assert strace is not None, "install strace (tools/system_packages.py)"
    files = [str(folder / f"shop.db{end}") for end in ("", "-wal", "-shm")]
    paths = [word for file in files for word in ("-P", file)]
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    injected = [word for fault in faults for word in ("-e", f"inject={fault}")]
    log = folder / "strace"
    run = [strace, "-f", "-qq", "-o", str(log), *paths, "-e", f"trace={calls}", *injected]
    writer = [sys.executable, "-m", "tests.faults.stubborn", str(folder), str(SALES), *words]
    done = subprocess.run([*run, *writer], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return {**said, "failed": log.read_text().count("(INJECTED)")}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Run a shop for each fault; return its folder and what it said."""
    folder = tmp_path_factory.mktemp("failing")

    async def found() -> None:
        bench = Bench(folder / "seed", HandClock())
        await bench.open()
        await bench.join("Ann", card("a"))
        await bench.close()

    def run(name: str) -> tuple[Path, dict[str, Any]]:
        shop = folder / name.replace(" ", "-")
        shutil.copytree(folder / "seed", shop)
        words = ("told-too-early",) if name == TWIN else ()
        return shop, sell_on_a_failing_disk(shop, FAULTS.get(name, FAULTS["syncs fail"]), *words)

    asyncio.run(found())
    with ThreadPoolExecutor(2) as pool:
        return dict(zip([*FAULTS, TWIN], pool.map(run, [*FAULTS, TWIN]), strict=True))


def lost(folder: Path, said: dict[str, Any]) -> list[int]:
    """Return the events that somebody was told of and that are not there."""
    with raw_connection(folder / "shop.db") as connection:
        there = {
            (seq, bytes(digest).hex()) for seq, digest in connection.execute("SELECT seq, hash FROM event")
        }
    return [seq for seq, digest in said["told"] if (seq, digest) not in there]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failing_disk_refuses_and_loses_nothing(
    shops: dict[str, tuple[Path, dict[str, Any]]], fault: str
) -> None:
    folder, said = shops[fault]
    refused = said["refused"]
    assert said["failed"] >= sum(refused.values()) > 0
    assert set(refused) <= {"STORE_FAULT", "STORE_FULL", "STORE_UNREADABLE"}
    assert ("STORE_FULL" in refused) == (fault == "no room for some")
    assert ("STORE_UNREADABLE" in refused) == (fault == "reads fail"), "SQLite takes these for damage"
    assert (len(said["told"]), lost(folder, said)) == (SALES, [])
    verdict = await verified(Bench(folder, HandClock()))
    assert (verdict.ok, verdict.events) == (True, 1 + SALES), "nothing twice either"


def test_a_shop_that_tells_too_early_is_caught(shops: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    assert lost(*shops[TWIN])
