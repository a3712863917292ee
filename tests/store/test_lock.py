"""Two daemons on one store would print one slip twice: the second is refused."""

from __future__ import annotations

import pytest

from tapledger.errors import Unavailable
from tapledger.store import keyring
from tapledger.store.store import Store
from tests.store.shops import Bench


async def test_a_second_daemon_is_refused_and_a_reader_is_not(bench: Bench) -> None:
    keys = keyring.load(bench.folder)
    with pytest.raises(Unavailable, match="STORE_IN_USE"):
        await Store.open(bench.folder, keys)
    reader = await Store.open(bench.folder, keys, read_only=True)
    await reader.close()
    await bench.close()
    after = await Store.open(bench.folder, keys)
    await after.close()
