"""What each template may use: a text, a flag, or a list of either; everything is written out already.

A flag is also any other field: it counts as set when it is not empty. ``docs/receipts.md`` lists them all.
"""

from __future__ import annotations

import msgspec


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """What every slip has."""

    shop: str
    when: str = ""
    """Local date and time, as on a clock: 2026-05-04 17:00."""


class Entry(Plain, frozen=True, kw_only=True):
    """What every slip of the ledger has."""

    receipt: str
    """node-epoch-seq."""
    proof: str
    """16 hex digits of the entry's hash, for eyes."""
    proof_qr: str
    """The receipt's number and the whole hash (decisions R2)."""
    member: str = ""
    """Masked name and tier; empty for a guest."""
    points: str = ""
    """What the member has after it."""


class Amount(msgspec.Struct, frozen=True):
    name: str
    amount: str


class Line(msgspec.Struct, frozen=True):
    name: str
    amount: str
    several: bool
    """Not exactly one: its quantity and unit price are told too."""
    quantity: str
    unit: str


class Sale(Entry, frozen=True, kw_only=True):
    lines: tuple[Line, ...]
    discounts: tuple[str, ...]
    """Why something costs less, in sentences."""
    total: str
    tenders: tuple[Amount, ...]
    change: str
    tax: str
    earned: str
    """Points of a member's sale, empty for a guest."""
    reasons: tuple[str, ...]


class Return(Entry, frozen=True, kw_only=True):
    is_void: bool
    is_giveback: bool
    is_return: bool
    lines: tuple[Amount, ...]
    refund: str
    carried: str
    """What goes on into the new sale of an exchange."""
    tenders: tuple[Amount, ...]
    bonus_first: bool
    """Stored value was paid back by the rule, and the slip has to say which came first."""
    reasons: tuple[str, ...]


class Voucher(Entry, frozen=True, kw_only=True):
    title: str
    code: str
    cost: str
    day: str
    """The last day on which it can be handed in."""


class TopUp(Entry, frozen=True, kw_only=True):
    """Anything done with stored value."""

    reasons: tuple[str, ...]
    principal: str
    bonus: str


class Draw(Entry, frozen=True, kw_only=True):
    reasons: tuple[str, ...]
    number: str
    word: str
    commit: str


class Coupon(Entry, frozen=True, kw_only=True):
    """A coupon for whoever holds the paper."""

    title: str
    code: str
    qr: str
    day: str
    """The last day on which it counts, empty when it has none."""


class Shift(Plain, frozen=True, kw_only=True):
    """An X or Z report. Money is formatted, counts are whole numbers."""

    is_final: bool
    """Z: the shift is closed."""
    number: str
    till: str
    staff: str
    since: str
    until: str
    sales: str
    """How many."""
    sold: str
    returns: str
    returned: str
    voids: str
    tenders: tuple[Amount, ...]
    coupons: tuple[Amount, ...]
    """Discounts by campaign."""
    points: tuple[Amount, ...]
    """Issued, redeemed, expired."""
    value: tuple[Amount, ...]
    """Stored value in, out, and the change of what is owed."""
    expected: str = ""
    """Cash that should be in the drawer."""
    counted: str = ""
    difference: str = ""
    pending: tuple[str, ...] = ()
    """Sales whose payment nobody knows yet (decisions X1)."""
    unsynced: str = ""


class Status(Plain, frozen=True, kw_only=True):
    """How this shop's daemon and its devices are."""

    node: str
    devices: tuple[Amount, ...]
    """Each role and how it is, in a sentence."""
    central: str
    versions: tuple[Amount, ...]
    address: str
    """Of the technician's console."""


TEMPLATES: dict[str, type[Plain]] = {
    "sale": Sale,
    "return": Return,
    "voucher": Voucher,
    "topup": TopUp,
    "draw": Draw,
    "coupon": Coupon,
    "shift": Shift,
    "status": Status,
    "test": Plain,
}
"""Each template by its name: config/receipts/NAME.toml."""
