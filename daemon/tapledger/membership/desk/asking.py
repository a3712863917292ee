"""What a command of the desk is: what it asks, who may give it, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from tapledger.loyalty import ledger
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.membership import explaining
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.store.journal import Recorded

Role = Literal["cashier", "manager", "technician"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before may."""

END = r"$(?!\n)"
"""Of a pattern: in Python ``$`` alone lets a line's end pass."""
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Who = Annotated[
    str, Meta(min_length=1, max_length=100, description="Phone number, member code, card number or pseudonym")
]
Card = Annotated[str, Meta(min_length=1, max_length=100, description="A card's number, or its index in show")]
Receipt = Annotated[str, Meta(min_length=1, max_length=160, description="Number or QR code of a receipt")]
Points = Annotated[int, Meta(ge=1, le=MAX_AMOUNT_MINOR)]
Minor = Annotated[int, Meta(ge=0, le=MAX_AMOUNT_MINOR, description="Money in the smallest unit")]
Quantity = Annotated[str, Meta(pattern=rf"^[0-9]{{1,5}}(\.[0-9]{{1,3}})?{END}")]
Day = Annotated[str, Meta(pattern=rf"^([0-9]{{4}}-)?[0-9]{{2}}-[0-9]{{2}}{END}")]
Tender = Annotated[str, Meta(pattern=rf"^[a-z_]{{1,32}}{END}")]
MAX_MANY = 100
"""Of anything that a request lists."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asks for one command."""

    key: Annotated[str, Meta(pattern=rf"^[0-9A-Za-z._-]{{0,64}}{END}")] = ""
    """Makes a repeat the same command; made here when it is empty. Without ``/``, which our own keys have."""


class OfMember(Request, frozen=True, kw_only=True):
    """Asks for something of one member."""

    member: Who


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did, or found."""

    key: str
    receipt: str = ""
    """Number of the event; empty when nothing was recorded."""
    replayed: bool = False
    says: tuple[str, ...] = ()
    values: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Staff:
    """Who gives a command, and in which language they read."""

    id: str
    role: Role
    language: str
    throttle: Throttle
    """Counts wrong PINs of a second person who agrees."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the registry."""

    name: str
    asks: type[Request]
    role: Role
    """The least one that may give it."""
    run: Callable[[Shop, Any, Staff], Awaitable[Answer]]
    records: bool = True
    """False: it only looks, and can do so while a daemon has the store."""

    @property
    def does(self) -> str:
        """Return what it does, in one English sentence: the first of its request's docstring."""
        return (self.asks.__doc__ or "").partition("\n")[0]


def told(shop: Shop, asked: Request, staff: Staff, recorded: Recorded, **values: Any) -> Answer:
    """Answer with an event that was recorded, and with the sentences that a slip of it has."""
    return Answer(
        key=asked.key,
        receipt=recorded.receipt,
        replayed=recorded.replayed,
        says=explaining.sentences(recorded.event.body.reasons, shop.program, staff.language),
        values=values,
    )


def found(asked: Request, **values: Any) -> Answer:
    """Answer with what was looked up, as JSON can say it."""
    return Answer(key=asked.key, values=msgspec.to_builtins(values))


def paid_out(recorded: Recorded) -> dict[str, int]:
    """Return what left the shop by each tender, in minor units; what came in is below 0."""
    out: dict[str, int] = {}
    prefix = ledger.tender_account("")
    for line in recorded.event.body.lines:
        if line.account.startswith(prefix):
            kind = line.account.removeprefix(prefix)
            out[kind] = out.get(kind, 0) - line.amount
    return out


def milli(quantity: str) -> int:
    """Return a quantity in thousandths."""
    whole, _, rest = quantity.partition(".")
    return int(whole) * 1000 + int(rest.ljust(3, "0"))
