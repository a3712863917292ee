"""Edits of central's rows: whatever somebody with the database's password changes is found where it is."""

from __future__ import annotations

import os
import random

import msgspec
import pytest
import sqlalchemy as sa

from tapledger.wire import merkle
from tapledger.wire.codec import GENESIS, decode_event, encode_event, link
from tapledger_central import rebuild
from tapledger_central.rebuild import Broken
from tapledger_central.store import log
from tests.central.log_office import Office, check_all, grow
from tests.central.log_office import office as office
from tests.central.log_office import office_on_postgresql as office_on_postgresql


class Edits:
    """Changes one row or two as somebody with the database's password could; each tells where the first
    entry is that is wrong after it."""

    def __init__(self, office: Office, seed: int) -> None:
        self.tx = office.tx
        self.chance = random.Random(seed)
        self.size = office.signed(office.told[-1]).size
        self.place = {
            (run.node, run.epoch, run.first_seq + at): run.position + at
            for run in log.runs(office.tx)
            for at in range(run.count)
        }
        self.events = [
            (node, epoch, seq)
            for (node, epoch), (last, _) in office.heads.items()
            for seq in range(1, last + 1)
        ]

    def at(self, event: tuple[str, int, int]) -> int:
        return self.place.get(event, self.size)

    def run(self, statement: str, event: tuple[str, int, int], **values: object) -> None:
        node, epoch, seq = event
        place = {"node": node, "epoch": epoch, "seq": seq}
        self.tx.execute(sa.text(statement), {**place, **values})

    def row(self, event: tuple[str, int, int]) -> log.Row:
        return log.rows(self.tx, event[0], event[1], event[2], event[2])[0]

    def one(self) -> tuple[str, int, int]:
        return self.chance.choice(self.events)

    def chain_of(self, event: tuple[str, int, int]) -> list[int]:
        return [seq for node, epoch, seq in self.events if (node, epoch) == event[:2]]

    def flip_a_bit(self) -> int:
        event = self.one()
        raw = bytearray(self.row(event).raw)
        raw[self.chance.randrange(len(raw))] ^= 1 << self.chance.randrange(8)
        self.run(f"UPDATE inbox SET raw = :raw {HERE}", event, raw=bytes(raw))
        return self.at(event)

    def rewrite_with_its_hash(self) -> int:
        event = self.one()
        before = self.row((event[0], event[1], event[2] - 1)).hash if event[2] > 1 else GENESIS
        raw = forged(self.row(event).raw)
        self.run(f"UPDATE inbox SET raw = :raw, hash = :hash {HERE}", event, raw=raw, hash=link(before, raw))
        return self.at(event)

    def give_to_another_member(self) -> int:
        event = self.one()
        self.run(f"UPDATE inbox SET member = 'thief' {HERE}", event)
        return self.at(event)

    def delete(self) -> int:
        event = self.one()
        self.run(f"DELETE FROM inbox {HERE}", event)
        return self.at(event)

    def cut_off(self) -> int:
        """Delete the end of a chain and move its head back."""
        event = self.one()
        node, epoch, seq = event
        before = self.row((node, epoch, seq - 1)).hash if seq > 1 else GENESIS
        self.run(f"DELETE FROM inbox {CHAIN} AND seq >= :seq", event)
        self.run(f"UPDATE head SET seq = :last, hash = :hash {CHAIN}", event, last=seq - 1, hash=before)
        return self.at(event) if self.at(event) < self.size else -1

    def swap(self) -> int:
        one, two = self.chance.sample(self.events, 2)
        rows = self.row(one), self.row(two)
        for event, row in zip((two, one), rows, strict=True):
            values = {"raw": row.raw, "hash": row.hash, "member": row.member}
            self.run(f"UPDATE inbox SET raw = :raw, hash = :hash, member = :member {HERE}", event, **values)
        return min(self.at(one), self.at(two))

    def insert_between(self) -> int:
        """Make room by moving all that follow, and put a copy there."""
        event = self.one()
        node, epoch, seq = event
        for later in range(max(self.chain_of(event)), seq - 1, -1):
            self.run(f"UPDATE inbox SET seq = :seq + 1 {HERE}", (node, epoch, later))
        self._copy((node, epoch, seq + 1), event)
        self.run(f"UPDATE inbox SET raw = :raw {HERE}", event, raw=os.urandom(60))
        return self.at(event)

    def insert_behind(self) -> int:
        node, epoch, _ = event = self.one()
        event = (node, epoch, max(self.chain_of(event)))
        self._copy(event, (event[0], event[1], event[2] + 1))
        return self.size

    def insert_a_chain(self) -> int:
        self._copy(self.one(), ("shop-x", 1, 1))
        return self.size

    def _copy(self, event: tuple[str, int, int], to: tuple[str, int, int]) -> None:
        values = dict(zip(("to_node", "to_epoch", "to_seq"), to, strict=True))
        self.run(
            "INSERT INTO inbox (tenant, node, epoch, seq, hash, hlc, member, verdict, received_ms, raw)"
            " SELECT tenant, :to_node, :to_epoch, :to_seq, hash, hlc, member, verdict, received_ms, raw"
            f" FROM inbox {HERE}",
            event,
            **values,
        )

    def change_a_tile(self) -> int:
        index = self.chance.randrange(self.size)
        hashes = bytearray(log.tile(self.tx, 0, 0))
        hashes[index * 32 + self.chance.randrange(32)] ^= 1 << self.chance.randrange(8)
        log.put_tile(self.tx, 0, 0, bytes(hashes))
        return index

    def delete_a_run(self) -> int:
        run = self.chance.choice(list(log.runs(self.tx)))
        self.tx.execute(sa.text("DELETE FROM log_run WHERE position = :position"), {"position": run.position})
        return run.position

    def move_a_run(self) -> int:
        run = self.chance.choice(list(log.runs(self.tx)))
        move = sa.text("UPDATE log_run SET first_seq = first_seq + 1000 WHERE position = :position")
        self.tx.execute(move, {"position": run.position})
        return run.position

    def forge_a_checkpoint(self) -> int:
        signed = log.checkpoints(self.tx)
        which = self.chance.randrange(len(signed))
        note = signed[which].note
        forged = note.replace(f"\n{signed[which].size}\n", f"\n{signed[which].size - 1}\n")
        change = sa.text("UPDATE log_checkpoint SET note = :note WHERE size = :size")
        self.tx.execute(change, {"note": forged, "size": signed[which].size})
        return signed[which - 1].size if which else 0


