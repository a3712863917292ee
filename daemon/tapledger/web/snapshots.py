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
from tapledger.web.checkout_snapshots import (
    CouponChooser,
    LineDiscount,
    PointsAsCash,
    Problem,
    Return,
    StoredValue,
    Why,
)
from tapledger.web.print_snapshots import DrawerView, PaperView, PrintView

DeviceLight = Literal["ok", "trouble", "missing"]
SlipState = Literal["printing", "printed", "failed", "unknown"]


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


class CouponView(msgspec.Struct, frozen=True):
    title: str
    last_day: str | None
    """ISO date, the last day on which it can be used."""
    why_not: str | None = None
    """The reason in one sentence when it cannot be used now."""


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
    given: list[str]
    """What this tap brought, in sentences: a birthday gift, a welcome coupon."""
    ways_up: list[str]
    """What the next tier still asks for, where money alone does not say it."""
    coupons: int
    """How many can be used now."""
    best_coupons: list[CouponView]
    """At most three of them, those that end first."""
    has_history: bool
    """``POST /api/kiosk/history`` shows it: only to a card that proved itself (decisions R10)."""
    expiring: Expiring | None = None
    next_tier: NextTier | None = None


class Coupons(msgspec.Struct, frozen=True, tag_field="screen", tag="coupons"):
    member: MemberView
    coupons: list[CouponView]
    """Those that can be used now first."""


class HistoryEntry(msgspec.Struct, frozen=True):
    """One thing that happened to a member. No article is named."""

    day: str
    """ISO date."""
    what: str
    points: int
    """What it changed of the points."""
    why: list[str]
    """The sentences of the receipt."""


class History(msgspec.Struct, frozen=True, tag_field="screen", tag="history"):
    member: MemberView
    points: int
    entries: list[HistoryEntry]
    """The newest first."""


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


KioskScreen = (
    Starting
    | Attract
    | Trouble
    | Balance
    | Rewards
    | Coupons
    | History
    | Confirm
    | Done
    | Goodbye
    | OutOfService
)


