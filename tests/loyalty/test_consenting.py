"""Consent: what was said last by somebody who had seen the rest holds; of two at once the withdrawal."""

from __future__ import annotations

import datetime as dt
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import members
from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.facts import SaleLine
from tapledger.loyalty.life import consenting
from tapledger.loyalty.life.consenting import MARKETING, PURPOSES, Statement, decide_consent, may_message
from tapledger.loyalty.life.sensitivity import is_sensitive, shown
from tapledger.loyalty.members import Member
from tests.loyalty.givens import DAY, NOON, PROGRAM, after, program, rich

SMS = "marketing_sms"
SECOND = dt.timedelta(seconds=1)


def said(id_: str, granted: bool, purpose: str = SMS, seen: str | None = None) -> Statement:
    return Statement(id_, purpose, granted, "2026-1", "till", "s-1", seen)


def say(member: Member, statement: Statement, now: dt.datetime = NOON) -> Member:
    return after(decide_consent(member, statement, PROGRAM, now))


def test_g97_withdrawn_at_ten_and_sent_a_second_later() -> None:
    ten = dt.datetime(2026, 5, 4, 2, 0, tzinfo=dt.UTC)
    member = say(rich(), said("1", True), ten - DAY)
    assert may_message(member, SMS)
    member = say(member, said("2", False), ten)
    audience = [one for one in (member,) if may_message(one, SMS)]
    assert audience == [], "a campaign at 10:00:01 sends nothing"
    assert may_message(member, "programme"), "points for purchases are still earned"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_nothing_is_agreed_to_but_the_programme_until_it_is_said(purpose: str) -> None:
    assert may_message(rich(), purpose) is (purpose == "programme")
    assert may_message(say(rich(), said("1", True, purpose)), purpose)
    others = set(MARKETING) - {purpose}
    assert not any(may_message(say(rich(), said("1", True, purpose)), other) for other in others)


def test_r20_a_later_statement_that_saw_the_earlier_one_wins() -> None:
    member = say(say(say(rich(), said("1", True)), said("2", False)), said("3", True))
    assert may_message(member, SMS)
    told = consenting.current(member, SMS)
    assert told is not None and (told.id, told.seen, told.channel, told.text_version) == (
        "3", "2", "till", "2026-1",
    )  # fmt: skip


def test_r20_of_two_at_once_the_withdrawal_holds_in_either_order() -> None:
    base = say(rich(), said("1", True))
    yes = decide_consent(base, said("yes", True, seen="1"), PROGRAM, NOON + SECOND).body
    no = decide_consent(base, said("no", False, seen="1"), PROGRAM, NOON + SECOND).body
    for first, second in itertools.permutations((yes, no)):
        assert not may_message(members.fold(members.fold(base, first), second), SMS)


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_said_at_one_place_the_last_word_holds(words: list[bool]) -> None:
    member = rich()
    for number, granted in enumerate(words):
        member = say(member, said(str(number), granted), NOON + number * SECOND)
    assert may_message(member, SMS) is words[-1]


@pytest.mark.parametrize(
    ("status", "may"), [("active", True), ("frozen", True), ("cancelled", False), ("erased", False)]
)
def test_nobody_who_left_is_messaged(status: str, may: bool) -> None:
    member = say(rich(), said("1", True))
    assert may_message(msgspec.structs.replace(member, status=status), SMS) is may


def test_what_cannot_be_said() -> None:
    with pytest.raises(Invalid, match="PURPOSE_UNKNOWN"):
        decide_consent(rich(), said("1", True, "spam"), PROGRAM, NOON)
    with pytest.raises(Refused, match="CONSENT_IS_MEMBERSHIP"):
        decide_consent(rich(), said("1", False, "programme"), PROGRAM, NOON)
    for version in ("", "x" * 41):
        with pytest.raises(Invalid, match="TEXT_VERSION_MISSING"):
            decide_consent(rich(), Statement("1", SMS, True, version, "till"), PROGRAM, NOON)
    gone = msgspec.structs.replace(rich(), status="cancelled")
    with pytest.raises(Refused, match="MEMBER_CANCELLED"):
        decide_consent(gone, said("1", True), PROGRAM, NOON)
    assert not may_message(say(gone, said("1", False)), SMS), "who left may still withdraw"


# ---- sensitive articles ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scope", "hidden"),
    [
        (None, []),
        (Scope(categories=["pharmacy"]), ["test", "pill"]),
        (Scope(categories=["pharmacy"], except_skus=["pill"]), ["test"]),
        (Scope(skus=["tea"]), ["tea"]),
        (Scope(except_categories=["food"]), ["test", "pill"]),
    ],
)
def test_sensitive_articles_are_not_shown(scope: Scope | None, hidden: list[str]) -> None:
    def line(sku: str, category: str, sensitive: bool = False) -> SaleLine:
        return SaleLine(sku, sku, 1000, 100, 100, 1300, category, True, sensitive=sensitive)

    rules = program(sensitive=scope)
    lines = (line("test", "pharmacy"), line("pill", "pharmacy"), line("tea", "food"))
    assert [one.sku for one in lines if is_sensitive(one, rules)] == hidden
    assert [one.sku for one in shown(lines, rules)] == [one.sku for one in lines if one.sku not in hidden]
    assert is_sensitive(line("tea", "food", sensitive=True), rules), "as it was sold"
