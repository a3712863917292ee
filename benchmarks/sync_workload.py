"""Days of shops as sync carries them: seeded events by the product's own decisions, and members as fed.

One tape of events and one set of members are decided once. Every further node or member is a copy of them in
which all ids are others: each id made here holds ``TAG``, which a copy replaces by its own eight digits.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger import assets
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, points
from tapledger.loyalty.people.joining import Join, decide_join
from tapledger.loyalty.program import Program
from tapledger.loyalty.rewards.redeeming import Redeem, decide_fulfil, decide_hold
from tapledger.loyalty.sales import catalogue
from tapledger.loyalty.sales.selling import BasketLine, Sale, decide_sale
from tapledger.membership import programs
from tapledger.wire import signing
from tapledger.wire.codec import GENESIS, encode_event, link
from tapledger.wire.messages import EVENT_VERSION, MAX_BATCH_EVENTS, Batch, LedgerEvent

SEED = 20260501
START = dt.datetime(2026, 5, 4, 1, 0, tzinfo=dt.UTC)
TAPE_EVENTS, TAPE_MEMBERS = 2000, 200
PACE_S = 40
TAG = "5eed5eed"
NODE = "#node##5"
"""Stands where a node's name will: as long as one."""
ARCHETYPES = 2000
PURCHASES = ((0, 25), (1, 35), (2, 18), (3, 9), (5, 8), (9, 5))
"""How often a member has bought since their last points lapsed, and how many of a hundred have."""
LANGUAGE = "zh-Hans"


class Scribe:
    """Decides what happens in a shop, one event after the other."""

    def __init__(self, seed: int) -> None:
        folder = assets.config_folder()
        rules = programs.load(folder / "program.toml").program
        assert rules is not None
        self.program: Program = rules
        rows = (folder / "catalogue.csv").read_text("utf-8-sig").splitlines()
        self.articles = sorted(catalogue.read(rows, rules.currency).articles.items())
        self.randomness = random.Random(seed)
        self.now = START

    def new_id(self) -> str:
        """Return a UUIDv7 that holds the tag."""
        ms = f"{int(self.now.timestamp() * 1000):012x}"
        tail = f"{self.randomness.getrandbits(40):010x}"
        return f"{ms[:8]}-{ms[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:]}{TAG}"

    def digits(self) -> str:
        """Return what a keyed hash looks like, with the tag in it."""
        return f"{self.randomness.getrandbits(96):024x}{TAG}"

    def join(self, phone_share: float = 0.5) -> Decision:
        kinds = ("card", "phone") if self.randomness.random() < phone_share else ("card",)
        credentials = tuple(Credential(kind, self.digits(), 1 if kind == "card" else 0) for kind in kinds)
        digest = hashlib.sha256(self.randomness.randbytes(8)).hexdigest()
        command = Join(self.new_id(), credentials, digest, "staff-1")
        return decide_join(command, self.program, self.now)

    def sale(self, member: Member | None) -> Decision:
        chosen = self.randomness.sample(self.articles, self.randomness.randint(1, 5))
        lines: tuple[BasketLine, ...] = tuple(
            article.line(1000 * self.randomness.randint(1, 3), LANGUAGE) for _, article in chosen
        )
        paid = sum(line.unit_minor * line.quantity_milli // 1000 for line in lines)
        sale = self.new_id()
        command = Sale(
            sale,
            lines,
            (Tender("cash", paid),),
            sale,
            "staff-1",
            None if member is None else 1,
            till="till-1",
        )
        return decide_sale(member, command, self.program, self.now)

    def hold(self, member: Member) -> Decision:
        command = Redeem("coffee", self.new_id(), self.digits(), 2, "token:key=benchmark", None, 0)
        return decide_hold(member, command, self.program, self.now)

    def fulfil(self, member: Member) -> Decision:
        return decide_fulfil(member, member.holds[0].id, "staff-1", self.program, self.now)


def tape(events: int = TAPE_EVENTS, members: int = TAPE_MEMBERS, seed: int = SEED) -> list[bytes]:
    """Return a node's events in order, encoded: joins, sales, some of nobody, holds and fulfilments."""
    scribe = Scribe(seed)
    known: list[Member] = []
    raws = []
    for seq in range(1, events + 1):
        body = _next(scribe, known, members)
        event = LedgerEvent(
            v=EVENT_VERSION,
            id=scribe.new_id(),
            node=NODE,
            epoch=1,
            seq=seq,
            hlc=int(scribe.now.timestamp() * 1000) << 16,
            body=body,
        )
        raws.append(encode_event(event))
        scribe.now += dt.timedelta(seconds=scribe.randomness.randint(1, 2 * PACE_S))
    return raws


def _next(scribe: Scribe, known: list[Member], members: int) -> EventBody:
    """Decide one event and keep its member as they are after it."""
    if not known or (len(known) < members and scribe.randomness.random() < 0.12):
        decision = scribe.join()
        assert decision.after is not None
        known.append(decision.after)
        return decision.body
    place = scribe.randomness.randrange(len(known))
    member = known[place]
    if member.holds:
        decision = scribe.fulfil(member)
    elif points(member, scribe.now).available >= 100 and scribe.randomness.random() < 0.3:
        decision = scribe.hold(member)
    elif scribe.randomness.random() < 0.15:
        return scribe.sale(None).body
    else:
        decision = scribe.sale(member)
    assert decision.after is not None
    known[place] = decision.after
    return decision.body


@dataclass(frozen=True, slots=True)
class Chain:
    """A node's events, sealed as its own."""

    key: Ed25519PrivateKey
    node: str
    raws: list[bytes]

    def batches(self, size: int = MAX_BATCH_EVENTS) -> Iterator[Batch]:
        """Yield the signed batches, in order."""
        return _signed(self.key, self.node, iter(self.raws), size)


def _signed(key: Ed25519PrivateKey, node: str, events: Iterator[bytes], size: int) -> Iterator[Batch]:
    head, first = GENESIS, 1
    while raws := list(itertools.islice(events, size)):
        for raw in raws:
            head = link(head, raw)
        statement = signing.batch_statement(node, 1, first, len(raws), head)
        signature = signing.sign(key, statement)
        yield Batch(node=node, epoch=1, first_seq=first, raws=raws, head=head, signature=signature)
        first += len(raws)


def tag(number: int) -> bytes:
    """Return eight hexadecimal digits of a copy, different for each number below 2**32."""
    return b"%08x" % (number * 0x9E3779B1 + 0x5BD1E995 & 0xFFFFFFFF)


def key_of(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"benchmark node %d" % number).digest())


