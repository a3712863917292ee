"""Cards: lost, replaced, limited a day; codes on a telephone that are right for a minute and once."""

from __future__ import annotations

import datetime as dt
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.loyalty import members
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import cards, virtual_card
from tapledger.loyalty.life.cards import WhyBlocked
from tapledger.loyalty.members import Member
from tests.loyalty.givens import DAY, NOON, PROGRAM, after

TODAY = NOON.date()
MUM, CHILD = Credential("card", "mum", 1), Credential("card", "child", 1, day_limit_minor=5000)


def family(*credentials: Credential) -> Member:
    return Member("m-1", NOON - DAY, credentials=credentials or (MUM, CHILD))


def spend(member: Member, index: str, amount: int, today: dt.date = TODAY) -> Member:
    effects = cards.paid(member, index, amount, today)
    return members.fold(member, EventBody(kind="sale", at=NOON, program="1", member="m-1", effects=effects))


# ---- limits ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spent", "asked", "left"),
    [(0, 5000, None), (0, 5001, 5000), (4999, 1, None), (4999, 2, 1), (5000, 0, None), (5000, 1, 0)],
)
def test_a_card_spends_up_to_its_limit_a_day(spent: int, asked: int, left: int | None) -> None:
    why = cards.why_not_pay(spend(family(), "child", spent), "child", asked, TODAY, "CNY")
    assert (None if why is None else why.data["left_minor"]) == left


def test_a_limit_is_the_cards_own_and_begins_anew_each_day() -> None:
    member = spend(family(), "child", 5000)
    assert cards.why_not_pay(member, "mum", 10**9, TODAY, "CNY") is None
    assert cards.why_not_pay(member, "child", 5000, TODAY + DAY, "CNY") is None
    assert cards.why_not_pay(spend(member, "child", -2000), "child", 2000, TODAY, "CNY") is None
    assert cards.why_not_pay(member, "somebody", 1, TODAY, "CNY") is None
    assert cards.paid(member, "mum", 100, TODAY) == ()


def test_a_limit_is_set_and_taken_away() -> None:
    limited = after(cards.decide_limit(family(), "mum", 0, "s", PROGRAM, NOON))
    why = cards.why_not_pay(limited, "mum", 1, TODAY, "CNY")
    assert why is not None and why.code == "CARD_DAY_LIMIT"
    free = after(cards.decide_limit(limited, "mum", None, "s", PROGRAM, NOON))
    assert cards.why_not_pay(free, "mum", 1, TODAY, "CNY") is None
    for impossible in (-1, 2**63):
        with pytest.raises(Invalid, match="AMOUNT_TOO_LARGE"):
            cards.decide_limit(family(), "mum", impossible, "s", PROGRAM, NOON)


# ---- lost and replaced -----------------------------------------------------------------------------------
def test_a_lost_card_is_refused_and_a_found_one_is_good_again() -> None:
    lost = after(cards.decide_block(family(), "child", "lost", "s", PROGRAM, NOON))
    for why in (cards.why_not_use(lost, "child"), cards.why_not_pay(lost, "child", 1, TODAY, "CNY")):
        assert why is not None and why.code == "CARD_BLOCKED"
    assert cards.why_not_use(lost, "mum") is None
    found = after(cards.decide_unblock(lost, "child", "s", PROGRAM, NOON))
    assert found.credentials == family().credentials


def test_a_new_card_has_the_limit_of_the_old_which_is_refused_for_ever() -> None:
    lost = after(cards.decide_block(family(), "child", "lost", "s", PROGRAM, NOON))
    new = after(cards.decide_replace(lost, "child", Credential("card", "new", 1), "s", PROGRAM, NOON))
    assert [(one.index, one.blocked, one.day_limit_minor) for one in new.credentials] == [
        ("mum", "", None), ("child", "replaced", 5000), ("new", "", 5000),
    ]  # fmt: skip
    with pytest.raises(Refused, match="CARD_REPLACED"):
        cards.decide_unblock(new, "child", "s", PROGRAM, NOON)
    with pytest.raises(Refused, match="CARD_REPLACED"):
        cards.decide_replace(new, "child", Credential("card", "x", 1), "s", PROGRAM, NOON)


