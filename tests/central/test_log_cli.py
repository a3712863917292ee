"""``tapledger central proof`` and ``log-key``, and what they print, checked by ``tapledger verify-proof``."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tapledger.cli import main
from tapledger_central.keys import load_or_make
from tapledger_central.notary import Notary
from tapledger_central.store import Transaction, open_store
from tests.central.log_office import Office
from tests.central.world import HandClock


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The settings of a central that has signed three entries and holds a fourth."""
    file = tmp_path / "central.toml"
    file.write_text('data_folder = "data"\n', encoding="utf-8")

    async def fill() -> None:
        folder = tmp_path / "data"
        keys = load_or_make(folder, os.urandom)
        store = await open_store(folder, keys.tenant)

        def work(tx: Transaction) -> Office:
            office = Office(tx, keys)
            office.file("k7m2p9qx", 3)
            return office

        office = await store.transact(work)
        await Notary(store, keys, HandClock()).round()

        def more(tx: Transaction) -> None:
            office.tx = tx
            office.file("k7m2p9qx", 1)

        await store.transact(more)
        await store.close()

    asyncio.run(fill())
    return file


def told(*words: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(main, [*words, "--json"])
    assert result.exit_code == code, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def test_what_head_office_prints_is_checked_anywhere(config: Path, tmp_path: Path) -> None:
    key = told("central", "log-key", "--config", str(config))["key"]
    file = tmp_path / "entry.tlog-proof"
    printed = CliRunner().invoke(main, ["central", "proof", "k7m2p9qx-1-2", "--config", str(config)])
    file.write_bytes(printed.stdout_bytes)
    proved = told("verify-proof", str(file), "--key", key)
    assert (proved["receipt"], proved["index"], proved["size"]) == ("k7m2p9qx-1-2", 1, 3)
    qr = f"k7m2p9qx-1-2:{proved['hash']}"
    assert told("verify-proof", str(file), "--key", key, "--receipt", qr) == proved
    answer = told("central", "proof", qr, "--config", str(config))
    assert answer == {"receipt": "k7m2p9qx-1-2", "proof": file.read_text(encoding="utf-8")}


def test_what_cannot_be_proved_is_said(config: Path) -> None:
    def code(receipt: str) -> object:
        return told("central", "proof", receipt, "--config", str(config), code=2)["code"]

    assert code("k7m2p9qx-1-4") == "LOG_ENTRY_UNSIGNED"
    assert {code(one) for one in ("k7m2p9qx-1-5", "k7m2p9qx-2-1")} == {"LOG_ENTRY_UNKNOWN"}
    assert {code(one) for one in ("k7m2p9qx-1-0", "k7m2p9qx-1", "")} == {"RECEIPT_INVALID"}
