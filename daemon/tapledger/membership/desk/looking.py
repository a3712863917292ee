"""At the desk: what the owner and a technician look at."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from tapledger.database import Transaction
from tapledger.membership import explaining
from tapledger.membership import exposure as risks
from tapledger.membership.desk.asking import Answer, Command, Request, Staff, Text, found
from tapledger.membership.shop import Shop

MAX_SHOPS = 10_000


class Explain(Request, frozen=True, kw_only=True):
    """Says every number of an event: of a receipt's number, its last part, or a sale's id."""

    event: Text


async def explain(shop: Shop, asked: Explain, staff: Staff) -> Answer:
    node = shop.store.keyring.node
    told = await shop.store.transact(
        lambda tx: explaining.explained(
            tx, explaining.find(tx, asked.event, node), shop.program, staff.language
        )
    )
    answer = found(asked, kind=told.kind, at=told.at, program=told.program)
    return msgspec.structs.replace(answer, says=told.sentences)


class Exposure(Request, frozen=True, kw_only=True):
    """Says the most that can be lost while so many shops are out of reach; without a number: right now."""

    offline: Annotated[int, Meta(ge=0, le=MAX_SHOPS)] | None = None


async def exposure(shop: Shop, asked: Exposure, staff: Staff) -> Answer:
    def work(tx: Transaction) -> risks.Risk:
        if asked.offline is None:
            return risks.now(tx, shop)
        now, node = shop.clock.now(), shop.store.keyring.node
        return risks.risk(tx, shop.program, asked.offline, now, node)

    return found(asked, exposure=await shop.store.transact(work))


class Liability(Request, frozen=True, kw_only=True):
    """Says what the shop owes its members, by the month in which it lapses."""


async def liability(shop: Shop, asked: Liability, staff: Staff) -> Answer:
    now = shop.clock.now()
    owed = await shop.store.transact(lambda tx: risks.liability(tx, shop.program, now))
    return found(asked, currency=shop.program.currency, months=owed)


COMMANDS = (
    Command("explain", Explain, "cashier", explain, records=False),
    Command("exposure", Exposure, "manager", exposure, records=False),
    Command("liability", Liability, "manager", liability, records=False),
)