def test_what_is_refused() -> None:
    with pytest.raises(Refused, match="CREDENTIAL_NOT_YOURS"):
        cards.decide_block(family(), "x", "lost", "s", PROGRAM, NOON)
    with pytest.raises(Invalid, match="BLOCK_REASON_UNKNOWN"):
        cards.decide_block(family(), "mum", cast(WhyBlocked, "ugly"), "s", PROGRAM, NOON)
    with pytest.raises(Refused, match="CARD_NOT_BLOCKED"):
        cards.decide_unblock(family(), "mum", "s", PROGRAM, NOON)
    with pytest.raises(Refused, match="CREDENTIAL_ALREADY_YOURS"):
        cards.decide_replace(family(), "child", MUM, "s", PROGRAM, NOON)
    lost = after(cards.decide_block(family(), "mum", "stolen", "s", PROGRAM, NOON))
    with pytest.raises(Refused, match="CARD_BLOCKED_ALREADY"):
        cards.decide_block(lost, "mum", "lost", "s", PROGRAM, NOON)
    many = family(*(Credential("card", str(n), 1) for n in range(cards.MAX_CREDENTIALS)))
    with pytest.raises(Refused, match="CREDENTIALS_TOO_MANY"):
        cards.decide_link(many, Credential("card", "x", 1), "s", PROGRAM, NOON)
    gone = msgspec.structs.replace(family(), status="cancelled")
    with pytest.raises(Refused, match="MEMBER_CANCELLED"):
        cards.decide_link(gone, Credential("card", "x", 1), "s", PROGRAM, NOON)


# ---- codes on a telephone --------------------------------------------------------------------------------
SECRET = bytes(range(20))
CARD = "0123456789"
SLOT = virtual_card.slot(NOON)
HALF_MINUTE = dt.timedelta(seconds=30)


def test_a_known_code() -> None:
    """Computed by hand from the description: HMAC-SHA-256 of "card|slot", first 8 bytes mod 10**8, Luhn."""
    assert virtual_card.code(SECRET, CARD, 60_000_000) == "90123456789735722421"


def verdict(code: str, now: dt.datetime, last_slot: int = 0) -> int | str:
    try:
        return virtual_card.verify(code, SECRET, now, last_slot)
    except TapledgerError as error:
        return error.code


@pytest.mark.parametrize(
    ("slots", "said"),
    [(-2, "VIRTUAL_CODE_OLD"), (-1, SLOT), (0, SLOT), (1, SLOT), (2, "VIRTUAL_CODE_OLD")],
)
def test_r11_a_code_is_taken_one_slot_before_and_after(slots: int, said: int | str) -> None:
    assert verdict(virtual_card.code(SECRET, CARD, SLOT), NOON + slots * HALF_MINUTE) == said


def test_r11_a_code_is_taken_once_and_none_before_it() -> None:
    assert verdict(virtual_card.code(SECRET, CARD, SLOT), NOON, SLOT) == "VIRTUAL_CODE_USED"
    assert verdict(virtual_card.code(SECRET, CARD, SLOT - 1), NOON, SLOT) == "VIRTUAL_CODE_USED"
    assert verdict(virtual_card.code(SECRET, CARD, SLOT + 1), NOON, SLOT) == SLOT + 1


@given(st.integers(1, 19), st.integers(0, 9))
def test_a_wrong_digit_is_caught_without_the_secret(place: int, digit: int) -> None:
    code = virtual_card.code(SECRET, CARD, SLOT)
    changed = code[:place] + str(digit) + code[place + 1 :]
    assert verdict(changed, NOON) == (SLOT if changed == code else "VIRTUAL_CODE_MISTYPED")


@pytest.mark.parametrize("text", ["", "9" * 19, "9" * 21, "1" + "0" * 19, "９" * 20, "9" * 19 + "x"])
def test_what_is_no_such_code(text: str) -> None:
    assert verdict(text, NOON) == "VIRTUAL_CODE_MISTYPED"


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=20, max_size=20), st.integers(0, 2**40))
def test_every_code_has_twenty_digits_and_names_its_card(number: bytes, secret: bytes, slot: int) -> None:
    card = virtual_card.number(number)
    code = virtual_card.code(secret, card, slot)
    assert virtual_card.is_code(code) and virtual_card.card_of(code) == card
