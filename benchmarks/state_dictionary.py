"""Makes the dictionary by which a shop keeps members small: ``python -m benchmarks.state_dictionary FILE``.

A dictionary never changes once a release has it, because stores are written with it: another one gets another
name and number (``tapledger.store.states``).
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import msgspec
import zstandard

from benchmarks import sync_workload
from tapledger.loyalty.effects import (
    PRINCIPAL,
    BirthdaySet,
    Consent,
    Coupon,
    Grant,
    Hold,
    Lease,
    Lot,
    LotTake,
)
from tapledger.loyalty.members import Member

SEED = 19700101
BYTES = 4096
MEMBERS, EVERY = 4000, 8
"""How many states it is trained on, and each which of them has what few members have."""
DAY = dt.timedelta(days=1)


def samples() -> list[bytes | bytearray | memoryview[int]]:
    """Return states as they are kept: without their own ids."""
    kinds = sync_workload.archetypes(MEMBERS, SEED)
    found: list[bytes | bytearray | memoryview[int]] = []
    for number, raw in enumerate(sync_workload.members(kinds, 0, MEMBERS)):
        member = msgspec.msgpack.decode(raw, type=Member)
        more = _with_more(member, number) if number % EVERY == 0 else member
        found.append(msgspec.msgpack.encode(msgspec.structs.replace(more, id="")))
    return found


def _with_more(member: Member, number: int) -> Member:
    """Give a member coupons, a hold, a lease and what else there may be, under ids of their own."""
    scribe = sync_workload.Scribe(SEED + number)
    at = member.joined_at + DAY
    take = LotTake(scribe.new_id(), 80, at + 365 * DAY)
    return msgspec.structs.replace(
        member,
        lots=(*member.lots, Lot(scribe.new_id(), 10_000, 10_000, at, None, PRINCIPAL, scribe.new_id())),
        holds=(
            Hold(
                scribe.new_id(),
                "coffee",
                "Coffee",
                80,
                (take,),
                at,
                scribe.digits(),
                at + DAY,
                at.toordinal(),
            ),
        ),
        coupons=(Coupon(scribe.new_id(), "welcome", at, at + 30 * DAY, state="redeemed", source="join"),),
        grants=(Grant(scribe.new_id(), "lounge", 5, at + 30 * DAY, "tier"),),
        leases=(Lease(scribe.new_id(), "abcdefgh", "points", (take,), at, at + DAY),),
        birthday=BirthdaySet(5, 17, 1990, at.toordinal(), at.toordinal()),
        consents=(Consent("marketing", True, "2026-1", at, "till", id=scribe.new_id()),),
        tier_until=at + 365 * DAY,
        gained_on=at.toordinal(),
    )


def main(path: Path) -> None:
    path.write_bytes(zstandard.train_dictionary(BYTES, samples()).as_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
