"""The till's snapshot, built from its parts."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger import texts
from tapledger.languages import LANGUAGES, Language
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales.catalogue import Article
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import CouponFound, Found, PromotionFound, ReceiptFound, VoucherFound
from tapledger.membership.shop import Shop
from tapledger.membership.slips import job_id
from tapledger.store.people import mask
from tapledger.store.staff import Person
from tapledger.web import checkout_views, print_views, return_views, shift_views, views
from tapledger.web.counter import Counter
from tapledger.web.kiosk_snapshots import HelpState
from tapledger.web.return_desk import CASHIER, ReturnDesk
from tapledger.web.shift_desk import ShiftDesk
from tapledger.web.shift_snapshots import ShiftView
from tapledger.web.snapshots import Choice, LastSale, Message, PhoneCode, Staff, Till, TillMember
from tapledger.web.views import Lights

SHOWN_TAIL = 4


@dataclass(frozen=True, slots=True)
class Around:
    """What a till shows of the world outside it."""

    lights: Lights
    online: bool
    unsynced: int
    drawer_open: bool | None = None
    help: HelpState = "none"
    phone_codes: tuple[PhoneCode, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    language: Language
    people: list[Person]
    staff: Person | None
    around: Around
    counter: Counter
    desk: ReturnDesk
    shift: ShiftDesk
    found: list[Found]
    message: Message | None
    stranger: str | None


def tail(presented: Presented) -> str:
    """Return the end of a credential, enough to tell two apart at the till."""
    return f"…{presented.value[-SHOWN_TAIL:]}"


def till(shop: Shop, parts: Parts) -> Till:
    """Build the snapshot. Nobody is signed in: no basket, no member, no sale is shown."""
    language, counter, signed_in = parts.language, parts.counter, parts.staff is not None
    if not signed_in:
        counter = Counter(shop)
        counter.language = language
    return Till(
        language=language,
        languages=list(LANGUAGES),
        staff_known=[Staff(person.id, person.name) for person in parts.people],
        staff=None if parts.staff is None else Staff(parts.staff.id, parts.staff.name),
        reader=parts.around.lights.reader,
        printer=parts.around.lights.printer,
        scanner=parts.around.lights.scanner,
        simulated=parts.around.lights.simulated,
        online=parts.around.online,
        unsynced=parts.around.unsynced,
        member=_member(shop, counter),
        lines=checkout_views.lines(shop, counter),
        totals=checkout_views.totals(shop, counter),
        choices=[Choice(n, _label(found, language)) for n, found in enumerate(parts.found, 1)],
        message=parts.message,
        stranger=parts.stranger if signed_in else None,
        last_sale=_last_sale(counter),
        coupons=checkout_views.coupons(shop, counter),
        points=checkout_views.points(shop, counter),
        value=checkout_views.stored(shop, counter),
        why=checkout_views.why(shop, counter),
        returning=return_views.returning(shop, parts.desk, language) if signed_in else None,
        doubtful=[print_views.print_view(job, language) for job in counter.doubtful] if signed_in else [],
        drawer=print_views.drawer_view(counter.last_slip, parts.around.drawer_open, language),
        paper_left=parts.around.lights.paper_left,
        troubles=list(parts.around.lights.troubles),
        parked=shift_views.parked(shop, counter.parked, language),
        shift=_shift(shop, parts) if signed_in else None,
        help=parts.around.help,
        phone_codes=list(parts.around.phone_codes) if signed_in else [],
    )


def _shift(shop: Shop, parts: Parts) -> ShiftView:
    blind = parts.staff is None or parts.staff.role == CASHIER
    return shift_views.shift(shop, parts.shift.now, parts.shift.report, parts.language, blind=blind)


def _member(shop: Shop, counter: Counter) -> TillMember | None:
    greeting, language = counter.greeting, counter.language
    if greeting is None:
        return None
    value = counter.quoted.value.balance_minor
    return TillMember(
        name=mask(greeting.known.name),
        tier=name_in(greeting.summary.tier.name, language),
        points=greeting.summary.points.shown,
        trust=greeting.known.presented.level,
        coupons=sum(one.usable for one in counter.quoted.coupons),
        value=None if value is None else texts.money(language, value, shop.program.currency),
    )


def _label(found: Found, language: str) -> str:
    if isinstance(found, Article):
        return found.name(language)
    if isinstance(found, VoucherFound):
        return texts.say(language, "till.voucher", title=found.hold.title)
    if isinstance(found, CouponFound):
        return views.coupon_title(found.template, language)
    if isinstance(found, PromotionFound):
        return name_in(found.promotion.name, language)
    if isinstance(found, ReceiptFound):
        return texts.say(language, "till.receipt", receipt=found.receipt)
    return texts.say(language, "till.member", name=mask(found.known.name))


def _last_sale(counter: Counter) -> LastSale | None:
    last, language = counter.last, counter.language
    if last is None or last.event.body.sale is None:
        return None
    sale = last.event.body.sale
    return LastSale(
        receipt=last.receipt,
        total=texts.money(language, sale.total_minor, sale.currency),
        tender=", ".join(texts.say(language, f"tender.{tender.kind}") for tender in sale.tenders),
        change=texts.money(language, sale.change_minor, sale.currency),
        earned_points=sale.earned,
        slip=views.slip_state(counter.last_slip),
        job=job_id(last),
    )
