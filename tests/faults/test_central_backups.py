"""Central put back to an older copy: its shops bring everything back, and nothing is doubled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tapledger.store import outbox
from tapledger_central.cli import central as command
from tests.faults import books
from tests.faults.forked import sell
from tests.faults.small_chain import SHOPS, SmallChain, small_chain
from tests.postgres import SUPERUSER, PostgresServer


async def told(chain: SmallChain, *words: object, code: int = 0) -> dict[str, Any]:
    words = (*words, "--config", chain.folder / "central.toml", "--json")
    arguments = [str(word) for word in words]
    done = await asyncio.to_thread(CliRunner().invoke, command, arguments)
    assert done.exit_code == code, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class Older:
    """An older copy of central's rows, on either engine."""

    def __init__(self, chain: SmallChain, postgres: PostgresServer | None) -> None:
        self.chain = chain
        self._postgres = postgres
        self._copy = chain.folder / "disk" / "central.db"

    async def take(self) -> None:
        """Copy a SQLite file beside central at work; of PostgreSQL, the database while nobody has it open."""
        if self._postgres is None:
            assert (await told(self.chain, "backup", self._copy))["nodes"] >= 2
            return
        await self.chain.central.kill()
        name = self.chain._database_url.rpartition("/")[2]
        self._database = self._postgres.database(name)
        await self.chain.central.start()
        await self.chain.central.heard()

    async def put_back(self, *, told_so: bool = True) -> None:
        await self.chain.central.kill()
        if self._postgres is None:
            assert (await told(self.chain, "restore", self._copy))["aside"] is not None
        else:
            config = self.chain.folder / "central.toml"
            text = config.read_text().replace(self.chain._database_url, self._database.app)
            config.write_text(text)
            self.chain._database_url = self._database.app
            self.chain._looked_at = self._postgres.url(SUPERUSER, self._database.name)
            assert (await told(self.chain, "restored"))["scopes"] >= 1
        await self.chain.central.start()
        await self.chain.central.heard()


@pytest.fixture
async def chain(tmp_path: Path, postgres: PostgresServer | None) -> AsyncIterator[SmallChain]:
    async with small_chain(tmp_path, postgres) as made:
        yield made


async def sell_everywhere(chain: SmallChain) -> None:
    for name in SHOPS:
        async with chain.opened(name) as (shop, _):
            for member in chain.members:
                await sell(shop, member)
    await chain.settle()


async def test_shops_bring_back_what_a_restored_central_lacks(
    chain: SmallChain, postgres: PostgresServer | None
) -> None:
    older = Older(chain, postgres)
    await sell_everywhere(chain)
    await older.take()
    before = len(chain.held())
    await sell_everywhere(chain)
    points = await chain.settle()
    await older.put_back()
    assert len(chain.held()) == before, "what came after the copy is gone"
    assert await chain.settle() == points, "and back, though nobody sold anything"
    assert books.differences(chain.recorded(), chain.held()) == []
    await sell_everywhere(chain)
    here, there = await chain.settle()
    assert here == there
    assert books.differences(chain.recorded(), chain.held()) == []
    assert (await told(chain, "check", "--all"))["faults"] == []


@pytest.mark.parametrize("postgres", [None], ids=["sqlite"])
async def test_a_shop_that_does_not_send_again_leaves_central_short(
    chain: SmallChain, postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: what was acknowledged once counts as held for ever."""
    older = Older(chain, postgres)
    await sell_everywhere(chain)
    await older.take()
    await sell_everywhere(chain)
    monkeypatch.setattr(outbox, "send_again", lambda tx, held: False)
    await older.put_back()
    await chain.settle()
    assert books.differences(chain.recorded(), chain.held()) != []


@pytest.mark.parametrize("postgres", [None], ids=["sqlite"])
async def test_a_dry_run_says_what_is_here_and_a_running_central_is_let_be(
    chain: SmallChain, postgres: None
) -> None:
    file = chain.folder / "disk" / "central.db"
    made = await told(chain, "backup", file)
    seen = await told(chain, "restore", file, "--dry-run")
    assert seen["held"]["events"] == made["events"] == seen["here"]["events"]
    assert (await told(chain, "backup", chain.folder / "central" / "x.db", code=2))["code"] == "BACKUP_PLACE"
    await chain.central.kill()
    await chain.central.start()
    await chain.central.heard()
    foreseen = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    (chain.folder / "disk" / "bad.db").write_bytes(foreseen[: len(foreseen) // 2])
    assert (await told(chain, "restore", chain.folder / "disk" / "bad.db", code=2))["code"] in {
        "BACKUP_DAMAGED",
        "CENTRAL_RUNNING",
        "STORE_UNREADABLE",
    }
    assert (await told(chain, "restore", file, "--dry-run"))["here"] is not None
