"""Driver errors, named for what the caller must do; the vendor's own error is always chained as the cause."""

from __future__ import annotations


class DeviceError(Exception):
    """Something about a device; ``reason`` is a code that a technician's screen can translate."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class DeviceAbsent(DeviceError):
    """Not there (yet): try again later."""


class DeviceLost(DeviceError):
    """Was there and is gone: close it and open it again."""


class DeviceBlocked(DeviceError):
    """Needs a person: no permission, in use by another program, wrong configuration."""


class CardGone(DeviceError):
    """No card lies on the reader, or it left during the exchange: ask for it again."""
