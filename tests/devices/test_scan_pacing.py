"""What the loop between scanner and till lets through (decisions R26)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tapledger.devices.supervisor import Reported
from tapledger.errors import TapledgerError
from tapledger.floor.serving import Serving
from tapledger_drivers.ports import Scan, ScanEvent, ScanRefused
from tests.store.shops import HandClock

EAN, COUPON = "6901234567892", "TC1:ABCDEFGHIJ"


class Till:
    def __init__(self) -> None:
        self.entered: list[str] = []
        self.troubles: list[str] = []

    async def enter(self, raw: str, event: int | None = None, *, simulated: bool = False) -> None:
        del event, simulated
        self.entered.append(raw)

    async def trouble(self, error: TapledgerError) -> None:
        self.troubles.append(error.code)


def serving(till: Till, clock: HandClock) -> Serving:
    devices: Any = SimpleNamespace(note=lambda role, what: None)
    shop: Any = SimpleNamespace(clock=clock)
    nobody: Any = None
    at_the_till: Any = till
    return Serving(shop, devices, nobody, nobody, at_the_till)


def reported(event: ScanEvent) -> Reported[ScanEvent]:
    return Reported("till-scanner", event)


def scan(text: str) -> Reported[ScanEvent]:
    return reported(Scan(text.encode(), text, 0.0))


async def test_two_equal_bottles_are_two_and_a_coupon_is_one() -> None:
    till, clock = Till(), HandClock()
    served = serving(till, clock)
    for text in (EAN, EAN, COUPON, EAN, COUPON, COUPON):
        await served._scan(scan(text))
    assert till.entered == [EAN, EAN, COUPON, EAN]
    clock.move(5)
    await served._scan(scan(COUPON))
    assert till.entered[-1] == COUPON


@pytest.mark.parametrize(
    ("item", "entered"),
    [("06901234567892", EAN), ("00000096385074", "96385074"), ("15400141288763", "15400141288763")],
)
async def test_a_gs1_code_enters_its_trade_item(item: str, entered: str) -> None:
    till = Till()
    event = Scan(b"", f"01{item}10LOT", 0.0, "]C1", "gs1-128", (("01", item), ("10", "LOT")))
    await serving(till, HandClock())._scan(reported(event))
    assert till.entered == [entered]


async def test_coupons_faster_than_a_person_are_refused_aloud() -> None:
    till = Till()
    served = serving(till, HandClock())
    for n in range(7):
        await served._scan(scan(f"{COUPON}{n}"))
    assert len(till.entered) == 5
    assert till.troubles == ["SCANS_TOO_FAST"] * 2


async def test_a_refused_code_is_told_by_its_reason_and_length_alone() -> None:
    till = Till()
    await serving(till, HandClock())._scan(reported(ScanRefused("payment_card", 16, 0.0)))
    assert (till.entered, till.troubles) == ([], ["CARD_NUMBER_REFUSED"])
