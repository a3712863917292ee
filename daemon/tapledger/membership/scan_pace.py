"""How fast codes of members and coupons may follow each other (decisions R26); goods are never slowed down.

A code on a phone lies before the scanner for a while and is read many times: the second reading within a few
seconds is the first one. The second of two equal bottles is not.
"""

from __future__ import annotations

from collections import deque

from tapledger.clock import Clock
from tapledger.errors import Invalid, Refused
from tapledger.loyalty import codes
from tapledger.membership import scanning

SAME_CODE_S = 5.0
CODES_PER_S = 5
_PACED = frozenset({"coupon", "voucher", "virtual", "barcode"})


class ScanPace:
    """The pace of one scanner."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_s: dict[str, float] = {}
        self._newest: deque[float] = deque(maxlen=CODES_PER_S)

    def takes(self, text: str) -> bool:
        """Return False for the same member or coupon code again; raise ``Refused`` when they come too fast.

        A code that is still before the scanner counts from its last reading on.
        """
        if not is_paced(text):
            return True
        now_s = self._clock.monotonic_s()
        self._last_s = {code: at_s for code, at_s in self._last_s.items() if now_s - at_s < SAME_CODE_S}
        again = text in self._last_s
        if not again:
            if len(self._newest) == CODES_PER_S and now_s - self._newest[0] < 1.0:
                raise Refused("SCANS_TOO_FAST", limit=CODES_PER_S)
            self._newest.append(now_s)
        self._last_s[text] = now_s
        return not again


def is_paced(text: str) -> bool:
    """Tell whether a code is a member's or a coupon's; what could be a trade item is one."""
    try:
        scanned = scanning.read(text)
    except Invalid:
        return False  # whoever takes it says what is wrong with it
    return bool(_PACED.intersection(scanned.meanings)) and not _is_trade_item(scanned.text)


def _is_trade_item(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)
    return is_number and codes.gtin_digit(text[:-1]) == text[-1]
