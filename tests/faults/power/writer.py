"""Shops that sell and a central that files, under strace: each says what is done after its store said so.

``python -m tests.faults.power.writer FOLDER EVENTS``: one shop a twin, each a process in a folder of its own.
A twin is broken on purpose; "shipped" is not.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tapledger import database
from tapledger.database import Database, Transaction
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.store import checkpoints, members, names
from tapledger.store.journal import Journal, Recorded
from tapledger.store.store import Store
from tapledger.wire.messages import FeedPage, FeedRow
from tests.faults.power.central import file_batches
from tests.faults.power.trace import ACK_TO
from tests.store.shops import Bench, HandClock, card

MEMBERS = 3
REOPENED_EVERY = 25
DUE_PAGES, CHECKPOINT_PAGES = 20, 60
"""Many checkpoints, beside the commits and in them, and new beginnings of the log in few events."""
FILING = {"MOST_FRESH": 4, "LEAST_FILED": 1, "FILED_AT_ONCE": 1, "STRUCK_AT_ONCE": 1}
"""Names are filed, and the log of names is let go, in small steps: there is something to cut."""


def tell(number: int, recorded: Recorded) -> None:
    tell_place(number, recorded.event.seq, recorded.hash)


def tell_place(number: int, seq: int, digest: bytes) -> None:
    os.write(ACK_TO, b"%d %d %s\n" % (number, seq, digest.hex().encode()))


told: Callable[[Recorded], None]
"""Says that an event is done, as a till does that shows it."""


async def open_store(bench: Bench) -> None:
    checkpoints.DUE_PAGES, checkpoints.LOOK_EVERY = DUE_PAGES, 1
    for name, size in FILING.items():
        setattr(names, name, size)
    await bench.open()

    def often(tx: Transaction) -> None:
        tx.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    await bench.shop.store.transact(often)


async def sell(bench: Bench, events: int) -> None:
    """Make members, sales and vouchers, one event after the other; close and open in between.

    Before each comes a page of the feed, which waits for no disk: what is told after it must not go with it.
    """
    people = [await bench.join(f"Member {number}", card(f"card-{number}")) for number in range(MEMBERS)]
    for number in range(MEMBERS, events):
        member = people[number % MEMBERS]
        news = FeedRow(version=number, kind="of the next release", key=str(number))
        page = FeedPage(rows=[news], cursor=number, more=False, at=bench.clock.now())
        await bench.shop.store.apply_page(page)
        match number % 8:
            case 0:
                told(await bench.buy(None))
            case 2:
                await bench.join(f"Member {number}", card(f"card-{number}"))
                told(await bench.buy(member, count=20))
            case 4 if await bench.points(member) >= 100:
                told((await bench.redeem(member)).recorded)
            case _:
                told(await bench.buy(member, count=20))
        if number % REOPENED_EVERY == REOPENED_EVERY - 1:
            await bench.close()
            await open_store(bench)


# ---- broken on purpose -----------------------------------------------------------------------------------
def set_pragma(name: str, value: str) -> None:
    kept = [pragma for pragma in database.PRAGMAS if not pragma.startswith(f"{name}=")]
    database.PRAGMAS = (*kept, f"{name}={value}")


def tell_before_the_commit() -> None:
    append: Callable[..., Recorded] = Journal.append

    def telling(*values: Any) -> Recorded:
        recorded = append(*values)
        told(recorded)
        return recorded

    Journal.append = telling  # type: ignore[assignment,method-assign]


def keep_members_in_a_transaction_of_their_own() -> None:
    record, transact = members.record, Store.transact
    waiting: list[tuple[Member, EventBody]] = []

    async def twice(store: Store, work: Callable[[Transaction], Any]) -> Any:
        result = await transact(store, work)
        while waiting:
            later = partial(record, after=waiting[0][0], body=waiting.pop(0)[1])
            await transact(store, later)
        return result

    members.record = lambda tx, after, body: waiting.append((after, body))
    Store.transact = twice  # type: ignore[assignment]


def stay_in_a_hurry() -> None:
    @contextmanager
    def for_ever(store: Database) -> Iterator[None]:
        database._driver(store._connection).execute("PRAGMA synchronous=NORMAL")
        yield

    Database._hurried = for_ever  # type: ignore[method-assign,assignment]


TWINS: dict[str, Callable[[], None]] = {
    "shipped": lambda: None,
    "not synced at commits": lambda: set_pragma("synchronous", "NORMAL"),
    "never synced": lambda: set_pragma("synchronous", "OFF"),
    "rollback journal": lambda: set_pragma("journal_mode", "DELETE"),
    "told before the commit": tell_before_the_commit,
    "in a hurry after a page": stay_in_a_hurry,
    "members kept apart": keep_members_in_a_transaction_of_their_own,
}


async def run(folder: Path, events: int) -> None:
    bench = Bench(folder, HandClock())
    await open_store(bench)
    await sell(bench, events)
    assert bench.rows("SELECT 1 FROM name"), "some names were filed"
    await bench.close()


CENTRAL, CENTRAL_TWIN = "central", "central, not synced at commits"
WRITERS = (*TWINS, CENTRAL, CENTRAL_TWIN)


def write(folder: Path, events: int, name: str) -> None:
    global told
    number = WRITERS.index(name)
    if name in (CENTRAL, CENTRAL_TWIN):
        TWINS["shipped" if name == CENTRAL else "not synced at commits"]()
        filed = file_batches(folder / str(number), events, partial(tell_place, number))
        asyncio.run(filed)
        return
    told = partial(tell, number)
    TWINS[name]()
    asyncio.run(run(folder / str(number), events))


def main(folder: Path, events: int) -> None:
    for name in WRITERS:
        if os.fork() == 0:
            write(folder, events, name)
            return
    for _ in WRITERS:
        _, status = os.wait()
        assert status == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