def chain(events: Sequence[bytes], number: int, key: Ed25519PrivateKey | None = None) -> Chain:
    """Return a copy of a tape as the chain of one node."""
    key = key or key_of(number)
    node = signing.node_id(key.public_key().public_bytes_raw())
    return Chain(key, node, list(_renamed(events, number, node)))


def batches(events: Sequence[bytes], number: int, key: Ed25519PrivateKey, size: int) -> Iterator[Batch]:
    """Yield the batches of ``chain``, each made when it is asked for: many nodes need little memory so."""
    node = signing.node_id(key.public_key().public_bytes_raw())
    return _signed(key, node, _renamed(events, number, node), size)


def _renamed(events: Sequence[bytes], number: int, node: str) -> Iterator[bytes]:
    own, ours = tag(number), node.encode()
    for raw in events:
        yield raw.replace(TAG.encode(), own).replace(NODE.encode(), ours)


def archetypes(count: int = ARCHETYPES, seed: int = SEED) -> list[bytes]:
    """Return members as central keeps them, encoded; with one tag for all."""
    scribe, found = Scribe(seed), []
    often = [times for times, share in PURCHASES for _ in range(share)]
    for _ in range(count):
        scribe.now = START + dt.timedelta(seconds=scribe.randomness.randrange(300 * 86400))
        member = scribe.join().after
        for _ in range(scribe.randomness.choice(often)):
            scribe.now += dt.timedelta(seconds=scribe.randomness.randrange(30 * 86400))
            member = scribe.sale(member).after
        found.append(msgspec.msgpack.encode(member))
    return found


def members(kinds: Sequence[bytes], first: int, count: int) -> Iterator[bytes]:
    """Yield so many members, encoded, all different; the n-th is the same whatever ``first`` is.

    Each id in a member gets digits of its own, so that nothing can be saved by keeping them together.
    """
    cut = [_cut(kind) for kind in kinds]
    for number in range(first, first + count):
        parts, places = cut[number % len(kinds)]
        digits = hashlib.sha512(b"%d" % number).hexdigest().encode()
        found = [parts[0]]
        for part, place in zip(parts[1:], places, strict=True):
            found += (digits[place : place + len(TAG)], part)
        yield b"".join(found)


def _cut(kind: bytes) -> tuple[list[bytes], list[int]]:
    """Return a member in parts, and for each cut which of 16 tags stands there: the same id has the same."""
    parts = kind.split(TAG.encode())
    known: dict[bytes, int] = {}
    for part in parts[:-1]:
        known.setdefault(part[-20:], len(known) % 16 * len(TAG))
    return parts, [known[part[-20:]] for part in parts[:-1]]
