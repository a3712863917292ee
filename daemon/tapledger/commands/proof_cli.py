"""``tapledger verify-proof`` and ``tapledger witness``: what central proves, and what this shop has seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapledger.commandline import AS_JSON, CONFIG, call, show

if TYPE_CHECKING:
    from tapledger.commands.proving import Witnessed
    from tapledger.wire.proofs import Proved


@click.command("verify-proof")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", help="The log's key (tapledger central log-key) instead of the one this shop knows.")
@click.option("--receipt", help="What the receipt's QR code says, or its number and 16 digits: must be it.")
@CONFIG
@AS_JSON
def verify_proof(file: Path, key: str | None, receipt: str | None, config: Path, as_json: bool) -> None:
    """Check a proof that an entry is in central's log; asks nobody. Exit code 2 when it is none."""
    from tapledger.commands import proving

    async def work() -> Proved:
        origin, public_key = proving.trusted(key, config)
        return proving.verify_file(file, origin, public_key, receipt)

    proved = call(work(), as_json)
    show(as_json, proving.as_dict(proved), proving.sentence(proved))


@click.command()
@click.option("--forget", is_flag=True, help="Begin anew with the next checkpoint; stop the daemon first.")
@CONFIG
@AS_JSON
def witness(forget: bool, config: Path, as_json: bool) -> None:
    """Show the newest checkpoint of central's log that this shop has seen, and any that contradicts it."""
    from tapledger import settings
    from tapledger.commands import proving

    async def work() -> Witnessed:
        read = settings.read(config)
        return await (proving.forget(read) if forget else proving.witnessed(read))

    found = call(work(), as_json)
    show(as_json, {"seen": found.seen, "fork": found.fork}, found.sentence())
