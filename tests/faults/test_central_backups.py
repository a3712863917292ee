"""Central put back to an older copy: its shops bring everything back, and nothing is doubled."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tapledger.store import outbox
from tapledger_central.app import open_central
from tapledger_central.cli import central as command
from tests.faults import books
from tests.faults.forked import sell
from tests.faults.small_chain import SHOPS, SmallChain, small_chain
from tests.postgres import SUPERUSER, PostgresServer


async def told(chain: SmallChain, *words: object) -> dict[str, Any]:
    return await command_of(chain.folder / "central.toml", *words)


async def command_of(config: Path, *words: object, code: int = 0) -> dict[str, Any]:
    words = (*words, "--config", config, "--json")
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

    async def put_back(self) -> None:
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


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_a_dry_run_and_what_is_refused_change_nothing(tmp_path: Path) -> None:
    home, disk, config = tmp_path / "data", tmp_path / "disk", tmp_path / "central.toml"
    office = await open_central(home)
    await office.enrolment_code("North")
    await office.close()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config.write_text(f'data_folder = "data"\nlisten_port = {listener.getsockname()[1]}\n')
        made = await command_of(config, "backup", disk / "a.db")
        assert (made["events"], (disk / "a.db").stat().st_mode & 0o777) == (0, 0o600)
        assert (await command_of(config, "backup", home / "a.db", code=2))["code"] == "BACKUP_PLACE"
        before = files(home)
        seen = await command_of(config, "restore", disk / "a.db", "--dry-run")
        assert seen["held"]["events"] == seen["here"]["events"] == 0
        running = await command_of(config, "restore", disk / "a.db", code=2)
        assert running["code"] == "CENTRAL_RUNNING"
    content = (disk / "a.db").read_bytes()
    (disk / "half.db").write_bytes(content[: len(content) // 2])
    half = await command_of(config, "restore", disk / "half.db", code=2)
    assert half["code"] in {"BACKUP_DAMAGED", "STORE_UNREADABLE"}
    none = await command_of(config, "restore", disk / "none.db", code=2)
    assert none["code"] == "BACKUP_MISSING"
    assert files(home) == before
    done = await command_of(config, "restore", disk / "a.db")
    assert Path(done["aside"]).name in files(home)
    assert (await command_of(config, "check", "--all"))["faults"] == []
