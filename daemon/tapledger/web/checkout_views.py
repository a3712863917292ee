"""Parts of the till's snapshot that come from the quote: discounts, coupons, points, value, reasons."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tapledger import texts
from tapledger.loyalty import explain
from tapledger.loyalty.facts import TENDER_KINDS, Discount, Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.money import exponent
from tapledger.loyalty.program import Program, name_in
from tapledger.loyalty.rights import why_not_by_card
from tapledger.loyalty.sales.tenders import cash_due
from tapledger.loyalty.value import storing
from tapledger.membership import explaining
from tapledger.membership.shop import Shop
from tapledger.web import views
from tapledger.web.checkout_snapshots import (
    CouponChooser,
    LineDiscount,
    PointsAsCash,
    StoredValue,
    TillCoupon,
    TopUp,
    TopUpRow,
    Why,
    WhyNot,
)
from tapledger.web.counter import Counter
from tapledger.web.snapshots import TillLine, Totals

LISTED_COUPONS = 40
"""More cannot be used, or are too many to choose from by eye."""
POINTS = "points"


def money_of(shop: Shop, language: str) -> Callable[[int], str]:
    return lambda minor: texts.money(language, minor, shop.program.currency)


def lines(shop: Shop, counter: Counter) -> list[TillLine]:
    """Show what is in the basket with what each line costs; unpriced while it cannot be sold."""
    money, language = money_of(shop, counter.language), counter.language
    asked = counter.basket.lines(shop, language)
    sale = counter.quoted.sale
    if sale is None:
        return [
            TillLine(n, line.sku, line.name, str(entry.quantity), money(line.unit_minor), "", None, [], False)
            for n, (entry, line) in enumerate(zip(counter.basket.entries, asked, strict=True), 1)
        ]
    shown = []
    for i, line in enumerate(sale.lines):
        is_gift = i >= len(asked)
        off = [one for one in sale.discounts if one.shares.get(i)]
        total = line.net_minor + (line.tax_minor if sale.tax_exclusive else 0)
        shown.append(
            TillLine(
                number=i + 1,
                sku=line.sku,
                name=line.name,
                quantity=texts.quantity(line.quantity_milli),
                unit_price=money(line.unit_minor),
                total=money(total),
                gross=money(line.gross_minor) if off else None,
                discounts=[discount(one, one.shares[i], shop.program, language) for one in off],
                gift=is_gift,
            )
        )
    return shown


def discount(one: Discount, share_minor: int, program: Program, language: str) -> LineDiscount:
    named = next((known for known in (*program.promotions, *program.coupons) if known.id == one.id), None)
    return LineDiscount(
        title="" if named is None else name_in(named.name, language),
        sentence=explaining.sentence(one.reason, program, language),
        amount=texts.money(language, -share_minor, program.currency),
    )


def totals(shop: Shop, counter: Counter) -> Totals:
    """Show what is due, and what made it so."""
    money, quoted, language = money_of(shop, counter.language), counter.quoted, counter.language
    digits = exponent(shop.program.currency)
    if quoted.problem is not None:
        return Totals(money(0), 0, money(0), 0, texts.problem(language, quoted.problem)[0], digits)
    sale, body = quoted.sale, quoted.body
    if sale is None or body is None:
        return Totals(money(0), 0, money(0), 0, "", digits)
    points = sum(one.amount_minor for one in sale.discounts if one.kind == POINTS)
    saved = sum(one.amount_minor for one in sale.discounts) - points
    value = quoted.value.pays_minor
    return Totals(
        due=money(quoted.due_minor),
        due_minor=quoted.due_minor,
        tax=money(sale.tax_minor),
        earn_points=sale.earned,
        earn_why=" ".join(explaining.sentences(body.reasons, shop.program, language)),
        minor_digits=digits,
        cash_due_minor=cash_due(quoted.due_minor, shop.program),
        gross=money(sum(line.gross_minor for line in sale.lines)) if saved or points else None,
        saved=money(-saved) if saved else None,
        points_paid=money(-points) if points else None,
        value_paid=money(-value) if value else None,
    )


# ---- coupons ----------------------------------------------------------------------------------------------
def coupons(shop: Shop, counter: Counter) -> CouponChooser:
    quoted, program, language = counter.quoted, shop.program, counter.language
    money = money_of(shop, language)
    listed = [
        TillCoupon(
            number=number,
            title=views.coupon_title(one.template, language),
            last_day=views.last_day(one.expires_at, program),
            saves=money(one.saving_minor) if one.saving_minor else None,
            chosen=one.chosen,
            why_not=None if one.why_not is None else explaining.sentence(one.why_not, program, language),
        )
        for number, one in enumerate(quoted.coupons[:LISTED_COUPONS], 1)
    ]
    notes = [
        explaining.sentence(rule_named(one.reason, program, language), program, language)
        for one in quoted.costs
    ]
    notes += [explaining.sentence(one.reason, program, language) for one in quoted.hints]
    if quoted.approximate:
        notes.append(texts.say(language, "till.coupons_approximate"))
    return CouponChooser(
        coupons=listed,
        more=max(0, len(quoted.coupons) - LISTED_COUPONS),
        automatic=counter.basket.coupons is None,
        better=money(quoted.better_minor) if quoted.better_minor else None,
        notes=notes,
    )


def rule_named(why: Reason, program: Program, language: str) -> Reason:
    """Call a rule of exclusion by words instead of its id; one of a coupon alone by the coupon's name."""
    kind, _, of = str(why.data["rule"]).partition(":")
    match kind:
        case "class":
            words = texts.say(language, "till.rule_class")
        case "max_coupons":
            words = texts.say(language, "till.rule_count")
        case "group":
            words = texts.say(language, "till.rule_group", name=of)
        case _:
            words = _promotion_name(of, program, language)
    return msgspec.structs.replace(why, data={**why.data, "rule": words})


