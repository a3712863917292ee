"""What people must see of every fault of every device in the demo's two shops.

A row says by what use a fault shows (some show by themselves), after how long at most, and in which words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Use = Literal["", "tap", "scan", "slip", "check"]
"""``check`` is the console's own: let the device do something."""

KIOSK_READER, TILL_READER, SCANNER, PRINTER = "kiosk-reader", "till-reader", "till-scanner", "receipt-printer"
AT_ONCE_S = 1.0
"""A cable or a cover, as the product promises; a browser on a shared machine gets ``PAGE_S`` more."""
PAGE_S = 1.5
USABLE_S = 2.0 + PAGE_S
"""From the end of a fault until the device can be used."""


@dataclass(frozen=True, slots=True)
class Shows:
    """How one fault shows.

    ``reasons``: the console says one of them of the device, and the faces that work with it say what it means
    for them. ``problems``: the face in front of which it was used says one of these instead. Neither: nothing
    is wrong that anybody could know; then ``works`` tells that the use ends well all the same.
    """

    within_s: float = AT_ONCE_S
    reasons: tuple[str, ...] = ()
    use: Use = ""
    problems: tuple[str, ...] = ()
    works: bool = False
    passes: bool = False
    """It is over by itself; the trouble may be gone before anybody ends it."""
    replug: bool = False
    """It ends with the cable put back in."""
    amount: int | None = None


UNREAD = ("CARD_TORN",)
GARBLED = ("CARD_TORN", "CARD_TWO_AT_ONCE", "CARD_UNKNOWN", "CARD_NUMBER_CHANGES", "CARD_NUMBER_SHARED")
"""An answer with wrong bytes may be a wrong number: no member is greeted by it."""
CARDS = {
    "torn_card": Shows(3.0, use="tap", problems=UNREAD, passes=True),
    "two_cards": Shows(3.0, use="tap", problems=("CARD_TWO_AT_ONCE",)),
    "random_uid": Shows(3.0, use="tap", problems=("CARD_NUMBER_CHANGES",)),
    "wrong_atr": Shows(3.0, use="tap", problems=UNREAD),
}
GONE = Shows(reasons=("reader_absent", "pcscd_lost", "pcscd_absent"))
PCSC = {
    "unplug": GONE,
    "replug": Shows(3.0, works=True, use="tap"),
    "pcscd_kill": Shows(reasons=("pcscd_absent", "pcscd_lost")),
    "go_awol": Shows(5.5, ("hung", "reader_absent"), use="tap"),
    "slow": Shows(3.0, use="tap", problems=UNREAD),
    "noise": Shows(4.0, use="tap", problems=GARBLED, amount=500),
    "half_write": Shows(4.0, use="tap", problems=UNREAD),
    "drop_after": Shows(4.0, use="tap", problems=UNREAD, passes=True),
    **CARDS,
}
"""A card that is not read after 1.5 s is told of; an APDU has 4 s (docs/devices/pcsc.md)."""
PN532 = {
    "unplug": Shows(reasons=("unplugged", "port_absent")),
    "replug": Shows(3.0, works=True, use="tap"),
    "go_awol": Shows(2.5, ("hung", "not_answering")),
    "slow": Shows(3.0, use="tap", problems=UNREAD),
    "noise": Shows(3.0, ("noise", "hung", "not_answering")),
    "half_write": Shows(3.0, ("noise", "hung", "not_answering")),
    "drop_after": Shows(reasons=("unplugged", "port_absent"), replug=True),
    **CARDS,
}
"""The chip has 1 s for an answer, 1.5 s for the first (docs/devices/nfcpy.md)."""
SERIAL_SCANNER = {
    "unplug": Shows(reasons=("unplugged", "port_absent")),
    "replug": Shows(3.0, works=True, use="scan"),
    "go_awol": Shows(),
    "slow": Shows(2.0, use="scan", works=True),
    "noise": Shows(
        3.0, use="scan", problems=("SCAN_INCOMPLETE", "SCAN_NOT_TEXT", "SCAN_CONTROL_CHARACTERS"), amount=1000
    ),
    "half_write": Shows(3.0, use="scan", problems=("SCAN_INCOMPLETE",)),
    "drop_after": Shows(3.0, ("unplugged", "port_absent"), use="scan", replug=True, amount=10),
}
"""A scanner that hangs sends nothing, as one that nobody uses: that cannot be known. Half a code is told when
no more of it came for a second (docs/devices/serial-line.md)."""
PRINTERS = {
    "paper_out": Shows(reasons=("paper_out",)),
    "near_end": Shows(reasons=("near_end",)),
    "cover_open": Shows(reasons=("cover_open",)),
    "cutter_jam": Shows(reasons=("cutter_error",)),
    "unplug": Shows(reasons=("unplugged", "unreachable")),
    "replug": Shows(4.0, use="slip", works=True),
    "go_awol": Shows(2.5, ("mute",)),
    "slow": Shows(15.0, use="slip", works=True),
    "noise": Shows(4.0, ("noise", "mute"), amount=1000),
    "half_write": Shows(4.0, ("mute", "noise")),
    "drop_after": Shows(3.0, ("unplugged", "unreachable"), passes=True),
}
"""Asked twice a second, and a second for the answer; a bad one is asked for again
(docs/devices/escpos.md)."""
STAR = {
    **PRINTERS,
    "go_awol": Shows(4.0, ("mute",)),
    "noise": Shows(8.0, ("noise", "mute"), amount=1000),
    "half_write": Shows(8.0, ("mute", "noise")),
    "drop_after": Shows(5.0, ("unplugged", "unreachable"), passes=True),
}
"""Asked every two seconds, and two for each of three answers that make no sense
(docs/devices/star-raster.md)."""
TOLD = {
    "unplug": Shows(reasons=("unplugged", "port_absent")),
    "replug": Shows(3.0, use="check", works=True),
    "go_awol": Shows(),
    "slow": Shows(3.0, use="check", works=True),
    "noise": Shows(use="check", works=True),
    "half_write": Shows(use="check", works=True),
    "drop_after": Shows(3.0, ("unplugged", "port_absent"), use="check", replug=True, amount=1),
}
"""Displays and lights never say anything: one that hangs looks like one that shines
(docs/devices/serial-line-display.md, serial-light.md), and nothing that they send can be wrong."""

FAULTS: dict[str, dict[str, dict[str, Shows]]] = {
    "shop-a": {KIOSK_READER: PCSC, TILL_READER: PCSC, SCANNER: SERIAL_SCANNER, PRINTER: PRINTERS},
    "shop-b": {
        KIOSK_READER: PN532,
        TILL_READER: PCSC,
        SCANNER: SERIAL_SCANNER,
        PRINTER: STAR,
        "customer-display": TOLD,
        "till-light": TOLD,
    },
}
LANES: dict[str, tuple[tuple[str, ...], ...]] = {
    "shop-a": ((PRINTER, KIOSK_READER), (TILL_READER, SCANNER)),
    "shop-b": ((KIOSK_READER, PRINTER), (TILL_READER, SCANNER, "customer-display", "till-light")),
}
"""What is broken one after the other, since it shows in the same place; the lanes go at the same time."""