def forged(raw: bytes) -> bytes:
    """Return an event that nobody sealed, in which nothing else is wrong."""
    return encode_event(msgspec.structs.replace(decode_event(raw), id="forged"))


HERE = "WHERE tenant = :tenant AND node = :node AND epoch = :epoch AND seq = :seq"
CHAIN = "WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
KINDS = [
    "flip_a_bit", "rewrite_with_its_hash", "give_to_another_member", "delete", "cut_off", "swap",
    "insert_between", "insert_behind", "insert_a_chain", "change_a_tile", "delete_a_run", "move_a_run",
    "forge_a_checkpoint",
]  # fmt: skip


def try_edits(office: Office, seeds: range) -> None:
    grow(office)
    office.file("shop-a", 4)
    office.file("shop-c", 3, epoch=3)
    assert office.broken() is None
    tried = dict.fromkeys(KINDS, 0)
    for seed in seeds:
        kind = KINDS[seed % len(KINDS)]
        edits = Edits(office, seed)
        office.tx.connection.exec_driver_sql("SAVEPOINT edit")
        expected = getattr(edits, kind)()
        if expected >= 0:
            found = office.broken()
            assert found is not None, f"{kind} of seed {seed} was not found"
            assert found.index == expected, f"{kind} of seed {seed}: {found}"
            tried[kind] += 1
        office.tx.connection.exec_driver_sql("ROLLBACK TO edit")
    assert office.broken() is None
    assert min(tried.values()) >= len(seeds) // len(KINDS) // 2


def test_two_hundred_edits_are_found_where_they_are(office: Office) -> None:
    try_edits(office, range(200))


def test_postgresql_keeps_the_same_log(office_on_postgresql: Office) -> None:
    office = office_on_postgresql
    try_edits(office, range(len(KINDS) * 2))
    office.advance()
    check_all(office, office.told)


@pytest.mark.long
def test_a_thousand_edits_are_found_where_they_are(office: Office) -> None:
    try_edits(office, range(10_000, 11_000))


def test_who_rewrites_everything_lacks_only_the_key(office: Office) -> None:
    """The strongest edit: an event, the chain behind it and every hash of the log, all of it consistent."""
    grow(office)
    event = ("shop-b", 1, 4)
    edits = Edits(office, 1)
    digest = edits.row(("shop-b", 1, 3)).hash
    for seq in range(4, office.heads["shop-b", 1][0] + 1):
        row = edits.row(("shop-b", 1, seq))
        raw = forged(row.raw) if seq == 4 else row.raw
        digest = link(digest, raw)
        edits.run(
            f"UPDATE inbox SET raw = :raw, hash = :hash {HERE}", ("shop-b", 1, seq), raw=raw, hash=digest
        )
    edits.run(f"UPDATE head SET hash = :hash {CHAIN}", event, hash=digest)
    frontier = merkle.Frontier()
    leaves = []
    for run in log.runs(office.tx):
        for row in log.rows(office.tx, run.node, run.epoch, run.first_seq, run.first_seq + run.count - 1):
            leaves.append(merkle.leaf_hash(row.raw))
            frontier.append(leaves[-1])
    log.put_tile(office.tx, 0, 0, b"".join(leaves))
    log.set_frontier(office.tx, frontier)
    found = office.broken()
    assert found is not None
    assert found.why == "checkpoint"
    before = max(
        office.signed(note).size for note in office.told if office.signed(note).size <= edits.at(event)
    )
    assert found.index == before, "what the last good checkpoint covers is proved"


def test_an_edit_is_found_by_nothing_but_the_rebuilding(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken twin: take what compares away, one after the other, and the next one finds it."""
    grow(office)
    edits = Edits(office, 1)
    monkeypatch.setattr(edits, "one", lambda: ("shop-a", 1, 2))
    edits.flip_a_bit()
    assert office.broken() == Broken(1, "hash", "shop-a", 1, 2)
    monkeypatch.setattr(rebuild, "_fault", lambda row, previous: "")
    assert office.broken() == Broken(1, "log", "shop-a", 1, 2)
    monkeypatch.setattr(rebuild._Rebuilt, "_enter", lambda self, leaf: bool(self.frontier.append(leaf)))
    assert office.broken() == Broken(0, "checkpoint")
    monkeypatch.setattr(rebuild._Rebuilt, "_fault_of_checkpoint", lambda self: None)
    assert office.broken() is not None, "the frontier"
