"""What a step says is in the basket, and what is wanted for it: coupons, codes, points, prices by hand."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.sales.selling import BasketLine, Wants
from tapledger.membership import coupons

BASKET = " items amount prices coupons scan codes points manual"
"""Keys of every step that has a basket."""
GOODS = "goods"
"""Article and category of an ``amount`` of goods of no particular kind."""
GOODS_TAX_BP = 1300
BEST = "best"
_ITEM = re.compile(r"(\S+)(?: x ?(\d+(?:\.\d{1,3})?))?")


def lines(world: World, place: Place, step: Step) -> tuple[BasketLine, ...]:
    """Return the basket: ``items = ["tea", "rice x 0.5"]``, or ``amount`` of goods of no particular kind."""
    found = [item(world, place, step, one) for one in step.list_of("items")]
    for amount in step.list_of("amount"):
        minor = world.as_minor(step, "amount", amount)
        found.append(BasketLine(GOODS, "Goods", 1000, minor, GOODS_TAX_BP, GOODS))
    by_hand = {
        sku: world.as_minor(step, f"prices.{sku}", price) for sku, price in step.table_of("prices").items()
    }
    if missing := by_hand.keys() - {line.sku for line in found}:
        raise step.wrong(f"prices: {', '.join(sorted(missing))} is not in the basket")
    return tuple(msgspec.structs.replace(line, manual_unit_minor=by_hand.get(line.sku)) for line in found)


def item(world: World, place: Place, step: Step, text: Any) -> BasketLine:
    """Return the line of ``"tea"`` or ``"tea x 2"``."""
    sku, quantity_milli = quantity(step, text)
    return place.shop.catalogue.find(sku).line(quantity_milli, world.language)


def quantity(step: Step, text: Any) -> tuple[str, int]:
    """Return the article and the thousandths of ``"tea"``, ``"tea x 2"`` or ``"rice x 0.5"``."""
    match = _ITEM.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise step.wrong(f"item {text!r} is not such as 'tea' or 'tea x 2'")
    return match[1], int(Decimal(match[2] or "1").scaleb(3))


async def wants(world: World, place: Place, step: Step) -> Wants:
    """Return what is wanted; ``coupons = "best"`` is left to who asks for a quote."""
    member = world.maybe_member(step)
    named = [] if step.get("coupons") == BEST else [str(one) for one in step.list_of("coupons")]
    if named and member is None:
        raise step.wrong("coupons are a member's; say scan for a paper or a code")
    return Wants(
        coupons=tuple([await world.coupon(place, member, one) for one in named] if member else ()),
        codes=tuple(str(one) for one in step.list_of("codes")),
        points=step.number_of("points", 0),
        manual=_manual(world, step) if step.has("manual") else None,
    )


async def scanned(world: World, place: Place, step: Step) -> tuple[str, ...]:
    """Return the coupons that belong to no wallet: papers by the name of their step, or codes as printed."""
    member = world.maybe_member(step)
    found = []
    for text in step.list_of("scan"):
        named = world.named.get(str(text))
        code = named.secret if named is not None and named.secret else str(text)
        found.append(await coupons.scan_code(place.shop, world.key(step), code, member))
    return tuple(found)


def _manual(world: World, step: Step) -> ManualDiscount:
    """``manual = { off = 5.00, reason = "scratch" }``; or ``percent`` or ``down_to`` a round amount."""
    table = step.table_of("manual")
    if unknown := table.keys() - {"off", "percent", "down_to", "reason", "approved"}:
        raise step.wrong(f"manual does not know {', '.join(sorted(unknown))}")
    return ManualDiscount(
        reason=str(table.get("reason", "")),
        off_minor=world.as_minor(step, "manual.off", table.get("off", 0)),
        rate_bp=int(Decimal(table.get("percent", 0)) * 100),
        down_to_minor=world.as_minor(step, "manual.down_to", table.get("down_to", 0)),
        approved=bool(table.get("approved", False)),
    )
