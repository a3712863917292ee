"""The programme beside the articles: what it names is sold, and special prices are below the list's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.walk import every_promotion, structs
from tapledger.loyalty.promotions.articles import Articles
from tapledger.loyalty.promotions.bundle import Part
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.promotion import Promotion

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program


@dataclass(frozen=True, slots=True)
class Sold:
    """What the lint needs to know of one article."""

    sku: str
    unit_minor: int
    category: str


Shelf = Mapping[str, Sold]
"""Articles by SKU."""


def lint_shelf(program: Program, shelf: Shelf) -> Iterator[Finding]:
    categories = {one.category for one in shelf.values()}
    for path, struct in structs(program):
        if isinstance(struct, Scope | Part):
            yield from _sold((*path, "skus"), struct.skus, shelf)
            for place, name in enumerate(struct.categories):
                if name not in categories:
                    at = (*path, "categories", place)
                    yield Finding(at, Reason("PROGRAM_CATEGORY_UNKNOWN", {"category": name}))
    for place, entitlement in enumerate(program.entitlements):
        yield from _sold(("entitlements", place, "skus"), entitlement.skus, shelf)
    for path, promotion in every_promotion(program):
        yield from _special_price(path, promotion, shelf, program.currency)


def _sold(path: Path, skus: list[str], shelf: Shelf) -> Iterator[Finding]:
    for place, sku in enumerate(skus):
        if sku not in shelf:
            yield Finding((*path, place), Reason("PROGRAM_SKU_UNKNOWN", {"sku": sku}))


def _special_price(path: Path, one: Promotion, shelf: Shelf, currency: str) -> Iterator[Finding]:
    """Find a special price that is no less than the list price of everything it is about."""
    if not isinstance(one.benefit, FixedPrice):
        return
    articles = Articles(one.scope)
    dearest = max((sold.unit_minor for sold in shelf.values() if articles.has(sold)), default=0)
    if 0 < dearest <= one.benefit.price_minor:
        figures: dict[str, int | str] = {
            "price_minor": one.benefit.price_minor,
            "list_minor": dearest,
            "currency": currency,
        }
        yield Finding((*path, "benefit", "price_minor"), Reason("PROGRAM_PRICE_ABOVE_LIST", figures))
