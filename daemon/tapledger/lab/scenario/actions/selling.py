"""Steps at the till: a basket is quoted, and paid."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import partial
from typing import Any

from tapledger.database import Transaction
from tapledger.lab.scenario.actions import baskets
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty import couponing, selling
from tapledger.loyalty.engine import BasketLine, Quote
from tapledger.loyalty.facts import Discount, SaleFacts, Tender
from tapledger.loyalty.pricing.combination import Best
from tapledger.loyalty.selling import Pinned, Wants
from tapledger.loyalty.tenders import Payer, cash_due
from tapledger.membership import coupons, rights
from tapledger.membership import pending as waiting
from tapledger.membership import sale as sales
from tapledger.membership.sale import SaleCommand
from tapledger.store import members

REST = "rest"


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A quote as the customer saw it."""

    priced: Quote
    wants: Wants
    scanned: tuple[str, ...]
    best: Best | None
    pinned: Pinned
    templates: dict[str, str]
    """Of each coupon that was offered."""


async def price(world: World, place: Place, step: Step) -> Shown:
    """Price the basket of a step as the till does; ``coupons = "best"`` chooses among all there are."""
    wants = await baskets.wants(world, place, step)
    scanned = await baskets.scanned(world, place, step)
    lines = baskets.lines(world, place, step)
    level = world.presented(step).level if step.has("member") else 0
    look = partial(_price, world, place, step, lines, wants, scanned, world.maybe_member(step), level)
    return await place.shop.store.transact(look)


def _price(
    world: World,
    place: Place,
    step: Step,
    lines: tuple[BasketLine, ...],
    wants: Wants,
    scanned: tuple[str, ...],
    id_: str | None,
    level: int,
    tx: Transaction,
) -> Shown:
    shop, now = place.shop, world.clock.now()
    stored = None if id_ is None else members.load(tx, id_)
    member = None if stored is None else stored.member
    may = rights.rights_of(tx, shop, id_)
    reach = couponing.reach_of(shop.store.keyring.node, may, shop.program, now)
    payer = Payer(member, level, may, stepped_up=step.flag("stepped_up"))
    papers = coupons.papers(tx, shop, member, scanned, "", reach)
    asked = dataclasses.replace(wants, papers=papers.chosen)
    templates = {} if member is None else {one.id: one.template for one in member.coupons}
    templates |= {one.id: one.promotion.id for one in papers.chosen}
    best = None
    if step.get("coupons") == baskets.BEST:
        best = selling.best_quote(payer, lines, shop.program, now, asked, reach)
        wants = dataclasses.replace(wants, coupons=tuple(one for one in best.coupons if one not in scanned))
        priced = best.priced
    else:
        priced = selling.quote(member, lines, shop.program, now, asked, payer, reach)
    pinned = selling.pin(member, lines, wants, shop.program, now)
    return Shown(priced, wants, scanned, best, pinned, templates)


async def quote(world: World, step: Step) -> Outcome:
    """What a basket would cost, and why; nothing is recorded."""
    place = world.place(step)
    shown = await price(world, place, step)
    priced, best = shown.priced, shown.best
    left_out = priced.left_out if best is None else best.left_out
    hints = () if best is None else best.hints
    values: dict[str, Any] = {
        "pay": world.cash(priced.total_minor),
        "tax": world.cash(priced.tax_minor),
        "earned": priced.earned,
        "net": [world.cash(line.net_minor) for line in priced.lines],
        "points_used": priced.points_used,
        "saved": world.cash(priced.saved_minor()),
        "discounts": discounts(world, priced.discounts),
        "used": sorted(shown.templates.get(one, one) for one in priced.coupons),
        "why_not": {
            shown.templates.get(one.id, one.id): Sentences(world.sentences([one.reason])) for one in left_out
        },
        "hints": {hint.id: world.cash(hint.add_minor) for hint in hints},
    }
    because = world.sentences([*(one.reason for one in priced.discounts), *priced.reasons])
    return Outcome(values, because, says=world.sentences(hint.reason for hint in hints), kept=shown)


async def sale(world: World, step: Step) -> Outcome:
    """A basket is paid: exactly and in cash, unless ``pay`` says how."""
    place = world.place(step)
    asked = await command(world, place, step)
    if step.flag("pending"):
        outcome = told(world, await waiting.record_pending(place.shop, asked))
        outcome.id = asked.id
        return outcome
    return sold(world, told(world, await sales.record_sale(place.shop, asked)))


async def command(world: World, place: Place, step: Step) -> SaleCommand:
    """Return the sale that a step asks for; with ``quote`` as it was shown there."""
    shown = world.left(step, "quote").kept if step.has("quote") else await price(world, place, step)
    if not isinstance(shown, Shown):
        raise step.wrong(f"{step.text('quote')} is no quote")
    member = world.maybe_member(step)
    return SaleCommand(
        id=world.key(step),
        till=step.text("till", "till"),
        lines=shown.pinned.lines,
        tenders=_tenders(world, place, step, shown.priced.total_minor),
        staff=step.text("staff", "till"),
        language=world.language,
        member=member,
        presented=None if member is None else world.presented(step),
        wants=shown.wants,
        scanned=shown.scanned,
        stepped_up=step.flag("stepped_up"),
        pinned=shown.pinned if step.has("quote") else None,
        early_access_approved=step.flag("approved"),
    )


def sold(world: World, outcome: Outcome) -> Outcome:
    """Add what a sale came to."""
    assert outcome.recorded is not None
    facts = outcome.recorded.event.body.sale
    assert isinstance(facts, SaleFacts)
    tenders: dict[str, int] = {}
    for one in facts.tenders:
        tenders[one.kind] = tenders.get(one.kind, 0) + one.amount_minor
    outcome.values |= {
        "pay": world.cash(facts.total_minor),
        "change": world.cash(facts.change_minor),
        "tax": world.cash(facts.tax_minor),
        "earned": facts.earned,
        "net": [world.cash(line.net_minor) for line in facts.lines],
        "gifts": [line.sku for line in facts.lines if line.kind == "gift"],
        "points_used": facts.points_used,
        "discounts": discounts(world, facts.discounts),
        "tenders": {kind: world.cash(minor) for kind, minor in tenders.items()},
    }
    outcome.because = (*world.sentences(one.reason for one in facts.discounts), *outcome.because)
    outcome.id = facts.id
    return outcome


def discounts(world: World, found: Iterable[Discount]) -> dict[str, Any]:
    """Return what each discount took off, by its id."""
    sums: dict[str, int] = {}
    for one in found:
        sums[one.id] = sums.get(one.id, 0) + one.amount_minor
    return {id_: world.cash(minor) for id_, minor in sums.items()}


def _tenders(world: World, place: Place, step: Step, total_minor: int) -> tuple[Tender, ...]:
    """Return how it is paid: ``pay = { value = 20.00, cash = "rest" }``; without it exactly, in cash."""
    asked = step.table_of("pay") or {"cash": REST}
    given = {kind: world.as_minor(step, f"pay.{kind}", one) for kind, one in asked.items() if one != REST}
    rest = max(0, total_minor - sum(given.values()))
    found = []
    for kind, amount in asked.items():
        due = cash_due(rest, place.shop.program) if kind == "cash" else rest
        minor = given.get(kind, due)
        if minor or amount != REST:
            found.append(Tender(kind, minor))
    return tuple(found)
