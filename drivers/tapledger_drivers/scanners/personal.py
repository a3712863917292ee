"""Which scanned codes may be somebody's: all but those of goods. No recording shows them."""

from __future__ import annotations

import re

from tapledger_drivers.ports import Scan
from tapledger_drivers.scanners import gs1, payment_secrets

_RUN = re.compile(r"[0-9A-Za-z]{4,}")


def secrets_of(scan: Scan) -> list[bytes]:
    """Return what nobody else may read of a code; nothing of what stands on goods."""
    return [] if scan.gs1 or gs1.is_gtin(scan.text) else _runs(scan.text)


def secrets_of_refused(reason: str, raw: bytes) -> list[bytes]:
    """Return the same of bytes that were no code for us: whose they are was not found out."""
    is_payment = reason in (payment_secrets.PAYMENT_CARD, payment_secrets.PAYMENT_CODE)
    if is_payment or payment_secrets.may_hide_in(raw):
        return [raw]
    return _runs(raw.decode("latin-1"))


def _runs(text: str) -> list[bytes]:
    """Letters and digits alone: with what stands between them as it was, a code keeps its shape."""
    return [run.encode() for run in _RUN.findall(text)]
