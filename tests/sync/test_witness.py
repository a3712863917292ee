"""The shop as a witness: a central that rewrites, forgets or says two things is caught by who has seen it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.errors import Conflict, Denied, TapledgerError, Unavailable
from tapledger.store import alarms, keyring, news, witnessing
from tapledger.store.store import Store
from tapledger.sync.witness import check_not_forked, witness, witness_news
from tapledger.wire import checkpoints, merkle
from tapledger.wire.checkpoints import Checkpoint
from tapledger.wire.merkle import Frontier, Place
from tapledger.wire.messages import FeedRow
from tapledger.wire.news import CheckpointNews
from tapledger.wire.proofs import LogConsistency

START = dt.datetime(2026, 5, 4, 9, 0, tzinfo=dt.UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG = checkpoints.origin_of("tenant-1")


@dataclass
class Office:
    """A central that has nothing but its log; ``faults`` is what it answers instead of a proof."""

    nodes: dict[Place, bytes] = field(default_factory=dict)
    frontier: Frontier = field(default_factory=Frontier)
    faults: list[TapledgerError] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def grow(self, *events: bytes) -> str:
        """Enter events and sign."""
        for event in events:
            self.nodes |= dict(self.frontier.append(merkle.leaf_hash(event)))
        return self.sign()

    def sign(self) -> str:
        return checkpoints.sign(Checkpoint(LOG, self.frontier.size, self.frontier.root()), KEY)

    async def consistency(self, old_size: int, new_size: int) -> LogConsistency:
        self.asked.append((old_size, new_size))
        if self.faults:
            raise self.faults.pop()
        if new_size > self.frontier.size:
            raise Conflict("LOG_SHORTER", size=self.frontier.size)
        hashes = merkle.consistency_proof(lambda *place: self.nodes[place], old_size, new_size)
        return LogConsistency(hashes=hashes)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    keys = msgspec.structs.replace(
        keyring.make(os.urandom(keyring.RANDOMNESS)),
        tenant="tenant-1",
        central_public_key=KEY.public_key().public_bytes_raw(),
    )
    opened = await Store.open(tmp_path, keys)
    yield opened
    await opened.close()


async def seen(store: Store) -> int:
    note = await store.transact(witnessing.seen)
    return int(note.split("\n")[1]) if note else 0


async def rung(store: Store) -> list[str]:
    return [one.code for one in await store.transact(alarms.newest)]


async def test_a_log_that_grows_is_followed(store: Store) -> None:
    office = Office()
    first, second = office.grow(b"1", b"2", b"3"), office.grow(b"4", b"5")
    await witness(store, office, first, START)
    assert office.asked == [], "there is nothing to compare the first with"
    await witness(store, office, second, START)
    await witness(store, office, second, START)
    assert office.asked == [(3, 5)]
    assert await seen(store) == 5
    await witness(store, office, first, START)
    assert office.asked == [(3, 5), (3, 5)], "one that comes late is proved, too"
    assert await seen(store) == 5
    assert await rung(store) == []


async def test_a_rewritten_past_is_caught(store: Store) -> None:
    office = Office()
    await witness(store, office, office.grow(b"1", b"2", b"3"), START)
    other = Office()
    told = other.grow(b"1", b"two", b"3", b"4")
    with pytest.raises(Conflict, match="CENTRAL_FORKED"):
        await witness(store, other, told, START)
    assert await rung(store) == ["CENTRAL_FORKED"]
    (alarm,) = await store.transact(alarms.newest)
    assert alarm.evidence == f"3:{office.frontier.root().hex()[:16]} 4:{other.frontier.root().hex()[:16]}"
    assert alarm.at_ms == int(START.timestamp() * 1000)
    kept = await store.transact(witnessing.fork)
    assert office.sign() in kept
    assert told in kept, "both are signed: nobody else can have made them"


async def test_two_truths_of_one_size_are_caught_without_asking(store: Store) -> None:
    office, other = Office(), Office()
    await witness(store, office, office.grow(b"1", b"2"), START)
    with pytest.raises(Conflict, match="CENTRAL_FORKED"):
        await witness(store, other, other.grow(b"1", b"two"), START)
    assert other.asked == []


async def test_a_log_that_was_cut_off_is_caught(store: Store) -> None:
    office, restored = Office(), Office()
    await witness(store, office, office.grow(b"1", b"2", b"3"), START)
    with pytest.raises(Conflict, match="CENTRAL_FORKED"):
        await witness(store, restored, restored.grow(b"1", b"2"), START)
    assert await seen(store) == 3


async def test_a_fork_stays_until_a_technician_begins_anew(store: Store) -> None:
    office, other = Office(), Office()
    await witness(store, office, office.grow(b"1"), START)
    with pytest.raises(Conflict):
        await witness(store, other, other.grow(b"one"), START)
    for note in (office.grow(b"2"), other.grow(b"two")):
        with pytest.raises(Conflict, match="CENTRAL_FORKED"):
            await witness(store, office, note, START)
    with pytest.raises(Conflict, match="CENTRAL_FORKED"):
        await check_not_forked(store)
    assert await rung(store) == ["CENTRAL_FORKED"], "once"
    await store.transact(witnessing.forget)
    await witness(store, other, other.sign(), START)
    assert await seen(store) == 2


@pytest.mark.parametrize("fault", [Unavailable("CENTRAL_UNREACHABLE", why=""), Denied("NODE_SUSPENDED")])
async def test_a_proof_that_did_not_come_is_asked_again(store: Store, fault: TapledgerError) -> None:
    office = Office()
    await witness(store, office, office.grow(b"1"), START)
    told = office.grow(b"2")
    office.faults.append(fault)
    with pytest.raises(TapledgerError) as caught:
        await witness(store, office, told, START)
    assert caught.value is fault
    assert (await seen(store), await rung(store)) == (1, []), "not taken, and nobody is accused"
    await witness(store, office, told, START)
    assert await seen(store) == 2


async def test_the_feed_s_newest_checkpoint_is_witnessed_once(store: Store) -> None:
    office, other = Office(), Office()

    async def tell(note: str) -> None:
        row = FeedRow(
            version=1, kind="checkpoint", key="log", body=msgspec.msgpack.encode(CheckpointNews(text=note))
        )
        await store.transact(lambda tx: news.take(tx, row))

    await witness_news(store, office, START)
    await tell(office.grow(b"1"))
    await witness_news(store, office, START)
    await tell(office.grow(b"2"))
    for _ in range(3):
        await witness_news(store, office, START)
    assert (await seen(store), office.asked) == (2, [(1, 2)])
    await tell(other.grow(b"one", b"2"))
    for _ in range(2):
        with pytest.raises(Conflict, match="CENTRAL_FORKED"):
            await witness_news(store, other, START)


async def test_what_central_has_not_signed_accuses_nobody(store: Store) -> None:
    office = Office()
    note = office.grow(b"1")
    await witness(store, office, note, START)
    with pytest.raises(Denied, match="CHECKPOINT_FORGED"):
        await witness(store, office, note.replace("\n1\n", "\n2\n"), START)
    assert (await seen(store), await rung(store)) == (1, [])


async def test_a_shop_that_does_not_ask_catches_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken twin: what catches a rewritten past is the proof, and nothing else."""
    monkeypatch.setattr(merkle, "verify_consistency", lambda *_: None)
    office, other = Office(), Office()
    await witness(store, office, office.grow(b"1", b"2", b"3"), START)
    await witness(store, other, other.grow(b"1", b"two", b"3", b"4"), START)
    assert await rung(store) == []
