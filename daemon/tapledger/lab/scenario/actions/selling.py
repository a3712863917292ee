"""Steps at the till: a basket is quoted, and paid."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from tapledger.lab.scenario.actions import baskets
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty.facts import Discount, SaleFacts, Tender
from tapledger.loyalty.sales.selling import BasketLine, Wants
from tapledger.loyalty.sales.tenders import cash_due
from tapledger.membership import pending as waiting
from tapledger.membership import quoting
from tapledger.membership import sale as sales
from tapledger.membership.basket import Basket
from tapledger.membership.quoting import Quoted
from tapledger.membership.sale import SaleCommand

REST = "rest"


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A quote as the customer saw it, and what of it paying asks for."""

    quoted: Quoted
    lines: tuple[BasketLine, ...]
    wants: Wants
    scanned: tuple[str, ...]


async def price(world: World, place: Place, step: Step) -> Shown:
    """Price the basket of a step as the till does; ``coupons = "best"`` chooses among all there are."""
    wants = await baskets.wants(world, place, step)
    scanned = await baskets.scanned(world, place, step)
    lines = baskets.lines(world, place, step)
    is_best = step.get("coupons") == baskets.BEST
    member = world.maybe_member(step)
    basket = Basket(
        sale=step.text("key", f"basket-{step.number}"),
        member=member,
        presented=None if member is None else world.presented(step),
        coupons=None if is_best else (*wants.coupons, *scanned),
        scanned=scanned,
        codes=wants.codes,
        points=wants.points,
        manual=wants.manual,
        stepped_up=step.flag("stepped_up"),
        early_access_approved=step.flag("approved"),
    )
    quoted = await quoting.quote(place.shop, basket, world.language, lines)
    if quoted.problem is not None:
        raise quoted.problem
    if is_best:
        wants = dataclasses.replace(wants, coupons=quoted.wants.coupons)
        scanned = quoted.scanned
    return Shown(quoted, lines, wants, scanned)


async def quote(world: World, step: Step) -> Outcome:
    """What a basket would cost, and why; nothing is recorded."""
    shown = await price(world, world.place(step), step)
    quoted, facts = shown.quoted, shown.quoted.sale
    if facts is None or quoted.body is None:
        raise step.wrong("there is nothing in the basket")
    templates = {one.id: one.template.id for one in quoted.coupons if one.template is not None}
    why_not = {one.id: one.reason for one in quoted.left_out}
    why_not |= {one.id: one.why_not for one in quoted.coupons if one.why_not is not None}
    values = {
        "pay": world.cash(facts.total_minor),
        "tax": world.cash(facts.tax_minor),
        "earned": facts.earned,
        "net": [world.cash(line.net_minor) for line in facts.lines],
        "points_used": facts.points_used,
        "saved": world.cash(quoted.saved_minor),
        "better": world.cash(quoted.better_minor),
        "discounts": discounts(world, facts.discounts),
        "used": sorted(templates.get(one, one) for one in facts.coupons),
        "why_not": {
            templates.get(one, one): Sentences(world.sentences([reason])) for one, reason in why_not.items()
        },
        "hints": {hint.id: world.cash(hint.add_minor) for hint in quoted.hints},
    }
    because = world.sentences([*(one.reason for one in facts.discounts), *quoted.body.reasons])
    return Outcome(values, because, says=world.sentences(one.reason for one in quoted.hints), kept=shown)


async def sale(world: World, step: Step) -> Outcome:
    """A basket is paid: exactly and in cash, unless ``pay`` says how."""
    place = world.place(step)
    asked = await _again(world, place, step) if step.has("key") else await command(world, place, step)
    if step.flag("pending"):
        outcome = told(world, await waiting.record_pending(place.shop, asked))
        outcome.id = asked.id
        return outcome
    return sold(world, told(world, await sales.record_sale(place.shop, asked)))


async def _again(world: World, place: Place, step: Step) -> SaleCommand:
    """Return the very command of an earlier step that had this key and said the same: what a retry sends."""
    said = {name: value for name, value in step.table.items() if name not in ("at", "as", "note", "expect")}
    before, asked = world.sent.get(step.text("key"), (None, None))
    if asked is None or before != said:
        asked = await command(world, place, step)
        world.sent.setdefault(asked.id, (said, asked))
    return asked


async def command(world: World, place: Place, step: Step) -> SaleCommand:
    """Return the sale that a step asks for; with ``quote`` as it was shown there."""
    shown = world.left(step, "quote").kept if step.has("quote") else await price(world, place, step)
    if not isinstance(shown, Shown):
        raise step.wrong(f"{step.text('quote')} is no quote")
    member = world.maybe_member(step)
    return SaleCommand(
        id=world.key(step),
        till=step.text("till", "till"),
        lines=shown.lines,
        tenders=_tenders(world, place, step, shown.quoted.due_minor),
        staff=step.text("staff", "till"),
        language=world.language,
        member=member,
        presented=None if member is None else world.presented(step),
        wants=shown.wants,
        scanned=shown.scanned,
        stepped_up=step.flag("stepped_up"),
        pinned=shown.quoted.pinned if step.has("quote") else None,
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
