"""The business day of a till: opened with a float, read at any time (X), closed by a blind count (Z).

A day is a part of this computer's chain, from one Z to the next: each event is in exactly one of them, and
one that is recorded while somebody counts is in the next. Nobody has to open a day: it has no float then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Conflict, Corrupt, Invalid, NotFound
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.sales.shifts import Figures, figures
from tapledger.membership.shop import Shop
from tapledger.store import outbox, sales
from tapledger.store import shifts as stored
from tapledger.store.sales import CONFIRMED
from tapledger.store.shifts import BEGINNING, Place


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One business day, open or closed."""

    number: int
    after: Place
    """Its events are those after this."""
    opened_at: dt.datetime | None = None
    """None: nobody has counted a float."""
    opened_by: str = ""
    float_minor: int = 0
    upto: Place | None = None
    """None: it is open."""
    closed_at: dt.datetime | None = None
    closed_by: str = ""
    counted_minor: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An X report of an open day, the Z report of a closed one."""

    shift: Shift
    figures: Figures
    since: dt.datetime | None
    """The day before was closed then."""
    at: dt.datetime
    pending: tuple[str, ...]
    """Ids of sales whose payment nobody knows yet (X1)."""
    unsynced: int
    """Events that central does not have yet; a Z loses none of them."""

    @property
    def expected_minor(self) -> int:
        return self.figures.drawer_minor(self.shift.float_minor)

    @property
    def difference_minor(self) -> int | None:
        counted = self.shift.counted_minor
        return None if counted is None else counted - self.expected_minor


async def open_shift(shop: Shop, staff: str, float_minor: int) -> Shift:
    """Open the day with the money that was counted into the drawer.

    Raises ``Conflict`` when it is open already. Sales since the last Z are part of it.
    """
    _check(float_minor)

    def work(tx: Transaction) -> Shift:
        now = _current(tx)
        if now.opened_at is not None:
            raise Conflict("SHIFT_OPEN", number=now.number)
        opened = msgspec.structs.replace(
            now, opened_at=shop.clock.now(), opened_by=staff, float_minor=float_minor
        )
        stored.put(tx, opened.number, msgspec.msgpack.encode(opened))
        return opened

    return await shop.store.transact(work)


async def current(shop: Shop) -> Shift:
    """Return the open day."""
    return await shop.store.transact(_current)


async def x_report(shop: Shop) -> Report:
    """Read the open day as it stands."""
    return await shop.store.transact(lambda tx: _report(tx, shop, _current(tx)))


async def close_shift(
    shop: Shop,
    number: int,
    staff: str,
    counted_minor: int,
    then: Callable[[Transaction, Report], None] = lambda tx, report: None,
) -> Report:
    """Close a day with what lies in the drawer; closing the same again answers as the first time. ``then``
    is part of the same instant, and is not done again.

    Raises ``Conflict`` SHIFT_CLOSED when it was closed with another count: a closed Z never changes (X8).
    """
    _check(counted_minor)

    def work(tx: Transaction) -> Report:
        current = _current(tx)
        if current.number != number:
            before = _load(tx, number)
            if before.counted_minor != counted_minor:
                raise Conflict("SHIFT_CLOSED", number=number)
            return _report(tx, shop, before)
        closed = msgspec.structs.replace(
            current,
            upto=stored.head(tx),
            closed_at=shop.clock.now(),
            closed_by=staff,
            counted_minor=counted_minor,
        )
        stored.put(tx, closed.number, msgspec.msgpack.encode(closed))
        report = _report(tx, shop, closed)
        then(tx, report)
        return report

    return await shop.store.transact(work)


async def z_report(shop: Shop, number: int) -> Report:
    """Read a day that was closed; the ledger says the same of it for ever. Raises ``NotFound``."""
    return await shop.store.transact(lambda tx: _report(tx, shop, _load(tx, number)))


def day_closed(tx: Transaction, sale: str) -> bool:
    """Tell whether a sale's business day is over: then it can be returned, not voided (R38)."""
    place = stored.place_of(tx, sale + CONFIRMED) or stored.place_of(tx, sale)
    return place is not None and place <= _current(tx).after


def _check(amount_minor: int) -> None:
    if not 0 <= amount_minor <= MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku="drawer")


def _current(tx: Transaction) -> Shift:
    """Return the open day; one that nobody has opened begins where the last one ended."""
    newest = _read(stored.newest(tx))
    if newest is None:
        return Shift(number=1, after=BEGINNING)
    if newest.upto is None:
        return newest
    return Shift(number=newest.number + 1, after=newest.upto)


def _load(tx: Transaction, number: int) -> Shift:
    found = _read(stored.get(tx, number))
    if found is None or found.upto is None:
        raise NotFound("SHIFT_UNKNOWN", number=number)
    return found


def _read(body: bytes | None) -> Shift | None:
    if body is None:
        return None
    try:
        return msgspec.msgpack.decode(body, type=Shift)
    except msgspec.DecodeError as error:
        raise Corrupt("SHIFT_UNREADABLE") from error


def _report(tx: Transaction, shop: Shop, shift: Shift) -> Report:
    upto = stored.head(tx) if shift.upto is None else shift.upto
    before = _read(stored.get(tx, shift.number - 1))
    return Report(
        shift=shift,
        figures=figures(stored.between(tx, shift.after, upto)),
        since=None if before is None else before.closed_at,
        at=shift.closed_at or shop.clock.now(),
        pending=tuple(one.id for one in sales.unresolved(tx)),
        unsynced=outbox.unsynced(tx),
    )
