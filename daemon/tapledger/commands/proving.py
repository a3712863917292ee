"""Checks a proof from central's log without asking anybody, and shows what this shop has witnessed of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tapledger import settings as settings_file
from tapledger.commands import looking
from tapledger.database import Transaction
from tapledger.errors import Conflict, Denied, Invalid
from tapledger.settings import Settings
from tapledger.store import keyring, witnessing
from tapledger.store.store import Store
from tapledger.wire import checkpoints, proofs
from tapledger.wire.proofs import MAX_PROOF_CHARS, Proved


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The newest checkpoint seen, and two that contradict each other; each empty when there is none."""

    seen: str
    fork: str

    def sentence(self) -> str:
        if self.fork:
            return f"Central has signed what cannot both be true:\n\n{self.fork}"
        return self.seen or "No checkpoint of central's log has been seen yet."


async def witnessed(settings: Settings) -> Witnessed:
    """Return what this shop has seen; its daemon may be running."""
    return await looking.look(settings, _witnessed)


async def forget(settings: Settings) -> Witnessed:
    """Begin anew with the next checkpoint; raise ``Unavailable`` while the daemon holds the store."""

    def work(tx: Transaction) -> Witnessed:
        witnessing.forget(tx)
        return _witnessed(tx)

    folder = settings.store.folder
    store = await Store.open(folder, keyring.load(folder))
    try:
        return await store.transact(work)
    finally:
        await store.close()


def _witnessed(tx: Transaction) -> Witnessed:
    return Witnessed(witnessing.seen(tx), witnessing.fork(tx))


def trusted(key: str | None, config: Path) -> tuple[str, bytes]:
    """Return the log to believe and its public key: as given, else those that this shop was enrolled with.

    Raises ``Invalid`` LOG_KEY_UNREADABLE and ``Denied`` NODE_NOT_ENROLLED.
    """
    if key is not None:
        return checkpoints.read_verifier_key(key)
    own = keyring.load(settings_file.read(config).store.folder)
    if not own.enrolled:
        raise Denied("NODE_NOT_ENROLLED")
    return checkpoints.origin_of(own.tenant), own.central_public_key


def verify_file(path: Path, origin: str, public_key: bytes, receipt: str | None = None) -> Proved:
    """Return what a proof's file proves; with ``receipt``, that it is the entry of this receipt.

    Raises ``Invalid`` PROOF_UNREADABLE, what ``proofs.verify`` raises, and ``Conflict`` RECEIPT_OTHER when
    the receipt shows another entry or another hash.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(MAX_PROOF_CHARS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("PROOF_UNREADABLE") from error
    proved = proofs.verify(proofs.read(text), origin, public_key)
    if receipt is not None:
        number, _, digits = receipt.strip().replace(" ", ":").partition(":")
        said = re.sub(r"[^0-9a-f]", "", digits.lower())
        if number != proved.receipt or len(said) < proofs.RECEIPT_HASH_DIGITS or not _begins(proved, said):
            raise Conflict("RECEIPT_OTHER", receipt=proved.receipt, digits=proved.digits)
    return proved


def _begins(proved: Proved, digits: str) -> bool:
    return proved.hash.hex().startswith(digits)


def as_dict(proved: Proved) -> dict[str, object]:
    return {
        "receipt": proved.receipt,
        "hash": proved.hash.hex(),
        "kind": proved.event.body.kind,
        "at": proved.event.body.at.isoformat(),
        "index": proved.index,
        "log": proved.checkpoint.origin,
        "size": proved.checkpoint.size,
        "root": proved.checkpoint.root.hex(),
    }


def sentence(proved: Proved) -> str:
    entry, log = proved.event.body, proved.checkpoint
    return (
        f"Receipt {proved.receipt}, {proved.digits}: {entry.kind} of {entry.at:%Y-%m-%d %H:%M} UTC.\n"
        f"It is entry {proved.index} of the {log.size} entries that {log.origin} has signed."
    )
