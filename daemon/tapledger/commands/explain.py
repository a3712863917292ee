"""Explains one event of a shop in a language, while its daemon may be running."""

from __future__ import annotations

from tapledger.clock import SystemClock
from tapledger.commands import looking
from tapledger.database import Transaction
from tapledger.loyalty.program import Program
from tapledger.membership import explaining
from tapledger.membership.explaining import Explained
from tapledger.settings import Settings
from tapledger.store import keyring


async def explain_event(settings: Settings, event: str, language: str) -> Explained:
    """Return every number of an event; raise ``NotFound`` when this shop has none such."""
    node = keyring.load(settings.store.folder).node

    def work(tx: Transaction, program: Program) -> Explained:
        body = explaining.find(tx, event, node)
        return explaining.explained(tx, body, program, language)

    return await looking.look_by_rules(settings, SystemClock().now(), work)
