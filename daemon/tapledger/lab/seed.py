"""Demo people, cards and a demo history; made through the same use cases as real ones."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from tapledger import assets, settings
from tapledger.app import open_shop
from tapledger.clock import Clock, SystemClock
from tapledger.commands.enrol import enrol_shop
from tapledger.commands.found import Founding, found
from tapledger.loyalty.facts import Tender
from tapledger.membership import pins, programs, sign_in, staff_cards
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.membership.shop import Shop
from tapledger.web.snapshots import DockCode
from tapledger.wire.news import CatalogueNews, ProgramNews
from tapledger_central import telling
from tapledger_central.app import open_central
from tapledger_central.keys import CARD_KEY_ID, CentralKeys
from tapledger_drivers.cards.trust.signed_token import issue_token
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard

CASHIER, CASHIER_PIN = "demo-cashier", "2468"
TECHNICIAN, TECHNICIAN_PIN = "demo-technician", "8642"
STAFF_UID = bytes.fromhex("04a1b2c3d4e5f0")
MEMBER_PIN = "135792"
"""Of whoever has a plain card only."""
HISTORY = dt.timedelta(days=3)
"""The demo's sales are some days old, so that their slips are stale and nothing prints by itself."""
SEEDED = "seeded"
TOWEL, EARPHONES, WATER = "6901234567908", "6901234567946", "6901234567953"


@dataclass(frozen=True, slots=True)
class DemoMember:
    name: str
    phone: str
    number: str
    credential: str
    """Of the signed card; empty for somebody who only has a plain card."""
    uid: bytes
    bought: tuple[tuple[str, int], ...]


MEMBERS = (
    DemoMember(
        "王小明", "13800138000", "9100000017", "C-1001", bytes.fromhex("04a1b2c3d4e501"), ((EARPHONES, 3),)
    ),
    DemoMember(
        "李娜", "13900139000", "9100000025", "C-1002", bytes.fromhex("04a1b2c3d4e502"), ((EARPHONES, 4),)
    ),
    DemoMember("Bob Chen", "13700137000", "9100000033", "", bytes.fromhex("04a1b2c3d4e503"), ((TOWEL, 10),)),
)


@dataclass(frozen=True, slots=True)
class DemoCard:
    id: str
    label: str
    card: VirtualCard


def demo_cards(keys: CentralKeys) -> list[DemoCard]:
    """Return the cards that lie beside the dock: good ones, and every kind of trouble."""
    wang, li, bob = MEMBERS
    wang_token = issue_token(keys.token_key(), CARD_KEY_ID, wang.credential, wang.uid)
    li_token = issue_token(keys.token_key(), CARD_KEY_ID, li.credential, li.uid)
    strange = issue_token(keys.token_key(), CARD_KEY_ID, "C-9999", bytes.fromhex("04a1b2c3d4e599"))
    return [
        DemoCard("wang", "王小明 · signed card (L1)", VirtualCard(CardKind.TYPE4, wang.uid, wang_token)),
        DemoCard("li", "李娜 · signed tag (L1)", VirtualCard(CardKind.TYPE2, li.uid, li_token)),
        DemoCard("bob", "Bob Chen · plain card (L0)", VirtualCard(CardKind.UID_ONLY, bob.uid)),
        DemoCard(
            "unknown",
            "not registered",
            VirtualCard(CardKind.TYPE4, bytes.fromhex("04a1b2c3d4e599"), strange),
        ),
        DemoCard("torn", "pulled too early", VirtualCard(CardKind.TYPE4, wang.uid, wang_token, torn_after=3)),
        DemoCard(
            "copy",
            "copy of 王小明's card",
            VirtualCard(CardKind.TYPE4, bytes.fromhex("04ffffffffff77"), wang_token),
        ),
        DemoCard("staff", "演示技师 · staff card", VirtualCard(CardKind.UID_ONLY, STAFF_UID)),
        DemoCard("phone", "a phone (random UID)", VirtualCard(CardKind.UID_ONLY, bytes.fromhex("08112233"))),
    ]


def demo_codes(offers: str) -> list[DockCode]:
    """Return the codes that lie beside the dock: of articles, of a member, and of the coupons on offer."""
    coupons = tomllib.loads(offers).get("coupons", [])
    return [
        DockCode(TOWEL, "毛巾 towel ¥12.00"),
        DockCode(WATER, "矿泉水 water ¥2.50"),
        DockCode(EARPHONES, "耳机 earphones ¥299.00"),
        DockCode(MEMBERS[0].number, "王小明 member code"),
        *(DockCode(one["code"], f"{one['name']['zh-Hans']} {one['name']['en']}") for one in coupons),
        DockCode("6201234567890123456", "a payment code (refused)"),
    ]


