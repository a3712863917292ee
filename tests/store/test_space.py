"""Room on the disk for the ledger: when nothing is given out any more, and the ballast itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapledger.errors import Refused
from tapledger.store.space import FILE_NAME, Space
from tests.store.shops import EARPHONES, Bench, HandClock, card

MORE_THAN_THERE_IS = 1 << 50


async def test_a_nearly_full_disk_earns_and_gives_nothing_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path, HandClock())
    await bench.open()
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    await bench.close()
    await bench.open(ballast_bytes=MORE_THAN_THERE_IS)
    try:
        assert not (tmp_path / FILE_NAME).exists(), "it would take the room that is left"
        with pytest.raises(Refused) as caught:
            await bench.redeem(member)
        assert caught.value.code == "STORE_NEARLY_FULL"
        await bench.buy(member, EARPHONES)
        assert await bench.points(member) == 2 * 299
    finally:
        await bench.close()
    await bench.open(ballast_bytes=4096)
    await bench.redeem(member)
    await bench.close()


def test_the_ballast_is_held_given_up_and_held_again(tmp_path: Path) -> None:
    space, file = Space(tmp_path, 1 << 20), tmp_path / FILE_NAME
    space.hold()
    assert (file.stat().st_size, file.stat().st_blocks * 512 >= 1 << 20) == (1 << 20, True)
    assert (space.give_up(), file.exists(), space.give_up()) == (True, False, False)
    space.hold()
    assert file.exists()
    Space(tmp_path, 0).hold()
    assert not file.exists(), "it is not wanted any more"
