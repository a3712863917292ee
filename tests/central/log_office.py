"""Central's rows in an open transaction, for tests of the log: shops file into it without any network."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy.pool import StaticPool

from tapledger.loyalty.ledger import EventBody
from tapledger.wire import checkpoints, merkle, proofs
from tapledger.wire.codec import GENESIS, encode_event, link
from tapledger.wire.messages import EVENT_VERSION, LedgerEvent
from tapledger_central import audit
from tapledger_central.keys import CentralKeys, load_or_make
from tapledger_central.rebuild import Broken, verify
from tapledger_central.store import Transaction, schema
from tapledger_central.store.postgres import make_engine
from tests.postgres import APP, Database

START = dt.datetime(2026, 5, 4, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
FILE = sa.text(
    "INSERT INTO inbox (tenant, node, epoch, seq, hash, hlc, member, verdict, received_ms, raw)"
    " VALUES (:tenant, :node, :epoch, :seq, :hash, :hlc, :member, '', :received_ms, :raw)"
)
FILE_HEAD = sa.text(
    "INSERT INTO head (tenant, node, epoch, seq, hash, hlc, applied)"
    " VALUES (:tenant, :node, :epoch, :seq, :hash, 0, 0) ON CONFLICT (tenant, node, epoch)"
    " DO UPDATE SET seq = excluded.seq, hash = excluded.hash"
)


@dataclass
class Office:
    """Central's rows in an open transaction, its keys, and shops that file without any network."""

    tx: Transaction
    keys: CentralKeys
    now: dt.datetime = START
    told: list[str] = field(default_factory=list)
    heads: dict[tuple[str, int], tuple[int, bytes]] = field(default_factory=dict)
    filed: int = 0

    def file(self, node: str, count: int, epoch: int = 1) -> None:
        """Put events into the inbox as intake does."""
        done, digest = self.heads.get((node, epoch), (0, GENESIS))
        place = {"node": node, "epoch": epoch, "received_ms": int(self.now.timestamp() * 1000)}
        last = done + count
        for seq in range(done + 1, last + 1):
            self.filed += 1
            body = EventBody(kind="sale", at=self.now, program="1", member=f"m-{self.filed}")
            raw = encode_event(
                LedgerEvent(
                    v=EVENT_VERSION, id="e", node=node, epoch=epoch, seq=seq, hlc=self.filed, body=body
                )
            )
            digest = link(digest, raw)
            values = {"seq": seq, "hash": digest, "hlc": self.filed, "member": body.member, "raw": raw}
            self.tx.execute(FILE, {**place, **values})
        self.tx.execute(FILE_HEAD, {**place, "seq": last, "hash": digest})
        self.heads[node, epoch] = (last, digest)

    def advance(self, minutes: int = 1) -> None:
        """Let the background job do all there is, so much later."""
        self.now += minutes * MINUTE
        while audit.advance(self.tx, self.keys, self.now, self.told.append):
            pass

    def signed(self, note: str) -> checkpoints.Checkpoint:
        return checkpoints.read(note, checkpoints.origin_of(self.keys.tenant), self.keys.public_key)

    def broken(self) -> Broken | None:
        """Return what is found when the log is rebuilt."""
        found = list(verify(self.tx, self.keys))
        return found[-1] if found and isinstance(found[-1], Broken) else None


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    keys = load_or_make(tmp_path, os.urandom)
    engine = sa.create_engine("sqlite://", module=sqlcipher, poolclass=StaticPool)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.isolation_level = None
        schema.upgrade(connection, "memory", keys.tenant)
        yield Office(Transaction(connection, keys.tenant), keys)
    engine.dispose()


def migrate(database: Database) -> None:
    owner = make_engine(database.owner)
    schema.migrate_postgres(owner, APP)
    owner.dispose()


@pytest.fixture
def office_on_postgresql(postgres_url: Database, tmp_path: Path) -> Iterator[Office]:
    migrate(postgres_url)
    app, keys = make_engine(postgres_url.app), load_or_make(tmp_path, os.urandom)
    with app.connect() as connection:
        connection.execute(
            sa.text("SELECT set_config('tapledger.tenant', :tenant, true)"), {"tenant": keys.tenant}
        )
        yield Office(Transaction(connection, keys.tenant), keys)
    app.dispose()


def check_all(office: Office, old_notes: list[str]) -> None:
    """Prove every event by the newest checkpoint, and that it has grown out of every older one."""
    newest = office.signed(audit.checkpoint(office.tx))
    for (node, epoch), (last, digest) in office.heads.items():
        for seq in range(1, last + 1):
            proof = audit.inclusion(office.tx, node, epoch, seq)
            proved = proofs.verify(proof, newest.origin, office.keys.public_key)
            assert proved.receipt == f"{node}-{epoch}-{seq}"
        assert proved.hash == digest
    for note in old_notes:
        old = office.signed(note)
        hashes = audit.consistency(office.tx, old.size, newest.size)
        merkle.verify_consistency(old.size, old.root, newest.size, newest.root, hashes)


def grow(office: Office) -> None:
    """Let three shops file at different times."""
    office.file("shop-a", 5)
    office.file("shop-b", 3)
    office.advance()
    for count in (1, 40, 7):
        office.file("shop-b", count)
        office.file("shop-a", count + 3, epoch=2)
        office.file("shop-c", 2)
        office.advance()