class PastClock:
    """A clock that stands some days ago and moves a minute each time it is asked."""

    def __init__(self, clock: Clock, ago: dt.timedelta) -> None:
        self._now = clock.now() - ago
        self._clock = clock

    def now(self) -> dt.datetime:
        self._now += dt.timedelta(minutes=1)
        return self._now

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()


async def seed_shop(
    folder: Path, name: str, port: int, central: Path, central_url: str, database_url: str = ""
) -> Path:
    """Found one demo shop and enrol it; return its configuration. ``database_url`` is central's, if any."""
    founding = Founding(folder, name, "CNY", "Asia/Shanghai", "zh-Hans", port, central_url)
    founded = await found(founding, SystemClock(), os.urandom)
    for file in ("program.toml", "catalogue.csv"):
        (folder / file).write_bytes((assets.config_folder() / file).read_bytes())
    office = await open_central(central, database_url=database_url)
    try:
        code = await office.enrolment_code(name)
    finally:
        await office.close()
    await enrol_shop(settings.read(founded.config), code)
    shop = await open_shop(settings.read(founded.config), SystemClock(), os.urandom)
    try:
        await sign_in.add_person(shop, CASHIER, "演示店员 Demo cashier", "cashier", CASHIER_PIN)
        await sign_in.add_person(shop, TECHNICIAN, "演示技师 Demo technician", "technician", TECHNICIAN_PIN)
        plain = Presented("uid", STAFF_UID.hex().upper(), 0, "seed")
        await staff_cards.give_card(shop, TECHNICIAN, plain)
    finally:
        await shop.store.close()
    return founded.config


def add_offers(folder: Path, offers: str) -> None:
    """Add sections to the programme of a shop; what it says becomes another version."""
    if not offers:
        return
    path = folder / "program.toml"
    plain = path.read_text(encoding="utf-8")
    path.write_text(plain.replace('version = "', 'version = "offers-', 1) + "\n" + offers, encoding="utf-8")


async def tell_rules(folder: Path, central: Path, database_url: str = "") -> None:
    """Let head office tell every shop the programme and the articles that one shop has."""
    source = programs.load(folder / "program.toml")
    assert source.program is not None
    program = ProgramNews(version=source.program.version, content=source.content, text=source.text)
    text = (folder / "catalogue.csv").read_text(encoding="utf-8-sig")
    articles = CatalogueNews(digest=hashlib.sha256(text.encode()).hexdigest(), text=text)
    office, now = await open_central(central, database_url=database_url), SystemClock().now()
    try:
        await office.store.transact(lambda tx: telling.program(tx, program, now))
        await office.store.transact(lambda tx: telling.catalogue(tx, articles, now))
    finally:
        await office.close()


async def seed_members(config: Path) -> None:
    """Let the demo members join and buy, some days ago."""
    shop = await open_shop(settings.read(config), PastClock(SystemClock(), HISTORY), os.urandom)
    try:
        for member in MEMBERS:
            await _join_and_buy(shop, member)
    finally:
        await shop.store.close()


async def _join_and_buy(shop: Shop, member: DemoMember) -> None:
    number = Presented("barcode", member.number, 0, "seed")
    plain = Presented("uid", member.uid.hex().upper(), 0, "seed")
    card = Presented("card", member.credential, 1, "seed") if member.credential else plain
    joining = Joining(f"seed-join-{member.number}", member.name, member.phone, (card, number), CASHIER)
    joined = await register_member(shop, joining)
    pseudonym = joined.event.body.member
    assert pseudonym is not None
    lines = tuple(shop.catalogue.find(sku).line(count * 1000, "zh-Hans") for sku, count in member.bought)
    total = sum(line.unit_minor * line.quantity_milli // 1000 for line in lines)
    command = SaleCommand(
        id=f"seed-sale-{member.number}",
        till="seed",
        lines=lines,
        tenders=(Tender("card", total),),
        staff=CASHIER,
        language="zh-Hans",
        member=pseudonym,
        presented=card,
    )
    await record_sale(shop, command)
    if not member.credential:
        await pins.set_pin(shop, pseudonym, MEMBER_PIN)


def set_devices(
    config: Path,
    port: int,
    central_url: str,
    devices: list[dict[str, object]],
    kiosk: dict[str, float | str],
) -> None:
    """Tell a shop where its devices and central are; the emulators have new addresses at each start."""
    document = tomlkit.parse(config.read_text(encoding="utf-8"))
    document["web"] = {"port": port}
    document["central"] = {"url": central_url, "poll_s": 0.5, "retry_max_s": 3}
    document["devices"] = devices
    document["kiosk"] = kiosk
    config.write_text(tomlkit.dumps(document), encoding="utf-8")


def mark_complete(config: Path) -> None:
    (config.parent / SEEDED).touch()


def is_complete(config: Path) -> bool:
    """Tell whether seeding got through: it may have been interrupted."""
    return (config.parent / SEEDED).exists()
