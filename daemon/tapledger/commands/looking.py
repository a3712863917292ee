"""Looks into a shop's store without changing it; its daemon may be running meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from tapledger.database import Transaction
from tapledger.loyalty.program import Program
from tapledger.membership import programs
from tapledger.settings import Settings
from tapledger.store import keyring
from tapledger.store.store import Store

T = TypeVar("T")


async def open_store(settings: Settings) -> Store:
    """Open the store read-only; who opens it closes it."""
    return await Store.open(settings.store.folder, keyring.load(settings.store.folder), read_only=True)


async def look(settings: Settings, work: Callable[[Transaction], T]) -> T:
    """Return what ``work`` finds in the store."""
    store = await open_store(settings)
    try:
        return await store.transact(work)
    finally:
        await store.close()


async def look_by_rules(settings: Settings, now: datetime, work: Callable[[Transaction, Program], T]) -> T:
    """Return what ``work`` finds in the store by the version of the programme that counts now."""
    written = written_program(settings)
    return await look(settings, lambda tx: work(tx, counting(tx, written, now)))


def written_program(settings: Settings) -> Program:
    """Return the programme in the shop's file, which may be still to come; raise ``Invalid`` for mistakes."""
    program = programs.load(settings.files.program).program
    assert program is not None
    return program


def counting(tx: Transaction, written: Program, now: datetime) -> Program:
    """Return the version of the programme that counts now; the file's where none was in use yet."""
    since = [one.version for one in programs.history(tx) if one.since <= now]
    return programs.of_version(tx, since[-1], written) if since else written
