"""What a browser may know: one typed snapshot per face, sent whole with a version number.

A page is a pure function of its snapshot. Everything a person may not see is absent here, so nothing can be
left behind in the browser. Sentences arrive ready in the session's language where they explain a decision
(``sentence``); fixed labels are the page's own, from its catalogue. Money arrives formatted, so that screen
and paper agree; points are integers. ``kiosk_ui/src/shared/snapshots.d.ts`` is generated from this module.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.languages import Language

DeviceLight = Literal["ok", "trouble", "missing"]
SlipState = Literal["printing", "printed", "failed", "unknown"]


class Problem(msgspec.Struct, frozen=True):
    """Something refused: a code for machines, a sentence and the next step for the person in front of it."""

    code: str
    sentence: str
    next_step: str


class MemberView(msgspec.Struct, frozen=True):
    name: str
    """Masked: 王**."""
    tier: str
    trust: int
    """0 to 3: how sure we are who this is."""


class Expiring(msgspec.Struct, frozen=True):
    points: int
    last_day: str
    """ISO date, the last day on which they are worth something."""


class NextTier(msgspec.Struct, frozen=True):
    name: str
    missing: str
    """Formatted money still to be spent."""


class RewardView(msgspec.Struct, frozen=True):
    id: str
    title: str
    cost_points: int
    available: bool
    why_not: str | None = None
    """The reason in one sentence when it cannot be had now."""


# ---- kiosk ---------------------------------------------------------------------------------------------
class Starting(msgspec.Struct, frozen=True, tag_field="screen", tag="starting"):
    pass


class Attract(msgspec.Struct, frozen=True, tag_field="screen", tag="attract"):
    pass


class Trouble(msgspec.Struct, frozen=True, tag_field="screen", tag="trouble"):
    """A card that could not be used; goes away by itself."""

    problem: Problem


class Balance(msgspec.Struct, frozen=True, tag_field="screen", tag="balance"):
    member: MemberView
    points: int
    rewards: list[RewardView]
    """At most three, those that can be had now first."""
    more_rewards: bool
    """There are rewards beyond these; ``POST /api/kiosk/rewards`` shows all."""
    expiring: Expiring | None = None
    next_tier: NextTier | None = None


class Rewards(msgspec.Struct, frozen=True, tag_field="screen", tag="rewards"):
    member: MemberView
    points: int
    rewards: list[RewardView]


class Confirm(msgspec.Struct, frozen=True, tag_field="screen", tag="confirm"):
    member: MemberView
    reward: RewardView
    points_after: int


class Done(msgspec.Struct, frozen=True, tag_field="screen", tag="done"):
    member: MemberView
    reward_title: str
    points: int
    """What is left."""
    voucher: str
    """The code that the till takes; shown large when paper does not come out."""
    slip: SlipState


class Goodbye(msgspec.Struct, frozen=True, tag_field="screen", tag="goodbye"):
    pass


class OutOfService(msgspec.Struct, frozen=True, tag_field="screen", tag="out_of_service"):
    problem: Problem


KioskScreen = Starting | Attract | Trouble | Balance | Rewards | Confirm | Done | Goodbye | OutOfService


class Kiosk(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    reader: DeviceLight
    printer: DeviceLight
    as_of: str | None
    """hh:mm of the last word from central when it is out of reach, else null."""
    still_here_s: int | None
    """Seconds until sign-out when the countdown shows, else null; the server decides, the page draws."""
    screen: KioskScreen


# ---- till ----------------------------------------------------------------------------------------------
class Staff(msgspec.Struct, frozen=True):
    id: str
    name: str


class TillLine(msgspec.Struct, frozen=True):
    number: int
    sku: str
    name: str
    quantity: str
    unit_price: str
    total: str


class TillMember(msgspec.Struct, frozen=True):
    name: str
    tier: str
    points: int
    trust: int


class Totals(msgspec.Struct, frozen=True):
    due: str
    due_minor: int
    tax: str
    earn_points: int
    earn_why: str
    """One sentence: how the points were reckoned, or why there are none."""
    minor_digits: int = 2
    """Decimal digits of the currency, so that a typed amount becomes ``received_minor`` without a float."""


class Choice(msgspec.Struct, frozen=True):
    """One of several things an ambiguous code may mean; its number chooses it."""

    number: int
    label: str


class Message(msgspec.Struct, frozen=True):
    kind: Literal["info", "error"]
    code: str
    sentence: str
    next_step: str = ""


class LastSale(msgspec.Struct, frozen=True):
    receipt: str
    """node-epoch-seq, as printed."""
    total: str
    tender: str
    change: str
    earned_points: int
    slip: SlipState


class Till(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    staff_known: list[Staff]
    """Who may sign in; empty in a shop that has not been set up."""
    staff: Staff | None
    reader: DeviceLight
    printer: DeviceLight
    scanner: DeviceLight
    online: bool
    unsynced: int
    member: TillMember | None
    lines: list[TillLine]
    totals: Totals
    choices: list[Choice]
    message: Message | None
    stranger: str | None
    """End of the card or number that names nobody yet; the till offers to join its owner."""
    last_sale: LastSale | None


# ---- console -------------------------------------------------------------------------------------------
class DeviceView(msgspec.Struct, frozen=True):
    role: str
    driver: str
    model: str
    address: str
    link: Literal["absent", "opening", "online", "degraded", "lost", "backing_off", "blocked"]
    activity: Literal["idle", "busy", "error"]
    reason: str
    """Code of what is wrong, else empty."""
    sentence: str
    next_step: str
    last_event: str
    """``hh:mm:ss what happened`` without personal data, else empty."""
    opened: int
    """How often it was opened since start: more than one means it came back."""
    virtual: bool


class PrintView(msgspec.Struct, frozen=True):
    job: str
    kind: str
    state: Literal["queued", "sending", "printed", "failed", "unknown", "expired"]
    reason: str
    evidence: str


class SyncView(msgspec.Struct, frozen=True):
    enrolled: bool
    online: bool
    unsynced: int
    last_contact: str
    """ISO instant or empty."""
    problem: Problem | None


class Latency(msgspec.Struct, frozen=True):
    """Card reported by the reader until the frame was painted, over the last taps."""

    taps: int
    p50_ms: float
    p99_ms: float


class Console(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    shop: str
    node: str
    faces: list[str]
    """Live feeds that this server offers; ``dock`` is among them only where a lab runs."""
    devices: list[DeviceView]
    prints: list[PrintView]
    sync: SyncView
    latency: Latency


# ---- dock (served by tapledger.lab only) ----------------------------------------------------------------
class DockCard(msgspec.Struct, frozen=True):
    id: str
    label: str


class DockReader(msgspec.Struct, frozen=True):
    role: str
    card: str | None
    """Id of the card that lies on it."""


class DockCode(msgspec.Struct, frozen=True):
    text: str
    label: str


class DockSlip(msgspec.Struct, frozen=True):
    number: int
    text: str
    picture: str
    """Path of the PNG of this slip, or empty when no font is there to draw it."""


class DockPrinter(msgspec.Struct, frozen=True):
    paper_out: bool
    cover_open: bool
    mute: bool


class Dock(msgspec.Struct, frozen=True):
    readers: list[DockReader]
    cards: list[DockCard]
    codes: list[DockCode]
    printer: DockPrinter
    slips: list[DockSlip]
    """Newest first."""


FACES: dict[str, type[msgspec.Struct]] = {"kiosk": Kiosk, "till": Till, "console": Console, "dock": Dock}


class Frame(msgspec.Struct, frozen=True):
    """What the WebSocket carries: the version grows by one per change; the newest replaces all before it."""

    version: int
    snapshot: Kiosk | Till | Console | Dock
