"""What a start finds after a power cut, looked at with the shipped store."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tapledger.database import InlineExecutor, Transaction
from tapledger.errors import Corrupt
from tapledger.loyalty import members as rules
from tapledger.loyalty.effects import Held
from tapledger.loyalty.members import Member
from tapledger.store import history, journal, keyring, keys, members
from tapledger.store.journal import Broken
from tapledger.store.store import Store
from tests.store.shops import Bench, HandClock, cards_named

EVERYBODY = 1000


class Found(StrEnum):
    WHOLE = "whole"
    LOST = "an acknowledged event is not there"
    DAMAGED = "the file or the chain is damaged"
    HALF = "what is kept of the members is not what the events say"


@dataclass(frozen=True, slots=True)
class Promise:
    """The last event of which somebody was told that it is done."""

    seq: int = 0
    hash: str = ""

    @classmethod
    def read(cls, text: str) -> Promise:
        seq, digest = text.split()
        return cls(int(seq), digest)


async def look(folder: Path, promise: Promise) -> Found:
    """Start a shop on what is there, look at all of it, and sell on."""
    if not (folder / keyring.FILE_NAME).exists():
        return Found.LOST if promise.seq else Found.WHOLE  # the power went before the shop was set up
    bench = Bench(folder, HandClock())
    try:
        await bench.open(InlineExecutor())
        store = bench.shop.store
        found = await store.transact(lambda tx: _look(tx, store, promise))
        if found is Found.WHOLE:
            await bench.buy(None)
    except Corrupt:
        return Found.DAMAGED
    finally:
        await bench.close()
    return found


def _look(tx: Transaction, store: Store, promise: Promise) -> Found:
    steps = list(journal.verify(tx, store.keyring.node))
    if any(isinstance(step, Broken) for step in steps) or journal.check_file(tx):
        return Found.DAMAGED
    row = tx.exec_driver_sql("SELECT hash FROM event WHERE seq = ?", (promise.seq,)).first()
    if promise.seq and (row is None or bytes(row[0]).hex() != promise.hash):
        return Found.LOST
    return Found.WHOLE if _is_in_step(tx) else Found.HALF


def _is_in_step(tx: Transaction) -> bool:
    """Compare members, vouchers, cards and operations with what the events make of them."""
    folded: dict[str, Member] = {}
    bodies = list(history.everything(tx))
    for body in bodies:
        if body.member is not None:
            folded[body.member] = rules.fold(folded.get(body.member), body)
    kept = {name: members.load_alias(tx, name) for name in history.members_after(tx, "", EVERYBODY)}
    holds = {effect.hold.id for body in bodies for effect in body.effects if isinstance(effect, Held)}
    cards = {credential.index for member in folded.values() for credential in member.credentials}
    return (
        {name: stored.member for name, stored in kept.items() if stored is not None} == folded
        and {hold for (hold,) in tx.exec_driver_sql("SELECT hold FROM voucher")} == holds
        and cards_named(tx) == {keys.of_hash(card) for card in cards}
        and tx.exec_driver_sql("SELECT count(*) FROM operation").scalar_one() == len(bodies)
    )
