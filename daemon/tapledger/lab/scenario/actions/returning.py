"""Steps of what comes back: returns, voids, exchanges, deposits, late credits, and payments that wait."""

from __future__ import annotations

import dataclasses
from functools import partial

from tapledger.lab.scenario.actions import baskets, selling
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World, paid_out, told
from tapledger.loyalty.facts import SaleLine
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.membership import exchange as exchanges
from tapledger.membership import late_credit as late_credits
from tapledger.membership import pending, receipts, refund
from tapledger.membership.exchange import ExchangeCommand
from tapledger.membership.refund import GiveBackCommand, ReturnCommand, VoidCommand
from tapledger.store.journal import Recorded

RETURNED = " sale lines back reason shop_fault late_approved"
"""Keys of every step that takes goods back."""


async def give_back(world: World, step: Step) -> Outcome:
    """Goods come back: ``lines`` by number from 1, ``back`` by article, or all that has not come back yet."""
    place = world.place(step)
    recorded = await refund.return_sale(place.shop, await _command(world, place, step))
    return _returned(world, recorded)


async def void(world: World, step: Step) -> Outcome:
    """A whole sale is undone; ``day_closed`` when the till's day has ended since."""
    command = VoidCommand(
        key=world.key(step),
        sale=world.left(step, "sale").id,
        staff=step.text("staff", "till"),
        language=world.language,
        reason=step.text("reason", ""),
        day_closed=step.flag("day_closed"),
    )
    return _returned(world, await refund.void_sale(world.place(step).shop, command))


async def exchange(world: World, step: Step) -> Outcome:
    """Goods come back and others are taken; ``pay`` is only what is paid beside the refund."""
    place = world.place(step)
    back, new = await _command(world, place, step), await selling.command(world, place, step)
    new = dataclasses.replace(new, id=f"{back.key}/new", tenders=world.tenders(step))
    done = await exchanges.exchange(place.shop, ExchangeCommand(back, new))
    outcome = selling.sold(world, told(world, done.sold))
    first = _returned(world, done.returned)
    outcome.values |= {key: first.values[key] for key in first.values if key != "replayed"}
    outcome.because = (*first.because, *outcome.because)
    return outcome


async def bottles(world: World, step: Step) -> Outcome:
    """Empty bottles come back: ``items`` of articles that are deposits."""
    place = world.place(step)
    counted = []
    for text in step.list_of("items"):
        sku, milli = baskets.quantity(step, text)
        if milli % 1000:
            raise step.wrong(f"items: {text!r} is no number of whole bottles")
        counted.append((sku, milli // 1000))
    command = GiveBackCommand(world.key(step), tuple(counted), step.text("staff", "till"), world.language)
    return paid_out(world, await refund.give_back_deposit(place.shop, command))


async def late_credit(world: World, step: Step) -> Outcome:
    """A member shows the receipt of a sale that had no member."""
    shop, member = world.place(step).shop, world.member_id(step)
    sale, staff = world.left(step, "sale").id, step.text("staff", "till")
    return told(world, await late_credits.late_credit(shop, world.key(step), member, sale, staff))


async def confirm(world: World, step: Step) -> Outcome:
    """The payment of a sale that waited has come after all."""
    shop, sale = world.place(step).shop, world.left(step, "sale").id
    return selling.sold(world, told(world, await pending.confirm_pending(shop, sale)))


async def give_up(world: World, step: Step) -> Outcome:
    """The payment of a sale that waited will not come."""
    shop, sale = world.place(step).shop, world.left(step, "sale").id
    return told(world, await pending.void_pending(shop, sale, step.text("staff", "till")))


async def unresolved(world: World, step: Step) -> Outcome:
    """The list that a day's end shows: how many sales still wait for their payment."""
    return Outcome({"waiting": len(await pending.unresolved(world.place(step).shop))})


async def _command(world: World, place: Place, step: Step) -> ReturnCommand:
    sale = world.left(step, "sale").id
    return ReturnCommand(
        key=world.key(step),
        sale=sale,
        lines=await _lines(place, step, sale),
        staff=step.text("staff", "till"),
        language=world.language,
        reason=step.text("reason", ""),
        shop_fault=step.flag("shop_fault"),
        late_approved=step.flag("late_approved"),
    )


async def _lines(place: Place, step: Step, sale: str) -> tuple[ReturnedLine, ...]:
    found = await place.shop.store.transact(partial(receipts.load, sale=sale))
    sold, gone = found.sold.facts.lines, found.sold.milli_back()
    left = [line.quantity_milli - back for line, back in zip(sold, gone, strict=True)]
    if step.has("back"):
        lines = []
        for text in step.list_of("back"):
            sku, milli = baskets.quantity(step, text)
            number = next((i for i, line in enumerate(sold) if line.sku == sku), None)
            if number is None:
                raise step.wrong(f"back: {sku} was not sold; sold: {', '.join(line.sku for line in sold)}")
            lines.append(ReturnedLine(number, milli))
        return tuple(lines)
    if step.has("lines"):
        numbers = [one - 1 for one in step.list_of("lines") if isinstance(one, int)]
        return tuple(ReturnedLine(i, _left(i, left, sold)) for i in numbers)
    return tuple(ReturnedLine(i, milli) for i, milli in enumerate(left) if milli)


def _left(number: int, left: list[int], sold: tuple[SaleLine, ...]) -> int:
    """Return what can still come back of a line; of one that is back already, what was sold."""
    if not 0 <= number < len(sold):
        return 1000
    return left[number] or sold[number].quantity_milli


def _returned(world: World, recorded: Recorded) -> Outcome:
    facts = recorded.event.body.returned
    assert facts is not None
    outcome = paid_out(world, recorded)
    repaid: dict[str, int] = {}
    for one in facts.tenders:
        repaid[one.kind] = repaid.get(one.kind, 0) + one.amount_minor
    outcome.values |= {
        "refund": world.cash(facts.refund_minor),
        "repaid": {kind: world.cash(minor) for kind, minor in repaid.items()},
        "clawed": facts.clawed,
        "forgiven": facts.forgiven,
        "restored": facts.restored,
        "gifts_kept": world.cash(facts.gifts_kept_minor),
        "complete": facts.complete,
    }
    return outcome
