"""``tapledger central proof`` and ``log-key``: what somebody needs who wants to check an entry alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from tapledger.commandline import AS_JSON, call, show
from tapledger.errors import Invalid
from tapledger_central import operating

RECEIPT = re.compile(r"([0-9a-z]{1,16})-([1-9]\d{0,15})-([1-9]\d{0,15})(:.*)?")
"""node-epoch-seq; the QR code of a receipt has the hash behind it."""


@click.command()
@click.argument("receipt", metavar="NODE-EPOCH-SEQ")
@operating.CONFIG
@AS_JSON
def proof(receipt: str, config: Path, as_json: bool) -> None:
    """Print the proof that an entry is in the log; tapledger verify-proof checks it anywhere."""

    async def make() -> str:
        from tapledger_central import audit

        node, epoch, seq = _read(receipt)
        async with operating.office(config) as central:
            found = await central.store.transact(lambda tx: audit.inclusion(tx, node, epoch, seq))
        return found.text()

    text = call(make(), as_json)
    show(as_json, {"receipt": receipt.partition(":")[0], "proof": text}, text.removesuffix("\n"))


@click.command("log-key")
@operating.CONFIG
@AS_JSON
def log_key(config: Path, as_json: bool) -> None:
    """Print the key by which anybody knows what this central has signed."""

    async def find() -> str:
        from tapledger.wire.checkpoints import origin_of, verifier_key
        from tapledger_central import settings
        from tapledger_central.keys import load_or_make

        keys = load_or_make(settings.load(config).data_folder, os.urandom)
        return verifier_key(origin_of(keys.tenant), keys.public_key)

    key = call(find(), as_json)
    show(as_json, {"key": key}, key)


def _read(receipt: str) -> tuple[str, int, int]:
    match = RECEIPT.fullmatch(receipt.strip())
    if match is None:
        raise Invalid("RECEIPT_INVALID")
    return match[1], int(match[2]), int(match[3])