def _promotion_name(id_: str, program: Program, language: str) -> str:
    named = next((one for one in (*program.promotions, *program.coupons) if one.id == id_), None)
    return id_ if named is None else name_in(named.name, language) or id_


# ---- points and stored value ------------------------------------------------------------------------------
def points(shop: Shop, counter: Counter) -> PointsAsCash | None:
    quoted = counter.quoted
    if counter.greeting is None or quoted.sale is None:
        return None
    room = quoted.points
    why = None if room.refusal is None else texts.problem(counter.language, room.refusal)[0]
    pays = money_of(shop, counter.language)(room.pays_minor)
    by_card = room.refusal is not None and room.refusal.code == why_not_by_card().code
    asks_tail = by_card and counter.basket.can_step_up
    return PointsAsCash(room.points, pays, quoted.sale.points_used, why, asks_tail)


def stored(shop: Shop, counter: Counter) -> StoredValue | None:
    if counter.greeting is None:
        return None
    money, room = money_of(shop, counter.language), counter.quoted.value
    return StoredValue(
        balance=None if room.balance_minor is None else money(room.balance_minor),
        usable=money(room.usable_minor),
        usable_minor=room.usable_minor,
        used=money(room.pays_minor) if room.pays_minor else None,
        why_not=None if room.why_not is None else texts.reason(counter.language, room.why_not),
        top_up=top_up(shop, counter),
    )


def top_up(shop: Shop, counter: Counter) -> TopUp | None:
    """Show the bonus table, and what the amount that somebody asks for would bring."""
    rules, greeting = shop.program.stored_value, counter.greeting
    if rules is None or greeting is None:
        return None
    money = money_of(shop, counter.language)
    rows = []
    for row in sorted(rules.top_up, key=lambda one: one.pay_minor):
        bonus = storing.bonus_of(rules, row.pay_minor)
        rows.append(TopUpRow(money(row.pay_minor), row.pay_minor, money(bonus)))
    asked = counter.top_up_minor
    if not asked:
        return TopUp(rows)
    bonus, balance = storing.bonus_of(rules, asked), counter.quoted.value.balance_minor
    after = None if balance is None else money(balance + asked + bonus)
    return TopUp(rows, money(asked), asked, money(bonus), after)


# ---- why --------------------------------------------------------------------------------------------------
def why(shop: Shop, counter: Counter) -> Why:
    """Explain the basket as its receipt will be explained, what cannot be had, and the last slip."""
    last = counter.newest
    return Why(
        quote=list(quote_sentences(shop, counter)),
        not_now=not_now(shop, counter),
        last_receipt="" if last is None else last.receipt,
        last=[] if counter.why is None else list(counter.why.sentences),
    )


def quote_sentences(shop: Shop, counter: Counter) -> tuple[str, ...]:
    body = counter.quoted.body
    if body is None or body.sale is None:
        return ()
    # How the rest will be paid is not decided yet.
    tenders = tuple(one for one in body.sale.tenders if one.kind not in TENDER_KINDS)
    shown = msgspec.structs.replace(body, sale=msgspec.structs.replace(body.sale, tenders=tenders))
    return explaining.sentences(explain.explain(shown, shop.program), shop.program, counter.language)


def not_now(shop: Shop, counter: Counter) -> list[WhyNot]:
    program, language = shop.program, counter.language
    found = [
        WhyNot(
            views.coupon_title(one.template, language), explaining.sentence(one.why_not, program, language)
        )
        for one in counter.quoted.coupons[:LISTED_COUPONS]
        if one.why_not is not None
    ]
    offers = () if counter.greeting is None else counter.greeting.summary.offers
    found += [
        WhyNot(name_in(offer.reward.title, language), explaining.sentence(offer.why_not, program, language))
        for offer in offers
        if offer.why_not is not None
    ]
    return found


def paid_back(body: EventBody, language: str) -> str:
    """Return how a return is paid: "Cash ¥12.00"."""
    back = body.returned
    assert back is not None
    paid = []
    for one in back.tenders:
        tender = texts.say(language, f"tender.{one.kind}")
        paid.append(f"{tender} {texts.money(language, one.amount_minor, back.currency)}")
    return ", ".join(paid)