class Kiosk(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    reader: DeviceLight
    printer: DeviceLight
    as_of: str | None
    """hh:mm of the last word from central when it is out of reach, else null."""
    simulated: bool
    """A reader, scanner or printer of this face is no thing: the page is watermarked."""
    still_here_s: int | None
    """Seconds until sign-out when the countdown shows, else null; the server decides, the page draws."""
    screen: KioskScreen
    paper_left: int | None = None
    """Receipts that the paper is still good for, when they are few."""


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
    """What is paid for it after every discount."""
    gross: str | None
    """Before them, when there is any."""
    discounts: list[LineDiscount]
    gift: bool
    """Given by a promotion or coupon; it cannot be changed."""


class TillMember(msgspec.Struct, frozen=True):
    name: str
    tier: str
    points: int
    trust: int
    coupons: int
    """How many can be used for this basket."""
    value: str | None
    """Stored value; null is not shown before somebody proved who they are."""


class Totals(msgspec.Struct, frozen=True):
    due: str
    """Still to be paid by cash, card or mobile."""
    due_minor: int
    tax: str
    earn_points: int
    earn_why: str
    """One sentence: how the points were reckoned, or why there are none."""
    minor_digits: int = 2
    """Decimal digits of the currency, so that a typed amount becomes ``received_minor`` without a float."""
    cash_due_minor: int = 0
    """``due_minor`` in coins that exist."""
    gross: str | None = None
    """Before every discount, when there is any."""
    saved: str | None = None
    """All discounts together, points as cash left out."""
    points_paid: str | None = None
    value_paid: str | None = None
    """Of it, what stored value pays."""


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
    job: str
    """Names the slip, for ``slip-again``."""


class Till(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    staff_known: list[Staff]
    """Who may sign in; empty in a shop that has not been set up."""
    staff: Staff | None
    reader: DeviceLight
    printer: DeviceLight
    scanner: DeviceLight
    simulated: bool
    """A reader, scanner or printer of this face is no thing: the page is watermarked."""
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
    coupons: CouponChooser
    points: PointsAsCash | None
    """Null without a member or articles."""
    value: StoredValue | None
    """Null without a member."""
    why: Why
    returning: Return | None
    """Something comes back: everything else waits."""
    doubtful: list[PrintView]
    """Slips of which only a person can say whether they came out, the newest first."""
    drawer: DrawerView | None
    paper_left: int | None
    """Receipts that the paper is still good for, when they are few."""


# ---- console -------------------------------------------------------------------------------------------
class DeviceView(msgspec.Struct, frozen=True):
    """One device in short; ``GET /api/devices/{role}`` tells the rest of it (``DeviceDetails``)."""

    role: str
    driver: str
    model: str
    address: str
    link: Literal[
        "absent", "discovered", "opening", "online", "degraded", "lost", "backing_off", "blocked", "disabled"
    ]
    activity: Literal["idle", "busy", "error"]
    reason: str
    """Code of what is wrong, else empty."""
    sentence: str
    consequence: str
    """What members and staff cannot do now; empty while everything goes."""
    next_step: str
    help: str
    """Page and anchor of the reason's story, else empty."""
    last_event: str
    """``hh:mm:ss what happened`` without personal data, else empty."""
    opened: int
    """How often it was opened since start: more than one means it came back."""
    virtual: bool
    near_end: bool = False
    """A printer's roll is almost done."""
    holder: str = ""
    """Who gets its data: ``kiosk``, ``till``, or a page such as ``console 1``; empty where all share it."""
    asked_by: str = ""
    """The page that asked the holder for it."""


class CapabilityView(msgspec.Struct, frozen=True):
    name: str
    value: str
    source: Literal["default", "detected", "quirk", "operator"]


class DeviceEventView(msgspec.Struct, frozen=True):
    """One event of the ring. ``private`` is there only for the page that tests the device."""

    seq: int
    ts_wall: str
    """ISO instant."""
    ts_mono: float
    device: str
    class_: str = msgspec.field(name="class")
    type: Literal["data", "status", "error", "output", "lifecycle"]
    claim: str
    """Whose it was: a face, ``console`` for any page, or empty."""
    trace_id: str
    data: dict[str, str | int | bool]
    private: dict[str, str] | None = None


class TimingView(msgspec.Struct, frozen=True):
    name: str
    count: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    buckets: list[tuple[int, int]]
    """How many took at most so many ms."""


class StatisticsView(msgspec.Struct, frozen=True):
    counters: dict[str, int]
    """By their UnifiedPOS names."""
    hours_powered: float
    opened: int
    lost: int
    timings: list[TimingView]


class DeviceDetails(msgspec.Struct, frozen=True):
    device: DeviceView
    detail: str
    """What the driver itself says, for a technician."""
    firmware: str
    serial: str
    usb_id: str
    capabilities: list[CapabilityView]
    statistics: StatisticsView
    events: list[DeviceEventView]
    """The newest, the oldest of them first."""


class FindingView(msgspec.Struct, frozen=True):
    code: str
    ok: bool
    sentence: str
    detail: str


class HealthView(msgspec.Struct, frozen=True):
    """What a check of a device's health found. ``level`` may be lower than asked for."""

    level: Literal["internal", "external", "interactive"]
    ok: bool
    findings: list[FindingView]


class ClaimView(msgspec.Struct, frozen=True):
    role: str
    holder: str
    yours: bool
    lease_s: float
    """Send the same claim again before it is over."""
    answer_s: float | None
    """While the holder may still refuse: so long until the device is yours."""


class RepairView(msgspec.Struct, frozen=True):
    id: str
    severity: Literal["note", "warning", "error"]
    device: str
    sentence: str
    next_step: str
    learn_more: str
    fix: Literal["", "wake", "health"]
    """What the page's button does."""


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
    simulated: bool
    """A device of this shop is no thing."""
    devices: list[DeviceView]
    repairs: list[RepairView]
    """What a person has to do something about and nobody has acknowledged."""
    prints: list[PrintView]
    paper: PaperView | None
    """Null before any printer was here."""
    sync: SyncView
    latency: Latency


# ---- dock (served by tapledger.lab only) ----------------------------------------------------------------
class DockCard(msgspec.Struct, frozen=True):
    id: str
    label: str


class DockFault(msgspec.Struct, frozen=True):
    """A fault that a virtual device can have."""

    verb: str
    """A name of ``tapledger_drivers.emulators.faults``."""
    on: bool
    """In force now; of one that happens once: ordered and not yet happened."""
    once: bool
    """It happens; it is not switched."""
    amount: int | None
    """How much of it, or its usual amount while it is off; null where there is no more or less."""


DockKind = Literal["reader", "scanner", "printer", "drawer", "display", "light"]


class DockDevice(msgspec.Struct, frozen=True):
    role: str
    kind: DockKind
    driver: str
    faults: list[DockFault]
    card: str | None
    """Reader: id of the card that lies on it."""
    open: bool | None
    """Drawer: whether it stands open; null where nobody can tell."""
    lines: list[str]
    """Display: what it shows."""
    light: str
    """Light: the colours that are lit, such as ``red yellow``; empty when it is dark."""


class DockCode(msgspec.Struct, frozen=True):
    text: str
    label: str


class DockSlip(msgspec.Struct, frozen=True):
    number: int
    text: str
    picture: str
    """Path of the PNG of this slip, or empty when no font is there to draw it."""


class Dock(msgspec.Struct, frozen=True):
    devices: list[DockDevice]
    cards: list[DockCard]
    codes: list[DockCode]
    slips: list[DockSlip]
    """Newest first."""


FACES: dict[str, type[msgspec.Struct]] = {"kiosk": Kiosk, "till": Till, "console": Console, "dock": Dock}


class Frame(msgspec.Struct, frozen=True):
    """What the WebSocket carries: the version grows by one per change; the newest replaces all before it."""

    version: int
    snapshot: Kiosk | Till | Console | Dock
