"""Whatever comes: central answers or refuses by name, a refusal changes nothing, and honest shops go on."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import resource
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
import zstandard

from tapledger.database import InlineExecutor
from tapledger.errors import Invalid
from tapledger.identifiers import uuid7
from tapledger.loyalty.members import points
from tapledger.store import keyring as keyrings
from tapledger.store.keyring import Keyring
from tapledger.wire import signing
from tapledger.wire.asking import Erasures, LeaseAsked, Report, Telemetry
from tapledger.wire.codec import encode_event, link, unpack
from tapledger.wire.messages import EVENT_VERSION, Batch, BatchAnswer, Enrol, FeedPage, LedgerEvent, Refusal
from tapledger_central import audit
from tapledger_central.app import Central, open_central
from tapledger_central.store import Transaction, members, nodes
from tapledger_central.store.members import Difference
from tapledger_central.web import handlers
from tapledger_central.web.asking import Answered, Asked
from tapledger_central.web.handlers import Handlers
from tests.central.chains import Chain, earn, join
from tests.central.world import START, HandClock
from tests.wire.golden import make
from tests.wire.mutations import Mutator, pack, plain

ORIGIN = "http://central.test"
SHORT, LONG = 3_500, 60_000
REFUSALS = {400, 403, 404, 405, 409, 422, 503}
LEAVES_TRACES = {"FORK", "NODE_SUSPENDED", "NODE_CLONED", "ENROL_CODE_WRONG"}
"""Refusals of which central keeps the evidence, or counts the try."""
UNWATCHED = {"nonce", "boot", "node"}
"""Who asked, and when: every request that is signed says that."""
MAX_GROWN_KIB = 64 << 10


class Bench:
    """A central without a network, a shop that is mutated and one that is honest."""

    def __init__(self, central: Central, clock: HandClock, seed: int) -> None:
        self.central = central
        self.clock = clock
        self.handlers = Handlers(central, [ORIGIN])
        self.mutator = Mutator(seed)
        self.random = self.mutator.random
        self.honest = keyrings.make(self.random.randbytes(96))
        self.keyring: Keyring
        self.chain: Chain
        self.known = 0
        self.answers: Counter[str] = Counter()

    async def begin(self) -> None:
        await self.central.store.transact(_count_changes)
        await self._admit(self.honest, "honest")
        await self.renew()
        sign = partial(audit.advance, keys=self.central.keys, now=START, tell=lambda text: None)
        await self.central.store.transact(sign)
        await self.settle()

    async def renew(self) -> None:
        """Mutate what a new shop sends: the one before is not trusted any more."""
        self.keyring = keyrings.make(self.random.randbytes(96))
        await self._admit(self.keyring, "mutated")
        self.chain = Chain(self.keyring)
        self.chain.add(join("m-1", "card-1"))
        self.chain.add(earn("m-1", 700))
        await self.send("POST", self.of_node("events"), pack(plain(self.chain.batch())))
        await self.settle()

    async def _admit(self, keyring: Keyring, name: str) -> None:
        key = keyring.signing_key.public_key().public_bytes_raw()
        await self.central.store.transact(lambda tx: nodes.add(tx, keyring.node, "shop", name, key, 0))

    def of_node(self, what: str) -> str:
        return f"/v1/nodes/{self.keyring.node}/{what}"

    def headers(self, keyring: Keyring, method: str, target: str, body: bytes) -> dict[str, str]:
        """Sign a request by hand: this is done ten thousand times."""
        now_s = int(self.clock.now().timestamp())
        covered = {"@method": method, "@authority": "central.test", "@target-uri": ORIGIN + target}
        headers = {}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers["Content-Digest"] = covered["content-digest"] = f"sha-256=:{digest}:"
        names = " ".join(f'"{name}"' for name in covered)
        parameters = (
            f'({names});created={now_s};keyid="{keyring.node}";alg="ed25519";expires={now_s + 60}'
            f';nonce="{self.random.randbytes(16).hex()}";tag="tapledger-sync"'
        )
        lines = [f'"{name}": {value}' for name, value in covered.items()]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        signature = base64.b64encode(keyring.signing_key.sign(base.encode())).decode()
        return {**headers, "Signature-Input": f"sig={parameters}", "Signature": f"sig=:{signature}:"}

    async def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        host: str = "central.test",
    ) -> Answered:
        """Ask as the mutated shop, or with these headers."""
        if headers is None:
            headers = self.headers(self.keyring, method, target, body)

        async def read(limit: int) -> bytes:
            if len(body) > limit:
                raise Invalid("MESSAGE_TOO_LARGE", limit=limit)
            return body

        return await self.handlers.answer(Asked(method, host, target, headers, read))

    async def changes(self) -> int:
        """Return how many rows were ever written, but for those that say who asked."""
        asked = sa.text("SELECT n FROM temp.changes")
        return await self.central.store.transact(
            lambda tx: 0 if tx.is_postgresql else int(tx.connection.execute(asked).scalar_one())
        )

    async def settle(self) -> None:
        """Let central apply what it has taken, so that nothing but the next question changes anything."""
        assert await self.central.caught_up()
        self.known = await self.changes()

    async def check(self, ask: Ask) -> None:
        """Ask one question and hold the answer against what central promises."""
        answered = await ask(self)
        code = "OK" if answered.status == 200 else unpack(answered.body, Refusal).code
        self.answers[code] += 1
        if answered.status != 200:
            assert answered.status in REFUSALS and code != "CENTRAL_FAULT", (answered.status, code)
            assert code in LEAVES_TRACES or await self.changes() == self.known, code
        if answered.status == 200 or code in LEAVES_TRACES:
            await self.settle()
        if code in ("FORK", "NODE_SUSPENDED", "NODE_CLONED"):
            await self.renew()
        if self.random.random() < 0.01:
            self.clock.move(1)

    async def honest_shop_goes_on(self) -> None:
        chain = Chain(self.honest)
        chain.add(join("honest-1", "honest-card"))
        chain.add(earn("honest-1", 7))
        body, target = pack(plain(chain.batch())), f"/v1/nodes/{self.honest.node}/events"
        answered = await self.send("POST", target, body, self.headers(self.honest, "POST", target, body))
        assert answered.status == 200, unpack(answered.body, Refusal)
        cursor, told = 0, []
        while True:
            target = f"/v1/feed?v=2&cursor={cursor}"
            answered = await self.send("GET", target, headers=self.headers(self.honest, "GET", target, b""))
            page = unpack(answered.body, FeedPage)
            told += [row.state for row in page.rows if row.member == "honest-1"]
            cursor = page.cursor
            if not page.more:
                break
        assert [points(state, START + dt.timedelta(days=1)).available for state in told if state] == [7]


def _count_changes(tx: Transaction) -> None:
    run = tx.connection.exec_driver_sql
    if tx.is_postgresql:  # its connections change: there it is only seen whether it answers
        return
    run("CREATE TEMP TABLE changes (n INTEGER)")
    run("INSERT INTO temp.changes VALUES (0)")
    tables = run("SELECT name FROM main.sqlite_master WHERE type = 'table'").scalars().all()
    for table in set(tables) - UNWATCHED:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            run(
                f"CREATE TEMP TRIGGER {table}_{verb} AFTER {verb} ON main.{table}"
                " BEGIN UPDATE changes SET n = n + 1; END"
            )


# ---- what is asked ---------------------------------------------------------------------------------------
async def event(bench: Bench) -> Answered:
    """A good chain with one event in it that is not as it should be."""
    chain, mutator = bench.chain, bench.mutator
    name = bench.random.choice(list(make.EVENTS))
    sample = bench.random.choice((make.EVENTS[name].body, earn("m-1", 5), join("m-2", "card-2")))
    sealed = LedgerEvent(
        v=EVENT_VERSION,
        id=uuid7(START, bench.random.randbytes),
        node=bench.keyring.node,
        epoch=1,
        seq=len(chain.raws) + 1,
        hlc=int(bench.clock.now().timestamp() * 1000) << 16,
        body=sample,
    )
    if bench.random.random() < 0.2:
        chain.add_raw(mutator.raw(encode_event(sealed)))
    else:
        chain.add_raw(msgspec.msgpack.encode(mutator.value(plain(sealed))))
    return await bench.send("POST", bench.of_node("events"), pack(plain(chain.batch(len(chain.raws)))))


async def batch(bench: Bench) -> Answered:
    """A batch whose fields were changed, and then signed."""
    first = bench.random.randint(1, len(bench.chain.raws))
    fields = plain(bench.chain.batch(first, min(first + 2, len(bench.chain.raws))))
    if bench.random.random() < 0.3:
        fields["profiles"] = [{"member": "m-1", "digest": "d", "sealed": b"x"}]
    fields = bench.mutator.value(fields)
    try:
        if bench.random.random() < 0.5:
            fields["head"] = bench.chain.hashes[first - 1]
            for raw in fields["raws"]:
                fields["head"] = link(fields["head"], raw)
        place = (fields["node"], fields["epoch"], fields["first_seq"], len(fields["raws"]), fields["head"])
        fields["signature"] = bench.keyring.signing_key.sign(signing.batch_statement(*place))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        pass  # what cannot be signed is sent as it is
    return await bench.send("POST", bench.of_node("events"), pack(fields))


async def message(bench: Bench) -> Answered:
    """Any message where any message may come."""
    bodies = (
        LeaseAsked(id=f"l-{bench.random.randrange(50)}", member="m-1", pool="points", amount=3),
        Telemetry(reports=[Report(at_ms=1, kind="status", body=b"\x80")]),
        Erasures(members=["m-9"]),
        bench.chain.batch(1, 1),
    )
    place = bench.random.choice(("leases", "telemetry", "erasures", "events"))
    about = {"leases": 0, "telemetry": 1, "erasures": 2, "events": 3}[place]
    body = bodies[about if bench.random.random() < 0.9 else bench.random.randrange(4)]
    return await bench.send("POST", bench.of_node(place), bench.mutator.packed(plain(body)))


async def enrolling(bench: Bench) -> Answered:
    key = keyrings.make(bench.random.randbytes(96)).signing_key
    public = key.public_key().public_bytes_raw()
    code = "ABCD1234"
    if bench.random.random() < 0.3:
        code = await bench.central.enrolment_code("shop")
        await bench.settle()
    proof = signing.sign(key, signing.enrol_statement(code, public))
    fields = plain(Enrol(code=code, public_key=public, name="till", proof=proof))
    body = bench.mutator.packed(fields) if bench.random.random() < 0.9 else pack(fields)
    return await bench.send("POST", "/v1/enrol", body, {})


QUERIES = (
    ("/v1/feed", ("v", "cursor", "limit", "wait_s", "boot")),
    ("/v1/log/checkpoint", ()),
    ("/v1/log/consistency", ("from", "to")),
    ("/v1/log/inclusion", ("node", "epoch", "seq")),
    ("{node}/events", ("epoch", "after", "boot")),
    ("{node}/standing", ("boot",)),
)
FIGURES = (
    "", "0", "1", "2", "3", "4", "-1", "+1", "1e3", "0x1", "٣", "9" * 16, "9" * 17, "9007199254740992", "%00",
    "%", "%ff", "a%00b", "abc", "%F0%9F", "00", "1;2", "&&", "[", "]", "#", "//", "m-1", "ABCDEF", "0123abcd",
)  # fmt: skip


async def question(bench: Bench) -> Answered:
    path, names = bench.random.choice(QUERIES)
    path = path.replace("{node}", f"/v1/nodes/{bench.keyring.node}")
    query = [
        f"{name}={bench.random.choice(FIGURES)}"
        for name in names
        for _ in range(bench.random.choice((0, 1, 1, 1, 2)))
        if name != "wait_s"
    ]
    if bench.random.random() < 0.2:
        query.append("wait_s=" + bench.random.choice(("0", "26", "-1", "x", "99999999")))
    return await bench.send("GET", path + "?" + "&".join(query))


async def somewhere(bench: Bench) -> Answered:
    """Any method at any place; signed, for all that is true."""
    path = bench.random.choice([path for path, _ in QUERIES] + ["/v1/health", "/v1/enrol"])
    target = bench.mutator.text(path.replace("{node}", f"/v1/nodes/{bench.keyring.node}"))
    target = bench.random.choice((target, "/" + target, "//[" + target, "http://[::1" + target))
    method = bench.random.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "get", "", "PATCH"))
    return await bench.send(method, target)


async def header(bench: Bench) -> Answered:
    """A good request with a header that is not."""
    target, body = bench.of_node("telemetry"), pack({"v": 2, "reports": []})
    headers = bench.headers(bench.keyring, "POST", target, body)
    name = bench.random.choice(list(headers))
    match bench.random.randrange(6):
        case 0:
            del headers[name]
        case 1:
            headers[name] = bench.random.choice(
                ("", "sig", "sig=", "sig=();", '"', "x" * 8000, "sig=(;;", "é")
            )
        case 2:
            headers[name] += ", " + headers[name]
        case 3:
            headers[name.lower()] = headers.pop(name)
        case _:
            headers[name] = bench.mutator.text(headers[name])
    host = bench.random.choice(
        ("central.test",) * 9 + ("CENTRAL.test", "central.test:80", "", "x" * 300, "[::1")
    )
    return await bench.send("POST", target, body, headers, host)


Ask = Callable[["Bench"], Awaitable[Answered]]
QUESTIONS: tuple[Ask, ...] = (
    event,
    event,
    batch,
    message,
    message,
    enrolling,
    question,
    question,
    somewhere,
    header,
)


@asynccontextmanager
async def bench_of(folder: Path, seed: int, database_url: str) -> AsyncIterator[Bench]:
    clock = HandClock()
    executor = None if database_url else InlineExecutor()
    central = await open_central(folder, clock, executor=executor, database_url=database_url)
    try:
        bench = Bench(central, clock, seed)
        await bench.begin()
        yield bench
    finally:
        await central.close()


async def fuzzed(folder: Path, seed: int, count: int, database_url: str = "") -> Counter[str]:
    """Ask so many questions, and then as an honest shop; return how often each answer came."""
    async with bench_of(folder, seed, database_url) as bench:
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(count):
            await bench.check(QUESTIONS[number % len(QUESTIONS)])
        await bench.honest_shop_goes_on()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kib < MAX_GROWN_KIB
        return bench.answers


async def test_whatever_is_asked_is_answered_by_name(tmp_path: Path) -> None:
    answers = await fuzzed(tmp_path, 5, SHORT)
    assert answers.total() == SHORT
    assert answers["OK"] > SHORT / 10, "some has to get through, or nothing behind the door was tried"
    assert len(answers) > 15, "most ways to be refused were met"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
async def test_whatever_is_asked_is_answered_by_name_at_length(
    tmp_path: Path, seed: int, database_url: str
) -> None:
    assert (await fuzzed(tmp_path, 1000 + seed, LONG // 10, database_url)).total() == LONG // 10


async def test_a_central_that_believes_what_it_reads_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        handlers, "unpack", lambda body, kind: msgspec.msgpack.decode(zstandard.decompress(body))
    )
    with pytest.raises(AssertionError, match="CENTRAL_FAULT"):
        await fuzzed(tmp_path, 5, 100)


async def test_a_central_that_writes_before_it_refuses_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Central.take

    async def hasty(self: Central, node: nodes.Node, batch: Batch) -> BatchAnswer:
        news = Difference("HAD_TWICE", node.node, 1, os.urandom(2)[0], "", "m-1")
        await self.store.transact(lambda tx: members.list_differences(tx, [news], 0))
        return await take(self, node, batch)

    monkeypatch.setattr(Central, "take", hasty)
    with pytest.raises(AssertionError):
        await fuzzed(tmp_path, 5, 200)
