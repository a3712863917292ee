"""Every command posts what it was, who did it, when, by which rules and for whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec
import pytest

from tapledger.loyalty.coupons import issuing
from tapledger.loyalty.coupons.issuing import Issue
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Blocked, Coupon, Credential, Linked, Lot
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.gains import FAR
from tapledger.loyalty.life import cards, consenting, granting, lifecycle, profiles
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import birthdays, joining
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.values import StoredValue
from tapledger.loyalty.rewards import redeeming
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.sales import deposits, returning, selling, sold
from tapledger.loyalty.sales.selling import Sale
from tapledger.loyalty.tiers import tier_reviews
from tapledger.loyalty.value import lapsing, storing
from tests.loyalty.coupon_givens import template
from tests.loyalty.givens import DAY, MEMBER, NOON, after, line, lot, member, program, redeem, rich
from tests.loyalty.ladders import GOLD_ONCE, YEARLY, bought
from tests.loyalty.lives import apply, at

STAFF = "staff-1"
CARD, NEW_CARD = Credential("card", "index-1", 2), Credential("card", "index-2", 2)
RULES = program(
    version="rules-7",
    stored_value=StoredValue(),
    coupons=[template(valid_days=10), template("open", claimable=True, code="OPEN")],
)
LATER = NOON + dt.timedelta(hours=1)
"""When the command comes: later than anything that it is about."""

ISSUE = Issue("ten", "c-1", "till", staff=STAFF)
CLAIM = Issue("open", "c-1", "code", kind="claim", staff=STAFF)
PAPER = Coupon("bearer/p-1", "ten", NOON - DAY, NOON + 3 * DAY)
TOP_UP = storing.TopUp("t-1", 1000, (Tender("cash", 1000),), STAFF, Rights())
GRANT = granting.GrantPoints("g-1", 10, "late bus", STAFF)
CONSENT = consenting.Statement("s", "profiling", True, "v1", "till", STAFF)
BIRTHDAY = birthdays.SetBirthday(5, 9, staff=STAFF)
PROFILE = profiles.ProfileChange("digest", "", "phone-1", STAFF)
BOTTLES = deposits.GiveBack("d-1", (deposits.Deposit("bottle", 2, 100),), STAFF)
GIVE_TIER = tier_reviews.GiveTier("gold", "a friend of the house", STAFF)
CHANGE = lifecycle.Change(STAFF, "asked for it")


def with_card(**state: str) -> Member:
    return apply(rich(), Linked(CARD), *(Blocked(CARD.index, why) for why in state.values()))


def with_value() -> Member:
    lots = (
        Lot("p", 900, 900, NOON - DAY, None, PRINCIPAL),
        Lot("b", 500, 500, NOON - DAY, NOON + 30 * DAY, BONUS),
    )
    return Member(MEMBER, NOON - DAY, lots=lots)


def held() -> Member:
    return after(redeeming.decide_redeem(rich(), redeem("coffee"), RULES, NOON))


def cancelled() -> Member:
    return after(lifecycle.decide_cancel(rich(), CHANGE, RULES, NOON))


def with_coupon() -> Member:
    return after(issuing.decide_issue(rich(), ISSUE, RULES, NOON))


def sale(now: dt.datetime = NOON) -> Decision:
    command = Sale("sale-1", (line(1000),), (Tender("cash", 1000),), "lot-1", STAFF)
    return selling.decide_sale(rich(), command, RULES, now)


def give_back() -> Decision:
    back = returning.Return("r-1", (returning.ReturnedLine(0, 1000),), STAFF)
    return returning.decide_return(after(sale()), sold.read(sale().body), back, RULES, LATER)


def void() -> Decision:
    command = returning.Void("r-1", STAFF)
    return returning.decide_void(after(sale()), sold.read(sale().body), command, RULES, LATER)


def take_back() -> Decision:
    done = storing.decide_top_up(rich(), TOP_UP, RULES, NOON)
    return storing.decide_top_up_void(after(done), storing.TopUpVoid(done.body, STAFF), RULES, LATER)


BY_STAFF: list[tuple[str, str | None, Callable[[Program, dt.datetime], Decision]]] = [
    ("join", MEMBER, lambda p, t: joining.decide_join(joining.Join(MEMBER, (CARD,), None, STAFF), p, t)),
    ("link", MEMBER, lambda p, t: cards.decide_link(rich(), CARD, STAFF, p, t)),
    ("block", MEMBER, lambda p, t: cards.decide_block(with_card(), CARD.index, "lost", STAFF, p, t)),
    ("unblock", MEMBER, lambda p, t: cards.decide_unblock(with_card(why="lost"), CARD.index, STAFF, p, t)),
    ("replace", MEMBER, lambda p, t: cards.decide_replace(with_card(), CARD.index, NEW_CARD, STAFF, p, t)),
    ("card_limit", MEMBER, lambda p, t: cards.decide_limit(with_card(), CARD.index, 500, STAFF, p, t)),
    ("freeze", MEMBER, lambda p, t: lifecycle.decide_freeze(rich(), CHANGE, p, t)),
    ("cancel", MEMBER, lambda p, t: lifecycle.decide_cancel(rich(), CHANGE, p, t)),
    ("restore", MEMBER, lambda p, t: lifecycle.decide_restore(cancelled(), CHANGE, p, t)),
    ("erase", MEMBER, lambda p, t: lifecycle.decide_erase(rich(), lifecycle.Erase(STAFF), p, t)),
    ("grant", MEMBER, lambda p, t: granting.decide_grant(rich(), GRANT, p, t)),
    ("consent", MEMBER, lambda p, t: consenting.decide_consent(rich(), CONSENT, p, t)),
    ("birthday", MEMBER, lambda p, t: birthdays.decide_birthday(rich(), BIRTHDAY, p, t)),
    ("profile", MEMBER, lambda p, t: profiles.decide_profile(rich(), PROFILE, p, t)),
    ("tag", MEMBER, lambda p, t: profiles.decide_preferences(rich(), ("tea",), STAFF, p, t)),
    ("hold", MEMBER, lambda p, t: redeeming.decide_redeem(rich(), redeem("coffee"), p, t)),
    ("fulfil", MEMBER, lambda p, t: redeeming.decide_fulfil(held(), "hold-1", STAFF, p, t)),
    ("release", MEMBER, lambda p, t: redeeming.decide_release(held(), "hold-1", STAFF, p, t)),
    ("sale", MEMBER, lambda p, t: sale(t)),
    ("return", MEMBER, lambda p, t: give_back()),
    ("void", MEMBER, lambda p, t: void()),
    ("return", None, lambda p, t: deposits.decide_giveback(BOTTLES, p, t)),
    ("topup", MEMBER, lambda p, t: storing.decide_top_up(rich(), TOP_UP, p, t)),
    ("topup_void", MEMBER, lambda p, t: take_back()),
    ("close_card", MEMBER, lambda p, t: storing.decide_close_card(with_value(), STAFF, p, t)),
    ("tier", MEMBER, lambda p, t: tier_reviews.decide_tier(rich(), GIVE_TIER, p, t)),
    ("coupon", MEMBER, lambda p, t: issuing.decide_issue(rich(), ISSUE, p, t)),
    ("claim", MEMBER, lambda p, t: issuing.decide_issue(rich(), CLAIM, p, t)),
    ("coupon", None, lambda p, t: issuing.decide_bearer(ISSUE, p, t)),
    ("claim", MEMBER, lambda p, t: issuing.decide_take(rich(), PAPER, ISSUE, p, t)),
    ("claim", MEMBER, lambda p, t: issuing.decide_admit(rich(), PAPER, ISSUE, p, t)),
    ("claim", None, lambda p, t: issuing.decide_admit(None, PAPER, ISSUE, p, t)),
    ("coupon_void", MEMBER, lambda p, t: issuing.decide_void(with_coupon(), "c-1", "torn", STAFF, p, t)),
]


@pytest.mark.parametrize(("kind", "who", "act"), BY_STAFF, ids=[f"{k}-{w}" for k, w, _ in BY_STAFF])
def test_a_command_of_staff_names_them(
    kind: str, who: str | None, act: Callable[[Program, dt.datetime], Decision]
) -> None:
    body = act(RULES, LATER).body
    assert (body.kind, body.member, body.staff) == (kind, who, STAFF)
    assert (body.at, body.program) == (LATER, "rules-7")


def test_what_time_does_is_done_by_nobody() -> None:
    gold, end = bought(YEARLY, *GOLD_ONCE), at("2027-03-03", "00:00")
    waiting = msgspec.structs.replace(with_value(), lots=(Lot("b", 500, 500, FAR, None, BONUS, "t-1"),))
    done = {
        "expire": lapsing.decide_expire(member(lot("old", 5, NOON)), YEARLY, end),
        "review": tier_reviews.decide_review(gold, YEARLY, end),
        "review ": tier_reviews.decide_warning(gold, YEARLY, end - DAY),
        "grant": storing.decide_confirm_bonus(waiting, YEARLY, end),
    }
    for kind, decision in done.items():
        assert decision is not None
        body = decision.body
        assert (body.kind, body.member, body.staff) == (kind.strip(), MEMBER, None)
        assert (body.at, body.program) == (end - DAY if kind == "review " else end, YEARLY.version)
        assert body.reasons
