"""What the demo's dock shows; served by ``tapledger.lab`` only."""

from __future__ import annotations

from typing import Literal

import msgspec


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


NetworkChoice = Literal["well", "cut", "replies_lost", "slow"]
NetworkState = Literal["well", "cut", "replies_lost", "slow", "other"]


class DockNetwork(msgspec.Struct, frozen=True):
    """The shop's line to central: what it does to messages now, and what became of them since the start."""

    state: NetworkState
    requests: int
    """That reached central."""
    replies: int
    """That came back to the shop."""
    lost: int
    """Replies that central gave and that did not come back."""


class Dock(msgspec.Struct, frozen=True):
    devices: list[DockDevice]
    cards: list[DockCard]
    codes: list[DockCode]
    slips: list[DockSlip]
    """Newest first."""
    network: DockNetwork | None
    """Null where the shop has a line that nobody can break."""
