"""Quotes that are shown and paid: coupons, pinning, who may buy what, what is never shown (3.11, X5)."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.loyalty import tallies
from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.effects import Coupon
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.program.people import Entitlement
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.sales.selling import Wants, best_quote, pin
from tapledger.loyalty.sales.tenders import Payer
from tests.loyalty.counter import TRUSTED, Counter, goods, refused, rules, who
from tests.loyalty.givens import DAY, NOON, earning, member, program


# ---- coupons and quotes -----------------------------------------------------------------------------------
def test_a_coupon_that_does_nothing_is_not_used_up() -> None:
    template = Template(id="big", benefit=Amount(off_minor=1000), min_minor=50_000)
    counter = Counter(who(coupons=(Coupon("c", "big", NOON, None),)), rules(coupons=[template]))
    facts = counter.sell([goods(10_000)], wants=Wants(coupons=("c",)))
    assert (facts.total_minor, facts.coupons) == (10_000, ())
    assert counter.member is not None and counter.member.coupons[0].state == "issued"


@pytest.mark.parametrize(
    ("coupon", "code"),
    [
        (Coupon("other", "ten", NOON, None), "COUPON_UNKNOWN"),
        (Coupon("c", "gone", NOON, None), "COUPON_UNKNOWN"),
        (Coupon("c", "ten", NOON, NOON), "COUPON_EXPIRED"),
        (Coupon("c", "ten", NOON, None, NOON + DAY), "NOT_YET"),
        (Coupon("c", "ten", NOON, None, state="redeemed", sale="x"), "COUPON_USED"),
        (Coupon("c", "ten", NOON, None, state="void"), "COUPON_USED"),
        (Coupon("c", "ten", NOON, None, state="held", sale="x", until=NOON + DAY), "COUPON_HELD"),
    ],
)
def test_a_coupon_that_cannot_be_used_is_refused_and_left_out_of_a_quote(coupon: Coupon, code: str) -> None:
    template = Template(id="ten", benefit=Amount(off_minor=1000))
    counter = Counter(who(coupons=(coupon,)), rules(coupons=[template]))
    wants = Wants(coupons=("c",))
    assert refused(counter, wants=wants).code == code
    quoted = counter.quote([goods(10_000)], wants)
    assert quoted.total_minor == 10_000
    assert [(one.id, one.reason.code) for one in quoted.left_out] == [("c", code)]


def test_a_coupon_held_by_this_sale_is_redeemed_by_it_even_after_its_end() -> None:
    template = Template(id="ten", benefit=Amount(off_minor=1000))
    held = Coupon("c", "ten", NOON - DAY, NOON, state="held", sale="s", until=NOON + DAY / 24)
    counter = Counter(who(coupons=(held,)), rules(coupons=[template]))
    assert counter.sell([goods(10_000)], wants=Wants(coupons=("c",))).total_minor == 9000


def test_the_best_coupons_are_chosen_of_the_whole_wallet() -> None:
    templates = [Template(id=f"t{n}", benefit=Amount(off_minor=n), group="one") for n in (100, 300, 200)]
    wallet = tuple(Coupon(f"c{n}", f"t{n}", NOON, None) for n in (100, 300, 200))
    payer = Payer(who(coupons=wallet), TRUSTED)
    chosen = best_quote(payer, (goods(1000),), rules(coupons=templates), NOON)
    assert (chosen.coupons, chosen.priced.total_minor) == (("c300",), 700)


def test_X5_a_pinned_tier_and_time_hold_until_the_deadline() -> None:
    counter = Counter(member(tier="silver"), program())
    lines = (goods(10_000),)
    pinned = pin(counter.member, lines, Wants(), counter.program, NOON)
    assert counter.member is not None
    counter.member = msgspec.structs.replace(counter.member, tier="normal")
    counter.now = pinned.until - dt.timedelta(microseconds=1)
    assert counter.sell(lines, [Tender("card", 10_000)], pinned=pinned).earned == 120
    counter.now = pinned.until
    assert refused(counter, *lines, pinned=pinned).code == "QUOTE_EXPIRED"
    counter.now = NOON
    counter.program = program(version="other")
    assert refused(counter, *lines, pinned=pinned).code == "QUOTE_EXPIRED"


def test_staff_take_off_an_order_within_their_limit() -> None:
    counter = Counter(None, program())
    tenth = ManualDiscount("regular", off_minor=1001)
    assert refused(counter, wants=Wants(manual=tenth)).code == "MANUAL_DISCOUNT_LIMIT"
    approved = msgspec.structs.replace(tenth, approved=True)
    assert counter.sell([goods(10_000)], wants=Wants(manual=approved)).total_minor == 8999


# ---- who may buy what, and what is never shown ------------------------------------------------------------
def test_early_access_is_for_its_holders_until_the_public_date() -> None:
    public = dt.datetime.fromisoformat("2026-05-10")
    early = Entitlement("first", {"en": "First"}, kind="flag", skus=["new"], public_from=public)
    tiers = [Tier("normal", {"en": "Member"}), Tier("gold", {"en": "Gold"}, 500_000, benefits=["first"])]
    rules_ = program(tiers=tiers, entitlements=[early])
    for stranger in (None, member()):
        error = refused(Counter(stranger, rules_), goods(10_000, sku="new"))
        assert (error.code, error.data["sku"]) == ("EARLY_ACCESS_ONLY", "new")
    Counter(member(tier="gold"), rules_).sell([goods(10_000, sku="new")])
    Counter(None, rules_).sell([goods(10_000, sku="new")], early_access_approved=True)
    later = Counter(None, rules_, dt.datetime(2026, 5, 9, 16, tzinfo=dt.UTC))
    later.sell([goods(10_000, sku="new")])


def test_sensitive_lines_are_marked() -> None:
    counter = Counter(member(), program(sensitive=Scope(skus=["pill"])))
    facts = counter.sell([goods(100, sku="pill"), goods(100, sku="soap")])
    assert [line.sensitive for line in facts.lines] == [True, False]
    assert [line.name for line in counter.back((0, 1000), (1, 1000)).lines] == ["", "SOAP"]


def test_a_programme_of_the_first_release_posts_as_before() -> None:
    counter = Counter(member(), earning(1, 100))
    facts = counter.sell([goods(1234)], [Tender("cash", 2000)])
    assert (facts.earned, facts.change_minor, facts.points_used) == (12, 766, 0)
    assert counter.member is not None
    assert set(counter.member.tallies) == {tallies.SPEND, tallies.SALES}
