"""A store that remembers how often the database was in trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from tapledger.errors import Corrupt, TapledgerError, Unavailable
from tapledger_central.store.transaction import CentralStore, Transaction

T = TypeVar("T")

OF_THE_STORE = "STORE_"
"""How the codes begin of what a database does to us; other errors are what a transaction decided."""


class CountedStore:
    """Passes everything on to another store. ``faults`` counts what failed, by its code."""

    def __init__(self, store: CentralStore) -> None:
        self._store = store
        self.tenant = store.tenant
        self.faults: Counter[str] = Counter()

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        try:
            return await self._store.transact(work)
        except TapledgerError as error:
            if isinstance(error, Unavailable | Corrupt) and error.code.startswith(OF_THE_STORE):
                self.faults[error.code] += 1
            raise

    async def close(self) -> None:
        await self._store.close()
