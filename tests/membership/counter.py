"""What the tests of the counter share: sales to be made, taken back, or refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from tapledger.errors import TapledgerError
from tapledger.loyalty.facts import ReturnFacts, Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.membership.refund import ReturnCommand
from tapledger.membership.sale import SaleCommand
from tapledger.store import members as stored_members
from tapledger.store.journal import Recorded
from tests.store.shops import TOWEL, Bench, card

DAY_S = 86_400


def back(bench: Bench, sale: str, *lines: tuple[int, int], key: str = "", **more: Any) -> ReturnCommand:
    chosen = tuple(ReturnedLine(line, milli) for line, milli in lines)
    return ReturnCommand(key or bench.key(), sale, chosen, "s-1", "en", **more)


def facts(recorded: Recorded) -> ReturnFacts:
    assert recorded.event.body.returned is not None
    return recorded.event.body.returned


async def state(bench: Bench, member: str) -> Member:
    stored = await bench.shop.store.transact(lambda tx: stored_members.load(tx, member))
    assert stored is not None
    return stored.member


async def refused(bench: Bench, command: Any) -> TapledgerError:
    """Await a command that must be refused and leave the store as it was."""
    before = bench.tables()
    with pytest.raises(TapledgerError) as error:
        await command
    assert bench.tables() == before
    return error.value


def rules(bench: Bench, **changes: Any) -> None:
    bench.shop.program = msgspec.structs.replace(bench.shop.program, **changes)


def new_sale(bench: Bench, member: str | None, price_minor: int, paid: int, **more: Any) -> SaleCommand:
    line = msgspec.structs.replace(
        bench.shop.catalogue.find(TOWEL).line(1000, "en"), unit_minor=price_minor, tax_bp=0
    )
    tenders = (Tender("cash", paid),) if paid else ()
    command = bench.sale(member, key=bench.key())
    return dataclasses.replace(command, lines=(line,), tenders=tenders, **more)


@pytest.fixture
async def member(bench: Bench) -> str:
    return await bench.join("Lin", card("c1"))
