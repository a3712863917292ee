"""Is this machine's clock right? While nobody can say so, dates wait and leases rest (decisions R25).

A clock that went back contradicts what was recorded or heard before. One that jumped ahead contradicts the
time that has passed since the machine was started, as its monotonic clock counts it. A restart alone proves
nothing against a clock, unless it comes back later than any lease lasts. Central's own time, heard just now,
proves it right.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.database import Transaction
from tapledger.loyalty.rights import MAX_CLOCK_BACK
from tapledger.membership.shop import Mark, Shop
from tapledger.store import facts, outbox

MAX_JUMP = MAX_CLOCK_BACK
SETTLED = dt.timedelta(seconds=30)
"""A mark that is off by less is as good as a new one."""
LONG_AGO = dt.datetime.fromtimestamp(0, dt.UTC)
_FACT = "clock_mark"
_HLC_MS = 16
"""Bits of a hybrid logical clock below its milliseconds."""


def is_suspect(tx: Transaction, shop: Shop) -> bool:
    """Tell whether the clock reads earlier than what is known to have happened, or jumped ahead.

    A shop that stands alone is never suspected of a jump ahead: nobody could ever prove it right again.
    """
    now, heard = shop.clock.now(), outbox.heard_at(tx)
    if shop.reachable and heard is not None and abs(now - heard) <= MAX_CLOCK_BACK:
        _mark(tx, shop, now)
        return False
    if now + MAX_CLOCK_BACK < latest(tx, shop):
        return True
    if not shop.store.keyring.enrolled:
        return False
    expected = _expected(tx, shop, now)
    return expected is None or abs(now - expected) > MAX_JUMP


def latest(tx: Transaction, shop: Shop) -> dt.datetime:
    """Return the latest instant that is known to have been: recorded here, or told by central.

    What was recorded says nothing when its hybrid clock only follows another shop's, which may be ahead.
    """
    own_ms, heard_ms = shop.store.journal.head(tx).hlc >> _HLC_MS, outbox.heard_hlc(tx) >> _HLC_MS
    recorded = dt.datetime.fromtimestamp(own_ms / 1000, dt.UTC) if own_ms > heard_ms else LONG_AGO
    return max(recorded, outbox.heard_at(tx) or recorded)


def now_or_later(tx: Transaction, shop: Shop) -> dt.datetime:
    """Return the time by which leases end: a clock that is a little behind lengthens none."""
    return max(shop.clock.now(), latest(tx, shop))


def _expected(tx: Transaction, shop: Shop, now: dt.datetime) -> dt.datetime | None:
    """Return what the clock should say by the time that has passed since it was marked.

    None for one that comes back from a restart of the machine so long after central was heard that nothing
    can be spent anyway: it would only let points expire and leases end, perhaps a year too soon.
    """
    mark = shop.mark or _stored(tx, shop)
    if mark is None:
        heard, lease_hours = outbox.heard_at(tx) or now, shop.program.offline.lease_hours
        if shop.boot and now - heard > dt.timedelta(hours=lease_hours):
            return None
        _put(tx, shop, now)
        return now
    shop.mark = mark
    return _running(shop, mark)


def _running(shop: Shop, mark: Mark) -> dt.datetime:
    return mark.wall + dt.timedelta(seconds=shop.clock.monotonic_s() - mark.monotonic_s)


def _mark(tx: Transaction, shop: Shop, now: dt.datetime) -> None:
    """Remember that the clock is right, when that is news."""
    if shop.mark is None or abs(now - _running(shop, shop.mark)) > SETTLED:
        _put(tx, shop, now)


def _put(tx: Transaction, shop: Shop, now: dt.datetime) -> None:
    shop.mark = Mark(now, shop.clock.monotonic_s(), shop.boot)
    if shop.boot:
        facts.put(tx, _FACT, msgspec.msgpack.encode(shop.mark))


def _stored(tx: Transaction, shop: Shop) -> Mark | None:
    """Return the mark of this start of the machine, made before the daemon was restarted."""
    value = facts.get(tx, _FACT) if shop.boot else None
    mark = None if value is None else msgspec.msgpack.decode(value, type=Mark)
    return mark if mark is not None and mark.boot == shop.boot else None
