"""Goods as fast as they come; members' and coupons' codes once (decisions R26)."""

from __future__ import annotations

import datetime as dt

import pytest

from tapledger.errors import Refused
from tapledger.loyalty import codes
from tapledger.loyalty.life import virtual_card
from tapledger.membership.scan_pace import CODES_PER_S, SAME_CODE_S, ScanPace, is_paced
from tests.store.shops import HandClock

EAN, BOOK = "6901234567892", "9781861972712"
COUPON = "TC1:ABCDEFGHIJ"
VIRTUAL = virtual_card.code(b"s" * 20, "0123456789", 1)
VOUCHER = codes.voucher_code(b"0123456789abcdef")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(dt.datetime(2026, 1, 31, tzinfo=dt.UTC))


@pytest.mark.parametrize("text", [EAN, BOOK, "96385074", "A-17", "", "4111111111111111", "0106901234567892"])
def test_goods_are_never_slowed_down(clock: HandClock, text: str) -> None:
    pace = ScanPace(clock)
    assert all(pace.takes(text) for _ in range(100))


@pytest.mark.parametrize("text", [COUPON, VIRTUAL, VOUCHER, codes.numeric(VOUCHER), "91234567890"])
def test_the_same_code_again_is_the_same_reading(clock: HandClock, text: str) -> None:
    assert is_paced(text)
    pace = ScanPace(clock)
    assert pace.takes(text)
    for _ in range(3):
        clock.move(SAME_CODE_S - 1)
        assert not pace.takes(text)
    clock.move(SAME_CODE_S)
    assert pace.takes(text)


def test_five_codes_a_second_and_no_more(clock: HandClock) -> None:
    pace = ScanPace(clock)
    assert all(pace.takes(f"{COUPON}{n}") for n in range(CODES_PER_S))
    with pytest.raises(Refused, match="SCANS_TOO_FAST"):
        pace.takes(f"{COUPON}X")
    assert pace.takes(EAN), "goods pass meanwhile"
    clock.move(1)
    assert pace.takes(f"{COUPON}X")


def test_two_codes_in_turn_are_two_codes(clock: HandClock) -> None:
    pace = ScanPace(clock)
    assert [pace.takes(code) for code in (COUPON, VIRTUAL, COUPON, VIRTUAL)] == [True, True, False, False]


def test_it_remembers_no_more_than_it_must(clock: HandClock) -> None:
    pace = ScanPace(clock)
    for n in range(1000):
        pace.takes(f"{COUPON}{n}")
        clock.move(0.25)
    assert len(pace._last_s) <= CODES_PER_S * SAME_CODE_S
