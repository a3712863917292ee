"""What a step leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tapledger.errors import TapledgerError
from tapledger.store.journal import Recorded


@dataclass(slots=True)
class Outcome:
    values: dict[str, Any] = field(default_factory=dict)
    """Results by the names that an ``expect`` uses."""
    because: tuple[str, ...] = ()
    """The explanation, as sentences."""
    says: tuple[str, ...] = ()
    """What else a person would read."""
    recorded: Recorded | None = None
    error: TapledgerError | None = None
    secret: str = ""
    """A voucher or coupon code, for a later step."""
    id: str = ""
    """Of the coupon, hold or transfer that a later step may name."""
    kept: Any = None
    """A quote that was shown, or whatever else a later step goes on with."""
