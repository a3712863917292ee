"""Explains one event of a shop in a language, while its daemon may be running."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.membership import explaining, programs
from tapledger.membership.explaining import Explained
from tapledger.settings import Settings
from tapledger.store import keyring
from tapledger.store.store import FIRST_EPOCH, Store


async def explain_event(settings: Settings, event: str, language: str) -> Explained:
    """Return every number of an event; raise ``NotFound`` when this shop has none such."""
    source = programs.load(settings.files.program)
    assert source.program is not None
    program = source.program
    keys = keyring.load(settings.store.folder)
    store = await Store.open(settings.store.folder, keys, read_only=True)

    def work(tx: Transaction) -> Explained:
        body = explaining.find(tx, event, keys.node, FIRST_EPOCH)
        return explaining.explained(tx, body, program, language)

    try:
        return await store.transact(work)
    finally:
        await store.close()
