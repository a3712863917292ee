"""Whatever central answers, a shop takes it or refuses it by name, keeps what it had, and goes on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from tapledger.database import InlineExecutor, Transaction
from tapledger.errors import TapledgerError
from tapledger.loyalty.effects import Lot
from tapledger.loyalty.members import Member
from tapledger.store import facts
from tapledger.store import keyring as keyrings
from tapledger.store.store import Store
from tapledger.sync.client import CentralClient
from tapledger.sync.placing import take_place
from tapledger.sync.puller import Puller
from tapledger.sync.pusher import TARGET_BYTES, Pusher
from tapledger.sync.transport import Received
from tapledger.wire import signing
from tapledger.wire.asking import ChainHead, LeaseAnswer, LeaseAsked, Standing, Tail
from tapledger.wire.codec import pack
from tapledger.wire.messages import (
    MAX_BATCH_EVENTS,
    BatchAnswer,
    Enrolled,
    FeedPage,
    FeedRow,
    Refusal,
    SealedProfile,
)
from tapledger.wire.news import KINDS, CheckpointNews, NodeNews
from tests.central.world import START, HandClock, ShopNode
from tests.wire.mutations import Mutator, plain

SHORT, LONG = 3_500, 40_000
CODES = ("GAP", "FORK", "NODE_SUSPENDED", "FEED_AHEAD", "FEED_GONE", "CLOCK_OFF", "CENTRAL_BUSY", "NEW_WORD")
SAVED_HLC = int(START.timestamp() * 1000) << 16


class StrangeCentral:
    """Signs whatever it is told to answer."""

    def __init__(self, mutator: Mutator) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(mutator.random.randbytes(32))
        self.mutator = mutator
        self.honest = False
        self.says: Callable[[str, str], msgspec.Struct]

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        random, mutator = self.mutator.random, self.mutator
        nonce = headers["Signature-Input"].partition('nonce="')[2].partition('"')[0]
        message, status = self.says(method, url.path), 200
        if not self.honest and random.random() < 0.2:
            status = random.choice((200, 204, 301, 400, 403, 404, 409, 418, 422, 429, 500, 503, 599))
            data: dict[str, str | int] = {
                "need": random.randrange(4),
                "server_ms": 2**60,
                "proof": "00",
                "self": 1,
            }
            message = Refusal(code=random.choice(CODES), data=data)
        answer = pack(message) if self.honest or random.random() < 0.2 else mutator.packed(plain(message))
        signature = signing.sign(self.key, signing.answer_statement(nonce, status, answer)).hex()
        if not self.honest and random.random() < 0.05:
            signature = random.choice((mutator.text(signature), "", "é"))
        return Received(status, {"tapledger-answer": signature}, answer)


class Bench:
    """A shop whose central is strange."""

    def __init__(self, node: ShopNode, central: StrangeCentral) -> None:
        self.node = node
        self.central = central
        self.mutator, self.random = central.mutator, central.mutator.random
        self.answers: Counter[str] = Counter()
        central.says = self.says
        self.page = FeedPage(rows=[], cursor=0, more=False, at=START)
        self.pending = 0

    def says(self, method: str, path: str) -> msgspec.Struct:
        """Return what an honest central would answer."""
        what = path.rsplit("/", 1)[1]
        if what == "standing":
            heads = [ChainHead(epoch=1, seq=self.random.randrange(1, 9), hash=bytes(32))]
            return Standing(heads=[] if self.central.honest else heads, hlc=SAVED_HLC, at=START)
        if what == "events" and method == "GET":
            return Tail(epoch=1, first_seq=1, raws=[b"\x80"], head=bytes(32))
        if what == "events":
            return BatchAnswer(ack=self.pending, hlc=SAVED_HLC)
        if what == "leases":
            return LeaseAnswer(granted=3, available=3, row=self.member(1), hlc=SAVED_HLC)
        return self.page

    def member(self, version: int) -> FeedRow:
        who = f"m-{self.random.randrange(9)}"
        profile = SealedProfile(member=who, digest="d", sealed=b"sealed")
        state = Member(id=who, joined_at=START, tier="base")
        settled = {f"{self.node.keyring.node}/1": 1}
        return FeedRow.of(state, version=version, settled=settled, profile=profile)

    async def pull(self) -> None:
        cursor = await self.node.store.cursor()
        if cursor > 2**50:
            await self.node.store.start_over()
            cursor = 0
        kind = self.random.choice(list(KINDS))
        news = (CheckpointNews(text="x"), NodeNews(name="n", shop="s", public_key=bytes(32), status="active"))
        body = msgspec.msgpack.encode(self.random.choice(news))
        rows = [
            self.member(cursor + 1),
            FeedRow(version=cursor + 2, kind=kind, key="k", body=body),
            FeedRow(version=cursor + 3, kind="of the next release", key="k", body=b"\xc1"),
        ]
        self.page = FeedPage(
            rows=rows, cursor=cursor + 3, more=False, at=START, hlc=SAVED_HLC, erased=["m-8"]
        )
        await Puller(self.node.store).take(self.node.client)

    async def push(self) -> None:
        if not await self.node.store.unsynced():
            await self.node.sale(None, 500)
        pending = await self.node.store.pending(MAX_BATCH_EVENTS, TARGET_BYTES)
        assert pending is not None
        self.pending = pending.first_seq + len(pending.raws) - 1
        await Pusher(self.node.store, self.node.keyring).once(self.node.client)

    async def place(self) -> None:
        await take_place(self.node.store, self.node.client)

    async def lease(self) -> None:
        answer = await self.node.client.lease(LeaseAsked(id="l", member="m-1", pool="points", amount=3))
        await self.node.store.heard(answer.hlc)
        if answer.row is not None:
            await self.node.store.apply_row(answer.row)

    async def changes(self) -> int:
        return await self.node.store.transact(
            lambda tx: int(tx.exec_driver_sql("SELECT n FROM temp.changes").scalar_one())
        )

    async def check(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask one thing; only an error with a name may come, and it leaves the shop as it was."""
        if ask == self.push and not await self.node.store.unsynced():
            await self.node.sale(None, 500)
        before, code = await self.changes(), "OK"
        try:
            await ask()
        except TapledgerError as error:
            code = error.code
            if ask != self.place:  # which stops spending before it asks for what was lost
                assert await self.changes() == before, code
        self.answers[code] += 1


