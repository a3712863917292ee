"""The till's snapshot, built from its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tapledger import texts
from tapledger.errors import TapledgerError
from tapledger.languages import LANGUAGES, Language
from tapledger.loyalty import engine
from tapledger.loyalty.program import name_in
from tapledger.membership.basket import Basket
from tapledger.membership.catalogue import Article
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import Found, VoucherFound
from tapledger.membership.shop import Shop
from tapledger.membership.tap import Greeting
from tapledger.store.journal import Recorded
from tapledger.store.people import mask
from tapledger.store.prints import Job
from tapledger.store.staff import Person
from tapledger.web import views
from tapledger.web.snapshots import Choice, LastSale, Message, Staff, Till, TillLine, TillMember, Totals
from tapledger.web.views import Lights

SHOWN_TAIL = 4


@dataclass(frozen=True, slots=True)
class Around:
    """What a till shows of the world outside it."""

    lights: Lights
    online: bool
    unsynced: int


@dataclass(frozen=True, slots=True)
class Parts:
    language: Language
    people: list[Person]
    staff: Person | None
    around: Around
    basket: Basket
    greeting: Greeting | None
    found: list[Found]
    message: Message | None
    stranger: str | None
    last: Recorded | None
    slip: Job | None


def tail(presented: Presented) -> str:
    """Return the end of a credential, enough to tell two apart at the till."""
    return f"…{presented.value[-SHOWN_TAIL:]}"


def till(shop: Shop, parts: Parts) -> Till:
    """Build the snapshot. Nobody is signed in: no basket, no member, no sale is shown."""
    language, signed_in = parts.language, parts.staff is not None
    return Till(
        language=language,
        languages=list(LANGUAGES),
        staff_known=[Staff(person.id, person.name) for person in parts.people],
        staff=None if parts.staff is None else Staff(parts.staff.id, parts.staff.name),
        reader=parts.around.lights.reader,
        printer=parts.around.lights.printer,
        scanner=parts.around.lights.scanner,
        online=parts.around.online,
        unsynced=parts.around.unsynced,
        member=_member(parts.greeting, language) if signed_in else None,
        lines=_lines(shop, parts) if signed_in else [],
        totals=_totals(shop, parts if signed_in else None, language),
        choices=[Choice(n, _label(found, language)) for n, found in enumerate(parts.found, 1)],
        message=parts.message,
        stranger=parts.stranger if signed_in else None,
        last_sale=_last_sale(parts) if signed_in else None,
    )


def _member(greeting: Greeting | None, language: str) -> TillMember | None:
    if greeting is None:
        return None
    return TillMember(
        name=mask(greeting.known.name),
        tier=name_in(greeting.summary.tier.name, language),
        points=greeting.summary.points.available,
        trust=greeting.known.presented.level,
    )


def _lines(shop: Shop, parts: Parts) -> list[TillLine]:
    money = _money(shop, parts.language)
    lines = parts.basket.lines(shop, parts.language)
    priced = engine.quote(None, lines, shop.program, shop.clock.now()).lines
    return [
        TillLine(
            number=number,
            sku=line.sku,
            name=line.name,
            quantity=str(entry.quantity),
            unit_price=money(line.unit_minor),
            total=money(line.net_minor),
        )
        for number, (entry, line) in enumerate(zip(parts.basket.entries, priced, strict=True), 1)
    ]


def _totals(shop: Shop, parts: Parts | None, language: str) -> Totals:
    money = _money(shop, language)
    if parts is None or not parts.basket.entries:
        return Totals(money(0), 0, money(0), 0, "")
    member = None if parts.greeting is None else parts.greeting.known.member
    try:
        quote = engine.quote(member, parts.basket.lines(shop, language), shop.program, shop.clock.now())
    except TapledgerError as error:
        return Totals(money(0), 0, money(0), 0, texts.problem(language, error)[0])
    why = " ".join(texts.reason(language, reason) for reason in quote.reasons)
    return Totals(money(quote.total_minor), quote.total_minor, money(quote.tax_minor), quote.earned, why)


def _label(found: Found, language: str) -> str:
    if isinstance(found, Article):
        return found.name(language)
    if isinstance(found, VoucherFound):
        return texts.say(language, "till.voucher", title=found.hold.title)
    return texts.say(language, "till.member", name=mask(found.known.name))


def _last_sale(parts: Parts) -> LastSale | None:
    if parts.last is None or parts.last.event.body.sale is None:
        return None
    sale, language = parts.last.event.body.sale, parts.language
    return LastSale(
        receipt=parts.last.receipt,
        total=texts.money(language, sale.total_minor, sale.currency),
        tender=", ".join(texts.say(language, f"tender.{tender.kind}") for tender in sale.tenders),
        change=texts.money(language, sale.change_minor, sale.currency),
        earned_points=sale.earned,
        slip=views.slip_state(parts.slip),
    )


def _money(shop: Shop, language: str) -> Callable[[int], str]:
    return lambda minor: texts.money(language, minor, shop.program.currency)
