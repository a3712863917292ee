"""Chains of events made by hand, good ones and bad ones, and what central's file holds after them."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

import sqlalchemy as sa

from tapledger.identifiers import uuid7
from tapledger.loyalty.effects import Credential, Credited, Linked, Lot, TierSet
from tapledger.loyalty.ledger import POINT, EventBody, Line
from tapledger.loyalty.members import replace
from tapledger.store.keyring import Keyring
from tapledger.wire import signing
from tapledger.wire.codec import GENESIS, encode_event, link
from tapledger.wire.messages import EVENT_VERSION, Batch, LedgerEvent, SealedProfile
from tapledger_central.app import Central
from tapledger_central.store import Transaction
from tests.central.world import START

TABLES = ("inbox", "head", "member", "scope", "feed", "profile", "claim", "difference", "quarantine", "node")
UNSAID = {"tenant", "received_ms", "last_seen_ms"}
"""Columns that say whose and when, not what."""


class Chain:
    """One node's chain of one epoch; ``raws`` may be added to as they are."""

    def __init__(self, keyring: Keyring, epoch: int = 1) -> None:
        self.keyring = keyring
        self.epoch = epoch
        self.raws: list[bytes] = []
        self.hashes = [GENESIS]

    def add_raw(self, raw: bytes) -> bytes:
        self.raws.append(raw)
        self.hashes.append(link(self.hashes[-1], raw))
        return raw

    def add(self, body: EventBody, **place: Any) -> bytes:
        seq = len(self.raws) + 1
        values = {"node": self.keyring.node, "epoch": self.epoch, "seq": seq, **place}
        at_ms = int(body.at.timestamp() * 1000)
        hlc = values.pop("hlc", at_ms << 16)
        event = LedgerEvent(v=EVENT_VERSION, id=uuid7(body.at, os.urandom), hlc=hlc, body=body, **values)
        return self.add_raw(encode_event(event))

    def copy(self) -> Chain:
        """Return the chain as a cloned disk would have it."""
        clone = Chain(self.keyring, self.epoch)
        clone.raws, clone.hashes = list(self.raws), list(self.hashes)
        return clone

    def batch(
        self, first: int = 1, last: int | None = None, profiles: list[SealedProfile] | None = None
    ) -> Batch:
        """Return the signed batch of events ``first .. last``; of all that there are without ``last``."""
        last = last or len(self.raws)
        return signed(
            self.keyring, self.epoch, first, self.raws[first - 1 : last], self.hashes[last], profiles or []
        )


def signed(
    keyring: Keyring,
    epoch: int,
    first: int,
    raws: list[bytes],
    head: bytes,
    profiles: list[SealedProfile],
) -> Batch:
    statement = signing.batch_statement(keyring.node, epoch, first, len(raws), head)
    return Batch(
        node=keyring.node,
        epoch=epoch,
        first_seq=first,
        raws=raws,
        head=head,
        signature=signing.sign(keyring.signing_key, statement),
        profiles=profiles,
    )


def join(member: str, *cards: str, minute: int = 0, digest: str | None = None) -> EventBody:
    credentials = tuple(Credential("card", card, 1) for card in cards)
    return EventBody(
        kind="join",
        at=START + dt.timedelta(minutes=minute),
        program="1",
        member=member,
        effects=(*(Linked(one) for one in credentials), TierSet("base")),
        profile_digest=digest,
    )


def earn(member: str, points: int, minute: int = 1, kind: str = "sale") -> EventBody:
    at = START + dt.timedelta(minutes=minute)
    return EventBody(
        kind=kind,
        at=at,
        program="1",
        member=member,
        lines=(Line(f"member/{member}/points", POINT, points), Line("program/points", POINT, -points)),
        effects=(Credited(Lot(os.urandom(4).hex(), points, points, at, None)),),
    )


def unbalanced(member: str) -> EventBody:
    body = earn(member, 7)
    return replace(body, lines=body.lines[:1])


async def held(central: Central) -> dict[str, list[dict[str, Any]]]:
    """Return everything that central's store holds, applied, but for who asked when."""
    assert await central.caught_up()

    def read(tx: Transaction) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for table in TABLES:
            rows = tx.execute(sa.text(f"SELECT * FROM {table} WHERE tenant = :tenant")).mappings()
            said = [{name: value for name, value in row.items() if name not in UNSAID} for row in rows]
            found[table] = sorted(said, key=repr)
        return found

    return await central.store.transact(read)


async def run_sql(central: Central, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements on central's rows, behind its back; return the rows of the last."""

    def work(tx: Transaction) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for statement in statements:
            result = tx.connection.exec_driver_sql(statement)
            found = [tuple(row) for row in result] if result.returns_rows else []
        return found

    return await central.store.transact(work)
