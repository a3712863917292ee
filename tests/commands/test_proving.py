"""``tapledger verify-proof`` and ``tapledger witness``, as a technician types them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from tapledger import settings
from tapledger.cli import main
from tapledger.commands import proving
from tapledger.errors import Unavailable
from tapledger.store import keyring, witnessing
from tapledger.store.store import Store
from tapledger.wire import checkpoints
from tests.commands.test_init import init
from tests.wire.test_proofs import KEY, LOG, PROOF, PUBLIC

VKEY = checkpoints.verifier_key(LOG, PUBLIC)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The settings of a shop that is enrolled with the log's central."""
    config = Path(json.loads(init(tmp_path).stdout)["config"])
    folder = settings.read(config).store.folder
    own = keyring.load(folder)
    keyring.replace(folder, msgspec.structs.replace(own, tenant="tenant-1", central_public_key=PUBLIC))
    return config


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    file = tmp_path / "entry.tlog-proof"
    file.write_bytes(PROOF.text().encode())
    return file


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def told(*words: object, code: int = 0) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def test_a_proof_is_checked_by_the_shops_own_key_or_a_given_one(shop: Path, proof: Path) -> None:
    by_shop = told("verify-proof", proof, "--config", shop)
    assert by_shop == told("verify-proof", proof, "--key", VKEY)
    assert (by_shop["receipt"], by_shop["index"], by_shop["size"]) == ("k7m2p9qx-2-4711", 5, 11)
    assert (by_shop["kind"], by_shop["log"]) == ("sale", LOG)
    result = run("verify-proof", proof, "--key", VKEY)
    assert result.output.startswith(
        f"Receipt k7m2p9qx-2-4711, {by_shop['hash'][:16]}: sale of 2026-05-04 09:00"
    )


def test_it_must_be_the_entry_of_the_receipt(proof: Path) -> None:
    whole = told("verify-proof", proof, "--key", VKEY)["hash"]
    for said in (
        f"k7m2p9qx-2-4711:{whole}",
        f"k7m2p9qx-2-4711 {whole[:16]}",
        f"k7m2p9qx-2-4711 {whole[:4]} {whole[4:16]}",
    ):
        assert told("verify-proof", proof, "--key", VKEY, "--receipt", said)["hash"] == whole
    other = "0" * 64
    for said in (
        f"k7m2p9qx-2-4711:{other}",
        f"k7m2p9qx-2-4712:{whole}",
        f"k7m2p9qx-2-4711 {whole[:15]}",
        "x",
        "",
    ):
        assert (
            told("verify-proof", proof, "--key", VKEY, "--receipt", said, code=2)["code"] == "RECEIPT_OTHER"
        )


def test_what_proves_nothing(proof: Path, tmp_path: Path) -> None:
    stranger = checkpoints.verifier_key(LOG, KEY.public_key().public_bytes_raw()[::-1])
    assert told("verify-proof", proof, "--key", stranger, code=2)["code"] == "CHECKPOINT_FORGED"
    assert told("verify-proof", proof, "--key", "x", code=2)["code"] == "LOG_KEY_UNREADABLE"
    assert told("verify-proof", tmp_path, "--key", VKEY, code=2)["code"] == "PROOF_UNREADABLE"
    proof.write_bytes(PROOF.text().replace("index 5", "index 4").encode())
    assert told("verify-proof", proof, "--key", VKEY, code=2)["code"] == "LOG_PROOF_WRONG"
    proof.write_bytes(PROOF.text().replace("\n", "\r\n").encode())
    assert told("verify-proof", proof, "--key", VKEY, code=2)["code"] == "PROOF_UNREADABLE"
    proof.write_bytes(b"\xff")
    assert told("verify-proof", proof, "--key", VKEY, code=2)["code"] == "PROOF_UNREADABLE"


def test_what_was_witnessed_is_shown_and_forgotten(shop: Path) -> None:
    folder = settings.read(shop).store.folder
    assert run("witness", "--config", shop).output.startswith("No checkpoint")

    async def see() -> None:
        store = await Store.open(folder, keyring.load(folder))
        await store.transact(lambda tx: witnessing.see(tx, PROOF.note))
        await store.transact(lambda tx: witnessing.ring_fork(tx, 0, "another\n", ""))
        with pytest.raises(Unavailable, match="STORE_IN_USE"):
            await proving.forget(settings.read(shop))
        await store.close()

    asyncio.run(see())
    assert told("witness", "--config", shop) == {"seen": PROOF.note, "fork": f"{PROOF.note}\nanother\n"}
    assert told("witness", "--forget", "--config", shop) == {"seen": "", "fork": ""}