@asynccontextmanager
async def bench_of(folder: Path, seed: int) -> AsyncIterator[Bench]:
    central, clock = StrangeCentral(Mutator(seed)), HandClock()
    fresh = keyrings.make(central.mutator.random.randbytes(96))
    keyring = fresh.with_enrolment(
        Enrolled(
            node=fresh.node,
            tenant="t",
            central_public_key=central.key.public_key().public_bytes_raw(),
            token_keys={},
            index_key=bytes(32),
            profile_key=bytes(32),
        )
    )
    store = await Store.open(folder, keyring, InlineExecutor())
    try:
        await store.transact(_count_changes)
        client = CentralClient(central, "http://127.0.0.1:1", keyring, clock, os.urandom)
        yield Bench(ShopNode(store, keyring, client, clock), central)
    finally:
        await store.close()


def _count_changes(tx: Transaction) -> None:
    run = tx.exec_driver_sql
    run("CREATE TEMP TABLE changes (n INTEGER)")
    run("INSERT INTO temp.changes VALUES (0)")
    for table in (
        run("SELECT name FROM main.sqlite_master WHERE type = 'table' AND substr(name, 1, 6) != 'sqlite'")
        .scalars()
        .all()
    ):
        for verb in ("INSERT", "UPDATE", "DELETE"):
            run(
                f"CREATE TEMP TRIGGER {table}_{verb} AFTER {verb} ON main.{table}"
                " BEGIN UPDATE changes SET n = n + 1; END"
            )


async def fuzzed(folder: Path, seed: int, count: int) -> Counter[str]:
    """Ask so many times, and then see whether the shop still sells and syncs."""
    async with bench_of(folder, seed) as bench:
        steps = (bench.pull, bench.pull, bench.push, bench.place, bench.lease)
        for number in range(count):
            await bench.check(steps[number % len(steps)])
        bench.central.honest = True
        await bench.node.join("honest")
        while await bench.node.store.unsynced():
            await bench.push()
        await bench.place()
        await bench.node.store.start_over()
        await bench.pull()
        assert (await bench.node.member("honest")) is not None
        return bench.answers


