"""What people want at a kiosk. A wish has a key: after a power cut the same is asked for again with it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tapledger.lab.world.kiosks import Disk
from tapledger.lab.world.rules import REWARDS, SET, TEA, TOWEL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.loyalty.sales.selling import PLAIN, Wants
from tapledger.membership import redemption, refund, sale, stored_value, tap
from tapledger.membership.identity import Presented
from tapledger.membership.redemption import RewardCommand
from tapledger.membership.refund import ReturnCommand
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sale import SaleCommand
from tapledger.membership.shop import Shop
from tapledger.membership.stored_value import TopUpCommand
from tapledger.store.journal import Recorded

STAFF, TILL, LANGUAGE = "staff-1", "till-1", "en"
LEVEL = 2
KEPT = 40
"""Vouchers and receipts that people still have."""

Run = Callable[[Shop, Disk], Awaitable[Recorded]]


@dataclass(frozen=True, slots=True)
class Wish:
    key: str
    what: str
    run: Run


def card(number: int) -> Presented:
    return Presented("card", f"card-{number}", LEVEL, "simulated")


def join(key: str, number: int) -> Wish:
    async def run(shop: Shop, disk: Disk) -> Recorded:
        return await register_member(shop, Joining(key, f"Guest {number}", "", (card(number),), STAFF))

    return Wish(key, "join", run)


def buy(key: str, number: int | None, skus: list[str], points: int = 0, value_minor: int = 0) -> Wish:
    """A sale: with points as cash, or paid from stored value, as far as that goes."""

    async def run(shop: Shop, disk: Disk) -> Recorded:
        lines = tuple(shop.catalogue.find(sku).line(1000, LANGUAGE) for sku in skus)
        due_minor = sum(line.unit_minor for line in lines)
        value = min(value_minor, due_minor)
        tenders = tuple(
            Tender(kind, minor) for kind, minor in (("value", value), ("cash", due_minor - value)) if minor
        )
        shown = None if number is None else card(number)
        member = None if shown is None else (await tap.greet_member(shop, shown)).known.member.id
        wants = Wants(points=points) if points else PLAIN
        command = SaleCommand(key, TILL, lines, tenders, STAFF, LANGUAGE, member, shown, wants)
        recorded = await sale.record_sale(shop, command)
        if number is not None and key not in disk.sales:
            disk.sales = [*disk.sales, key][-KEPT:]
        return recorded

    return Wish(key, "value" if value_minor else "points" if points else "sale", run)


def reward(key: str, number: int, id_: str) -> Wish:
    async def run(shop: Shop, disk: Disk) -> Recorded:
        known = (await tap.greet_member(shop, card(number))).known
        command = RewardCommand(key, known.member.id, card(number), id_, LANGUAGE)
        done = await redemption.hold_reward(shop, command)
        if done.voucher and done.voucher not in disk.vouchers:
            disk.vouchers = [*disk.vouchers, done.voucher][-KEPT:]
        return done.recorded

    return Wish(key, "reward", run)


def hand_in(key: str, code: str) -> Wish:
    async def run(shop: Shop, disk: Disk) -> Recorded:
        return await redemption.fulfil_voucher(shop, key, code, STAFF)

    return Wish(key, "fulfil", run)


def top_up(key: str, number: int, amount_minor: int) -> Wish:
    async def run(shop: Shop, disk: Disk) -> Recorded:
        known = (await tap.greet_member(shop, card(number))).known
        paid = (Tender("cash", amount_minor),)
        command = TopUpCommand(key, known.member.id, card(number), amount_minor, paid, STAFF, LANGUAGE)
        return await stored_value.top_up(shop, command)

    return Wish(key, "topup", run)


def bring_back(key: str, of: str) -> Wish:
    """Return the first line of a sale."""

    async def run(shop: Shop, disk: Disk) -> Recorded:
        return await refund.return_sale(
            shop, ReturnCommand(key, of, (ReturnedLine(0, 1000),), STAFF, LANGUAGE)
        )

    return Wish(key, "return", run)


MOSTLY = (6, 2, 1)
"""Small things: what members earn is soon spent, so that balances are near nothing most of the time."""


def draw(chance: random.Random, key: str, people: int, disk: Disk) -> Wish:
    """Return what the next customer wants."""
    number = chance.randrange(people)
    skus = chance.choices([TEA, TOWEL, SET], MOSTLY, k=chance.randint(1, 2))
    what = chance.random()
    if what < 0.22:
        return buy(key, number, skus)
    if what < 0.25:
        return buy(key, None, skus)
    if what < 0.43:
        return buy(key, number, skus, points=10 * chance.randint(1, 6))
    if what < 0.72:
        return reward(key, number, chance.choice(list(REWARDS)))
    if what < 0.78 and disk.vouchers:
        return hand_in(key, chance.choice(disk.vouchers))
    if what < 0.84:
        return top_up(key, number, chance.choice([5000, 10_000, 20_000]))
    if what < 0.94:
        return buy(key, number, skus, value_minor=chance.choice([3000, 6000, 30_000]))
    if disk.sales:
        return bring_back(key, chance.choice(disk.sales))
    return buy(key, number, skus)
