"""What head office decides for every shop, as it came by the feed: the programme and the articles.

What came stays in use over a restart, and is preferred to the files beside the shop's settings.
"""

from __future__ import annotations

import io
from contextlib import suppress

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Invalid
from tapledger.loyalty import program as programs
from tapledger.loyalty.sales import catalogue
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership.programs import Mistake, Source, choose
from tapledger.membership.shop import Shop
from tapledger.store import news
from tapledger.store.store import Store
from tapledger.wire.news import CatalogueNews, ProgramNews

FROM_CENTRAL = "central"
CURRENT = "current"
"""Key of the one programme, and of the one list of articles, that count."""


def program(tx: Transaction) -> Source | None:
    """Return the programme that central has told; None when it has told none."""
    told = news.all_of(tx, "program", ProgramNews).get(CURRENT)
    if told is None:
        return None
    try:
        table = msgspec.json.decode(told.content, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("PROGRAM_INVALID", where=FROM_CENTRAL, why=str(error)) from error
    found, wrong = programs.check(table)
    mistakes = tuple(Mistake(FROM_CENTRAL, 1, one) for one in wrong)
    if mistakes:
        raise Invalid("PROGRAM_INVALID", where=FROM_CENTRAL, why="\n".join(map(str, mistakes)))
    return Source(told.text, told.content, found)


def articles(tx: Transaction, currency: str) -> Catalogue | None:
    """Return the articles that central has told; None when it has told none."""
    told = news.all_of(tx, "catalogue", CatalogueNews).get(CURRENT)
    return None if told is None else catalogue.read(io.StringIO(told.text, newline=""), currency)


async def prefer(store: Store, file: Source, listed: Catalogue) -> tuple[Source, Catalogue]:
    """Return central's programme and articles where it has told some that can be used, else the files'."""
    assert file.program is not None
    currency = file.program.currency
    with suppress(Invalid):
        source = await store.transact(program)
        file = file if source is None else source
    with suppress(Invalid):
        told = await store.transact(lambda tx: articles(tx, currency))
        listed = listed if told is None else told
    return file, listed


async def take(shop: Shop) -> bool:
    """Use what central has told since; return whether something is different now.

    Raises ``Invalid`` PROGRAM_INVALID or CATALOGUE_INVALID, and ``Conflict`` PROGRAM_CHANGED for a version
    that was in use with another content: the shop then goes on by what it has.
    """
    currency = shop.program.currency
    told = await shop.store.transact(lambda tx: (program(tx), articles(tx, currency)))
    source, listed = told
    before = (shop.program, shop.coming, shop.catalogue)
    if source is not None:
        shop.program, shop.coming = await choose(shop.store, source, shop.clock.now())
    if listed is not None:
        shop.catalogue = listed
    return before != (shop.program, shop.coming, shop.catalogue)
