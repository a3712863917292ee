"""Codes to a phone: one a number, five tries, five minutes, once."""

from __future__ import annotations

import os

import pytest

from tapledger.errors import Denied, Refused
from tapledger.membership.phone_codes import LIFE_S, MOST_WAITING, NEW_AFTER_S, PhoneCodes
from tests.store.shops import HandClock

PHONE = "13800138000"


def made() -> tuple[PhoneCodes, HandClock]:
    clock = HandClock()
    return PhoneCodes(clock, os.urandom), clock


def test_a_code_is_six_digits_and_works_once() -> None:
    codes, _ = made()
    sent = codes.send(PHONE)
    assert len(sent.code) == 6 and sent.code.isdigit()
    assert sent.masked == "*** 8000"
    codes.check(PHONE, sent.code)
    with pytest.raises(Denied, match="PHONE_CODE_OVER"):
        codes.check(PHONE, sent.code)


def test_a_code_ends_and_who_carries_it_hears_of_it() -> None:
    codes, clock = made()
    heard: list[int] = []
    codes.on_change = lambda: heard.append(len(codes.waiting()))
    sent = codes.send(PHONE)
    clock.move(LIFE_S)
    with pytest.raises(Denied, match="PHONE_CODE_OVER"):
        codes.check(PHONE, sent.code)
    assert codes.waiting() == []
    assert heard[0] == 1


def test_asking_again_at_once_is_the_same_code_and_later_another() -> None:
    codes, clock = made()
    first = codes.send(PHONE)
    assert codes.send(PHONE) is first
    clock.move(NEW_AFTER_S + 1)
    second = codes.send(PHONE)
    assert second is not first
    assert codes.waiting() == [second]


def test_a_code_of_another_number_is_wrong() -> None:
    codes, _ = made()
    mine, other = codes.send(PHONE), codes.send("13900139000")
    if mine.code != other.code:
        with pytest.raises(Denied, match="PHONE_CODE_WRONG"):
            codes.check(PHONE, other.code)


def test_only_so_many_wait() -> None:
    codes, clock = made()
    for number in range(MOST_WAITING):
        codes.send(f"1380013800{number}")
    with pytest.raises(Refused, match="PHONE_CODES_TOO_MANY"):
        codes.send(PHONE[:-1] + "9")
    clock.move(LIFE_S + 1)
    codes.send(PHONE)
