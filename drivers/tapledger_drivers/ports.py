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
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from tapledger_drivers.device import Device


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
    """``iso14443-4``, ``type2``, ``type3`` (FeliCa), ``storage``, ``iso7816`` (in a slot) or ``unknown``."""
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


class Feedback(enum.StrEnum):
    """What light and buzzer say; always the same as the screen beside them."""

    READY = "ready"
    READING = "reading"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    OFF = "off"


@runtime_checkable
class CardReader(Device, Protocol):
    def taps(self) -> AsyncIterator[CardEvent]:
        """Yield what happens on the reader until ``close``; raise ``DeviceLost`` when the reader goes."""
        ...

    async def feedback(self, pattern: Feedback) -> bool:
        """Show a pattern by the reader's own light and buzzer; False when it has none that may be used."""
        ...

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        """Send APDUs to the card that lies on the reader, without another command between them, and return
        the answers with their status words. Raises ``CardGone`` when there is no card, or it left."""
        ...


# ---- scanners ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Scan:
    """One whole code: the bytes between two line ends, and their text."""

    raw: bytes
    """As the scanner sent it, without line end, prefix and suffix."""
    text: str
    """What the barcode holds: no AIM identifier, GS1 fields parted by GS (0x1D)."""
    seen_at_s: float
    aim_id: str = ""
    """The symbology identifier that the scanner put before it, such as ``]C1``; empty without one."""
    symbology: str = ""
    """``ean13``, ``code128``, ``gs1-128``, ``qr`` …, empty when nobody said."""
    gs1: tuple[tuple[str, str], ...] = ()
    """Application identifiers and their values, in their order, of a code that is GS1."""
    encoding: str = "ascii"
    """How the text was encoded: ``ascii``, ``utf-8`` or ``gb18030``."""


@dataclass(frozen=True, slots=True)
class ScanRefused:
    """Something arrived that is no code for us: ``too_long``, ``control_characters``, ``not_text``, or
    ``payment_card`` (decisions R27): then nobody has seen or kept its digits."""

    reason: str
    length: int
    seen_at_s: float


ScanEvent: TypeAlias = Scan | ScanRefused


@runtime_checkable
class BarcodeScanner(Device, Protocol):
    def scans(self) -> AsyncIterator[ScanEvent]:
        """Yield codes in the order they were scanned until ``close``; raise ``DeviceLost`` on unplug."""
        ...


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
    """Two columns: left text wraps, right text (an amount) stands whole in the last of its lines."""

    left: str
    right: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class QrCode:
    data: str


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture in black and white, centred; one that cannot be read is left out."""

    png: bytes


PaperItem: TypeAlias = Text | Row | Rule | QrCode | Logo


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One slip. ``job_id`` is its name for ever; the driver feeds and cuts after the last item."""

    job_id: str
    items: tuple[PaperItem, ...]
    on_sent: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)
    """Called once, when the last byte was handed over and only the printer's word is missing."""


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
    paper_mm: int = 0
    """How much paper went out, as far as it was sent; for the forecast."""
    never_says: bool = False
    """Of ``no_completion``: this printer says so of no slip at all, and nothing was amiss with this one."""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    ready: bool
    reason: str
    """``ok`` or the code of what is wrong, as in ``PrintOutcome``."""
    evidence: str
    near_end: bool = False
    """The roll is almost done; still ready."""
    drawer_open: bool | None = None
    """What the drawer's switch says; None where nobody can tell."""


@runtime_checkable
class ReceiptPrinter(Device, Protocol):
    async def status(self) -> PrinterStatus:
        """Ask the printer how it is; an answer that does not come is ``mute`` or ``unreachable``, not ok."""
        ...

    def changes(self) -> AsyncIterator[PrinterStatus]:
        """Yield how the printer is, first now and then whenever that is different, until ``close``; raise
        ``DeviceLost`` when it goes. By its own automatic status where it has one, else by asking."""
        ...

    async def print(self, job: PrintJob) -> PrintOutcome:
        """Preflight, send, and ask for proof. ``printed`` only on the printer's own word after the cut."""
        ...

    async def kick_drawer(self) -> bool:
        """Open the cash drawer at its port; False when it has no such port. Never called but for cash."""
        ...


# ---- small devices -------------------------------------------------------------------------------------
@runtime_checkable
class CashDrawer(Device, Protocol):
    async def kick(self) -> bool:
        """Open it; False when it cannot be opened now."""
        ...

    async def is_open(self) -> bool | None:
        """Return what its switch says; None when it has none."""
        ...


@runtime_checkable
class Indicator(Device, Protocol):
    """A light or a buzzer of its own."""

    async def show(self, pattern: Feedback) -> None: ...


@runtime_checkable
class LineDisplay(Device, Protocol):
    """Two lines for the customer."""

    async def show_lines(self, upper: str, lower: str) -> None:
        """Show both lines, each cut to the display's width; characters it lacks become ``?``."""
        ...

    async def clear(self) -> None: ...


Driver: TypeAlias = CardReader | BarcodeScanner | ReceiptPrinter | CashDrawer | Indicator | LineDisplay
