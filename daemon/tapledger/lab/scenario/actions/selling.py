"""Steps at the till."""

from __future__ import annotations

import re
from typing import Any

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import LANGUAGE, Place, World, told
from tapledger.loyalty import engine
from tapledger.loyalty.engine import BasketLine
from tapledger.loyalty.facts import Tender
from tapledger.membership import sale as sales
from tapledger.membership.sale import SaleCommand

_ITEM = re.compile(r"(\S+)(?: x ?(\d+(?:\.\d{1,3})?))?")
GOODS = "goods"
"""Article and category of an ``amount`` of goods of no particular kind."""


def lines(world: World, place: Place, step: Step) -> tuple[BasketLine, ...]:
    """Return the basket: ``items = ["tea", "rice x 0.5"]``, or ``amount`` of goods of no particular kind."""
    found = [_item(place, step, item) for item in step.list_of("items")]
    for amount in step.list_of("amount"):
        minor = world.as_minor(step, "amount", amount)
        found.append(BasketLine(GOODS, "Goods", 1000, minor, 1300, GOODS))
    return tuple(found)


def _item(place: Place, step: Step, item: Any) -> BasketLine:
    match = _ITEM.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        raise step.wrong(f"item {item!r} is not such as 'tea' or 'tea x 2'")
    return place.shop.catalogue.find(match[1]).line(milli(match[2] or "1"), LANGUAGE)


def milli(quantity: str) -> int:
    whole, _, part = quantity.partition(".")
    return int(whole) * 1000 + int(part.ljust(3, "0"))


async def quote(world: World, step: Step) -> Outcome:
    """What a basket would cost, and why; nothing is recorded."""
    raise step.wrong("not yet")


async def sale(world: World, step: Step) -> Outcome:
    place = world.place(step)
    member = world.maybe_member(step)
    basket = lines(world, place, step)
    now = world.clock.now()
    state = None if member is None else await world.state(place, member)
    quote = engine.quote(state, basket, place.shop.program, now)
    command = SaleCommand(
        id=world.key(step),
        till="till",
        lines=basket,
        tenders=world.tenders(step) or (Tender("cash", quote.total_minor),),
        staff=step.text("staff", "till"),
        language=LANGUAGE,
        member=member,
        presented=None if member is None else world.presented(step),
    )
    recorded = await sales.record_sale(place.shop, command)
    facts = recorded.event.body.sale
    assert facts is not None
    outcome = told(world, recorded)
    outcome.values |= {
        "pay": world.cash(facts.total_minor),
        "change": world.cash(facts.change_minor),
        "tax": world.cash(facts.tax_minor),
        "earned": facts.earned,
        "net": [world.cash(line.net_minor) for line in facts.lines],
    }
    return outcome
