"""A shop with members and a journal, the same at every run but for its keys' ciphertexts and its dates."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger import assets, settings
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.commands.found import Founding, found
from tapledger.languages import Language
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.sales.selling import BasketLine
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.membership.shop import Shop
from tapledger.membership.slips import job_id
from tapledger.settings import Settings
from tapledger.store import keyring, prints
from tapledger.store.keyring import Keyring
from tapledger_drivers.cards.trust.signed_token import issue_token
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard

SEED = 20260101
CARD_KEY_ID = "benchmark"
STAFF = "benchmark"
LANGUAGE: Language = "zh-Hans"


@dataclass(frozen=True, slots=True)
class Customer:
    """A member with a signed card."""

    member: str
    card: Presented
    uid: bytes


@dataclass(frozen=True, slots=True)
class SeededShop:
    """A shop that is closed; each of its customers has bought once."""

    settings: Settings
    customers: list[Customer]
    token_key: Ed25519PrivateKey

    def virtual_card(self, number: int, kind: CardKind) -> VirtualCard:
        """Return the card of one of the customers."""
        customer = self.customers[number]
        token = issue_token(self.token_key, CARD_KEY_ID, customer.card.value, customer.uid)
        return VirtualCard(kind, customer.uid, token)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Shop]:
        shop = await open_shop(self.settings, SystemClock(), random.Random(SEED + 1).randbytes)
        try:
            yield shop
        finally:
            await shop.store.close()


async def make(
    folder: Path, customers: int, enrolled: Callable[[Keyring], Keyring] = lambda keys: keys
) -> SeededShop:
    """Found a shop with the example programme and catalogue, and let so many customers join and buy.

    ``enrolled`` gives it other keys first: those of a node that a central knows.
    """
    randomness = random.Random(SEED)
    founding = Founding(folder, "Benchmark", "CNY", "Asia/Shanghai", LANGUAGE, port=0)
    founded = await found(founding, SystemClock(), randomness.randbytes)
    for file in ("program.toml", "catalogue.csv"):
        (folder / file).write_bytes((assets.config_folder() / file).read_bytes())
    token_key = Ed25519PrivateKey.from_private_bytes(randomness.randbytes(32))
    public_key = token_key.public_key().public_bytes_raw()
    keys = msgspec.structs.replace(enrolled(keyring.load(folder)), token_keys={CARD_KEY_ID: public_key})
    keyring.replace(folder, keys)
    seeded = SeededShop(settings.read(founded.config), [], token_key)
    async with seeded.open() as shop:
        for number in range(customers):
            seeded.customers.append(await _join(shop, number))
        for customer in seeded.customers:
            await _buy(shop, basket(shop, customer, randomness))
    return seeded


async def _join(shop: Shop, number: int) -> Customer:
    uid = bytes.fromhex("04") + number.to_bytes(6, "big")
    card = Presented("card", f"C-{number:06}", 1, f"token:key={CARD_KEY_ID}")
    joining = Joining(f"join-{number}", f"会员{number:04}", f"138{number:08}", (card,), STAFF)
    joined = await register_member(shop, joining)
    assert joined.event.body.member is not None
    return Customer(joined.event.body.member, card, uid)


async def _buy(shop: Shop, command: SaleCommand) -> None:
    """Record a sale and count its receipt as printed."""
    recorded = await record_sale(shop, command)
    await shop.store.transact(lambda tx: prints.settle(tx, job_id(recorded), "printed", "", STAFF))


def basket(shop: Shop, customer: Customer, randomness: random.Random) -> SaleCommand:
    """Return a sale of three different articles to a member, paid in cash."""
    articles = randomness.sample(sorted(shop.catalogue.articles), 3)
    lines: tuple[BasketLine, ...] = tuple(
        shop.catalogue.find(sku).line(1000 * randomness.randint(1, 3), LANGUAGE) for sku in articles
    )
    paid = sum(line.unit_minor * line.quantity_milli // 1000 for line in lines)
    return SaleCommand(
        id=shop.new_id(),
        till="benchmark",
        lines=lines,
        tenders=(Tender("cash", paid),),
        staff=STAFF,
        language=LANGUAGE,
        member=customer.member,
        presented=customer.card,
    )
