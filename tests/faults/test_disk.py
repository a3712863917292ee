"""The disk of a shop fills up or fails: nothing is lost, nothing is said to be done that is not, and the shop
goes on by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.faults.lone_shop import LoneShop, found_shop

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