async def test_whatever_central_answers_is_taken_or_refused_by_name(tmp_path: Path) -> None:
    answers = await fuzzed(tmp_path, 5, SHORT)
    assert answers.total() == SHORT
    assert answers["OK"] > SHORT / 20, "some has to get through, or nothing behind the signature was tried"
    assert len(answers) > 10


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
async def test_whatever_central_answers_is_taken_or_refused_by_name_at_length(
    tmp_path: Path, seed: int
) -> None:
    assert (await fuzzed(tmp_path, 1000 + seed, LONG // 10)).total() == LONG // 10


async def test_a_shop_that_moves_its_cursor_first_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_page = Store.apply_page

    async def hasty(self: Store, page: FeedPage) -> list[str]:
        await self.transact(lambda tx: facts.put(tx, "feed_cursor", b"%d" % page.cursor))
        return await apply_page(self, page)

    monkeypatch.setattr(Store, "apply_page", hasty)
    with pytest.raises(AssertionError, match="FEED_GAP"):
        await fuzzed(tmp_path, 5, SHORT)


def _poisons(node: str) -> dict[str, FeedPage]:
    """Name pages that are well formed, signed, and still not to be believed."""
    naive = START.replace(tzinfo=None)
    state = Member(id="m-1", joined_at=START, tier="base")
    lot = Lot("l", 5, 5, START, None)

    def page(**row: Any) -> FeedPage:
        raw = msgspec.Raw(msgspec.msgpack.encode(row.pop("state", state)))
        fields: dict[str, Any] = {"version": 1, "member": "m-1", "raw_state": raw, **row}
        return FeedPage(rows=[FeedRow(**fields)], cursor=fields["version"], more=False, at=START)

    def told(**changes: Any) -> FeedPage:
        return page(state=msgspec.structs.replace(state, **changes))

    empty = FeedPage(rows=[], cursor=0, more=False, at=START)
    return {
        "an epoch that is no number": page(settled={f"{node}/x": 1}),
        "no epoch": page(settled={node: 1}),
        "a number beyond every column": page(settled={f"{node}/1": 2**64 - 1}),
        "an epoch beyond every column": page(settled={f"{node}/{2**70}": 1}),
        "a version beyond every column": page(version=2**64 - 1),
        "central's time without a zone": msgspec.structs.replace(empty, at=naive),
        "a clock at its end": msgspec.structs.replace(page(), hlc=2**63 - 1),
        "somebody else's state": page(member="m-2"),
        "a member without a name": page(member="", state=msgspec.structs.replace(state, id="")),
        "joined in no zone": told(joined_at=naive),
        "a lot that ends in no zone": told(lots=(msgspec.structs.replace(lot, expires_at=naive),)),
        "a lot beyond every column": told(lots=(msgspec.structs.replace(lot, amount=2**63),)),
        "half a character": page(member="m-1", kind="member", key="\0"),
        "our own receipt": page(state=None, kind="erasure", key="m-1"),
        "a state that is none": page(state={"id": 5}),
        "a state that is cut off": page(raw_state=msgspec.Raw(b"\x82")),
        "a row of nothing": page(state=None, member=""),
        "somebody erased whom nobody knows": msgspec.structs.replace(empty, erased=["", "\0", "x" * 100_000]),
    }


@pytest.mark.parametrize("name", _poisons("n"))
async def test_a_poisoned_page_is_no_fault_of_ours(tmp_path: Path, name: str) -> None:
    async with bench_of(tmp_path, 1) as bench:
        bench.central.honest, store = True, bench.node.store
        await bench.pull()
        await store.start_over()
        bench.page = _poisons(bench.node.keyring.node)[name]
        before = await bench.changes()
        try:
            await Puller(store).take(bench.node.client)
        except TapledgerError:
            assert await bench.changes() == before
        await bench.node.member("m-1")
        await bench.node.sale("m-1", 500)
        await bench.push()
        last = await store.transact(lambda tx: store.journal.newest(tx, "sale"))
        assert last is not None and last.event.hlc < 2**62 + 9, "it can be read again, and later ones written"
        await bench.pull()
        assert await store.erased() == []
