"""What a printer's status means over time: what is counted when it changes, and where the drawer stands."""

from __future__ import annotations

from typing import Protocol

from tapledger_drivers.ports import PrinterStatus
from tapledger_drivers.traffic import Traffic

_COUNTED = {
    "cover_open": "ReceiptCoverOpenCount",
    "cutter_error": "FailedPaperCutCount",
    "printer_error": "PrinterFaultCount",
    "overheated": "PrinterFaultCount",
    "mute": "CommunicationErrorCount",
    "noise": "CommunicationErrorCount",
    "unreachable": "CommunicationErrorCount",
}
"""By their UnifiedPOS names, once for each time that the printer gets into that state."""


class Said(Protocol):
    """What a printer said of itself, in whatever language."""

    @property
    def reason(self) -> str: ...

    @property
    def near_end(self) -> bool: ...

    @property
    def drawer_level(self) -> bool: ...


class Watch:
    """``drawer_switch`` says which level means open: ``high``, ``low``, ``none`` or ``learn``."""

    def __init__(self, traffic: Traffic, drawer_switch: str) -> None:
        self._traffic = traffic
        self._reason = "ok"
        self._open_level = {"high": True, "low": False}.get(drawer_switch)
        self._learns = drawer_switch == "learn"
        self._level_before_kick: bool | None = None

    def saw(self, status: Said) -> PrinterStatus:
        reason = status.reason
        self._note(reason)
        # A socket without a drawer stands at one level for ever: only one that moves is a switch.
        before = self._level_before_kick
        if self._learns and before is not None and status.drawer_level is not before:
            self._open_level, self._learns = status.drawer_level, False
        drawer_open = None if self._open_level is None else status.drawer_level is self._open_level
        return PrinterStatus(reason == "ok", reason, str(status), status.near_end, drawer_open)

    def trouble(self, reason: str, evidence: str) -> PrinterStatus:
        self._note(reason)
        return PrinterStatus(False, reason, evidence)

    def kicked(self, before: Said) -> None:
        """The drawer is about to open; ``before`` is how the printer was until now."""
        self._level_before_kick = before.drawer_level

    def _note(self, reason: str) -> None:
        if reason != self._reason and reason in _COUNTED:
            self._traffic.count(_COUNTED[reason])
        self._reason = reason
