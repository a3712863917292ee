"""What a driver offers and what it reports: the only words the product and a driver share.

Written to the implementer of a driver. Rules for every port:

* ``open`` and every other call has a deadline; a driver never waits without one, except in ``taps`` and
  ``scans``, which wait for the member and end when ``close`` is called.
* Blocking libraries run in the device's own thread; nothing device-related runs on the event loop.
* A failure is a ``DeviceError`` (errors.py); no vendor type or exception crosses a port.
* Times are ``time.monotonic()`` seconds: they measure, they never date anything.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable


# ---- cards ---------------------------------------------------------------------------------------------
class UidKind(enum.StrEnum):
    """What a card's UID is good for (security.md section 1.1)."""

    FIXED = "fixed"
    RANDOM = "random"
    """Starts with 08: changes at each tap, so it identifies nobody."""
    FORBIDDEN = "forbidden"
    """Known to be shared by many cards (01020304, all zero, all FF), or of an impossible length."""


class TrustLevel(enum.IntEnum):
    """How much a read proves (security.md section 1.2): a UID is a name, never a proof."""

    L0 = 0
    L1 = 1
    L2 = 2
    L3 = 3


@dataclass(frozen=True, slots=True)
class CardTrust:
    """A read's trust level and what it rests on, such as ``token:key=demo-1`` or ``uid-only``."""

    level: TrustLevel
    evidence: str
    credential: str | None = None
    """The credential a verified token names; None when only the UID is known."""


@dataclass(frozen=True, slots=True)
class CardPresented:
    """One card was read whole."""

    uid: bytes
    uid_kind: UidKind
    tech: str
    """``iso14443-4``, ``type2``, ``storage`` or ``unknown``."""
    atr: bytes
    ndef: bytes | None
    trust: CardTrust
    seen_at_s: float
    """When the reader reported the card, before its first APDU."""
    read_at_s: float
    """When the last APDU was answered."""


@dataclass(frozen=True, slots=True)
class CardRemoved:
    seen_at_s: float


@dataclass(frozen=True, slots=True)
class CardTorn:
    """A card left, or answered wrongly, before it was read whole: ask to hold it still."""

    reason: str
    seen_at_s: float


CardEvent: TypeAlias = CardPresented | CardRemoved | CardTorn


class TrustPolicy(Protocol):
    """Judges what a read proves; the driver calls it, the product supplies it."""

    def judge(self, uid: bytes, uid_kind: UidKind, ndef: bytes | None) -> CardTrust:
        """Return the level with its evidence; never raise, whatever the bytes are."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says it is."""

    model: str
    address: str
    firmware: str = ""
    virtual: bool = False


@runtime_checkable
class CardReader(Protocol):
    async def open(self) -> DeviceInfo:
        """Find the reader; raise ``DeviceAbsent`` when it is not there."""
        ...

    def taps(self) -> AsyncIterator[CardEvent]:
        """Yield what happens on the reader until ``close``; raise ``DeviceLost`` when the reader goes."""
        ...

    async def close(self) -> None: ...


# ---- scanners ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Scan:
    """One whole code: the bytes between two line ends, and their text."""

    raw: bytes
    text: str
    seen_at_s: float


@dataclass(frozen=True, slots=True)
class ScanRefused:
    """Something arrived that is no code: ``too_long``, ``control_characters`` or ``not_text``."""

    reason: str
    length: int
    seen_at_s: float


ScanEvent: TypeAlias = Scan | ScanRefused


@runtime_checkable
class BarcodeScanner(Protocol):
    async def open(self) -> DeviceInfo: ...

    def scans(self) -> AsyncIterator[ScanEvent]:
        """Yield codes in the order they were scanned until ``close``; raise ``DeviceLost`` on unplug."""
        ...

    async def close(self) -> None: ...


# ---- printers ------------------------------------------------------------------------------------------
class Align(enum.StrEnum):
    LEFT = "left"
    CENTER = "center"


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    align: Align = Align.LEFT
    bold: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Two columns: left text is cut to fit, right text (an amount) never is."""

    left: str
    right: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class QrCode:
    data: str


PaperItem: TypeAlias = Text | Row | Rule | QrCode


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One slip. ``job_id`` is its name for ever; the driver feeds and cuts after the last item."""

    job_id: str
    items: tuple[PaperItem, ...]


class PrintVerdict(enum.StrEnum):
    PRINTED = "printed"
    FAILED = "failed"
    """Nothing of this job is on paper that a member could use; it may be printed again."""
    UNKNOWN = "unknown"
    """Paper may have come out: a person must look."""


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    verdict: PrintVerdict
    reason: str
    """A code: ``ok``, ``paper_out``, ``cover_open``, ``offline``, ``printer_error``, ``unreachable``,
    ``mute``, ``stalled``, ``cut_off``, ``no_completion`` or ``bad_job``."""
    evidence: str
    """What was seen, for a technician: ``dle_eot_1=16 dle_eot_4=12 after cut`` or ``no answer in 2.0 s``."""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    ready: bool
    reason: str
    """``ok`` or the code of what is wrong, as in ``PrintOutcome``."""
    evidence: str


@runtime_checkable
class ReceiptPrinter(Protocol):
    async def open(self) -> DeviceInfo: ...

    async def status(self) -> PrinterStatus:
        """Ask the printer how it is; an answer that does not come is ``mute`` or ``unreachable``, not ok."""
        ...

    async def print(self, job: PrintJob) -> PrintOutcome:
        """Preflight, send, and ask for proof. ``printed`` only on the printer's own word after the cut."""
        ...

    async def close(self) -> None: ...


Driver: TypeAlias = CardReader | BarcodeScanner | ReceiptPrinter


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One ``[[devices]]`` table of daemon.toml, after validation of its common keys."""

    role: str
    """Unique in the shop: ``kiosk-reader``, ``till-reader``, ``till-scanner``, ``receipt-printer``."""
    driver: str
    """A name of registry.py."""
    options: dict[str, object] = field(default_factory=dict)
