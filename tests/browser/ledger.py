"""What the ledger of a running shop says should be on paper, read beside its daemon."""

from __future__ import annotations

import os
import tomllib
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tapledger import settings
from tapledger.clock import SystemClock
from tapledger.devices.receipts.drawing import Paper, lay_out
from tapledger.loyalty import program
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.store import keyring, prints
from tapledger.store.store import Store
from tapledger_drivers.printers.layout import expected_lines

COLUMNS = 48


@asynccontextmanager
async def reading(config: Path) -> AsyncIterator[Shop]:
    """Open a shop's store for reading only; its daemon goes on writing."""
    configured = settings.read(config)
    rules = program.load(tomllib.loads(configured.files.program.read_text(encoding="utf-8")))
    keys = keyring.load(configured.store.folder)
    store = await Store.open(configured.store.folder, keys, read_only=True)
    try:
        name, language = configured.shop.name, configured.shop.language
        yield Shop(store, rules, Catalogue(), SystemClock(), os.urandom, name, language)
    finally:
        await store.close()


async def newest_slip(config: Path, kind: str) -> list[str]:
    """Return the lines that the newest slip of a kind must have."""
    async with reading(config) as shop:
        jobs = await shop.store.transact(prints.recent)
        job = next(job for job in jobs if job.kind == kind)
        slip = slips.read(shop, job.id, job.document)
        items = lay_out(slip, shop, paper=Paper(COLUMNS, simulated=True))
        return expected_lines(items, COLUMNS)


def as_read(text: str) -> str:
    """Return a text without what paper does to it: line breaks and the width of characters."""
    return "".join(unicodedata.normalize("NFKC", text).split())
